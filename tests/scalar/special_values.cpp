// NaN, infinities, zeros of both signs, and what has an exact value.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/scalar/functions.h"

namespace sinter {
namespace {

template <class T>
constexpr T inf = std::numeric_limits<T>::infinity();
template <class T>
constexpr T nan = std::numeric_limits<T>::quiet_NaN();

template <class T>
struct Exact {
  const char* name;
  Scalar (*make)(Scalar);
  std::vector<std::pair<T, T>> values;
};

template <class T>
std::vector<Exact<T>> exact_values() {
  T i = inf<T>, n = nan<T>, most = std::numeric_limits<T>::max();
  using namespace scalar;
  return {
      {"exp", exp, {{0, 1}, {T(-0.0), 1}, {i, i}, {-i, 0}, {n, n}, {most, i}, {-most, 0}}},
      {"exp2", exp2, {{0, 1}, {T(-0.0), 1}, {1, 2}, {10, 1024}, {-3, T(0.125)}, {i, i}, {-i, 0}, {n, n}, {most, i}, {-most, 0}}},
      {"log2", log2, {{1, 0}, {8, 3}, {T(0.25), -2}, {0, -i}, {T(-0.0), -i}, {i, i}, {-i, n}, {-1, n}, {n, n}}},
      {"log10", log10, {{1, 0}, {10, 1}, {1000, 3}, {100000, 5}, {0, -i}, {T(-0.0), -i}, {i, i}, {-i, n}, {-1, n}, {n, n}}},
      {"cbrt", cbrt, {{0, 0}, {T(-0.0), T(-0.0)}, {1, 1}, {27, 3}, {-8, -2}, {1000, 10}, {i, i}, {-i, -i}, {n, n}}},
      {"tgamma", tgamma, {{0, i}, {T(-0.0), -i}, {1, 1}, {2, 1}, {5, 24}, {11, 3628800}, {i, i}, {-i, n}, {-1, n}, {-2, n}, {most, i}, {-most, n}, {T(-std::numeric_limits<T>::denorm_min()), -i}, {n, n}}},
      {"logb", logb, {{0, -i}, {T(-0.0), -i}, {1, 0}, {T(0.75), -1}, {-9, 3}, {std::numeric_limits<T>::denorm_min(), T(std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits)}, {most, T(std::numeric_limits<T>::max_exponent - 1)}, {std::numeric_limits<T>::min(), T(std::numeric_limits<T>::min_exponent - 1)}, {i, i}, {-i, i}, {n, n}}},
      {"tan", tan, {{0, 0}, {T(-0.0), T(-0.0)}, {i, n}, {-i, n}, {n, n}}},
      {"asin", asin, {{0, 0}, {T(-0.0), T(-0.0)}, {T(1.5), n}, {-2, n}, {i, n}, {-i, n}, {n, n}}},
      {"acos", acos, {{1, 0}, {T(1.5), n}, {-2, n}, {i, n}, {-i, n}, {n, n}}},
      {"atan", atan, {{0, 0}, {T(-0.0), T(-0.0)}, {i, T(1.57079632679489661923L)}, {-i, -T(1.57079632679489661923L)}, {most, T(1.57079632679489661923L)}, {n, n}}},
      {"sinh", sinh, {{0, 0}, {T(-0.0), T(-0.0)}, {i, i}, {-i, -i}, {n, n}, {most, i}, {-most, -i}}},
      {"cosh", cosh, {{0, 1}, {T(-0.0), 1}, {i, i}, {-i, i}, {n, n}, {most, i}, {-most, i}}},
      {"asinh", asinh, {{0, 0}, {T(-0.0), T(-0.0)}, {i, i}, {-i, -i}, {n, n}}},
      {"acosh", acosh, {{1, 0}, {T(0.5), n}, {-3, n}, {i, i}, {-i, n}, {n, n}}},
      {"atanh", atanh, {{0, 0}, {T(-0.0), T(-0.0)}, {1, i}, {-1, -i}, {2, n}, {-3, n}, {i, n}, {-i, n}, {n, n}}},
      {"erfc", erfc, {{i, 0}, {-i, 2}, {most, 0}, {-most, 2}, {n, n}}},
      {"lgamma", lgamma, {{1, 0}, {2, 0}, {0, i}, {T(-0.0), i}, {-1, i}, {-7, i}, {i, i}, {-i, i}, {most, i}, {n, n}}},
      {"digamma", digamma, {{0, -i}, {T(-0.0), i}, {-1, n}, {-7, n}, {i, i}, {-i, n}, {n, n}}},
      {"expm1", expm1, {{0, 0}, {T(-0.0), T(-0.0)}, {i, i}, {-i, -1}, {n, n}, {most, i}, {-most, -1}}},
      {"log", log, {{1, 0}, {0, -i}, {T(-0.0), -i}, {i, i}, {-i, n}, {-1, n}, {-std::numeric_limits<T>::denorm_min(), n}, {n, n}}},
      {"log1p", log1p, {{0, 0}, {T(-0.0), T(-0.0)}, {-1, -i}, {i, i}, {-i, n}, {-2, n}, {std::nextafter(T(-1), T(-2)), n}, {n, n}}},
      {"tanh", tanh, {{0, 0}, {T(-0.0), T(-0.0)}, {i, 1}, {-i, -1}, {n, n}, {most, 1}, {-most, -1}}},
      {"sigmoid", sigmoid, {{0, T(0.5)}, {T(-0.0), T(0.5)}, {i, 1}, {-i, 0}, {n, n}, {most, 1}, {-most, 0}}},
      {"softplus", softplus, {{i, i}, {-i, 0}, {n, n}, {most, most}, {-most, 0}}},
      {"erf", erf, {{0, 0}, {T(-0.0), T(-0.0)}, {i, 1}, {-i, -1}, {n, n}, {most, 1}, {-most, -1}}},
      {"sin", sin, {{0, 0}, {T(-0.0), T(-0.0)}, {i, n}, {-i, n}, {n, n}}},
      {"cos", cos, {{0, 1}, {T(-0.0), 1}, {i, n}, {-i, n}, {n, n}}},
      {"rsqrt", rsqrt, {{0, i}, {T(-0.0), -i}, {i, 0}, {-1, n}, {-i, n}, {n, n}, {4, T(0.5)}}},
      {"sign", sign, {{0, 0}, {T(-0.0), T(-0.0)}, {i, 1}, {-i, -1}, {n, n}, {std::numeric_limits<T>::denorm_min(), 1}, {-3, -1}}},
  };
}

template <class T>
bool same(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

}  // namespace

TEMPLATE_TEST_CASE("functions of special values", "", float, double) {
  for (const auto& f : exact_values<TestType>()) {
    std::vector<TestType> x, y;
    for (auto [at, want] : f.values) x.push_back(at);
    run(expr_of(f.make, dtype_of<TestType>()), x, y);
    for (size_t i = 0; i < x.size(); ++i) {
      INFO(f.name << "(" << x[i] << ") = " << y[i] << ", not " << f.values[i].second);
      CHECK(same(y[i], f.values[i].second));
    }
  }
}

TEMPLATE_TEST_CASE("every NaN comes out as one, whatever its payload and sign", "", float, double) {
  using Bits = std::conditional_t<sizeof(TestType) == 4, uint32_t, uint64_t>;
  constexpr int digits = std::numeric_limits<TestType>::digits - 1;
  std::vector<TestType> x, y;
  for (Bits sign : {Bits(0), Bits(1)})
    for (int k = 0; k < digits; ++k) {
      Bits exponent = std::bit_cast<Bits>(inf<TestType>);
      x.push_back(std::bit_cast<TestType>(sign << (sizeof(Bits) * 8 - 1) | exponent | Bits(1) << k));
      x.push_back(std::bit_cast<TestType>(sign << (sizeof(Bits) * 8 - 1) | exponent | ((Bits(2) << k) - 1)));
    }
  for (const Elementary& f : elementary) {
    run(expr_of(f.make, dtype_of<TestType>()), x, y);
    for (TestType v : y) {
      INFO(f.name);
      CHECK(std::isnan(v));
    }
  }
}

TEMPLATE_TEST_CASE("denormals go in and come out", "", float, double) {
  using namespace scalar;
  TestType least = std::numeric_limits<TestType>::denorm_min();
  std::vector<TestType> x, y;
  for (int k : {1, 2, 3, 5, 1000, 4097}) x.push_back(static_cast<TestType>(k) * least), x.push_back(static_cast<TestType>(-k) * least);
  for (auto f : {expm1, log1p, tanh, sin}) {
    run(expr_of(f, dtype_of<TestType>()), x, y);
    CHECK(y == x);
  }
  // exp's last results, and sigmoid's, which equal them.
  for (auto f : {exp, sigmoid}) {
    bool single = sizeof(TestType) == 4;
    std::vector<TestType> tail;
    for (int k = 0; k < 400; ++k) tail.push_back(static_cast<TestType>(single ? -87 - k * 0.05 : -708 - k * 0.1));
    run(expr_of(f, dtype_of<TestType>()), tail, y);
    for (size_t i = 0; i < tail.size(); ++i) {
      INFO(tail[i] << " gives " << y[i]);
      CHECK(ulps(y[i], std::exp(static_cast<long double>(tail[i]))) <= 1.5);
    }
    CHECK(y.front() > 0);
    CHECK(y.back() == 0);
  }
}

TEST_CASE("sign of integers") {
  ScalarBuilder b;
  Scalar outputs[] = {scalar::sign(b.input(0, i32)), scalar::sign(b.input(1, u8))};
  ScalarExpr expr = b.finish(outputs);
  std::vector<int32_t> x{-7, 0, 7, std::numeric_limits<int32_t>::min()}, sx(4);
  std::vector<uint8_t> y{0, 1, 200, 255}, sy(4);
  const void* in[] = {x.data(), y.data()};
  void* out[] = {sx.data(), sy.data()};
  evaluate(expr, in, out, 4);
  CHECK(sx == std::vector<int32_t>{-1, 0, 1, -1});
  CHECK(sy == std::vector<uint8_t>{0, 1, 1, 1});
}

TEST_CASE("an elementary function of an integer is refused") {
  ScalarBuilder b;
  Scalar x = b.input(0, i32);
  for (const Elementary& f : elementary)
    if (f.make != scalar::rsqrt) CHECK_THROWS_AS(f.make(x), InternalError);
}

TEST_CASE("elementary functions of constants fold") {
  for (const Elementary& f : elementary)
    for (DType type : {f32, f64}) {
      ScalarBuilder b;
      Scalar y = f.make(b.constant(type, 0.625));
      INFO(f.name);
      CHECK(b.op(y.index).code == ScalarCode::constant);
    }
}

// Kernels are bound by these counts; one that grows should say why.
TEST_CASE("what the functions cost") {
  for (const Elementary& f : elementary) {
    INFO(f.name);
    CHECK(instructions(expr_of(f.make, f32)) <= f.cost_f32);
    CHECK(instructions(expr_of(f.make, f64)) <= f.cost_f64);
  }
}

}  // namespace sinter
