// What is left of a division of floats, and its quotient rounded down, as Python has them. Wide enough for both: where the quotient has more than
// some 50 bits, a multiple of the divisor need not be a double.
#pragma once
#include <cmath>

namespace sinter {

template <class T>
bool rounds_down(T rest, T divisor) { return rest != 0 && (rest < 0) != (divisor < 0); }

// Whether the quotient is below 2^53: what is left of others is NaN, and they are whole themselves.
template <class T>
bool divides_exactly(T a, T b) { return !(std::fabs(static_cast<long double>(a) / static_cast<long double>(b)) >= 0x1p53L); }

// Of the divisor's sign. fmod is exact, and so is the sum but for one rounding.
template <class T>
T exact_remainder(T a, T b) {
  const T rest = std::fmod(a, b);
  return rest == 0 ? std::copysign(rest, b) : rounds_down(rest, b) ? rest + b : rest;
}

// Where it divides exactly; a / b for a divisor of 0 and a dividend that is not finite.
template <class T>
T exact_floor_quotient(T a, T b) {
  const T rest = std::fmod(a, b);
  if (std::isnan(rest)) return a / b;
  const long double multiple = static_cast<long double>(a) - static_cast<long double>(rest);
  const long double down = std::nearbyint(multiple / static_cast<long double>(b)) - (rounds_down(rest, b) ? 1 : 0);
  return down == 0 ? std::copysign(T(0), a / b) : static_cast<T>(down);
}

}  // namespace sinter
