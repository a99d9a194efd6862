// The f64 functions of one argument against the host's libm in long double, which must be wider than double.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/scalar/functions.h"

namespace sinter {
namespace {

constexpr bool have_oracle = LDBL_MANT_DIG >= 64;
constexpr double turn_limit = 0x1p45;  // beyond it sin, cos and tan of f64 are NaN

bool is_periodic(const Elementary& f) { return f.make == scalar::sin || f.make == scalar::cos || f.make == scalar::tan; }

Worst<double> worst_of(const Elementary& f, const ScalarExpr& expr, const std::vector<double>& x, double limit) {
  std::vector<double> y;
  run(expr, x, y);
  Worst<double> worst;
  for (size_t i = 0; i < x.size(); ++i)
    if (!is_periodic(f) || std::fabs(x[i]) <= limit || !std::isfinite(x[i])) worst.note(ulps(y[i], f.wide(static_cast<long double>(x[i]))), x[i]);
  return worst;
}

// `each` of every sign and exponent, and as many again of each between 2^-40 and 2^11, times 32.
std::vector<double> stratified(uint64_t each, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> x;
  for (uint64_t high = 0; high < 4096; ++high) {
    uint64_t exponent = high & 2047;
    uint64_t count = exponent >= 1023 - 40 && exponent <= 1023 + 10 ? 32 * each : each;
    for (uint64_t k = 0; k < count; ++k) {
      uint64_t low = k < 4 ? k : k < 8 ? 0xfffffffffffff - (k - 4) : random() & 0xfffffffffffff;
      x.push_back(std::bit_cast<double>(high << 52 | low));
    }
  }
  return x;
}

// The doubles nearest to multiples of pi/2, where what sin and cos return is what the reduction left.
std::vector<double> near_quarter_turns() {
  std::vector<double> x;
  for (int64_t n = 1; n < int64_t{1} << 44; n += std::max<int64_t>(1, n / 1000)) {
    auto nearest = static_cast<double>(static_cast<long double>(n) * 1.57079632679489661923132169163975144L);
    for (double v : {nearest, std::nextafter(nearest, 0.0), std::nextafter(nearest, 1e300)}) x.push_back(v), x.push_back(-v);
  }
  return x;
}

}  // namespace

TEST_CASE("f64 functions are within their bounds over all exponents") {
  if (!have_oracle) return;
  std::vector<double> x = stratified(32, 1);
  for (const Elementary& f : elementary) {
    Worst<double> worst = worst_of(f, expr_of(f.make, f64), x, turn_limit);
    INFO(fmt::format("{}({:a}): {} ulp", f.name, worst.at, worst.ulps));
    CHECK(worst.ulps <= f.bound_f64);
  }
}

TEST_CASE("f64 functions stay usable on a target without fused multiply-add") {
  if (!have_oracle) return;
  std::vector<double> x = stratified(32, 2);
  for (const Elementary& f : elementary) {
    if (is_periodic(f)) continue;  // see the next test
    Worst<double> worst = worst_of(f, without_fma(expr_of(f.make, f64)), x, turn_limit);
    INFO(fmt::format("{}({:a}): {} ulp", f.name, worst.at, worst.ulps));
    CHECK(worst.ulps <= f.bound_f64_without_fma);
  }
}

TEST_CASE("f64 sin, cos and tan without fused multiply-add are right to the last place of their argument") {
  if (!have_oracle) return;
  std::vector<double> x = stratified(32, 3), y;
  for (const Elementary& f : elementary) {
    if (!is_periodic(f)) continue;
    run(without_fma(expr_of(f.make, f64)), x, y);
    for (size_t i = 0; i < x.size(); ++i) {
      if (!(std::fabs(x[i]) <= 0x1p30)) continue;
      INFO(fmt::format("{}({:a}) = {:a}", f.name, x[i], y[i]));
      long double want = f.wide(static_cast<long double>(x[i])), off = std::fabs(static_cast<long double>(y[i]) - want);
      long double steepness = f.make == scalar::tan ? 4 * (1 + want * want) : 1;
      if (!(off <= 0x1p-52L * steepness * std::max(1.0, std::fabs(x[i])))) FAIL("off by " << static_cast<double>(off));
    }
  }
}

TEST_CASE("f64 sin, cos and tan keep their accuracy where they nearly vanish, up to 2^45, and are NaN beyond") {
  if (!have_oracle) return;
  std::vector<double> x = near_quarter_turns();
  for (const Elementary& f : elementary) {
    if (!is_periodic(f)) continue;
    ScalarExpr expr = expr_of(f.make, f64);
    Worst<double> worst = worst_of(f, expr, x, turn_limit);
    INFO(fmt::format("{}({:a}): {} ulp", f.name, worst.at, worst.ulps));
    CHECK(worst.ulps <= f.bound_f64);
    std::vector<double> beyond{0x1.0000000000001p45, -0x1.0000000000001p45, 1e300}, y;
    run(expr, beyond, y);
    for (double v : y) CHECK(std::isnan(v));
  }
}

}  // namespace sinter
