#include "graph/nn/statistics.h"

#include <limits>

#include "graph/nn/squarable.h"

namespace sinter {
namespace {

// Integers as f64, whose sums do not wrap around; a template stays what it is.
Expr as_float(const Expr& x) { return x.is_template() || is_float(x.dtype()) ? x : convert(x, f64); }

// A sum over a size. Where a template's elements may be integers a literal float meets their sum, which leaves floats as they are.
Expr quotient(const Expr& x, const Expr& total, const Expr& count) { return (x.is_template() ? total * 1.0 : total) / count; }

// The largest along an axis, through which no gradient flows: it cancels from what is computed with it.
Expr largest(const Expr& x, int64_t axis) { return stop_gradient(max(x, {axis}, true)); }

// The same, but 0 where it is infinite, since inf - inf would be NaN.
Expr largest_finite(const Expr& x, int64_t axis, bool keep) {
  Expr top = max(x, {axis}, keep);
  return stop_gradient(select(abs(top) == std::numeric_limits<double>::infinity(), 0, top));
}

}  // namespace

Expr floating(const Expr& x) { return !x.is_template() && is_float(x.dtype()) ? x : x * 1.0; }

Expr squarable(const Expr& x) {
  if (x.is_template()) return floating(x);
  return x.type().weak ? x : as_float(x);
}

Expr mean(Operand operand) {
  OriginScope scope(operand, "mean");
  Expr x = as_float(operand.expr());
  Expr total = sum(x);
  return quotient(x, total, size(x));
}

Expr mean(Operand operand, Axes axes, bool keep) {
  OriginScope scope(operand, "mean");
  Expr x = as_float(operand.expr());
  Expr total = sum(x, axes, keep);  // before the size, whatever order a compiler takes arguments in
  return quotient(x, total, size(x, axes));
}

Expr variance(Operand operand) {
  OriginScope scope(operand, "variance");
  Expr x = squarable(operand.expr()), centered = x - mean(x);
  return mean(centered * centered);
}

Expr variance(Operand operand, Axes axes, bool keep) {
  OriginScope scope(operand, "variance");
  Expr x = squarable(operand.expr()), centered = x - mean(x, axes, true);
  return mean(centered * centered, axes, keep);
}

namespace {
Expr root(const Expr& squares) { return select(squares == 0, 0, sqrt(squares)); }
}  // namespace

Expr norm(Operand operand) {
  OriginScope scope(operand, "norm");
  Expr x = squarable(operand.expr());
  return root(sum(x * x));
}

Expr norm(Operand operand, Axes axes, bool keep) {
  OriginScope scope(operand, "norm");
  Expr x = squarable(operand.expr());
  return root(sum(x * x, std::move(axes), keep));
}

Expr logsumexp(Operand operand, int64_t axis, bool keep) {
  OriginScope scope(operand, "logsumexp");
  Expr x = floating(operand.expr());
  return log(sum(exp(x - largest_finite(x, axis, true)), {axis}, keep)) + largest_finite(x, axis, keep);
}

Expr softmax(Operand operand, int64_t axis) {
  OriginScope scope(operand, "softmax");
  Expr x = floating(operand.expr()), e = exp(x - largest(x, axis));
  return e * (1 / sum(e, {axis}, true));  // one division a row, in the gradient too; the sum is at least 1
}

Expr log_softmax(Operand operand, int64_t axis) {
  OriginScope scope(operand, "log_softmax");
  Expr x = floating(operand.expr()), shifted = x - largest(x, axis);
  return shifted - log(sum(exp(shifted), {axis}, true));
}

}  // namespace sinter
