// The f32 functions of one argument against the host's libm in double: 2^20 inputs each (tests/accuracy takes all).
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/scalar/functions.h"

namespace sinter {
namespace {

Worst<float> worst_of(const ScalarExpr& expr, double (*reference)(double), const std::vector<float>& x) {
  std::vector<float> y;
  run(expr, x, y);
  Worst<float> worst;
  for (size_t i = 0; i < x.size(); ++i) worst.note(ulps(y[i], reference(static_cast<double>(x[i]))), x[i]);
  return worst;
}

// 2048 of each sign and exponent: the first and the last few significands, and random ones.
std::vector<float> stratified() {
  std::mt19937 random(1);
  std::vector<float> x;
  for (uint32_t high = 0; high < 512; ++high)
    for (uint32_t k = 0; k < 2048; ++k) {
      uint32_t low = k < 16 ? k : k < 32 ? 0x7fffff - (k - 16) : static_cast<uint32_t>(random()) & 0x7fffff;
      x.push_back(std::bit_cast<float>(high << 23 | low));
    }
  return x;
}

}  // namespace

TEST_CASE("f32 functions are within their bounds over all exponents") {
  std::vector<float> x = stratified();
  for (const Elementary& f : elementary) {
    Worst<float> worst = worst_of(expr_of(f.make, f32), f.reference, x);
    INFO(fmt::format("{}({:a}): {} ulp", f.name, worst.at, worst.ulps));
    CHECK(worst.ulps <= f.bound_f32);
  }
}

TEST_CASE("f32 functions stay usable on a target without fused multiply-add") {
  std::vector<float> x = stratified();
  for (const Elementary& f : elementary) {
    Worst<float> worst = worst_of(without_fma(expr_of(f.make, f32)), f.reference, x);
    INFO(fmt::format("{}({:a}): {} ulp", f.name, worst.at, worst.ulps));
    CHECK(worst.ulps <= f.bound_f32_without_fma);
  }
}

}  // namespace sinter
