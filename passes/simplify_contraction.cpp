// Rules that let a contraction's index maps do what a transpose would.
#include <algorithm>

#include "passes/simplify_rules.h"

namespace sinter {
namespace {

Axes through(const Axes& permutation, const Axes& axes) {
  Axes result;
  for (int64_t axis : axes) result.push_back(permutation[static_cast<size_t>(axis)]);
  return result;
}

// An operand that is transposed is read in its own order instead: where its free axes, which name the result's, stay in order. The contracted axes
// keep theirs, so each sum adds the same products in the same order.
NodeId contract_of_transpose(Simplifier& s, const Candidate& c) {
  if (c.op != Op::contract) return {};
  ContractionAttributes a = c.as<ContractionAttributes>();
  std::vector<NodeId> operands(c.inputs.begin(), c.inputs.end());
  bool found = false;
  for (size_t side : {0, 1}) {
    if (s.node(operands[side]).op != Op::transpose) continue;
    const Axes& permutation = s.as<TransposeAttributes>(operands[side]).permutation;
    Axes &batch = side == 0 ? a.lhs_batch : a.rhs_batch, &contracted = side == 0 ? a.lhs_contracted : a.rhs_contracted;
    Axes free;
    for (int64_t axis = 0; axis < static_cast<int64_t>(permutation.size()); ++axis)
      if (!contains(batch, axis) && !contains(contracted, axis)) free.push_back(permutation[static_cast<size_t>(axis)]);
    if (!std::is_sorted(free.begin(), free.end())) continue;
    batch = through(permutation, batch);
    contracted = through(permutation, contracted);
    s.absorb(operands[side]);
    operands[side] = s.inputs(operands[side])[0];
    found = true;
  }
  return found ? s.make(Op::contract, operands, a) : NodeId();
}

// A result whose two groups of free axes are exchanged is the contraction of the operands exchanged, if nothing needs it as it was.
NodeId transpose_of_contract(Simplifier& s, const Candidate& c) {
  if (c.op != Op::transpose || s.node(c.inputs[0]).op != Op::contract || !s.only_use(c, 0)) return {};
  NodeId product = c.inputs[0], left = s.inputs(product)[0], right = s.inputs(product)[1];
  const auto& a = s.as<ContractionAttributes>(product);
  int64_t batch = static_cast<int64_t>(a.lhs_batch.size()), rank = static_cast<int64_t>(c.type.shape.size());
  int64_t first_right = static_cast<int64_t>(s.type(left).shape.size() - a.lhs_contracted.size());
  Axes exchanged;
  for (int64_t i = 0; i < batch; ++i) exchanged.push_back(i);
  for (int64_t i = first_right; i < rank; ++i) exchanged.push_back(i);
  for (int64_t i = batch; i < first_right; ++i) exchanged.push_back(i);
  if (c.as<TransposeAttributes>().permutation != exchanged) return {};
  s.absorb(product);
  return s.make(Op::contract, {right, left}, ContractionAttributes{a.rhs_batch, a.lhs_batch, a.rhs_contracted, a.lhs_contracted});
}

}  // namespace

std::span<const Rule> contraction_rules() {
  static constexpr Rule rules[] = {
      {"contract_of_transpose", contract_of_transpose},
      {"transpose_of_contract", transpose_of_contract},
  };
  return rules;
}

}  // namespace sinter
