// What a program is, as a number.
#pragma once
#include "graph/graph.h"

namespace sinter {

// Equal for programs whose outputs and updates reach the same nodes, wherever those stand in the graph and wherever they come from; else
// different, as far as 64 bits tell. That two nodes are equal, and not one, counts.
uint64_t structural_hash(const Program&);

}  // namespace sinter
