// lgamma and digamma: their zeros, and what a reflection cancels, take a bound of their own.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "tests/scalar/digamma.h"
#include "tests/scalar/functions.h"

namespace sinter {
namespace {

// Of every exponent, and more around 1.
template <class T>
std::vector<T> samples(double low, double high) {
  std::mt19937_64 random(1);
  std::vector<T> x;
  for (int k = 0; k < 100000; ++k) {
    double unit = static_cast<double>(random() >> 11) * 0x1p-53;
    x.push_back(static_cast<T>(low + (high - low) * unit));
    x.push_back(static_cast<T>(std::exp2(-300 + 600 * unit)));
    if (low < 0) x.back() = -std::fmod(x.back(), static_cast<T>(1000));
  }
  return x;
}

// |got - want| relative to `size` where that is more than the result, in units of an f64's or f32's last place.
template <class T>
double off(T got, long double want, long double size) {
  if (std::isnan(want) || std::isinf(static_cast<T>(want)) || std::isnan(got) || std::isinf(got)) return ulps(got, want);
  return static_cast<double>(std::fabs(static_cast<long double>(got) - want) / std::max({std::fabs(want), size, std::numeric_limits<long double>::min()}) / static_cast<long double>(std::numeric_limits<T>::epsilon()));
}

template <class T, class Size>
void check(Scalar (*make)(Scalar), long double (*exact)(long double), double low, double high, double bound, Size size) {
  std::vector<T> x = samples<T>(low, high), y;
  run(expr_of(make, dtype_of<T>()), x, y);
  Worst<T> worst;
  for (size_t i = 0; i < x.size(); ++i) {
    long double at = static_cast<long double>(x[i]);
    worst.note(off(y[i], exact(at), size(at)), x[i]);
  }
  INFO(fmt::format("{} units at {:a}", worst.ulps, worst.at));
  CHECK(worst.ulps <= bound);
}

long double lgamma_of(long double x) { return std::lgamma(x); }

}  // namespace

TEST_CASE("lgamma is within its bounds") {
  const Bounds bounds = bounds_of("lgamma");
  auto none = [](long double) { return 0.0L; };
  check<float>(scalar::lgamma, lgamma_of, 0, 20, bounds.f32, none);
  check<double>(scalar::lgamma, lgamma_of, 0, 20, bounds.f64, none);
  // log(pi / |sin(pi x)|) - lgamma(1 - x), either of which may be much more than their difference
  auto terms = [](long double x) { return 1 + std::fabs(std::lgamma(1 - x)); };
  check<float>(scalar::lgamma, lgamma_of, -20, 0, bounds.f32, terms);
  check<double>(scalar::lgamma, lgamma_of, -20, 0, 3, terms);
}

TEST_CASE("digamma is within its bounds") {
  const Bounds bounds = bounds_of("digamma");
  auto one = [](long double) { return 1.0L; };
  check<float>(scalar::digamma, exact_digamma, 0, 20, bounds.f32, one);
  check<double>(scalar::digamma, exact_digamma, 0, 20, bounds.f64, one);
  auto terms = [](long double x) { return 1 + std::fabs(exact_digamma(1 - x)); };
  check<float>(scalar::digamma, exact_digamma, -20, 0, bounds.f32, terms);
  check<double>(scalar::digamma, exact_digamma, -20, 0, bounds.f64, terms);
}

}  // namespace sinter
