// How far a sum of floats may be from the exact one.
#pragma once
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

namespace sinter::conformance {

// Summed in any order, each of n terms takes part in at most n - 1 additions, and a term that is a product was rounded once before: each
// operation is off by at most u = epsilon / 2 of its result, so the sum by at most n u sum|terms|, to first order; the second order and the
// long double's own error are within one more u. Below the normal range an operation is off by half the least denormal instead.
// An infinite or NaN sum has to be that.
template <class T>
std::string near_sum(T got, const std::vector<long double>& terms) {
  long double exact = 0, magnitude = 0;
  for (long double t : terms) exact += t, magnitude += std::fabs(t);
  if (!std::isfinite(magnitude)) {
    bool same = std::isnan(exact) ? std::isnan(got) : static_cast<long double>(got) == exact;
    return same ? "" : fmt::format("{}, not {}", got, exact);
  }
  long double n = static_cast<long double>(terms.size()), unit = std::numeric_limits<T>::epsilon() / 2;
  long double bound = (n + 1) * (unit * magnitude + static_cast<long double>(std::numeric_limits<T>::denorm_min()));
  long double off = std::fabs(static_cast<long double>(got) - exact);
  return off <= bound ? "" : fmt::format("{}, not {}: {} off, of {} allowed", got, exact, off, bound);
}

}  // namespace sinter::conformance
