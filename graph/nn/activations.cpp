#include "graph/nn/activations.h"

#include <numbers>

#include "graph/nn/squarable.h"

namespace sinter {

// The constant stands first: at a tie the gradient of a maximum goes to the first operand.
Expr relu(Operand x) {
  OriginScope scope(x, "relu");
  return maximum(0, x);
}

Expr leaky_relu(Operand x, double slope) {
  OriginScope scope(x, "leaky_relu");
  return select(x > 0, x, x * slope);
}

Expr silu(Operand x) {
  OriginScope scope(x, "silu");
  return x * sigmoid(x);
}

Expr gelu(Operand x, Gelu form) {
  OriginScope scope(x, "gelu");
  if (form == Gelu::erf) return 0.5 * x * (1 + erf(x * (1 / std::numbers::sqrt2)));
  const double scale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;
  const Expr v = floating(x.expr());
  return 0.5 * v * (1 + tanh(scale * (v + 0.044715 * (v * v * v))));
}

}  // namespace sinter
