#include "tests/accuracy/functions.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/scalar/digamma.h"
#include "tests/scalar/division.h"
#include "tests/scalar/functions.h"

namespace sinter::accuracy {
namespace {

template <class T>
T sign_of(T x) { return std::isnan(x) || x == 0 ? x : std::copysign(T(1), x); }
template <class T>
T negated(T x) { return -x; }

// What is exact, or correctly rounded: half an ulp, and what the reference itself is off.
constexpr double exact = 0, rounded = 0.5005;

double narrow_digamma(double x) { return static_cast<double>(exact_digamma(static_cast<long double>(x))); }
long double beside_digamma(long double x) { return x < 0 ? 1 + std::fabs(exact_digamma(1 - x)) : 1; }
long double beside_lgamma(long double x) { return x < 0 ? 1 + std::fabs(std::lgamma(1 - x)) : 0; }

bool has_whole_quotient(long double a, long double b) { return divides_exactly(a, b) || std::isinf(a) || b == 0; }

template <class T>
T sum(T a, T b) { return a + b; }
template <class T>
T difference(T a, T b) { return a - b; }
template <class T>
T product(T a, T b) { return a * b; }
template <class T>
T quotient(T a, T b) { return a / b; }
// glibc's own takes -2^63 for odd; all numbers from 2^53 on are even.
long double wide_power(long double a, long double b) { return std::pow(std::fabs(b) >= 0x1p53L ? std::fabs(a) : a, b); }
// Of zeros of both signs either may be given: not told apart.
template <class T>
T larger(T a, T b) { return std::isnan(a) || std::isnan(b) ? a + b : std::max(a, b); }
template <class T>
T smaller(T a, T b) { return std::isnan(a) || std::isnan(b) ? a + b : std::min(a, b); }
bool are_not_zeros(long double a, long double b) { return a != 0 || b != 0; }
template <class T, class Wide>
Wide next(Wide a, Wide b) { return static_cast<Wide>(std::nextafter(static_cast<T>(a), static_cast<T>(b))); }

template <class T>
T with_sign_of(T a, T b) { return std::copysign(a, std::isnan(b) ? T(1) : b); }

}  // namespace

std::span<const OfOne> functions_of_one() {
  static const std::vector<OfOne> all = [] {
    const Bounds of_lgamma = bounds_of("lgamma"), of_digamma = bounds_of("digamma");
    std::vector<OfOne> made = {
        {Op::negate, negated<double>, negated<long double>, exact, exact},
        {Op::abs, std::fabs, std::fabs, exact, exact},
        {Op::sign, sign_of<double>, sign_of<long double>, exact, exact},
        {Op::floor, std::floor, std::floor, exact, exact},
        {Op::ceil, std::ceil, std::ceil, exact, exact},
        {Op::trunc, std::trunc, std::trunc, exact, exact},
        {Op::round, std::nearbyint, std::nearbyint, exact, exact},
        {Op::sqrt, std::sqrt, std::sqrt, rounded, rounded},
        {Op::logb, std::logb, std::logb, exact, exact},
        {Op::lgamma, std::lgamma, std::lgamma, of_lgamma.f32, of_lgamma.f64, beside_lgamma},
        {Op::digamma, narrow_digamma, exact_digamma, of_digamma.f32, of_digamma.f64, beside_digamma},
    };
    for (const OpInfo& row : op_table()) {
      auto found = std::find_if(std::begin(elementary), std::end(elementary), [&](const Elementary& f) { return f.name == row.name; });
      if (found != std::end(elementary)) made.push_back({row.op, found->reference, found->wide, found->bound_f32, found->bound_f64});
    }
    return made;
  }();
  return all;
}

std::span<const OfTwo> functions_of_two() {
  static const Bounds of_power = bounds_of("power"), of_hypot = bounds_of("hypot"), of_atan2 = bounds_of("atan2");
  static const OfTwo all[] = {
      {Op::add, sum<double>, sum<long double>, rounded, rounded},
      {Op::subtract, difference<double>, difference<long double>, rounded, rounded},
      {Op::multiply, product<double>, product<long double>, rounded, rounded},
      {Op::divide, quotient<double>, quotient<long double>, rounded, rounded},
      {Op::power, std::pow, wide_power, of_power.f32, of_power.f64},
      {Op::hypot, std::hypot, std::hypot, of_hypot.f32, of_hypot.f64},
      {Op::atan2, std::atan2, std::atan2, of_atan2.f32, of_atan2.f64},
      {Op::copysign, with_sign_of<double>, with_sign_of<long double>, exact, exact},
      {Op::remainder, exact_remainder<double>, exact_remainder<long double>, rounded, rounded, has_whole_quotient},
      {Op::floor_divide, exact_floor_quotient<double>, exact_floor_quotient<long double>, rounded, rounded, has_whole_quotient},
      {Op::maximum, larger<double>, larger<long double>, exact, exact, are_not_zeros},
      {Op::minimum, smaller<double>, smaller<long double>, exact, exact, are_not_zeros},
      {Op::nextafter, next<float, double>, next<double, long double>, exact, exact},
  };
  return all;
}

}  // namespace sinter::accuracy
