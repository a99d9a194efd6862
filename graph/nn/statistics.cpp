#include "graph/nn/statistics.h"

#include <limits>

namespace sinter {
namespace {

// A sum over a size. A quotient of integers would be cut off: where they may be, a literal float meets them, which leaves floats as they
// are.
Expr quotient(const Expr& x, const Expr& total, const Expr& count) {
  bool known_float = !x.is_template() && is_float(x.dtype());
  return (known_float ? total : total * 1.0) / count;
}

// The largest along an axis, through which no gradient flows: it cancels from what is computed with it.
Expr largest(const Expr& x, int64_t axis) { return stop_gradient(max(x, {axis}, true)); }

// The same, but 0 where it is infinite, since inf - inf would be NaN.
Expr largest_finite(const Expr& x, int64_t axis, bool keep) {
  Expr top = max(x, {axis}, keep);
  return stop_gradient(select(abs(top) == std::numeric_limits<double>::infinity(), 0, top));
}

}  // namespace

Expr mean(Operand operand) {
  OriginScope scope(operand, "mean");
  Expr x = operand.expr();
  return quotient(x, sum(x), size(x));
}

Expr mean(Operand operand, Axes axes, bool keep) {
  OriginScope scope(operand, "mean");
  Expr x = operand.expr();
  return quotient(x, sum(x, axes, keep), size(x, axes));
}

Expr variance(Operand operand) {
  OriginScope scope(operand, "variance");
  Expr x = operand.expr(), centered = x - mean(x);
  return mean(centered * centered);
}

Expr variance(Operand operand, Axes axes, bool keep) {
  OriginScope scope(operand, "variance");
  Expr x = operand.expr(), centered = x - mean(x, axes, true);
  return mean(centered * centered, axes, keep);
}

namespace {
Expr root(const Expr& squares) { return select(squares == 0, 0, sqrt(squares)); }
}  // namespace

Expr norm(Operand operand) {
  OriginScope scope(operand, "norm");
  Expr x = operand.expr();
  return root(sum(x * x));
}

Expr norm(Operand operand, Axes axes, bool keep) {
  OriginScope scope(operand, "norm");
  Expr x = operand.expr();
  return root(sum(x * x, std::move(axes), keep));
}

Expr logsumexp(Operand operand, int64_t axis, bool keep) {
  OriginScope scope(operand, "logsumexp");
  Expr x = operand.expr();
  return log(sum(exp(x - largest_finite(x, axis, true)), {axis}, keep)) + largest_finite(x, axis, keep);
}

Expr softmax(Operand operand, int64_t axis) {
  OriginScope scope(operand, "softmax");
  Expr x = operand.expr(), e = exp(x - largest(x, axis));
  return e / sum(e, {axis}, true);
}

Expr log_softmax(Operand operand, int64_t axis) {
  OriginScope scope(operand, "log_softmax");
  Expr x = operand.expr(), shifted = x - largest(x, axis);
  return shifted - log(sum(exp(shifted), {axis}, true));
}

}  // namespace sinter
