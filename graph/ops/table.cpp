#include <fmt/format.h>

#include "graph/builder.h"
#include "graph/expr.h"
#include "graph/ops/expand.h"

namespace sinter {

std::span<const OpInfo> op_table() {
  static const std::vector<OpInfo> table = [] {
    std::vector<OpInfo> all;
    for (auto family : {leaf_ops(), unary_ops(), binary_ops(), movement_ops(), reduction_ops(), indexing_ops(), contraction_ops(), custom_ops(), sugar_ops()})
      all.insert(all.end(), family.begin(), family.end());
    ensure(all.size() == static_cast<size_t>(Op::count_), "the op table has a row for each Op");
    for (size_t i = 0; i < all.size(); ++i) ensure(static_cast<size_t>(all[i].op) == i, fmt::format("the row of '{}' stands in the order of Op", all[i].name));
    return all;
  }();
  return table;
}

const OpInfo& info(Op op) { return op_table()[static_cast<size_t>(op)]; }

const OpInfo* op_named(std::string_view wanted) {
  for (const OpInfo& row : op_table())
    if (row.name == wanted) return &row;
  return nullptr;
}

ScalarExpr expression_of(Op op, std::span<const DType> inputs, DType result) {
  ScalarBuilder builder;
  std::vector<Scalar> operands;
  for (size_t i = 0; i < inputs.size(); ++i) operands.push_back(builder.input(static_cast<uint32_t>(i), inputs[i]));
  Scalar value = info(op).expression(operands, result);
  return builder.finish(std::span(&value, 1));
}

// Only a NaN is replaced: where the adjoint happens to be 0 and the value is finite, the derivative by the adjoint must stay right, since
// gradients are differentiated again.
Expr GradientRule::guarded(const Expr& value) const { return masked ? select(adjoint == 0 && value != value, 0, value) : value; }

Type infer_same(const Inference& in) { return in.inputs[0]; }
Type infer_number(const Inference& in) {
  if (in.inputs[0].dtype == boolean) throw UserError(fmt::format("takes numbers, not bool; convert() {} first", in.inputs.size() == 1 ? "it" : "them"));
  return in.inputs[0];
}
Type infer_integer(const Inference& in) {
  if (in.inputs[0].dtype == boolean) throw UserError(fmt::format("takes integers, not bool; convert() {} first", in.inputs.size() == 1 ? "it" : "them"));
  return in.inputs[0];
}
Type infer_never(const Inference&) { throw InternalError("this operation's type is not inferred"); }

}  // namespace sinter
