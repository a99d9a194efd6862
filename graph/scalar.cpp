#include "graph/scalar.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "graph/scalar_math/pieces.h"

namespace sinter {

int operand_count(ScalarCode code) {
  switch (code) {
    case ScalarCode::input:
    case ScalarCode::constant: return 0;
    case ScalarCode::negate:
    case ScalarCode::absolute:
    case ScalarCode::square_root:
    case ScalarCode::floor:
    case ScalarCode::ceil:
    case ScalarCode::truncate:
    case ScalarCode::round_even:
    case ScalarCode::bit_not:
    case ScalarCode::convert:
    case ScalarCode::bitcast: return 1;
    case ScalarCode::add:
    case ScalarCode::subtract:
    case ScalarCode::multiply:
    case ScalarCode::divide:
    case ScalarCode::remainder:
    case ScalarCode::equal:
    case ScalarCode::not_equal:
    case ScalarCode::less:
    case ScalarCode::less_equal:
    case ScalarCode::bit_and:
    case ScalarCode::bit_or:
    case ScalarCode::bit_xor:
    case ScalarCode::shift_left:
    case ScalarCode::shift_right: return 2;
    case ScalarCode::fma:
    case ScalarCode::select: return 3;
  }
  throw InternalError("a scalar code outside its enumeration");
}

std::string_view name(ScalarCode code) {
  static constexpr std::string_view names[] = {"input", "constant", "add", "subtract", "multiply", "divide", "remainder", "fma", "negate", "absolute",
                                               "square_root", "floor", "ceil", "truncate", "round_even", "equal", "not_equal", "less", "less_equal",
                                               "bit_and", "bit_or", "bit_xor", "bit_not", "shift_left", "shift_right", "select", "convert", "bitcast"};
  return names[static_cast<size_t>(code)];
}

std::string to_string(const ScalarExpr& expr) {
  std::string text;
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    const ScalarOp& op = expr.ops[i];
    text += fmt::format("  t{} = {} {}", i, name(op.code), name(op.type));
    if (op.code == ScalarCode::input) text += fmt::format(" {}", op.bits);
    if (op.code == ScalarCode::constant) {
      if (op.type == f32) text += fmt::format(" {}", std::bit_cast<float>(static_cast<uint32_t>(op.bits)));
      else if (op.type == f64) text += fmt::format(" {}", std::bit_cast<double>(op.bits));
      else text += fmt::format(" {:#x}", op.bits);
    }
    for (int k = 0; k < operand_count(op.code); ++k) text += fmt::format("{} t{}", k ? "," : "", op.operands[static_cast<size_t>(k)]);
    text += "\n";
  }
  text += "  yield";
  for (uint32_t o : expr.outputs) text += fmt::format(" t{}", o);
  return text + "\n";
}

size_t hash(const ScalarExpr& expr) {
  size_t h = expr.ops.size();
  auto mix = [&](uint64_t v) { h = (h ^ v) * 0x9E3779B97F4A7C15u + (h >> 29); };
  for (const ScalarOp& op : expr.ops) {
    mix(static_cast<uint64_t>(op.code) << 8 | static_cast<uint64_t>(op.type));
    for (uint32_t o : op.operands) mix(o);
    mix(op.bits);
  }
  for (uint32_t o : expr.outputs) mix(o);
  return h;
}

DType Scalar::type() const { return builder->op(index).type; }
Scalar Scalar::like(double value) const { return builder->constant(type(), value); }

size_t ScalarBuilder::Hash::operator()(const ScalarOp& op) const {
  size_t h = static_cast<size_t>(op.code) * 31 + static_cast<size_t>(op.type);
  for (uint32_t o : op.operands) h = h * 1000003 + o;
  return (h * 1000003) ^ static_cast<size_t>(op.bits * 0x9E3779B97F4A7C15u);
}

Scalar ScalarBuilder::append(const ScalarOp& op) {
  auto [at, is_new] = known_.try_emplace(op, static_cast<uint32_t>(expr_.ops.size()));
  if (is_new) expr_.ops.push_back(op);
  return {this, at->second};
}

Scalar ScalarBuilder::input(uint32_t number, DType type) {
  if (expr_.inputs.size() <= number) expr_.inputs.resize(number + 1, type);
  expr_.inputs[number] = type;
  return append({ScalarCode::input, type, {}, number});
}

Scalar ScalarBuilder::constant_bits(DType type, uint64_t bits) { return append({ScalarCode::constant, type, {}, bits}); }

Scalar ScalarBuilder::constant(DType type, double value) {
  uint64_t bits = 0;
  dispatch_stored(type, [&](auto tag) {
    auto element = static_cast<typename decltype(tag)::type>(value);
    std::memcpy(&bits, &element, sizeof element);
  });
  return constant_bits(type, bits);
}

Scalar ScalarBuilder::append(ScalarCode code, DType type, std::initializer_list<Scalar> operands) {
  ScalarOp op{code, type, {}, 0};
  size_t count = 0;
  bool constant = true;
  for (const Scalar& s : operands) {
    ensure(s.builder == this, "a scalar of another expression");
    constant &= expr_.ops[s.index].code == ScalarCode::constant;
    op.operands[count++] = s.index;
  }
  ensure(static_cast<int>(count) == operand_count(code), "wrong number of operands for a scalar code");
  if (code == ScalarCode::select) {
    const ScalarOp& condition = expr_.ops[op.operands[0]];
    if (condition.code == ScalarCode::constant) return {this, condition.bits ? op.operands[1] : op.operands[2]};
    if (op.operands[1] == op.operands[2]) return {this, op.operands[1]};
  }
  if (!constant) return append(op);
  ScalarExpr folded;
  for (size_t k = 0; k < count; ++k) {
    folded.ops.push_back(expr_.ops[op.operands[k]]);
    op.operands[k] = static_cast<uint32_t>(k);
  }
  folded.ops.push_back(op);
  folded.outputs = {static_cast<uint32_t>(count)};
  uint64_t bits = 0;
  void* out = &bits;
  evaluate(folded, {}, std::span<void* const>(&out, 1), 1);
  return constant_bits(type, bits);
}

std::vector<Scalar> ScalarBuilder::inline_expr(const ScalarExpr& expr, std::span<const Scalar> inputs) {
  std::vector<Scalar> value(expr.ops.size());
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    const ScalarOp& op = expr.ops[i];
    if (op.code == ScalarCode::input) {
      value[i] = inputs[op.bits];
      ensure(value[i].type() == op.type, "an inlined expression's input has another type");
    } else if (op.code == ScalarCode::constant) {
      value[i] = constant_bits(op.type, op.bits);
    } else {
      const Scalar &a = value[op.operands[0]], &b = value[op.operands[1]], &c = value[op.operands[2]];
      switch (operand_count(op.code)) {
        case 1: value[i] = append(op.code, op.type, {a}); break;
        case 2: value[i] = append(op.code, op.type, {a, b}); break;
        default: value[i] = append(op.code, op.type, {a, b, c}); break;
      }
    }
  }
  std::vector<Scalar> outputs;
  for (uint32_t o : expr.outputs) outputs.push_back(value[o]);
  return outputs;
}

ScalarExpr ScalarBuilder::finish(std::span<const Scalar> outputs) const {
  std::vector<bool> needed(expr_.ops.size());
  for (const Scalar& s : outputs) needed[s.index] = true;
  for (size_t i = expr_.ops.size(); i-- > 0;)
    if (needed[i])
      for (int k = 0; k < operand_count(expr_.ops[i].code); ++k) needed[expr_.ops[i].operands[static_cast<size_t>(k)]] = true;
  ScalarExpr result;
  result.inputs = expr_.inputs;
  std::vector<uint32_t> moved(expr_.ops.size());
  for (size_t i = 0; i < expr_.ops.size(); ++i) {
    if (!needed[i]) continue;
    ScalarOp op = expr_.ops[i];
    for (int k = 0; k < operand_count(op.code); ++k) op.operands[static_cast<size_t>(k)] = moved[op.operands[static_cast<size_t>(k)]];
    moved[i] = static_cast<uint32_t>(result.ops.size());
    result.ops.push_back(op);
  }
  for (const Scalar& s : outputs) result.outputs.push_back(moved[s.index]);
  return result;
}

namespace scalar {
namespace {

Scalar unary(ScalarCode code, Scalar a) { return a.builder->append(code, a.type(), {a}); }
Scalar binary(ScalarCode code, Scalar a, Scalar b) {
  ensure(a.type() == b.type(), "a scalar operation on two types");
  return a.builder->append(code, a.type(), {a, b});
}
Scalar compare(ScalarCode code, Scalar a, Scalar b) {
  ensure(a.type() == b.type(), "a scalar comparison of two types");
  return a.builder->append(code, boolean, {a, b});
}

}  // namespace

Scalar operator+(Scalar a, Scalar b) { return binary(ScalarCode::add, a, b); }
Scalar operator-(Scalar a, Scalar b) { return binary(ScalarCode::subtract, a, b); }
Scalar operator*(Scalar a, Scalar b) { return binary(ScalarCode::multiply, a, b); }
Scalar operator/(Scalar a, Scalar b) { return binary(ScalarCode::divide, a, b); }
Scalar operator%(Scalar a, Scalar b) { return binary(ScalarCode::remainder, a, b); }
Scalar operator-(Scalar a) { return unary(ScalarCode::negate, a); }
Scalar operator+(Scalar a, double b) { return a + a.like(b); }
Scalar operator-(Scalar a, double b) { return a - a.like(b); }
Scalar operator-(double a, Scalar b) { return b.like(a) - b; }
Scalar operator*(Scalar a, double b) { return a * a.like(b); }
Scalar operator*(double a, Scalar b) { return b.like(a) * b; }
Scalar operator/(double a, Scalar b) { return b.like(a) / b; }
Scalar operator&(Scalar a, Scalar b) { return binary(ScalarCode::bit_and, a, b); }
Scalar operator|(Scalar a, Scalar b) { return binary(ScalarCode::bit_or, a, b); }
Scalar operator^(Scalar a, Scalar b) { return binary(ScalarCode::bit_xor, a, b); }
Scalar operator~(Scalar a) { return unary(ScalarCode::bit_not, a); }
Scalar operator<<(Scalar a, int b) { return shift_left(a, a.like(b)); }
Scalar operator>>(Scalar a, int b) { return shift_right(a, a.like(b)); }
Scalar operator==(Scalar a, Scalar b) { return compare(ScalarCode::equal, a, b); }
Scalar operator!=(Scalar a, Scalar b) { return compare(ScalarCode::not_equal, a, b); }
Scalar operator<(Scalar a, Scalar b) { return compare(ScalarCode::less, a, b); }
Scalar operator<=(Scalar a, Scalar b) { return compare(ScalarCode::less_equal, a, b); }
Scalar operator>(Scalar a, Scalar b) { return compare(ScalarCode::less, b, a); }
Scalar operator>=(Scalar a, Scalar b) { return compare(ScalarCode::less_equal, b, a); }
Scalar shift_left(Scalar a, Scalar b) { return binary(ScalarCode::shift_left, a, b); }
Scalar shift_right(Scalar a, Scalar b) { return binary(ScalarCode::shift_right, a, b); }
Scalar fma(Scalar a, Scalar b, Scalar c) {
  ensure(a.type() == b.type() && b.type() == c.type(), "an fma of several types");
  return a.builder->append(ScalarCode::fma, a.type(), {a, b, c});
}
Scalar abs(Scalar a) { return is_signed(a.type()) ? unary(ScalarCode::absolute, a) : a; }
Scalar sqrt(Scalar a) { return unary(ScalarCode::square_root, a); }
Scalar floor(Scalar a) { return unary(ScalarCode::floor, a); }
Scalar ceil(Scalar a) { return unary(ScalarCode::ceil, a); }
Scalar trunc(Scalar a) { return unary(ScalarCode::truncate, a); }
Scalar round_even(Scalar a) { return unary(ScalarCode::round_even, a); }
Scalar select(Scalar condition, Scalar then, Scalar otherwise) {
  ensure(condition.type() == boolean && then.type() == otherwise.type(), "a select of two types, or on what is no boolean");
  return condition.builder->append(ScalarCode::select, then.type(), {condition, then, otherwise});
}
Scalar convert(Scalar a, DType type) {
  if (a.type() == type) return a;
  if (is_stored_only(a.type())) return convert(pieces::widened(a), type);
  if (is_stored_only(type)) return pieces::narrowed(a, type);
  return a.builder->append(ScalarCode::convert, type, {a});
}
Scalar bitcast(Scalar a, DType type) {
  auto size = [](DType t) { return is_stored_only(t) ? size_of(u32) : size_of(t); };
  ensure(size(a.type()) == size(type), "a bitcast between sizes");
  return a.type() == type ? a : a.builder->append(ScalarCode::bitcast, type, {a});
}
Scalar is_nan(Scalar a) { return is_float(a.type()) ? a != a : a.builder->constant(boolean, 0); }

// `b` where neither is greater, so that the inner select is one instruction on every target that has a maximum.
Scalar maximum(Scalar a, Scalar b) { return select(is_nan(a), a, select(a > b, a, b)); }
Scalar minimum(Scalar a, Scalar b) { return select(is_nan(a), a, select(a < b, a, b)); }

}  // namespace scalar
}  // namespace sinter
