#include "graph/nn/layers.h"

#include <fmt/format.h>

#include "graph/nn/statistics.h"

namespace sinter {

Expr linear(Operand x, Operand w, Operand b) {
  OriginScope scope(x, "linear");
  return matmul(x, w) + b;
}

Expr layer_norm(Operand operand, Operand gain, Operand bias, int64_t axis, double epsilon) {
  OriginScope scope(operand, "layer_norm");
  Expr x = operand.expr();
  if (axis >= 0) {
    if (x.is_template())
      throw UserError("layer_norm: count the axis from the back (-1 is the last) where x is declared without a type", line_at(operand.where()));
    int64_t rank = static_cast<int64_t>(x.shape().size());
    if (axis >= rank) throw UserError(fmt::format("layer_norm: {} has no axis {}", to_string(x.type()), axis), line_at(operand.where()));
    axis -= rank;
  }
  Expr centered = x - mean(x, {axis}, true);
  Expr normal = centered * rsqrt(mean(centered * centered, {axis}, true) + epsilon);
  // The axis, and a size of 1 for each behind it.
  Shape along(static_cast<size_t>(-axis), Dim(1));
  along[0] = Dim(-1);
  auto spread = [&](const Operand& v) { return axis == -1 ? v.expr() : reshape(v, along); };
  return normal * spread(gain) + spread(bias);
}

}  // namespace sinter
