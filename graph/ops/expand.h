// Expansion of sugar rows, and the folder's own helpers for writing rows.
#pragma once
#include <span>

#include "graph/graph.h"

namespace sinter {

// What a sugar row stands for, at known operand types.
NodeId expand(Graph&, Op, const std::vector<NodeId>& inputs, const Attributes&, const Origins&);

// The rows of each family, in the order of Op.
std::span<const OpInfo> leaf_ops();
std::span<const OpInfo> unary_ops();
std::span<const OpInfo> binary_ops();
std::span<const OpInfo> movement_ops();
std::span<const OpInfo> reduction_ops();
std::span<const OpInfo> indexing_ops();
std::span<const OpInfo> contraction_ops();
std::span<const OpInfo> custom_ops();
std::span<const OpInfo> sugar_ops();

// A row whose operands have names of their own, or that users write otherwise than by its name.
inline OpInfo with_operands(std::string_view operands, OpInfo row) {
  row.operands = operands;
  return row;
}
inline OpInfo written(std::string_view as, OpInfo row) {
  row.written = as;
  return row;
}

// A rule for a row that has none because nothing calls it (a leaf's gradient, sugar's shape).
Type infer_never(const Inference&);

// The first operand's type: whatever it is; a number's; an integer's, of operands that are bits already. UserErrors for bools.
Type infer_same(const Inference&);
Type infer_number(const Inference&);
Type infer_integer(const Inference&);

// What sum_to(g, shape) of reverse broadcasting means lives in movement.cpp: the gradient of a broadcast.

}  // namespace sinter
