#include "graph/arrays/elements.h"

#include <limits>

namespace sinter {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

}  // namespace

Expr isnan(Operand operand) {
  OriginScope scope(operand, "isnan");
  Expr x = operand.expr();
  return x != x;
}

Expr isinf(Operand x) {
  OriginScope scope(x, "isinf");
  return abs(x) == infinity;
}

Expr isfinite(Operand x) {
  OriginScope scope(x, "isfinite");
  return abs(x) < infinity;
}

Expr logical_xor(Operand a, Operand b) {
  OriginScope scope(a, "logical_xor");
  return (a && !b) || (!a && b);
}

Expr clip(Operand x, Operand low, Operand high) {
  OriginScope scope(x, "clip");
  return minimum(maximum(x, low), high);
}

Expr any(Operand x) {
  OriginScope scope(x, "any");
  return max(x != 0);
}
Expr any(Operand x, Axes axes, bool keep) {
  OriginScope scope(x, "any");
  return max(x != 0, std::move(axes), keep);
}
Expr all(Operand x) {
  OriginScope scope(x, "all");
  return min(x != 0);
}
Expr all(Operand x, Axes axes, bool keep) {
  OriginScope scope(x, "all");
  return min(x != 0, std::move(axes), keep);
}

}  // namespace sinter
