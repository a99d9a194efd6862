// The derivative of log gamma, which the standard library has not.
#pragma once
#include <cmath>
#include <limits>

namespace sinter {

// By its recurrence to beyond 24 and the asymptotic series there, whose next term is below a long double's last place; for x < 0 reflected.
inline long double exact_digamma(long double x) {
  constexpr long double pi = 3.14159265358979323846264338327950288L;
  if (x < 0) {
    long double rest = x - std::nearbyint(x);
    return rest == 0 || std::isinf(x) ? std::numeric_limits<long double>::quiet_NaN() : exact_digamma(1 - x) - pi / std::tan(pi * rest);
  }
  if (std::isinf(x)) return x;
  long double sum = 0;
  for (; x < 24; x += 1) sum -= 1 / x;
  const long double terms[] = {1.0L / 12, -1.0L / 120, 1.0L / 252, -1.0L / 240, 1.0L / 132, -691.0L / 32760, 1.0L / 12, -3617.0L / 8160};
  long double u = 1 / (x * x), series = 0;
  for (int k = 7; k >= 0; --k) series = (series + terms[k]) * u;
  return sum + std::log(x) - 0.5L / x - series;
}

}  // namespace sinter
