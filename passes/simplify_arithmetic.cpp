// Rules about what elements are.
#include <algorithm>

#include "passes/simplify_rules.h"

namespace sinter {
namespace {

// x * 1 and 1 * x are x. (x * 0 is not 0: x may be NaN, infinite or negative.)
NodeId multiply_by_one(Simplifier& s, const Candidate& c) {
  if (c.op != Op::multiply) return {};
  if (s.is_all(c.inputs[1], 1)) return c.inputs[0];
  return s.is_all(c.inputs[0], 1) ? c.inputs[1] : NodeId();
}

NodeId divide_by_one(Simplifier& s, const Candidate& c) { return c.op == Op::divide && s.is_all(c.inputs[1], 1) ? c.inputs[0] : NodeId(); }

// x - (+0) is x, for -0 too. (x - (-0) is not: -0 - -0 is +0.)
NodeId subtract_zero(Simplifier& s, const Candidate& c) { return c.op == Op::subtract && s.is_all(c.inputs[1], 0) ? c.inputs[0] : NodeId(); }

// x + 0 is x for integers, x + (-0) for floats. (x + (+0) is not: -0 + +0 is +0.)
NodeId add_zero(Simplifier& s, const Candidate& c) {
  if (c.op != Op::add) return {};
  double neutral = is_float(c.type.dtype) ? -0.0 : 0.0;
  if (s.is_all(c.inputs[1], neutral)) return c.inputs[0];
  return s.is_all(c.inputs[0], neutral) ? c.inputs[1] : NodeId();
}

// - - x is x, not not x is x.
NodeId twice_undone(Simplifier& s, const Candidate& c) {
  if (c.op != Op::negate && c.op != Op::logical_not) return {};
  if (s.node(c.inputs[0]).op != c.op) return {};
  return s.inputs(c.inputs[0])[0];
}

// a + -b is a - b, -a + b is b - a, a - -b is a + b: so IEEE 754 defines subtraction.
NodeId negated_operand(Simplifier& s, const Candidate& c) {
  if (c.op != Op::add && c.op != Op::subtract) return {};
  bool second = s.node(c.inputs[1]).op == Op::negate, first = c.op == Op::add && s.node(c.inputs[0]).op == Op::negate;
  if (!second && !first) return {};
  NodeId negated = c.inputs[second ? 1 : 0], kept = c.inputs[second ? 0 : 1];
  s.absorb(negated);
  return s.make(c.op == Op::add ? Op::subtract : Op::add, {kept, s.inputs(negated)[0]}, NoAttributes{});
}

// x and true, x or false are x; x and false is false, x or true is true; x with itself is x.
NodeId logic(Simplifier& s, const Candidate& c) {
  if (c.op != Op::logical_and && c.op != Op::logical_or) return {};
  double neutral = c.op == Op::logical_and;
  if (c.inputs[0] == c.inputs[1]) return c.inputs[0];
  for (size_t i : {0, 1}) {
    if (s.is_all(c.inputs[i], neutral)) return c.inputs[1 - i];
    if (s.is_all(c.inputs[i], 1 - neutral)) return c.inputs[i];
  }
  return {};
}

// Two equal operands: maximum(x, x) is x; x < x is false, x == x true but for floats, which may be NaN.
NodeId same_operands(Simplifier& s, const Candidate& c) {
  if (c.inputs.size() != 2 || c.inputs[0] != c.inputs[1]) return {};
  bool is_whole = !is_float(s.type(c.inputs[0]).dtype);
  if (c.op == Op::maximum || c.op == Op::minimum) return c.inputs[0];
  if (c.op == Op::less || (c.op == Op::not_equal && is_whole)) return s.splat(0, c.type);
  if ((c.op == Op::equal || c.op == Op::less_equal) && is_whole) return s.splat(1, c.type);
  return {};
}

// A select that is decided, or whose sides are one.
NodeId select_decided(Simplifier& s, const Candidate& c) {
  if (c.op != Op::select) return {};
  if (c.inputs[1] == c.inputs[2] || s.is_all(c.inputs[0], 1)) return c.inputs[1];
  return s.is_all(c.inputs[0], 0) ? c.inputs[2] : NodeId();
}

// select(not c, a, b) is select(c, b, a).
NodeId select_negated(Simplifier& s, const Candidate& c) {
  if (c.op != Op::select || s.node(c.inputs[0]).op != Op::logical_not) return {};
  s.absorb(c.inputs[0]);
  return s.make(Op::select, {s.inputs(c.inputs[0])[0], c.inputs[2], c.inputs[1]}, NoAttributes{});
}

// Gradients have been taken when passes run.
NodeId stop_gradient(Simplifier&, const Candidate& c) { return c.op == Op::stop_gradient ? c.inputs[0] : NodeId(); }

NodeId convert_to_itself(Simplifier&, const Candidate& c) { return c.op == Op::convert ? c.inputs[0] : NodeId(); }

// Whether `to` holds every value of `from`.
bool widens(DType from, DType to) {
  if (from == to || from == boolean) return true;
  switch (from) {
    case DType::u8: return to != boolean;
    case DType::i32: return to == i64 || to == f64;
    case DType::u32: return to == i64 || to == u64 || to == f64;
    case DType::f32: return to == f64;
    case DType::f16:
    case DType::bf16: return to == f32 || to == f64;
    default: return false;
  }
}

// A conversion of a conversion that lost nothing converts from the first. From a float to an integer saturates, though, where between integers
// it wraps: an integer that went through a float stays so unless the integer at the end holds all of it too.
NodeId convert_of_widening(Simplifier& s, const Candidate& c) {
  if (c.op != Op::convert || s.node(c.inputs[0]).op != Op::convert) return {};
  NodeId x = s.inputs(c.inputs[0])[0];
  DType from = s.type(x).dtype, through = s.type(c.inputs[0]).dtype, to = c.type.dtype;
  if (!widens(from, through)) return {};
  if (!is_float(from) && is_float(through) && is_integer(to) && !widens(from, to)) return {};
  s.absorb(c.inputs[0]);
  return s.make(Op::convert, {x}, ConvertAttributes{to});
}

// A reduction over nothing is its operand. Over sizes of 1 it is a reshape: a float's sum is not, for it makes -0 a +0.
NodeId reduction_of_one(Simplifier& s, const Candidate& c) {
  if (c.op != Op::sum && c.op != Op::max && c.op != Op::min) return {};
  const auto& axes = c.as<ReduceAttributes>().axes;
  if (axes.empty()) return c.inputs[0];
  const Shape& from = s.type(c.inputs[0]).shape;
  bool ones = std::all_of(axes.begin(), axes.end(), [&](int64_t a) { return from[static_cast<size_t>(a)].is(1); });
  if (!ones || (c.op == Op::sum && is_float(c.type.dtype))) return {};
  return s.make(Op::reshape, {c.inputs[0]}, ShapeAttributes{c.type.shape});
}

}  // namespace

std::span<const Rule> arithmetic_rules() {
  static constexpr Rule rules[] = {
      {"multiply_by_one", multiply_by_one},
      {"divide_by_one", divide_by_one},
      {"subtract_zero", subtract_zero},
      {"add_zero", add_zero},
      {"twice_undone", twice_undone},
      {"negated_operand", negated_operand},
      {"logic", logic},
      {"same_operands", same_operands},
      {"select_decided", select_decided},
      {"select_negated", select_negated},
      {"stop_gradient", stop_gradient},
      {"convert_to_itself", convert_to_itself},
      {"convert_of_widening", convert_of_widening},
      {"reduction_of_one", reduction_of_one},
  };
  return rules;
}

}  // namespace sinter
