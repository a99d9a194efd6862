#include "tests/conformance/elementwise_oracles.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <tuple>

#include "tests/scalar/digamma.h"
#include "tests/scalar/division.h"
#include "tests/scalar/functions.h"

namespace sinter::conformance {
namespace {

template <class T>
constexpr bool is_float_type = std::is_floating_point_v<T>;
template <class T>
using Number = std::conditional_t<std::is_same_v<T, bool>, int32_t, T>;  // what arithmetic computes a bool in
template <class T>
using FloatFor = std::conditional_t<is_float_type<T>, T, std::conditional_t<(sizeof(T) < 4) || std::is_same_v<T, int32_t>, float, double>>;
template <class T>
using Wider = std::conditional_t<std::is_same_v<T, float>, double, long double>;

template <class T>
std::string text(T v) {
  if constexpr (is_float_type<T>) return fmt::format("{} ({:a})", v, v);
  else return fmt::format("{}", v);
}
template <class... T>
std::string wrong_at(size_t i, std::string_view got, std::string_view want, T... operands) {
  std::string of;
  ((of += (of.empty() ? "" : ", ") + text(operands)), ...);
  return fmt::format("element {} of ({}) is {}, not {}", i, of, got, want);
}

// Equal bits, but that any NaN equals any.
template <class T>
bool same(T a, T b) {
  if constexpr (is_float_type<T>) return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
  else return a == b;
}

// Calls visit with a tag of the operands' C++ type for each element position and the operands there.
template <int arity, class Visit>
std::string each(std::span<const Tensor> operands, Visit visit) {
  return dispatch(operands[0].dtype(), [&](auto tag) -> std::string {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < static_cast<size_t>(operands[0].size()); ++i) {
      std::string problem;
      if constexpr (arity == 1) problem = visit(i, operands[0].data<T>()[i]);
      else problem = visit(i, operands[0].data<T>()[i], operands[1].data<T>()[i]);
      if (!problem.empty()) return problem;
    }
    return "";
  });
}

// Of numbers, in their own type, to the bit; a bool counts as an i32.
template <int arity, class F>
Oracle exact(F f) {
  return [f](std::span<const Tensor> operands, const Tensor& result) {
    return each<arity>(operands, [&](size_t i, auto... x) {
      auto want = f(static_cast<Number<decltype(x)>>(x)...);
      auto got = result.data<decltype(want)>()[i];
      return same(got, want) ? "" : wrong_at(i, text(got), text(want), x...);
    });
  };
}

// Of bools, or of anything with a bool for a result.
template <int arity, class F>
Oracle predicate(F f) {
  return [f](std::span<const Tensor> operands, const Tensor& result) {
    return each<arity>(operands, [&](size_t i, auto... x) {
      bool want = f(x...), got = result.data<bool>()[i];
      return got == want ? "" : wrong_at(i, text(got), text(want), x...);
    });
  };
}

// A float made whole; an integer is.
template <class T, class F>
T whole_of(T x, F f) {
  if constexpr (is_float_type<T>) return f(x);
  else return x;
}

// Of floats, and integers turned into them, to a number of ulps: `f` computes in the next wider type.
template <int arity, class F>
Oracle approximate(const Bounds& bounds, F f) {
  return [=](std::span<const Tensor> operands, const Tensor& result) {
    return each<arity>(operands, [&](size_t i, auto... x) {
      using T = FloatFor<std::tuple_element_t<0, std::tuple<decltype(x)...>>>;
      auto want = f(static_cast<Wider<T>>(static_cast<T>(x))...);
      T got = result.data<T>()[i];
      double off = ulps(got, want), bound = std::is_same_v<T, float> ? bounds.f32 : bounds.f64;
      return off <= bound ? "" : fmt::format("{}, {} ulps off", wrong_at(i, text(got), text(want), x...), off);
    });
  };
}

// The row of this name, within its bounds.
template <int arity, class F>
std::pair<const std::string, Oracle> within(const char* name, F f) { return {name, approximate<arity>(bounds_of(name), f)}; }

// The same where a result is not near in its own last place, but in that of what it is the difference of, `size` of the operand.
template <class F, class Size>
std::pair<const std::string, Oracle> near(const char* name, F f, Size size) {
  const Bounds bounds = bounds_of(name);
  return {name, [=](std::span<const Tensor> operands, const Tensor& result) {
    return each<1>(operands, [&](size_t i, auto x) {
      using T = FloatFor<decltype(x)>;
      auto at = static_cast<long double>(static_cast<T>(x)), want = f(at);
      T got = result.data<T>()[i];
      bool finite = std::isfinite(static_cast<T>(want)) && std::isfinite(got);
      auto off = finite ? static_cast<double>(std::fabs(static_cast<long double>(got) - want) / std::max({std::fabs(want), size(at), std::numeric_limits<long double>::min()}) / std::numeric_limits<T>::epsilon()) : ulps(got, want);
      return off <= (std::is_same_v<T, float> ? bounds.f32 : bounds.f64) ? "" : fmt::format("{}, {} units off", wrong_at(i, text(got), text(static_cast<T>(want)), x), off);
    });
  }};
}

// Of integers in their own type, of bool as bool, to the bit.
template <int arity, class F>
Oracle of_bits(F f) {
  return [f](std::span<const Tensor> operands, const Tensor& result) {
    return each<arity>(operands, [&](size_t i, auto... x) -> std::string {
      using T = std::tuple_element_t<0, std::tuple<decltype(x)...>>;
      if constexpr (is_float_type<T>) return "floats have no bits";
      else {
        T want = f(x...), got = result.data<T>()[i];
        return got == want ? "" : wrong_at(i, text(got), text(want), x...);
      }
    });
  };
}

template <class T>
T shifted(T a, T b, bool left) {
  if constexpr (std::is_same_v<T, bool>) return false;
  else {
    if (b < 0 || static_cast<uint64_t>(b) >= sizeof(T) * 8) return 0;
    return left ? static_cast<T>(static_cast<uint64_t>(a) << b) : static_cast<T>(a >> b);
  }
}

// Integers wrap, which C++ does for unsigned ones only, and only where they are not promoted to int.
template <class T, class F>
T wrapping(T a, T b, F f) {
  if constexpr (is_float_type<T>) return f(a, b);
  else return static_cast<T>(f(static_cast<uint64_t>(a), static_cast<uint64_t>(b)));
}

template <class T>
T quotient(T a, T b) {
  if constexpr (is_float_type<T>) return a / b;
  else {
    if (b == 0) return 0;
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return wrapping(T(0), a, std::minus<>());
    return static_cast<T>(a / b);
  }
}

// Python's: the quotient is rounded down, and what is left has the divisor's sign.
template <class T>
T remainder_of(T a, T b) {
  if constexpr (is_float_type<T>) {
    if (std::isfinite(a) && b != 0 && !divides_exactly(a, b)) return std::numeric_limits<T>::quiet_NaN();
    return exact_remainder(a, b);
  } else {
    if (b == 0 || (std::is_signed_v<T> && b == static_cast<T>(-1))) return 0;
    T rest = static_cast<T>(a % b);
    return rounds_down(rest, b) ? static_cast<T>(rest + b) : rest;
  }
}
template <class T>
T floor_quotient(T a, T b) {
  if constexpr (is_float_type<T>) {
    return divides_exactly(a, b) ? exact_floor_quotient(a, b) : a / b;
  } else {
    T down = quotient(a, b);
    if (b == 0 || (std::is_signed_v<T> && b == static_cast<T>(-1))) return down;
    return rounds_down(static_cast<T>(a % b), b) ? static_cast<T>(down - 1) : down;
  }
}

template <class T>
T extreme(T a, T b, bool b_wins) {
  if constexpr (is_float_type<T>)
    if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<T>::quiet_NaN();
  return b_wins ? b : a;
}

// The larger of two equal values may be either, as to the sign of a zero.
template <class F>
Oracle chosen(F b_wins) {
  return [b_wins](std::span<const Tensor> operands, const Tensor& result) {
    return each<2>(operands, [&](size_t i, auto x, auto y) {
      using T = Number<decltype(x)>;
      T want = extreme<T>(x, y, b_wins(static_cast<T>(x), static_cast<T>(y))), got = result.data<T>()[i];
      return same(got, want) || (want == 0 && got == 0) ? "" : wrong_at(i, text(got), text(want), x, y);
    });
  };
}

template <class To, class From>
To converted(From x) {
  if constexpr (std::is_same_v<To, bool>) return x != 0;
  else if constexpr (is_float_type<From> && !is_float_type<To>) {
    using Limits = std::numeric_limits<To>;
    if (std::isnan(x)) return 0;
    // The first powers of two beyond the range are floats; the ends of the range may not be.
    From beyond = std::ldexp(From(1), Limits::digits), below = std::is_signed_v<To> ? -beyond : 0;
    if (std::trunc(x) >= beyond) return Limits::max();
    if (std::trunc(x) < below) return Limits::min();
    return static_cast<To>(x);
  } else return static_cast<To>(x);
}

Oracle conversion() {
  return [](std::span<const Tensor> operands, const Tensor& result) {
    return each<1>(operands, [&](size_t i, auto x) {
      return dispatch(result.dtype(), [&](auto tag) -> std::string {
        using To = typename decltype(tag)::type;
        To want = converted<To>(x), got = result.data<To>()[i];
        return same(got, want) ? "" : wrong_at(i, text(got), text(want), x);
      });
    });
  };
}

Oracle selection() {
  return [](std::span<const Tensor> operands, const Tensor& result) -> std::string {
    size_t width = size_of(result.dtype());
    for (size_t i = 0; i < static_cast<size_t>(result.size()); ++i) {
      const Tensor& from = operands[operands[0].data<bool>()[i] ? 1 : 2];
      if (std::memcmp(static_cast<const char*>(result.raw()) + i * width, static_cast<const char*>(from.raw()) + i * width, width) != 0)
        return fmt::format("element {} was not taken from operand {}", i, &from - operands.data());
    }
    return "";
  };
}

template <class T>
T sign_of(T x) {
  if (!(x != 0) || x != x) return x;
  return x > 0 ? T(1) : static_cast<T>(-1);
}
template <class T>
T magnitude(T x) {
  if constexpr (is_float_type<T>) return std::fabs(x);
  else return x < T(0) ? wrapping(T(0), x, std::minus<>()) : x;
}

// For f64 they are NaN beyond 2^45 radians, where an argument's own rounding is a hundredth of a turn.
template <class T>
T periodic(T (*f)(T), T x) {
  bool far = std::is_same_v<T, long double> && std::fabs(x) > T(0x1p45);
  return far ? std::numeric_limits<T>::quiet_NaN() : f(x);
}

// Results that need no rounding come from the function in double: glibc's powl(-inf, -2^63) is inf.
template <class T>
T power(T x, T y) {
  if (x == 0 || !std::isfinite(x) || !std::isfinite(y)) return static_cast<T>(std::pow(static_cast<double>(x), static_cast<double>(y)));
  return std::pow(x, y);
}

}  // namespace

const std::map<std::string, Oracle, std::less<>>& elementwise_oracles() {
  static const std::map<std::string, Oracle, std::less<>> oracles = [] {
    constexpr Bounds exact_bounds = {"", 0, 0};
    std::map<std::string, Oracle, std::less<>> all = {
        {"negate", exact<1>([](auto x) {
           if constexpr (is_float_type<decltype(x)>) return -x;
           else return wrapping(decltype(x)(0), x, std::minus<>());
         })},
        {"abs", exact<1>([](auto x) { return magnitude(x); })},
        {"sign", exact<1>([](auto x) { return sign_of(x); })},
        {"floor", exact<1>([](auto x) { return whole_of(x, [](auto v) { return std::floor(v); }); })},
        {"ceil", exact<1>([](auto x) { return whole_of(x, [](auto v) { return std::ceil(v); }); })},
        {"trunc", exact<1>([](auto x) { return whole_of(x, [](auto v) { return std::trunc(v); }); })},
        {"round", exact<1>([](auto x) { return whole_of(x, [](auto v) { return std::nearbyint(v); }); })},
        within<1>("tan", [](auto x) { return periodic<decltype(x)>(std::tan, x); }),
        {"logb", approximate<1>(exact_bounds, [](auto x) { return std::logb(x); })},
        near("lgamma", [](long double x) { return std::lgamma(x); }, [](long double x) { return x < 0 ? 1 + std::fabs(std::lgamma(1 - x)) : 0; }),
        near("digamma", exact_digamma, [](long double x) { return 1 + (x < 0 ? std::fabs(exact_digamma(1 - x)) : 0); }),
        {"bitwise_not", of_bits<1>([](auto x) { return static_cast<decltype(x)>(std::is_same_v<decltype(x), bool> ? !x : ~static_cast<uint64_t>(x)); })},
        {"bitwise_count", of_bits<1>([](auto x) {
           int count = 0;
           for (size_t bit = 0; bit < sizeof x * 8; ++bit) count += static_cast<int>(static_cast<uint64_t>(x) >> bit & 1);
           return static_cast<decltype(x)>(count);
         })},
        {"sqrt", approximate<1>({"sqrt", 0.5001, 0.5001}, [](auto x) { return std::sqrt(x); })},
        within<1>("sin", [](auto x) { return periodic<decltype(x)>(std::sin, x); }),
        within<1>("cos", [](auto x) { return periodic<decltype(x)>(std::cos, x); }),
        {"logical_not", predicate<1>([](auto x) { return x == 0; })},
        {"convert", conversion()},
        {"add", exact<2>([](auto x, auto y) { return wrapping(x, y, std::plus<>()); })},
        {"subtract", exact<2>([](auto x, auto y) { return wrapping(x, y, std::minus<>()); })},
        {"multiply", exact<2>([](auto x, auto y) { return wrapping(x, y, std::multiplies<>()); })},
        {"divide", exact<2>([](auto x, auto y) { return quotient(x, y); })},
        {"floor_divide", exact<2>([](auto x, auto y) { return floor_quotient(x, y); })},
        {"remainder", exact<2>([](auto x, auto y) { return remainder_of(x, y); })},
        within<2>("hypot", [](auto x, auto y) { return std::hypot(x, y); }),
        within<2>("atan2", [](auto x, auto y) { return std::atan2(x, y); }),
        {"copysign", approximate<2>(exact_bounds, [](auto x, auto y) { return std::isnan(y) ? std::abs(x) : std::copysign(x, y); })},
        {"nextafter", [](std::span<const Tensor> operands, const Tensor& result) {
           return each<2>(operands, [&](size_t i, auto x, auto y) {
             using T = FloatFor<decltype(x)>;
             T want = std::nextafter(static_cast<T>(x), static_cast<T>(y)), got = result.data<T>()[i];
             return same(got, want) ? "" : wrong_at(i, text(got), text(want), x, y);
           });
         }},
        {"bitwise_and", of_bits<2>([](auto x, auto y) { return static_cast<decltype(x)>(x & y); })},
        {"bitwise_or", of_bits<2>([](auto x, auto y) { return static_cast<decltype(x)>(x | y); })},
        {"bitwise_xor", of_bits<2>([](auto x, auto y) { return static_cast<decltype(x)>(x ^ y); })},
        {"shift_left", of_bits<2>([](auto x, auto y) { return shifted(x, y, true); })},
        {"shift_right", of_bits<2>([](auto x, auto y) { return shifted(x, y, false); })},
        within<2>("power", [](auto x, auto y) { return power(x, y); }),
        {"maximum", chosen([](auto x, auto y) { return y > x; })},
        {"minimum", chosen([](auto x, auto y) { return y < x; })},
        {"equal", predicate<2>([](auto x, auto y) { return x == y; })},
        {"not_equal", predicate<2>([](auto x, auto y) { return x != y; })},
        {"less", predicate<2>([](auto x, auto y) { return x < y; })},
        {"less_equal", predicate<2>([](auto x, auto y) { return x <= y; })},
        {"logical_and", predicate<2>([](auto x, auto y) { return x != 0 && y != 0; })},
        {"logical_or", predicate<2>([](auto x, auto y) { return x != 0 || y != 0; })},
        {"select", selection()},
    };
    // The others, by the references that scalar expressions are held to.
    for (const Elementary& f : elementary)
      all.emplace(f.name, approximate<1>(bounds_of(f.name), [f](auto x) {
        if constexpr (std::is_same_v<decltype(x), double>) return f.reference(x);
        else return f.wide(x);
      }));
    return all;
  }();
  return oracles;
}

}  // namespace sinter::conformance
