// atan2, hypot, and what moves along floats or divides them, against the standard library.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "graph/tensor.h"
#include "tests/scalar/division.h"
#include "tests/scalar/functions.h"

namespace sinter {
namespace {

// Special values with each other, and pairs of any exponents, every second one near the other's.
template <class T>
std::pair<std::vector<T>, std::vector<T>> pairs() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> special = {0, Limits::denorm_min(), Limits::min(), T(0.1), T(0.5), 1, 3, T(1e10), Limits::max(), Limits::infinity(), Limits::quiet_NaN()}, x, y;
  for (T a : special)
    for (T b : special)
      for (int signs = 0; signs < 4; ++signs) x.push_back(signs & 1 ? -a : a), y.push_back(signs & 2 ? -b : b);
  std::mt19937_64 random(1);
  auto number = [&](double range) {
    double unit = static_cast<double>(random() >> 11) * 0x1p-52 - 1;
    return static_cast<T>((1 + static_cast<double>(random() >> 11) * 0x1p-53) * std::exp2(std::trunc(range * unit)));
  };
  constexpr double widest = Limits::max_exponent - 2;
  for (int k = 0; k < 200000; ++k) {
    T a = number(k % 3 ? 8 : widest), b = k % 2 ? a * number(6) : number(widest);
    x.push_back(random() & 1 ? a : -a), y.push_back(random() & 1 ? b : -b);
  }
  return {x, y};
}

template <class T>
void check(const char* name, Scalar (*make)(Scalar, Scalar), long double (*exact)(long double, long double), double bound) {
  auto [x, y] = pairs<T>();
  std::vector<T> result;
  run(expr_of(make, dtype_of<T>()), x, y, result);
  Worst<T> worst;
  for (size_t i = 0; i < x.size(); ++i) worst.note(ulps(result[i], exact(static_cast<long double>(x[i]), static_cast<long double>(y[i]))), x[i], y[i]);
  INFO(fmt::format("{}({:a}, {:a}): {} ulp", name, worst.at, worst.and_at, worst.ulps));
  CHECK(worst.ulps <= bound);
}

long double angle(long double y, long double x) { return std::atan2(y, x); }
long double length(long double x, long double y) { return std::hypot(x, y); }

}  // namespace

TEST_CASE("atan2 and hypot are within their bounds") {
  const Bounds of_atan2 = bounds_of("atan2"), of_hypot = bounds_of("hypot");
  check<float>("atan2", scalar::atan2, angle, of_atan2.f32);
  check<double>("atan2", scalar::atan2, angle, of_atan2.f64);
  check<float>("hypot", scalar::hypot, length, of_hypot.f32);
  check<double>("hypot", scalar::hypot, length, of_hypot.f64);
}

TEMPLATE_TEST_CASE("the remainder of floats is exact, and has the divisor's sign", "", float, double) {
  using T = TestType;
  auto [x, y] = pairs<T>();
  std::vector<T> result, quotient;
  run(expr_of(scalar::remainder, dtype_of<T>()), x, y, result);
  run(expr_of(scalar::floor_divide, dtype_of<T>()), x, y, quotient);
  int64_t beyond = 0, within = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    INFO(fmt::format("{:a} % {:a} = {:a}, // {:a}", x[i], y[i], result[i], quotient[i]));
    if (std::fabs(x[i]) < std::numeric_limits<T>::infinity() && std::fabs(y[i]) > 0 && !divides_exactly(x[i], y[i])) {
      REQUIRE(std::isnan(result[i]));
      ++beyond;
      continue;
    }
    T want = exact_remainder(x[i], y[i]);
    REQUIRE(same_bits(Tensor::scalar(result[i]), Tensor::scalar(want)));
    if (std::isnan(want) || std::isinf(y[i])) continue;
    REQUIRE(quotient[i] == exact_floor_quotient(x[i], y[i]));
    ++within;
  }
  CHECK(beyond > 1000);
  CHECK(within > 100000);
}

TEMPLATE_TEST_CASE("nextafter and copysign are the standard library's", "", float, double) {
  using T = TestType;
  auto [x, y] = pairs<T>();
  std::vector<T> next, with_sign;
  run(expr_of(scalar::nextafter, dtype_of<T>()), x, y, next);
  run(expr_of(scalar::copysign, dtype_of<T>()), x, y, with_sign);
  for (size_t i = 0; i < x.size(); ++i) {
    INFO(fmt::format("{:a}, {:a}", x[i], y[i]));
    REQUIRE(same_bits(Tensor::scalar(next[i]), Tensor::scalar(std::nextafter(x[i], y[i]))));
    REQUIRE(same_bits(Tensor::scalar(with_sign[i]), Tensor::scalar(std::copysign(x[i], y[i]))));
  }
}

}  // namespace sinter
