#include "graph/half.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sinter {
namespace {

// The exponents of IEEE 754: `least` is that of the smallest normal number and of all below it.
template <int fraction_bits>
struct Exponents {
  static constexpr int field = 15 - fraction_bits, bias = (1 << (field - 1)) - 1, least = 1 - bias, all_ones = (1 << field) - 1;
};

}  // namespace

template <int fraction_bits>
HalfFloat<fraction_bits>::HalfFloat(double value) {
  using E = Exponents<fraction_bits>;
  const int sign = std::signbit(value) ? 0x8000 : 0, infinity = E::all_ones << fraction_bits;
  const double magnitude = std::fabs(value);
  int magnitude_bits = infinity;
  if (std::isnan(value)) magnitude_bits |= 1 << (fraction_bits - 1);
  else if (magnitude < std::ldexp(1.0, E::bias + 1)) {
    const int exponent = magnitude == 0 ? E::least : std::max(std::ilogb(magnitude), E::least);
    // In units of the last place, fewer than 2^53, so that what rounding adds is exact; a carry out of the fraction goes to the exponent, as it should.
    const double units = std::ldexp(magnitude, fraction_bits - exponent), whole = std::floor(units), rest = units - whole;
    const int down = static_cast<int>(whole), rounded = down + (rest > 0.5 || (rest == 0.5 && down % 2 == 1));
    magnitude_bits = ((exponent - E::least) << fraction_bits) + rounded;
  }
  bits = static_cast<uint16_t>(sign | magnitude_bits);
}

template <int fraction_bits>
HalfFloat<fraction_bits>::operator float() const {
  using E = Exponents<fraction_bits>;
  const int exponent = bits >> fraction_bits & E::all_ones, fraction = bits & ((1 << fraction_bits) - 1);
  float magnitude;
  if (exponent == E::all_ones) magnitude = fraction ? std::numeric_limits<float>::quiet_NaN() : std::numeric_limits<float>::infinity();
  else magnitude = std::ldexp(static_cast<float>(exponent ? fraction | 1 << fraction_bits : fraction), std::max(exponent, 1) - E::bias - fraction_bits);
  return bits & 0x8000 ? -magnitude : magnitude;
}

template struct HalfFloat<10>;
template struct HalfFloat<7>;

}  // namespace sinter
