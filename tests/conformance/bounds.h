// How far a sum or a product of floats may be from the exact one.
#pragma once
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace sinter::conformance {

// Summed in any order, each of n terms takes part in at most n - 1 additions, and a term that is the product of `factors` was rounded once
// less than it has of them: each operation is off by at most u = epsilon / 2 of its result, so the sum by at most so many u sum|terms|, to
// first order; the second order and the long double's own error are within one more u. Below the normal range sums are exact, and a product
// is off by half the least denormal. An infinite or NaN sum has to be that.
template <class T>
std::string near_sum(T got, const std::vector<long double>& terms, int factors = 1) {
  long double exact = 0, magnitude = 0;
  for (long double t : terms) exact += t, magnitude += std::fabs(t);
  if (!std::isfinite(magnitude)) {
    bool same = std::isnan(exact) ? std::isnan(got) : static_cast<long double>(got) == exact;
    return same ? "" : fmt::format("{}, not {}", got, exact);
  }
  long double n = static_cast<long double>(terms.size()), unit = std::numeric_limits<T>::epsilon() / 2, least = std::numeric_limits<T>::denorm_min();
  long double bound = (n + factors - 1) * unit * magnitude + n * (factors - 1) * least / 2;
  long double off = std::fabs(static_cast<long double>(got) - exact);
  return off <= bound ? "" : fmt::format("{}, not {}: {} off, of {} allowed", got, exact, off, bound);
}

// The sum of whole terms, which a long double holds, in an integer, which wraps.
template <class T>
T wrapped_sum(const std::vector<long double>& terms) {
  uint64_t total = 0;
  for (long double v : terms) total += static_cast<uint64_t>(static_cast<int64_t>(v));
  return static_cast<T>(total);
}

// The same of a product, of which no part leaves the normal range. One of 0, infinity or NaN has to be that, to the sign of a zero.
template <class T>
std::string near_product(T got, const std::vector<long double>& factors) {
  long double exact = 1;
  for (long double f : factors) exact *= f;
  if (exact == 0 || !std::isfinite(exact)) {
    bool same = std::isnan(exact) ? std::isnan(got) : static_cast<long double>(got) == exact && std::signbit(got) == std::signbit(exact);
    return same ? "" : fmt::format("{}, not {}", got, exact);
  }
  long double off = std::fabs(static_cast<long double>(got) - exact), bound = static_cast<long double>(factors.size()) * std::numeric_limits<T>::epsilon() / 2 * std::fabs(exact);
  return off <= bound ? "" : fmt::format("{}, not {}: {} off, of {} allowed", got, exact, off, bound);
}

}  // namespace sinter::conformance
