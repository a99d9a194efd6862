// Lowering by kind, and what the kinds share.
#pragma once
#include <optional>

#include "codegen/body.h"

namespace sinter {

LoweredGroup lower_loop(const Program&, const FusionPlan&, const Group&);
LoweredGroup lower_row(const Program&, const FusionPlan&, const Group&);
LoweredGroup lower_contraction(const Program&, const FusionPlan&, const Group&, const Target&);

std::vector<Affine*> affines_of(std::initializer_list<Body*>);
// Loop i of the result is loop order[i].
void permute_loops(std::vector<Dim>& extents, const std::vector<Affine*>&, const std::vector<size_t>& order);
// Of the loops [first, last) the one that most accesses walk element by element, and how many do; stores weigh more.
std::optional<size_t> contiguous_loop(const std::vector<Body*>&, size_t first, size_t last, int& score);
// The values of a row group that are kept, for the row, in scratch of the worker's: written by the first inner stage that computes them.
std::vector<NodeId> staged_values(const Program&, const FusionPlan&, const Group&);
double operations(const ScalarExpr&);                                           // as many additions take about as long
double nanoseconds(const Body&, const std::vector<KernelArgument>&);            // a rough cost of one point in vector code
int64_t grain_for(double nanoseconds_a_step);                                   // steps that make a chunk worth handing to a thread

}  // namespace sinter
