// The elements of f16 and bf16, which are only stored: IEEE 754's binary16, and the upper half of a binary32.
#pragma once
#include <cstdint>

namespace sinter {

// `fraction_bits` of a float of 16 bits, one of which is the sign.
template <int fraction_bits>
struct HalfFloat {
  uint16_t bits;
  HalfFloat() = default;
  explicit HalfFloat(double value);  // rounded to nearest, to even of two; NaN stays NaN
  operator float() const;            // exact
};

using float16 = HalfFloat<10>;
using bfloat16 = HalfFloat<7>;

extern template struct HalfFloat<10>;
extern template struct HalfFloat<7>;

}  // namespace sinter
