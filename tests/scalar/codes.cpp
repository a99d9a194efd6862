// The scalar codes as graph/scalar.h states them, against oracles written from those statements: integers in 128 bits, then wrapped.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstring>

#include "tests/scalar/support.h"

namespace sinter {
namespace {

__extension__ typedef unsigned __int128 Bits128;
__extension__ typedef __int128 Wide;

template <class T>
Bits128 extended(T v) { return static_cast<Bits128>(static_cast<Wide>(v)); }
template <class T>
T wrapped(Bits128 v) { return static_cast<T>(static_cast<uint64_t>(v)); }

template <class T>
std::vector<T> edges() {
  constexpr T low = std::numeric_limits<T>::min(), high = std::numeric_limits<T>::max();
  std::vector<T> v{low, static_cast<T>(low + 1), static_cast<T>(low / 2), static_cast<T>(high / 2), static_cast<T>(high - 1), high,
                   0, 1, 2, 3, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100};
  if constexpr (std::is_signed_v<T>)
    for (int k : {-1, -2, -3, -7, -8, -31, -32, -33, -63, -64, -65, -100}) v.push_back(static_cast<T>(k));
  std::mt19937_64 random(1);
  for (int k = 0; k < 40; ++k) v.push_back(static_cast<T>(random() >> (random() % 64)));
  return v;
}

// All pairs of `values`, through `code`, as inputs and as folded constants.
template <class R, class T, class Oracle>
void check_pairs(ScalarCode code, const std::vector<T>& values, Oracle oracle) {
  std::vector<T> x, y;
  for (T a : values)
    for (T b : values) x.push_back(a), y.push_back(b);
  ScalarBuilder b;
  bool binary = operand_count(code) == 2;
  Scalar first = b.input(0, dtype_of<T>()), second = b.input(1, dtype_of<T>());
  Scalar outputs[] = {binary ? b.append(code, dtype_of<R>(), {first, second}) : b.append(code, dtype_of<R>(), {first})};
  std::vector<uint8_t> got(x.size() * sizeof(R));
  const void* in[] = {x.data(), y.data()};
  void* out[] = {got.data()};
  evaluate(b.finish(outputs), in, out, static_cast<int64_t>(x.size()));
  for (size_t i = 0; i < x.size(); ++i) {
    R result;
    std::memcpy(&result, got.data() + i * sizeof(R), sizeof(R));
    R want = oracle(x[i], y[i]);
    INFO(name(code) << " of " << +x[i] << " and " << +y[i] << " is " << +result << ", not " << +want);
    bool both_nan = want != want && result != result;
    if (!both_nan && std::memcmp(&result, &want, sizeof(R)) != 0) FAIL();
    if (i % 37) continue;
    auto constant = [&](T v) {
      uint64_t bits = 0;
      std::memcpy(&bits, &v, sizeof v);
      return b.constant_bits(dtype_of<T>(), bits);
    };
    Scalar folded = binary ? b.append(code, dtype_of<R>(), {constant(x[i]), constant(y[i])}) : b.append(code, dtype_of<R>(), {constant(x[i])});
    uint64_t bits = 0;
    std::memcpy(&bits, &result, sizeof result);
    if (b.op(folded.index).code != ScalarCode::constant || (b.op(folded.index).bits != bits && !both_nan)) FAIL("folded otherwise");
  }
}

template <class T>
T shifted(T a, T by, bool left) {
  constexpr int width = static_cast<int>(sizeof(T) * 8);
  if (by < 0 || extended(by) >= width) return 0;
  auto places = static_cast<int>(by);
  if (left) return wrapped<T>(extended(a) << places);
  // An arithmetic shift is a division that rounds down.
  Wide wide = static_cast<Wide>(a), unit = Wide(1) << places, quotient = wide / unit;
  return static_cast<T>(wide % unit < 0 ? quotient - 1 : quotient);
}

template <class F>
std::vector<F> float_edges() {
  using Limits = std::numeric_limits<F>;
  std::vector<F> v;
  for (F x : {F(0), Limits::denorm_min(), Limits::min(), F(0.25), F(0.49999997), F(0.5), F(0.75), F(1), F(1.5), F(2.5), F(3.5), F(254.5), F(255),
              F(256), F(256.5), F(0x1p23), F(0x1p23 + 1), F(0x1p22 + 0.5), F(0x1p31), F(0x1p32), F(0x1p63), F(0x1p64), F(1e30), Limits::max(),
              Limits::infinity(), Limits::quiet_NaN()}) {
    v.push_back(x), v.push_back(-x);
    v.push_back(std::nextafter(x, F(0))), v.push_back(std::nextafter(x, Limits::infinity()));
    v.push_back(-std::nextafter(x, F(0)));
  }
  return v;
}

// Truncates towards 0; saturates; NaN gives 0.
template <class To, class From>
To saturated(From x) {
  if (x != x) return 0;
  long double whole = std::trunc(static_cast<long double>(x)), high = static_cast<long double>(std::numeric_limits<To>::max());
  if (whole >= high) return std::numeric_limits<To>::max();
  if (whole <= static_cast<long double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
  return static_cast<To>(whole);
}

}  // namespace

TEMPLATE_TEST_CASE("integer arithmetic wraps", "", uint8_t, int32_t, int64_t, uint32_t, uint64_t) {
  using T = TestType;
  std::vector<T> v = edges<T>();
  check_pairs<T>(ScalarCode::add, v, [](T a, T b) { return wrapped<T>(extended(a) + extended(b)); });
  check_pairs<T>(ScalarCode::subtract, v, [](T a, T b) { return wrapped<T>(extended(a) - extended(b)); });
  check_pairs<T>(ScalarCode::multiply, v, [](T a, T b) { return wrapped<T>(extended(a) * extended(b)); });
  check_pairs<T>(ScalarCode::negate, v, [](T a, T) { return wrapped<T>(-extended(a)); });
  if constexpr (std::is_signed_v<T>)
    check_pairs<T>(ScalarCode::absolute, v, [](T a, T) { return wrapped<T>(a < 0 ? -extended(a) : extended(a)); });
}

TEMPLATE_TEST_CASE("integer division truncates, and what has no quotient gives 0", "", uint8_t, int32_t, int64_t, uint32_t, uint64_t) {
  using T = TestType;
  std::vector<T> v = edges<T>();
  check_pairs<T>(ScalarCode::divide, v, [](T a, T b) {
    return b == 0 ? T(0) : wrapped<T>(static_cast<Bits128>(static_cast<Wide>(a) / static_cast<Wide>(b)));
  });
  check_pairs<T>(ScalarCode::remainder, v, [](T a, T b) { return b == 0 ? T(0) : static_cast<T>(static_cast<Wide>(a) % static_cast<Wide>(b)); });
}

TEMPLATE_TEST_CASE("integer shifts past the width, or negative, give 0", "", uint8_t, int32_t, int64_t, uint32_t, uint64_t) {
  using T = TestType;
  std::vector<T> v = edges<T>();
  check_pairs<T>(ScalarCode::shift_left, v, [](T a, T b) { return shifted(a, b, true); });
  check_pairs<T>(ScalarCode::shift_right, v, [](T a, T b) { return shifted(a, b, false); });
}

TEMPLATE_TEST_CASE("integer bits and comparisons", "", uint8_t, int32_t, int64_t, uint32_t, uint64_t) {
  using T = TestType;
  std::vector<T> v = edges<T>();
  check_pairs<T>(ScalarCode::bit_and, v, [](T a, T b) { return wrapped<T>(extended(a) & extended(b)); });
  check_pairs<T>(ScalarCode::bit_or, v, [](T a, T b) { return wrapped<T>(extended(a) | extended(b)); });
  check_pairs<T>(ScalarCode::bit_xor, v, [](T a, T b) { return wrapped<T>(extended(a) ^ extended(b)); });
  check_pairs<T>(ScalarCode::bit_not, v, [](T a, T) { return wrapped<T>(~extended(a)); });
  check_pairs<bool>(ScalarCode::equal, v, [](T a, T b) { return static_cast<Wide>(a) == static_cast<Wide>(b); });
  check_pairs<bool>(ScalarCode::not_equal, v, [](T a, T b) { return static_cast<Wide>(a) != static_cast<Wide>(b); });
  check_pairs<bool>(ScalarCode::less, v, [](T a, T b) { return static_cast<Wide>(a) < static_cast<Wide>(b); });
  check_pairs<bool>(ScalarCode::less_equal, v, [](T a, T b) { return static_cast<Wide>(a) <= static_cast<Wide>(b); });
}

TEMPLATE_TEST_CASE("integers convert by wrapping, to bool by comparing with 0", "", uint8_t, int32_t, int64_t, uint32_t, uint64_t) {
  using T = TestType;
  std::vector<T> v = edges<T>();
  check_pairs<uint8_t>(ScalarCode::convert, v, [](T a, T) { return wrapped<uint8_t>(extended(a)); });
  check_pairs<int32_t>(ScalarCode::convert, v, [](T a, T) { return wrapped<int32_t>(extended(a)); });
  check_pairs<uint32_t>(ScalarCode::convert, v, [](T a, T) { return wrapped<uint32_t>(extended(a)); });
  check_pairs<int64_t>(ScalarCode::convert, v, [](T a, T) { return wrapped<int64_t>(extended(a)); });
  check_pairs<uint64_t>(ScalarCode::convert, v, [](T a, T) { return wrapped<uint64_t>(extended(a)); });
  check_pairs<bool>(ScalarCode::convert, v, [](T a, T) { return a != 0; });
  check_pairs<float>(ScalarCode::convert, v, [](T a, T) { return static_cast<float>(static_cast<long double>(a)); });
  check_pairs<double>(ScalarCode::convert, v, [](T a, T) { return static_cast<double>(static_cast<long double>(a)); });
}

TEST_CASE("booleans") {
  std::vector<bool> both{false, true};
  auto check = [&](ScalarCode code, auto oracle) {
    for (bool a : both)
      for (bool b : both) {
        ScalarBuilder builder;
        Scalar x = builder.constant(boolean, a), y = builder.constant(boolean, b);
        Scalar r = operand_count(code) == 2 ? builder.append(code, boolean, {x, y}) : builder.append(code, boolean, {x});
        CHECK(builder.op(r.index).bits == static_cast<uint64_t>(oracle(a, b)));
      }
  };
  check(ScalarCode::bit_and, [](bool a, bool b) { return a && b; });
  check(ScalarCode::bit_or, [](bool a, bool b) { return a || b; });
  check(ScalarCode::bit_xor, [](bool a, bool b) { return a != b; });
  check(ScalarCode::bit_not, [](bool a, bool) { return !a; });
  check(ScalarCode::equal, [](bool a, bool b) { return a == b; });
  for (DType type : computing_dtypes) {
    ScalarBuilder builder;
    Scalar one = scalar::convert(builder.constant(boolean, 1), type);
    CHECK(one.index == builder.constant(type, 1).index);
  }
}

TEMPLATE_TEST_CASE("floats convert to integers by truncating and saturating", "", float, double) {
  using T = TestType;
  std::vector<T> v = float_edges<T>();
  check_pairs<uint8_t>(ScalarCode::convert, v, [](T a, T) { return saturated<uint8_t>(a); });
  check_pairs<int32_t>(ScalarCode::convert, v, [](T a, T) { return saturated<int32_t>(a); });
  check_pairs<uint32_t>(ScalarCode::convert, v, [](T a, T) { return saturated<uint32_t>(a); });
  check_pairs<int64_t>(ScalarCode::convert, v, [](T a, T) { return saturated<int64_t>(a); });
  check_pairs<uint64_t>(ScalarCode::convert, v, [](T a, T) { return saturated<uint64_t>(a); });
  check_pairs<bool>(ScalarCode::convert, v, [](T a, T) { return !(a == 0); });
  check_pairs<float>(ScalarCode::convert, v, [](T a, T) { return static_cast<float>(a); });
  check_pairs<double>(ScalarCode::convert, v, [](T a, T) { return static_cast<double>(a); });
}

TEMPLATE_TEST_CASE("comparisons with NaN are false, but not_equal", "", float, double) {
  using T = TestType;
  std::vector<T> v = float_edges<T>();
  auto ordered = [](T a, T b) { return !std::isnan(a) && !std::isnan(b); };
  check_pairs<bool>(ScalarCode::equal, v, [&](T a, T b) { return ordered(a, b) && !(a < b) && !(b < a); });
  check_pairs<bool>(ScalarCode::not_equal, v, [&](T a, T b) { return !ordered(a, b) || a < b || b < a; });
  check_pairs<bool>(ScalarCode::less, v, [&](T a, T b) { return ordered(a, b) && std::isless(a, b); });
  check_pairs<bool>(ScalarCode::less_equal, v, [&](T a, T b) { return ordered(a, b) && !std::isgreater(a, b); });
}

TEMPLATE_TEST_CASE("float arithmetic is IEEE 754's", "", float, double) {
  using T = TestType;
  std::vector<T> v = float_edges<T>();
  using W = std::conditional_t<sizeof(T) == 4, double, long double>;
  if constexpr (sizeof(T) == 4) {  // double has more than twice float's bits: rounding twice is rounding once
    check_pairs<T>(ScalarCode::add, v, [](T a, T b) { return static_cast<T>(W(a) + W(b)); });
    check_pairs<T>(ScalarCode::subtract, v, [](T a, T b) { return static_cast<T>(W(a) - W(b)); });
    check_pairs<T>(ScalarCode::multiply, v, [](T a, T b) { return static_cast<T>(W(a) * W(b)); });
    check_pairs<T>(ScalarCode::divide, v, [](T a, T b) { return static_cast<T>(W(a) / W(b)); });
    check_pairs<T>(ScalarCode::square_root, v, [](T a, T) { return static_cast<T>(std::sqrt(W(a))); });
  }
  check_pairs<T>(ScalarCode::negate, v, [](T a, T) { return std::copysign(a, std::signbit(a) ? T(1) : T(-1)); });
  check_pairs<T>(ScalarCode::absolute, v, [](T a, T) { return std::copysign(a, T(1)); });
  check_pairs<T>(ScalarCode::floor, v, [](T a, T) { return static_cast<T>(std::floor(W(a))); });
  check_pairs<T>(ScalarCode::ceil, v, [](T a, T) { return static_cast<T>(std::ceil(W(a))); });
  check_pairs<T>(ScalarCode::truncate, v, [](T a, T) { return static_cast<T>(std::trunc(W(a))); });
  check_pairs<T>(ScalarCode::round_even, v, [](T a, T) {
    if (!std::isfinite(a)) return a;
    W down = std::floor(W(a)), part = W(a) - down;
    bool up = part > W(0.5) || (part == W(0.5) && std::fmod(down, W(2)) != 0);
    return std::copysign(static_cast<T>(up ? down + 1 : down), a);
  });
}

TEMPLATE_TEST_CASE("fma rounds once", "", float, double) {
  using T = TestType;
  constexpr T eps = std::numeric_limits<T>::epsilon();
  ScalarBuilder b;
  Scalar outputs[] = {scalar::fma(b.input(0, dtype_of<T>()), b.input(1, dtype_of<T>()), b.input(2, dtype_of<T>()))};
  ScalarExpr expr = b.finish(outputs);
  auto fma_of = [&](T x, T y, T z) {
    const void* in[] = {&x, &y, &z};
    T r = 0;
    void* out[] = {&r};
    evaluate(expr, in, out, 1);
    return r;
  };
  CHECK(fma_of(1 + eps, 1 - eps, -1) == -eps * eps);
  CHECK(fma_of(std::numeric_limits<T>::max(), 2, -std::numeric_limits<T>::max()) == std::numeric_limits<T>::max());
  CHECK(std::isnan(fma_of(std::numeric_limits<T>::infinity(), 0, 1)));
  CHECK(std::signbit(fma_of(T(-0.0), 1, T(-0.0))));
  CHECK_FALSE(std::signbit(fma_of(T(-0.0), 1, 0)));
}

TEMPLATE_TEST_CASE("maximum and minimum propagate NaN", "", float, double, int32_t, uint64_t) {
  using T = TestType;
  std::vector<T> v;
  if constexpr (std::is_floating_point_v<T>) v = float_edges<T>();
  else v = edges<T>();
  std::vector<T> x, y, largest, smallest;
  for (T a : v)
    for (T b : v) x.push_back(a), y.push_back(b);
  ScalarBuilder b;
  Scalar p = b.input(0, dtype_of<T>()), q = b.input(1, dtype_of<T>());
  Scalar outputs[] = {scalar::maximum(p, q), scalar::minimum(p, q)};
  largest.resize(x.size()), smallest.resize(x.size());
  const void* in[] = {x.data(), y.data()};
  void* out[] = {largest.data(), smallest.data()};
  evaluate(b.finish(outputs), in, out, static_cast<int64_t>(x.size()));
  for (size_t i = 0; i < x.size(); ++i) {
    if (x[i] != x[i] || y[i] != y[i]) {
      CHECK(largest[i] != largest[i]);
      CHECK(smallest[i] != smallest[i]);
    } else {
      CHECK(largest[i] == std::max(x[i], y[i]));
      CHECK(smallest[i] == std::min(x[i], y[i]));
    }
  }
}

TEST_CASE("bitcasts keep every bit") {
  ScalarBuilder b;
  for (uint32_t bits : {0u, 0x80000000u, 0x7f800001u, 0xffc12345u, 1u, 0x3f800000u}) {
    Scalar x = scalar::bitcast(scalar::bitcast(b.constant_bits(u32, bits), f32), i32);
    CHECK(b.op(x.index).bits == bits);
  }
  for (uint64_t bits : {uint64_t{0}, uint64_t{1} << 63, uint64_t{0x7ff0000000000001}, ~uint64_t{0}}) {
    Scalar x = scalar::bitcast(scalar::bitcast(b.constant_bits(u64, bits), f64), i64);
    CHECK(b.op(x.index).bits == bits);
  }
}

}  // namespace sinter
