// What the elementary functions share. For the files of this folder only.
#pragma once
#include <initializer_list>
#include <limits>

#include "graph/scalar_math.h"

namespace sinter::scalar::pieces {

// What differs between f32 and f64.
struct Format {
  DType type, integer;
  int fraction_bits;  // 23, 52
  int bias;           // 127, 1023
  double round;       // 1.5 * 2^fraction_bits: adding it rounds to an integer, which the low bits of the sum then hold
  bool single() const { return type == f32; }
};
Format format_of(Scalar);  // an InternalError for what is no float

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();
inline constexpr double log2_e = 0x1.71547652b82fep+0, log_2 = 0x1.62e42fefa39efp-1;

// The polynomial with these coefficients, highest power first, by Horner's rule: the fewest operations, and that is what bounds a kernel.
Scalar polynomial(Scalar x, std::initializer_list<double> coefficients);

// NaN stays NaN; each bound is one instruction where the target has a minimum that returns its second operand for NaN.
Scalar at_most(Scalar x, double bound);
Scalar at_least(Scalar x, double bound);

Scalar sign_bit(Scalar x);                                     // the sign alone, as an integer
Scalar with_sign(Scalar magnitude, Scalar sign_bit);           // of a magnitude whose own sign bit is 0
Scalar minus_magnitude(Scalar x);                              // -|x|
Scalar as_constant(Scalar x, DType type, uint64_t bits);       // a constant for the expression of x

Scalar widened(Scalar half);                                   // an f16 or bf16 in f32
Scalar narrowed(Scalar x, DType to);                           // any other in f16 or bf16; integers of 64 bits by way of f64

// 2^(step i - bias) for the integer i in the low bits of `shifted`, a sum with Format::round. `step` is 1, or a power of 2.
Scalar power_of_two(Scalar shifted, int step = 1);

// x - n log(2) scale, the product n * high being exact for every n that occurs, so that a target without fma is as good.
Scalar minus_multiple_of_log_2(Scalar x, Scalar n, int scale = 1);

// factor (exp(sign r) - 1) / r for |r| a little over log(2)/2; the factor has few bits.
Scalar exp_slope(Scalar r, int sign = 1, double factor = 1);

// exp(x) / 2 for x >= 0, which overflows where that does and exp(x) has already.
Scalar half_exp(Scalar x);

// `result`, a logarithm of x, but where x is 0, negative, infinite or NaN.
Scalar log_specials(Scalar x, Scalar result);

// log2 of x as high + low, good to 2^-65 of itself where there is an fma; for 0 < x finite.
struct TwoParts {
  Scalar high, low;
};
TwoParts log2_parts(Scalar x);

// 2^(high + low) = mantissa * first * second, the last two powers of two, so that the product rounds once where it is denormal; for f64. Right for
// |high| up to 2000, and beyond as far as that 0 and infinity come of it.
struct PowerParts {
  Scalar mantissa, first, second;
};
PowerParts exp2_parts(Scalar high, Scalar low);

// f32 by way of f64: `f` in f64, rounded once more, is right to half a unit and 2^-29 of one.
template <class F, class... X>
Scalar in_f64(F f, Scalar x, X... more) {
  DType type = format_of(x).type;
  return convert(f(convert(x, f64), convert(more, f64)...), type);
}

}  // namespace sinter::scalar::pieces
