// Riders: row groups that reduce, over the rows of another, what that one computes: column sums (the gradients of a bias and a gain), sums of
// all (a loss). Its kernel adds them up on the way, chunk by chunk, and their operand need not be stored for them.
#pragma once
#include <optional>
#include <set>

#include "passes/fusion/plan.h"

namespace sinter {

// What a rider's reduction reduces of a row group's members, and where, at a point of that group's loops, its result is.
struct RiddenOperand {
  NodeId operand;
  Index index;
};
// Nothing where the group's kernel cannot do it: it can where all rows are reduced, and either all places along the row or none.
std::optional<RiddenOperand> ridden_operand(const Graph&, const Group&, NodeId reduction);

// The plan's groups, in any order, those that can ride now among another's `riders`. `leaving` are stored whoever reads them.
std::vector<Group> with_riders(const Program&, const std::set<NodeId>& leaving, const FusionPlan&);

}  // namespace sinter
