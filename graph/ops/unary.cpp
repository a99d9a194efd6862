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

Type infer_same(const Inference& in) { return in.inputs[0]; }
Type infer_number(const Inference& in) {
  if (in.inputs[0].dtype == boolean) throw UserError("takes numbers, not bool; convert() it first");
  return in.inputs[0];
}
Type infer_convert(const Inference& in) { return Type::of(std::get<ConvertAttributes>(in.attributes).dtype, in.inputs[0].shape); }

using Gradients = std::vector<Expr> (*)(Rule);
OpInfo row(Op op, std::string_view name, Promotion promotion, Scalar (*expression)(Operands, DType), Gradients gradient, std::string_view derivative, Domain domain,
           std::string_view doc) {
  return {op, name, 1, Family::elementwise, promotion, false, promotion == Promotion::numeric ? infer_number : infer_same, expression, nullptr, gradient, derivative, {domain}, doc};
}

}  // namespace

std::span<const OpInfo> unary_ops() {
  static const std::vector<OpInfo> rows = {
      row(Op::negate, "negate", Promotion::numeric, [](Operands x, DType) { return scalar::operator-(x[0]); },
          [](Rule r) { return r.each([&] { return -r.adjoint; }); }, "-g", {}, "-x."),
      row(Op::abs, "abs", Promotion::numeric, [](Operands x, DType) { return scalar::abs(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * sign(r.inputs[0])); }); }, "g * sign(x)", {}, "The absolute value; that of the least integer is itself."),
      row(Op::sign, "sign", Promotion::numeric, [](Operands x, DType) { return scalar::sign(x[0]); }, nullptr, "", {}, "-1, 0 or 1; NaN for NaN, a zero for a zero."),
      row(Op::floor, "floor", Promotion::floating, [](Operands x, DType) { return scalar::floor(x[0]); }, nullptr, "", {}, "The largest whole number not above x."),
      row(Op::exp, "exp", Promotion::floating, [](Operands x, DType) { return scalar::exp(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * r.output); }); }, "g * y", {}, "e to the x."),
      row(Op::expm1, "expm1", Promotion::floating, [](Operands x, DType) { return scalar::expm1(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * (r.output + 1)); }); }, "g * (y + 1)", {}, "exp(x) - 1, right near 0."),
      row(Op::log, "log", Promotion::floating, [](Operands x, DType) { return scalar::log(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint / r.inputs[0]); }); }, "g / x", {0.1, 5}, "The natural logarithm; NaN below 0."),
      row(Op::log1p, "log1p", Promotion::floating, [](Operands x, DType) { return scalar::log1p(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint / (r.inputs[0] + 1)); }); }, "g / (x + 1)", {-0.9, 5}, "log(1 + x), right near 0."),
      row(Op::sqrt, "sqrt", Promotion::floating, [](Operands x, DType) { return scalar::sqrt(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * 0.5 / r.output); }); }, "g * 0.5 / y", {0.1, 5}, "The square root; NaN below 0."),
      row(Op::rsqrt, "rsqrt", Promotion::floating, [](Operands x, DType) { return scalar::rsqrt(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * -0.5 * r.output / r.inputs[0]); }); }, "g * -0.5 * y / x", {0.1, 5}, "1 / sqrt(x)."),
      row(Op::sin, "sin", Promotion::floating, [](Operands x, DType) { return scalar::sin(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * cos(r.inputs[0])); }); }, "g * cos(x)", {}, "The sine of x in radians."),
      row(Op::cos, "cos", Promotion::floating, [](Operands x, DType) { return scalar::cos(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(-(r.adjoint * sin(r.inputs[0]))); }); }, "-(g * sin(x))", {}, "The cosine of x in radians."),
      row(Op::tanh, "tanh", Promotion::floating, [](Operands x, DType) { return scalar::tanh(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * (1 - r.output * r.output)); }); }, "g * (1 - y * y)", {}, "The hyperbolic tangent."),
      row(Op::sigmoid, "sigmoid", Promotion::floating, [](Operands x, DType) { return scalar::sigmoid(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * (r.output * (1 - r.output))); }); }, "g * (y * (1 - y))", {}, "1 / (1 + exp(-x))."),
      row(Op::erf, "erf", Promotion::floating, [](Operands x, DType) { return scalar::erf(x[0]); },
          [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * (std::numbers::inv_sqrtpi * 2) * exp(-(r.inputs[0] * r.inputs[0]))); }); },
          "g * 2/sqrt(pi) * exp(-(x * x))", {}, "The error function."),
      row(Op::logical_not, "logical_not", Promotion::logical, [](Operands x, DType) { return scalar::operator~(x[0]); }, nullptr, "", {}, "Whether x is false."),
      {Op::convert, "convert", 1, Family::elementwise, Promotion::none, false, infer_convert, [](Operands x, DType to) { return scalar::convert(x[0], to); }, nullptr,
       [](Rule r) {
         bool flows = is_float(r.inputs[0].dtype()) && is_float(r.output.dtype());
         return r.each([&] { return flows ? convert(r.adjoint, r.inputs[0].dtype()) : Expr(); });
       },
       "convert(g) between floats", {{}}, "Another type: float to integer saturates and NaN gives 0; integers wrap; to bool is != 0."},
  };
  return rows;
}

}  // namespace sinter
