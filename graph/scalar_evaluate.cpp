// Evaluates scalar expressions, a block of elements at a time so that the cost of choosing an operation is shared.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>

#include "graph/scalar.h"
#include "graph/support/floating_point.h"

namespace sinter {
namespace {

constexpr int64_t block = 256;
struct Register {
  alignas(64) unsigned char bytes[block * 8];
};

template <class T>
T divide(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return a / b;
  else {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
    return static_cast<T>(a / b);
  }
}

template <class T>
T remainder(T a, T b) {
  if (b == 0) return 0;
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  return static_cast<T>(a % b);
}

// Wrapping arithmetic through the unsigned type: signed overflow is undefined in C++. u8 promotes to int, which cannot overflow here.
template <class T, class F>
T wrapping(T a, T b, F f) {
  if constexpr (std::is_floating_point_v<T>) return f(a, b);
  else {
    using U = std::conditional_t<(sizeof(T) < 4), uint32_t, std::make_unsigned_t<T>>;
    return static_cast<T>(f(static_cast<U>(a), static_cast<U>(b)));
  }
}

template <class T>
T shift(ScalarCode code, T a, T b) {
  constexpr T width = static_cast<T>(sizeof(T) * 8);
  if (b < 0 || b >= width) return 0;
  if (code == ScalarCode::shift_right) return static_cast<T>(a >> b);
  using U = std::conditional_t<(sizeof(T) < 4), uint32_t, std::make_unsigned_t<T>>;
  return static_cast<T>(static_cast<U>(a) << b);
}

template <class To, class From>
To converted(From a) {
  if constexpr (std::is_same_v<To, bool>) return a != From(0);
  else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(a)) return 0;
    // 2^digits is exact in every float type, and the first value that does not fit.
    From limit = std::ldexp(From(1), std::numeric_limits<To>::digits);
    if (a >= limit) return std::numeric_limits<To>::max();
    if (a < (std::is_signed_v<To> ? -limit : From(0))) return std::numeric_limits<To>::min();
    return static_cast<To>(a);
  } else return static_cast<To>(a);
}

struct Block {
  const ScalarOp& op;
  const Register *a, *b, *c;
  Register* out;
  int64_t n;

  template <class R, class T, class F>
  void map(F f) const {
    const T *x = reinterpret_cast<const T*>(a->bytes), *y = reinterpret_cast<const T*>(b->bytes);
    R* r = reinterpret_cast<R*>(out->bytes);
    for (int64_t i = 0; i < n; ++i) r[i] = f(x[i], y[i]);
  }
};

template <class T>
void compare(const Block& at) {
  switch (at.op.code) {
    case ScalarCode::equal: return at.map<bool, T>([](T x, T y) { return x == y; });
    case ScalarCode::not_equal: return at.map<bool, T>([](T x, T y) { return x != y; });
    case ScalarCode::less: return at.map<bool, T>([](T x, T y) { return x < y; });
    default: return at.map<bool, T>([](T x, T y) { return x <= y; });
  }
}

template <class T>
void select(const Block& at) {
  const bool* condition = reinterpret_cast<const bool*>(at.a->bytes);
  const T *then = reinterpret_cast<const T*>(at.b->bytes), *otherwise = reinterpret_cast<const T*>(at.c->bytes);
  for (int64_t i = 0; i < at.n; ++i) reinterpret_cast<T*>(at.out->bytes)[i] = condition[i] ? then[i] : otherwise[i];
}

template <class T>
void bits(const Block& at) {
  if constexpr (std::is_floating_point_v<T>) throw InternalError("a bit operation on floats");
  else switch (at.op.code) {
    case ScalarCode::bit_and: return at.map<T, T>([](T x, T y) { return static_cast<T>(x & y); });
    case ScalarCode::bit_or: return at.map<T, T>([](T x, T y) { return static_cast<T>(x | y); });
    case ScalarCode::bit_xor: return at.map<T, T>([](T x, T y) { return static_cast<T>(x ^ y); });
    default:
      if constexpr (std::is_same_v<T, bool>) return at.map<T, T>([](T x, T) { return !x; });
      else return at.map<T, T>([](T x, T) { return static_cast<T>(~x); });
  }
}

template <class T>
void floating(const Block& at) {
  if constexpr (!std::is_floating_point_v<T>) throw InternalError("a float operation on integers");
  else switch (at.op.code) {
    case ScalarCode::fma: {
      const T* z = reinterpret_cast<const T*>(at.c->bytes);
      const T *x = reinterpret_cast<const T*>(at.a->bytes), *y = reinterpret_cast<const T*>(at.b->bytes);
      for (int64_t i = 0; i < at.n; ++i) reinterpret_cast<T*>(at.out->bytes)[i] = std::fma(x[i], y[i], z[i]);
      return;
    }
    case ScalarCode::square_root: return at.map<T, T>([](T x, T) { return std::sqrt(x); });
    case ScalarCode::floor: return at.map<T, T>([](T x, T) { return std::floor(x); });
    case ScalarCode::ceil: return at.map<T, T>([](T x, T) { return std::ceil(x); });
    case ScalarCode::truncate: return at.map<T, T>([](T x, T) { return std::trunc(x); });
    default: return at.map<T, T>([](T x, T) { return std::nearbyint(x); });
  }
}

template <class T>
void arithmetic(const Block& at) {
  if constexpr (std::is_same_v<T, bool>) throw InternalError("arithmetic on booleans");
  else switch (at.op.code) {
    case ScalarCode::add: return at.map<T, T>([](T x, T y) { return wrapping(x, y, [](auto p, auto q) { return p + q; }); });
    case ScalarCode::subtract: return at.map<T, T>([](T x, T y) { return wrapping(x, y, [](auto p, auto q) { return p - q; }); });
    case ScalarCode::multiply: return at.map<T, T>([](T x, T y) { return wrapping(x, y, [](auto p, auto q) { return p * q; }); });
    case ScalarCode::divide: return at.map<T, T>([](T x, T y) { return divide(x, y); });
    case ScalarCode::remainder:
      if constexpr (std::is_floating_point_v<T>) throw InternalError("a remainder of floats is not one scalar operation");
      else return at.map<T, T>([](T x, T y) { return remainder(x, y); });
    case ScalarCode::negate:
      return at.map<T, T>([](T x, T) {
        if constexpr (std::is_floating_point_v<T>) return -x;
        else return wrapping(T(0), x, [](auto p, auto q) { return p - q; });
      });
    case ScalarCode::absolute:
      return at.map<T, T>([](T x, T) {
        if constexpr (std::is_floating_point_v<T>) return std::fabs(x);
        else return x < 0 ? wrapping(T(0), x, [](auto p, auto q) { return p - q; }) : x;
      });
    default:
      if constexpr (std::is_floating_point_v<T>) throw InternalError("a shift of floats");
      else return at.map<T, T>([&](T x, T y) { return shift(at.op.code, x, y); });
  }
}

void convert(const Block& at, DType from) {
  dispatch(from, [&](auto source) {
    dispatch(at.op.type, [&](auto target) {
      using From = typename decltype(source)::type;
      using To = typename decltype(target)::type;
      at.map<To, From>([](From x, From) { return converted<To>(x); });
    });
  });
}

void bitcast(const Block& at, DType from) {
  if (is_stored_only(from)) at.map<uint32_t, uint16_t>([](uint16_t x, uint16_t) { return uint32_t{x}; });
  else if (is_stored_only(at.op.type)) at.map<uint16_t, uint32_t>([](uint32_t x, uint32_t) { return static_cast<uint16_t>(x); });
  else std::memcpy(at.out->bytes, at.a->bytes, static_cast<size_t>(at.n) * size_of(at.op.type));
}

void apply(const Block& at, DType operand) {
  auto with = [&](DType type, auto f) {
    dispatch(type, [&](auto tag) { f(tag); });
  };
  switch (at.op.code) {
    case ScalarCode::input:
    case ScalarCode::constant: throw InternalError("a leaf is no operation");
    case ScalarCode::equal:
    case ScalarCode::not_equal:
    case ScalarCode::less:
    case ScalarCode::less_equal: return with(operand, [&](auto tag) { compare<typename decltype(tag)::type>(at); });
    case ScalarCode::select: return dispatch_stored(at.op.type, [&](auto tag) { select<typename decltype(tag)::type>(at); });
    case ScalarCode::bit_and:
    case ScalarCode::bit_or:
    case ScalarCode::bit_xor:
    case ScalarCode::bit_not: return with(operand, [&](auto tag) { bits<typename decltype(tag)::type>(at); });
    case ScalarCode::convert: return convert(at, operand);
    case ScalarCode::bitcast: return bitcast(at, operand);
    case ScalarCode::fma:
    case ScalarCode::square_root:
    case ScalarCode::floor:
    case ScalarCode::ceil:
    case ScalarCode::truncate:
    case ScalarCode::round_even: return with(operand, [&](auto tag) { floating<typename decltype(tag)::type>(at); });
    case ScalarCode::add:
    case ScalarCode::subtract:
    case ScalarCode::multiply:
    case ScalarCode::divide:
    case ScalarCode::remainder:
    case ScalarCode::negate:
    case ScalarCode::absolute:
    case ScalarCode::shift_left:
    case ScalarCode::shift_right: return with(operand, [&](auto tag) { arithmetic<typename decltype(tag)::type>(at); });
  }
}

void fill(Register& constant, const ScalarOp& op, int64_t n) {
  dispatch_stored(op.type, [&](auto tag) {
    typename decltype(tag)::type value;
    std::memcpy(&value, &op.bits, sizeof value);
    std::fill_n(reinterpret_cast<decltype(value)*>(constant.bytes), n, value);
  });
}

}  // namespace

void evaluate(const ScalarExpr& expr, std::span<const void* const> inputs, std::span<void* const> outputs, int64_t count) {
  FloatingPointEnvironment environment;
  auto registers = std::make_unique_for_overwrite<Register[]>(expr.ops.size());
  for (size_t i = 0; i < expr.ops.size(); ++i)
    if (expr.ops[i].code == ScalarCode::constant) fill(registers[i], expr.ops[i], std::min(block, count));
  for (int64_t start = 0; start < count; start += block) {
    int64_t n = std::min(block, count - start);
    for (size_t i = 0; i < expr.ops.size(); ++i) {
      const ScalarOp& op = expr.ops[i];
      size_t width = size_of(op.type);
      if (op.code == ScalarCode::constant) continue;
      if (op.code == ScalarCode::input) {
        std::memcpy(registers[i].bytes, static_cast<const char*>(inputs[op.bits]) + static_cast<size_t>(start) * width, static_cast<size_t>(n) * width);
      } else {
        // One operand stands in for a second: map() reads both, and the first op's register may hold what is no value of this type.
        uint32_t second = op.operands[operand_count(op.code) > 1 ? 1 : 0];
        apply({op, &registers[op.operands[0]], &registers[second], &registers[op.operands[2]], &registers[i], n}, expr.ops[op.operands[0]].type);
      }
    }
    for (size_t k = 0; k < outputs.size(); ++k) {
      size_t width = size_of(expr.ops[expr.outputs[k]].type);
      std::memcpy(static_cast<char*>(outputs[k]) + static_cast<size_t>(start) * width, registers[expr.outputs[k]].bytes, static_cast<size_t>(n) * width);
    }
  }
}

}  // namespace sinter
