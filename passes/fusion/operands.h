// Where the operands of contractions and reductions are, as functions of loops.
#pragma once
#include "passes/fusion/plan.h"

namespace sinter {

// The loops over which an operand of a contraction is packed, batch axes first, then its free axis and its contracted one; at[0] is the
// operand's index there.
Group operand_group(const Graph&, NodeId contraction, int side);

// The place of a reduction's operand for which its result lies at `index`: reduced axes run over the reduced loops, in order.
Index operand_index(const Graph&, const Group&, NodeId reduction, const Index& index);

}  // namespace sinter
