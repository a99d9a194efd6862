// Common subexpressions become one.
// May assume: nothing beside a verified program.
// Promises: no two nodes are equal in operation, operands, attributes and type; the operands of a commutative operation stand in the order of
// their nodes, and count as equal in either. A node that goes leaves its origins to the one that stays. Bits do not change: the commutative
// operations are exactly so.
#pragma once
#include "passes/pass.h"

namespace sinter {
PassResult cse(const Program&);
}  // namespace sinter
