// pow of f32 and f64: accuracy, and annex F of the C standard.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/scalar/functions.h"

namespace sinter {
namespace {

// What kinds of pairs there are: any bits; a positive base with an exponent for a result within range; a base next to 1; a small integer
// exponent; a negative base with one.
template <class T>
void pairs(std::vector<T>& x, std::vector<T>& y, size_t count, uint64_t seed) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  std::mt19937_64 random(seed);
  auto unit = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  double range = std::numeric_limits<T>::max_exponent + std::numeric_limits<T>::digits + 2;
  x.resize(count), y.resize(count);
  for (size_t i = 0; i < count; ++i) {
    x[i] = std::bit_cast<T>(static_cast<Bits>(random()));
    y[i] = std::bit_cast<T>(static_cast<Bits>(random()));
    if (i % 5 == 2) x[i] = static_cast<T>(1 + (unit() - 0.5) * std::ldexp(1.0, -static_cast<int>(random() % 50)));
    if (i % 5 == 1 || i % 5 == 2) {
      x[i] = std::fabs(x[i]);
      if (double l = std::log2(static_cast<double>(x[i])); std::isfinite(l) && l != 0) y[i] = static_cast<T>((2 * unit() - 1) * range / l);
    }
    if (i % 5 >= 3) y[i] = static_cast<T>(static_cast<int>(random() % 41) - 20);
    if (i % 5 == 4) x[i] = static_cast<T>(-unit() * 10);
  }
}

template <class T, class Wide>
Worst<T> worst_of(const ScalarExpr& expr, size_t count, uint64_t seed) {
  std::vector<T> x, y, z;
  pairs(x, y, count, seed);
  run(expr, x, y, z);
  Worst<T> worst;
  for (size_t i = 0; i < count; ++i) worst.note(ulps(z[i], std::pow(static_cast<Wide>(x[i]), static_cast<Wide>(y[i]))), x[i], y[i]);
  return worst;
}

template <class T>
std::string show(const Worst<T>& w) {
  return fmt::format("pow({:a}, {:a}): {} ulp", w.at, w.and_at, w.ulps);
}

}  // namespace

TEST_CASE("f32 pow is within its bound, and within 2 ulp without fused multiply-add") {
  ScalarExpr expr = expr_of(scalar::pow, f32);
  Worst<float> worst = worst_of<float, double>(expr, 1 << 20, 1);
  INFO(show(worst));
  CHECK(worst.ulps <= bounds_of("power").f32);
  worst = worst_of<float, double>(without_fma(expr), 1 << 18, 2);
  INFO(show(worst));
  CHECK(worst.ulps <= 2);
  CHECK(instructions(expr) <= 71);
}

TEST_CASE("f64 pow is within its bound") {
  if (LDBL_MANT_DIG < 64) return;
  ScalarExpr expr = expr_of(scalar::pow, f64);
  Worst<double> worst = worst_of<double, long double>(expr, 1 << 19, 1);
  INFO(show(worst));
  CHECK(worst.ulps <= bounds_of("power").f64);
  CHECK(instructions(expr) <= 128);
}

TEMPLATE_TEST_CASE("pow of special values as in annex F", "", float, double) {
  using T = TestType;
  constexpr T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN(), least = std::numeric_limits<T>::denorm_min(),
              most = std::numeric_limits<T>::max(), eps = std::numeric_limits<T>::epsilon();
  T odd = std::ldexp(T(1), std::numeric_limits<T>::digits) - 1;  // the largest odd one
  const T values[] = {0, T(-0.0), 1, -1, 2, -2, 3, -3, 4, T(0.5), T(-0.5), T(1.5), T(-1.5), inf, -inf, nan, least, -least, most, -most, 1 + eps,
                      -1 - eps, 1 - eps / 2, -1 + eps / 2, odd, -odd, odd + 1, odd / 2, -odd / 2};
  std::vector<T> x, y, z;
  for (T a : values)
    for (T b : values) x.push_back(a), y.push_back(b);
  run(expr_of(scalar::pow, dtype_of<T>()), x, y, z);
  for (size_t i = 0; i < x.size(); ++i) {
    INFO("pow(" << x[i] << ", " << y[i] << ") = " << z[i]);
    CHECK(ulps(z[i], std::pow(static_cast<long double>(x[i]), static_cast<long double>(y[i]))) <= 2);
  }
  // The rules themselves, not the host's reading of them.
  auto pow_of = [](T a, T b) {
    std::vector<T> r;
    run(expr_of(scalar::pow, dtype_of<T>()), std::vector<T>{a}, std::vector<T>{b}, r);
    return r[0];
  };
  CHECK(pow_of(nan, 0) == 1);
  CHECK(pow_of(nan, T(-0.0)) == 1);
  CHECK(pow_of(1, nan) == 1);
  CHECK(pow_of(-1, inf) == 1);
  CHECK(pow_of(-1, -inf) == 1);
  CHECK(std::isnan(pow_of(-1, T(0.5))));
  CHECK(std::isnan(pow_of(-1, nan)));
  CHECK(std::isnan(pow_of(nan, -1)));
  CHECK(std::isnan(pow_of(nan, -inf)));
  CHECK(pow_of(0, -3) == inf);
  CHECK(pow_of(T(-0.0), -3) == -inf);
  CHECK(pow_of(T(-0.0), -2) == inf);
  CHECK(pow_of(T(-0.0), -inf) == inf);
  CHECK(std::signbit(pow_of(T(-0.0), 3)));
  CHECK_FALSE(std::signbit(pow_of(T(-0.0), T(0.5))));
  CHECK(pow_of(-inf, 3) == -inf);
  CHECK(pow_of(-inf, T(0.5)) == inf);
  CHECK(std::signbit(pow_of(-inf, -3)));
  CHECK(pow_of(-inf, -3) == 0);
  CHECK(pow_of(-2, 3) == -8);
}

}  // namespace sinter
