// Elementwise operations of two or three operands.
#include <limits>

#include "graph/expr.h"
#include "graph/ops/expand.h"
#include "graph/scalar_math.h"

namespace sinter {
namespace {

using Operands = std::span<const Scalar>;
using Rule = const GradientRule&;
using Gradients = std::vector<Expr> (*)(Rule);

Type infer_bool(const Inference& in) { return Type::of(boolean, in.inputs[0].shape); }
Type infer_select(const Inference& in) { return in.inputs[1]; }

OpInfo arithmetic(Op op, std::string_view name, bool commutative, Scalar (*expression)(Operands, DType), Gradients gradient, std::string_view derivative,
                  std::string_view doc, Promotion promotion = Promotion::numeric, std::vector<Domain> domains = {{}, {}}) {
  return {op, name, 2, Family::elementwise, promotion, commutative, infer_number, "", expression, nullptr, gradient, derivative, std::move(domains), doc};
}
OpInfo bits(Op op, std::string_view name, bool commutative, Type (*infer)(const Inference&), Scalar (*expression)(Operands, DType), std::string_view doc) {
  return {op, name, 2, Family::elementwise, Promotion::bits, commutative, infer, "", expression, nullptr, nullptr, not_differentiable, {{}, {}}, doc};
}
OpInfo predicate(Op op, std::string_view name, bool commutative, Promotion promotion, Scalar (*expression)(Operands, DType), std::string_view doc) {
  return {op, name, 2, Family::elementwise, promotion, commutative, infer_bool, "", expression, nullptr, nullptr, not_differentiable, {{}, {}}, doc};
}

// Whether the first operand gave the value of a maximum or minimum; at a tie it did.
Expr first_chosen(Rule r) { return r.inputs[0] == r.output; }
std::vector<Expr> chosen(Rule r) {
  return r.each([&] { return select(first_chosen(r), r.adjoint, 0); }, [&] { return select(first_chosen(r), 0, r.adjoint); });
}

std::vector<Expr> power_gradient(Rule r) {
  const Expr &x = r.inputs[0], &n = r.inputs[1];
  // Where n is 0 so is the slope, though not that of the slope along n.
  const auto slope = [&] {
    const Expr lower = pow(x, n - 1);
    return select(n == 0 && !(abs(lower) < std::numeric_limits<double>::infinity()), 0, r.adjoint * n * lower);
  };
  return r.each([&] { return r.guarded(slope()); },
                [&] { return select(x > 0, r.guarded(r.adjoint * r.output * log(select(x > 0, x, 1))), 0); });
}

}  // namespace

std::span<const OpInfo> binary_ops() {
  static const std::vector<OpInfo> rows = {
      written("a + b", arithmetic(Op::add, "add", true, [](Operands x, DType) { return scalar::operator+(x[0], x[1]); },
                 [](Rule r) { return r.each([&] { return r.adjoint; }, [&] { return r.adjoint; }); }, "g; g", "a + b; integers wrap.")),
      written("a - b", arithmetic(Op::subtract, "subtract", false, [](Operands x, DType) { return scalar::operator-(x[0], x[1]); },
                 [](Rule r) { return r.each([&] { return r.adjoint; }, [&] { return -r.adjoint; }); }, "g; -g", "a - b; integers wrap.")),
      written("a * b", arithmetic(Op::multiply, "multiply", true, [](Operands x, DType) { return scalar::operator*(x[0], x[1]); },
                 [](Rule r) { return r.each([&] { return r.guarded(r.adjoint * r.inputs[1]); }, [&] { return r.guarded(r.adjoint * r.inputs[0]); }); }, "g * b; g * a",
                 "a * b; integers wrap.")),
      written("a / b", arithmetic(Op::divide, "divide", false, [](Operands x, DType) { return scalar::operator/(x[0], x[1]); },
                 [](Rule r) {
                   return r.each([&] { return r.guarded(r.adjoint / r.inputs[1]); }, [&] { return r.guarded(-(r.adjoint * r.output / r.inputs[1])); });
                 },
                 "g / b; -(g * y / b)", "a / b; of integers truncated, by 0 it is 0.", Promotion::numeric, {{}, {0.5, 3}})),
      arithmetic(Op::floor_divide, "floor_divide", false, [](Operands x, DType) { return scalar::floor_divide(x[0], x[1]); }, nullptr, not_differentiable,
                 "The largest whole number not above a / b; of integers by 0 it is 0.", Promotion::numeric, {{}, {0.5, 3}}),
      arithmetic(Op::remainder, "remainder", false, [](Operands x, DType) { return scalar::remainder(x[0], x[1]); },
                 [](Rule r) {
                   return r.each([&] { return r.adjoint; }, [&] { return r.guarded(-(r.adjoint * floor_divide(r.inputs[0], r.inputs[1]))); });
                 },
                 "g; -g * floor_divide(a, b)", "a - b floor(a / b), with b's sign, exact; of integers by 0 it is 0, of floats NaN from |a / b| = 2^53 on.",
                 Promotion::numeric, {{}, {0.5, 3}}),
      written("pow(a, b)", arithmetic(Op::power, "power", false, [](Operands x, DType) { return scalar::pow(x[0], x[1]); }, power_gradient,
                 "g * b * power(a, b - 1), 0 where b is 0; g * y * log(a) where a > 0, else 0", "a to the b.", Promotion::floating, {{0.2, 3}, {}})),
      arithmetic(Op::hypot, "hypot", true, [](Operands x, DType) { return scalar::hypot(x[0], x[1]); },
                 [](Rule r) {
                   auto slope = [&](const Expr& x) { return r.guarded(select(r.output == 0, 0, r.adjoint * (x / r.output))); };
                   return r.each([&] { return slope(r.inputs[0]); }, [&] { return slope(r.inputs[1]); });
                 },
                 "g * (a / y); g * (b / y), 0 where y is 0", "sqrt(a * a + b * b), without overflow on the way.", Promotion::floating),
      arithmetic(Op::atan2, "atan2", false, [](Operands x, DType) { return scalar::atan2(x[0], x[1]); },
                 [](Rule r) {
                   const Expr &a = r.inputs[0], &b = r.inputs[1];
                   const Expr h = hypot(a, b);  // a * a + b * b would overflow, or underflow
                   auto slope = [&](const Expr& x) { return r.guarded(select(h == 0, 0, r.adjoint * (x / h / h))); };
                   return r.each([&] { return slope(b); }, [&] { return slope(-a); });
                 },
                 "g * (b / h / h); -g * (a / h / h), h being hypot(a, b), 0 where h is 0", "The angle of the point (b, a) to the first axis, from -pi to pi.", Promotion::floating),
      arithmetic(Op::copysign, "copysign", false, [](Operands x, DType) {
                   return scalar::select(scalar::is_nan(x[1]), scalar::abs(x[0]), scalar::copysign(x[0], x[1]));
                 },
                 [](Rule r) {
                   return r.each([&] { return select(r.inputs[0] == r.output, r.adjoint, -r.adjoint); }, [] { return Expr(); });
                 },
                 "select(a == y, g, -g); none", "The magnitude of a with the sign of b; a NaN counts as positive, as which sign it has depends on how it came about.", Promotion::floating),
      arithmetic(Op::nextafter, "nextafter", false, [](Operands x, DType) { return scalar::nextafter(x[0], x[1]); }, nullptr, not_differentiable,
                 "The float next to a on the way to b.", Promotion::floating),
      arithmetic(Op::maximum, "maximum", false, [](Operands x, DType) { return scalar::maximum(x[0], x[1]); }, chosen,
                 "select(a == y, g, 0); select(a == y, 0, g)", "The larger; NaN where either is."),
      arithmetic(Op::minimum, "minimum", false, [](Operands x, DType) { return scalar::minimum(x[0], x[1]); }, chosen,
                 "select(a == y, g, 0); select(a == y, 0, g)", "The smaller; NaN where either is."),
      written("a == b", predicate(Op::equal, "equal", true, Promotion::any, [](Operands x, DType) { return scalar::operator==(x[0], x[1]); }, "Whether a == b; false for NaN.")),
      written("a != b", predicate(Op::not_equal, "not_equal", true, Promotion::any, [](Operands x, DType) { return scalar::operator!=(x[0], x[1]); }, "Whether a != b; true for NaN.")),
      written("a < b", predicate(Op::less, "less", false, Promotion::any, [](Operands x, DType) { return scalar::operator<(x[0], x[1]); }, "Whether a < b; false for NaN.")),
      written("a <= b", predicate(Op::less_equal, "less_equal", false, Promotion::any, [](Operands x, DType) { return scalar::operator<=(x[0], x[1]); }, "Whether a <= b; false for NaN.")),
      written("a && b", predicate(Op::logical_and, "logical_and", true, Promotion::logical, [](Operands x, DType) { return scalar::operator&(x[0], x[1]); }, "Whether both are true.")),
      written("a || b", predicate(Op::logical_or, "logical_or", true, Promotion::logical, [](Operands x, DType) { return scalar::operator|(x[0], x[1]); }, "Whether one is true.")),
      written("a & b", bits(Op::bitwise_and, "bitwise_and", true, infer_same, [](Operands x, DType) { return scalar::operator&(x[0], x[1]); }, "The bits that both have.")),
      written("a | b", bits(Op::bitwise_or, "bitwise_or", true, infer_same, [](Operands x, DType) { return scalar::operator|(x[0], x[1]); }, "The bits that one has.")),
      written("a ^ b", bits(Op::bitwise_xor, "bitwise_xor", true, infer_same, [](Operands x, DType) { return scalar::operator^(x[0], x[1]); }, "The bits that one has and the other has not.")),
      written("a << b", bits(Op::shift_left, "shift_left", false, infer_integer, [](Operands x, DType) { return scalar::shift_left(x[0], x[1]); }, "a's bits b places up; 0 from the type's width on, and for b < 0.")),
      written("a >> b", bits(Op::shift_right, "shift_right", false, infer_integer, [](Operands x, DType) { return scalar::shift_right(x[0], x[1]); },
           "a's bits b places down, a negative a's filled up with 1; 0 from the type's width on, and for b < 0.")),
      {Op::select, "select", 3, Family::elementwise, Promotion::select, false, infer_select, "",
       [](Operands x, DType) { return scalar::select(x[0], x[1], x[2]); }, nullptr,
       [](Rule r) {
         return r.each([] { return Expr(); }, [&] { return select(r.inputs[0], r.adjoint, 0); }, [&] { return select(r.inputs[0], 0, r.adjoint); });
       },
       "none; select(c, g, 0); select(c, 0, g)", {{}, {}, {}}, "a where the condition c holds, else b.", "c, a, b"},
  };
  return rows;
}

}  // namespace sinter
