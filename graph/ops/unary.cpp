// Elementwise operations of one operand.
#include <cmath>
#include <numbers>

#include "graph/expr.h"
#include "graph/ops/expand.h"
#include "graph/scalar_math.h"

namespace sinter {
namespace {

using Operands = std::span<const Scalar>;
using Rule = const GradientRule&;

Type infer_convert(const Inference& in) { return Type::of(std::get<ConvertAttributes>(in.attributes).dtype, in.inputs[0].shape); }

using Gradients = std::vector<Expr> (*)(Rule);
OpInfo row(Op op, std::string_view name, Promotion promotion, Scalar (*expression)(Operands, DType), Gradients gradient, std::string_view derivative, Domain domain,
           std::string_view doc) {
  return {op, name, 1, Family::elementwise, promotion, false, promotion == Promotion::numeric ? infer_number : infer_same, "", expression, nullptr, gradient, derivative, {domain}, doc};
}

// The gradient of a function whose derivative is `slope` of its operand and its value.
template <class F>
std::vector<Expr> along(Rule r, F slope) {
  return r.each([&] { return r.guarded(r.adjoint * slope(r.inputs[0], r.output)); });
}

// The derivative of digamma, by its recurrence and asymptotic series; for x < 0 reflected. Of plain operations, so that it can be
// differentiated again and again.
Expr trigamma(const Expr& x) {
  Expr z = select(x < 0, 1 - x, x), w = z + 8, u = 1 / (w * w);
  Expr series = u * (7.0 / 6);
  for (double c : {-691.0 / 2730, 5.0 / 66, -1.0 / 30, 1.0 / 42, -1.0 / 30, 1.0 / 6}) series = (series + c) * u;
  Expr positive = (1 + 0.5 / w + series) / w;
  for (int k = 7; k >= 0; --k) positive = positive + 1 / ((z + k) * (z + k));
  Expr sine = sin((x - round(x)) * std::numbers::pi);  // squared, its sign does not count
  return select(x < 0, std::numbers::pi * std::numbers::pi / (sine * sine) - positive, positive);
}

}  // namespace

std::span<const OpInfo> unary_ops() {
  static const std::vector<OpInfo> rows = {
      written("-x", row(Op::negate, "negate", Promotion::numeric, [](Operands x, DType) { return scalar::operator-(x[0]); },
          [](Rule r) { return r.each([&] { return -r.adjoint; }); }, "-g", {}, "-x.")),
      row(Op::abs, "abs", Promotion::numeric, [](Operands x, DType) { return scalar::abs(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * sign(r.inputs[0])); }); }, "g * sign(x)", {}, "The absolute value; that of the least integer is itself."),
      row(Op::sign, "sign", Promotion::numeric, [](Operands x, DType) { return scalar::sign(x[0]); }, nullptr, not_differentiable, {}, "-1, 0 or 1; NaN for NaN, a zero for a zero."),
      row(Op::floor, "floor", Promotion::numeric, [](Operands x, DType) { return is_float(x[0].type()) ? scalar::floor(x[0]) : x[0]; }, nullptr, not_differentiable, {}, "The largest whole number not above x, which is x itself where it is an integer."),
      row(Op::ceil, "ceil", Promotion::numeric, [](Operands x, DType) { return is_float(x[0].type()) ? scalar::ceil(x[0]) : x[0]; }, nullptr, not_differentiable, {}, "The smallest whole number not below x, which is x itself where it is an integer."),
      row(Op::trunc, "trunc", Promotion::numeric, [](Operands x, DType) { return is_float(x[0].type()) ? scalar::trunc(x[0]) : x[0]; }, nullptr, not_differentiable, {}, "x without its fraction."),
      row(Op::round, "round", Promotion::numeric, [](Operands x, DType) { return is_float(x[0].type()) ? scalar::round_even(x[0]) : x[0]; }, nullptr, not_differentiable, {}, "The nearest whole number, the even one of two, as C's rint."),
      row(Op::exp, "exp", Promotion::floating, [](Operands x, DType) { return scalar::exp(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * r.output); }); }, "g * y", {}, "e to the x."),
      row(Op::exp2, "exp2", Promotion::floating, [](Operands x, DType) { return scalar::exp2(x[0]); },
          [](Rule r) { return along(r, [](const Expr&, const Expr& y) { return y * std::numbers::ln2; }); }, "g * y * log(2)", {}, "2 to the x."),
      row(Op::expm1, "expm1", Promotion::floating, [](Operands x, DType) { return scalar::expm1(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * (r.output + 1)); }); }, "g * (y + 1)", {}, "exp(x) - 1, right near 0."),
      row(Op::log, "log", Promotion::floating, [](Operands x, DType) { return scalar::log(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint / r.inputs[0]); }); }, "g / x", {0.1, 5}, "The natural logarithm; NaN below 0."),
      row(Op::log2, "log2", Promotion::floating, [](Operands x, DType) { return scalar::log2(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return std::numbers::log2e / x; }); }, "g / (x * log(2))", {0.1, 5}, "The logarithm to base 2; NaN below 0."),
      row(Op::log10, "log10", Promotion::floating, [](Operands x, DType) { return scalar::log10(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return std::numbers::log10e / x; }); }, "g / (x * log(10))", {0.1, 5}, "The logarithm to base 10; NaN below 0."),
      row(Op::log1p, "log1p", Promotion::floating, [](Operands x, DType) { return scalar::log1p(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint / (r.inputs[0] + 1)); }); }, "g / (x + 1)", {-0.9, 5}, "log(1 + x), right near 0."),
      row(Op::sqrt, "sqrt", Promotion::floating, [](Operands x, DType) { return scalar::sqrt(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * 0.5 / r.output); }); }, "g * 0.5 / y", {0.1, 5}, "The square root; NaN below 0."),
      row(Op::rsqrt, "rsqrt", Promotion::floating, [](Operands x, DType) { return scalar::rsqrt(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * -0.5 * r.output / r.inputs[0]); }); }, "g * -0.5 * y / x", {0.1, 5}, "1 / sqrt(x)."),
      row(Op::cbrt, "cbrt", Promotion::floating, [](Operands x, DType) { return scalar::cbrt(x[0]); },
          [](Rule r) { return along(r, [](const Expr&, const Expr& y) { return 1.0 / (3 * y * y); }); }, "g / (3 * y * y)", {0.1, 5}, "The cube root."),
      row(Op::sin, "sin", Promotion::floating, [](Operands x, DType) { return scalar::sin(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * cos(r.inputs[0])); }); }, "g * cos(x)", {}, "The sine of x in radians; NaN for an f64 beyond 2^45."),
      row(Op::cos, "cos", Promotion::floating, [](Operands x, DType) { return scalar::cos(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(-(r.adjoint * sin(r.inputs[0]))); }); }, "-(g * sin(x))", {}, "The cosine of x in radians; NaN for an f64 beyond 2^45."),
      row(Op::tan, "tan", Promotion::floating, [](Operands x, DType) { return scalar::tan(x[0]); },
          [](Rule r) { return along(r, [](const Expr&, const Expr& y) { return 1 + y * y; }); }, "g * (1 + y * y)", {-1.4, 1.4}, "The tangent of x in radians; NaN for an f64 beyond 2^45."),
      row(Op::asin, "asin", Promotion::floating, [](Operands x, DType) { return scalar::asin(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return rsqrt((1 - x) * (1 + x)); }); }, "g / sqrt((1 - x) * (1 + x))", {-0.9, 0.9}, "The angle whose sine is x; NaN beyond 1."),
      row(Op::acos, "acos", Promotion::floating, [](Operands x, DType) { return scalar::acos(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return -rsqrt((1 - x) * (1 + x)); }); }, "-g / sqrt((1 - x) * (1 + x))", {-0.9, 0.9}, "The angle whose cosine is x; NaN beyond 1."),
      row(Op::atan, "atan", Promotion::floating, [](Operands x, DType) { return scalar::atan(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return 1 / (1 + x * x); }); }, "g / (1 + x * x)", {}, "The angle whose tangent is x."),
      row(Op::sinh, "sinh", Promotion::floating, [](Operands x, DType) { return scalar::sinh(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return cosh(x); }); }, "g * cosh(x)", {}, "The hyperbolic sine."),
      row(Op::cosh, "cosh", Promotion::floating, [](Operands x, DType) { return scalar::cosh(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return sinh(x); }); }, "g * sinh(x)", {}, "The hyperbolic cosine."),
      row(Op::tanh, "tanh", Promotion::floating, [](Operands x, DType) { return scalar::tanh(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * (1 - r.output * r.output)); }); }, "g * (1 - y * y)", {}, "The hyperbolic tangent."),
      row(Op::asinh, "asinh", Promotion::floating, [](Operands x, DType) { return scalar::asinh(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return 1 / hypot(1, x); }); }, "g / hypot(1, x)", {}, "The number whose hyperbolic sine is x."),
      row(Op::acosh, "acosh", Promotion::floating, [](Operands x, DType) { return scalar::acosh(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return rsqrt(x - 1) * rsqrt(x + 1); }); }, "g / (sqrt(x - 1) * sqrt(x + 1))", {1.2, 5}, "The number from 0 on whose hyperbolic cosine is x; NaN below 1."),
      row(Op::atanh, "atanh", Promotion::floating, [](Operands x, DType) { return scalar::atanh(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return 1 / ((1 - x) * (1 + x)); }); }, "g / ((1 - x) * (1 + x))", {-0.9, 0.9}, "The number whose hyperbolic tangent is x; NaN beyond 1."),
      row(Op::sigmoid, "sigmoid", Promotion::floating, [](Operands x, DType) { return scalar::sigmoid(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * (r.output * (1 - r.output))); }); }, "g * (y * (1 - y))", {}, "1 / (1 + exp(-x))."),
      row(Op::softplus, "softplus", Promotion::floating, [](Operands x, DType) { return scalar::softplus(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return sigmoid(x); }); }, "g * sigmoid(x)", {}, "log(1 + exp(x))."),
      row(Op::erf, "erf", Promotion::floating, [](Operands x, DType) { return scalar::erf(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * (std::numbers::inv_sqrtpi * 2) * exp(-(r.inputs[0] * r.inputs[0]))); }); },
          "g * 2/sqrt(pi) * exp(-(x * x))", {}, "The error function."),
      row(Op::erfc, "erfc", Promotion::floating, [](Operands x, DType) { return scalar::erfc(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return -(std::numbers::inv_sqrtpi * 2) * exp(-(x * x)); }); }, "-g * 2/sqrt(pi) * exp(-(x * x))", {}, "1 - erf(x), right where it is small."),
      row(Op::lgamma, "lgamma", Promotion::floating, [](Operands x, DType) { return scalar::lgamma(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return digamma(x); }); }, "g * digamma(x)", {0.3, 5}, "The logarithm of the magnitude of the gamma function."),
      row(Op::tgamma, "tgamma", Promotion::floating, [](Operands x, DType) { return scalar::tgamma(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr& y) { return y * digamma(x); }); }, "g * y * digamma(x)", {0.3, 5}, "The gamma function; NaN at negative whole numbers."),
      row(Op::digamma, "digamma", Promotion::floating, [](Operands x, DType) { return scalar::digamma(x[0]); },
          [](Rule r) { return along(r, [](const Expr& x, const Expr&) { return trigamma(x); }); }, "g * trigamma(x), by its series", {0.3, 5}, "The derivative of the logarithm of the gamma function."),
      row(Op::logb, "logb", Promotion::floating, [](Operands x, DType) { return scalar::logb(x[0]); }, nullptr, not_differentiable, {0.1, 5}, "The exponent of x as a float has it, floor(log2(|x|)) exactly; -infinity for 0."),
      written("!x", row(Op::logical_not, "logical_not", Promotion::logical, [](Operands x, DType) { return scalar::operator~(x[0]); }, nullptr, not_differentiable, {}, "Whether x is false.")),
      written("~x", row(Op::bitwise_not, "bitwise_not", Promotion::bits, [](Operands x, DType) { return scalar::operator~(x[0]); }, nullptr, not_differentiable, {}, "Each bit the other.")),
      {Op::bitwise_count, "bitwise_count", 1, Family::elementwise, Promotion::bits, false, infer_integer, "", [](Operands x, DType) { return scalar::bit_count(x[0]); }, nullptr, nullptr, not_differentiable, {{}},
       "How many bits of an integer are 1, in its own type: those that hold a negative one, too."},
      {Op::convert, "convert", 1, Family::elementwise, Promotion::none, false, infer_convert, "", [](Operands x, DType to) { return scalar::convert(x[0], to); }, nullptr,
       [](Rule r) {
         bool flows = is_float(r.inputs[0].dtype()) && is_float(r.output.dtype());
         return r.each([&] { return flows ? convert(r.adjoint, r.inputs[0].dtype()) : Expr(); });
       },
       "convert(g) between floats", {{}}, "Another type: float to integer saturates and NaN gives 0; integers wrap; to bool is != 0.", {}, "convert(x, dtype)"},
  };
  return rows;
}

}  // namespace sinter
