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
};
Format format_of(Scalar);  // an InternalError for what is no float

inline constexpr double infinity = std::numeric_limits<double>::infinity();
inline constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

// The polynomial with these coefficients, highest power first, by Horner's rule: the fewest operations, and that is what bounds a kernel.
Scalar polynomial(Scalar x, std::initializer_list<double> coefficients);

// NaN stays NaN; each bound is one instruction where the target has a minimum that returns its second operand for NaN.
Scalar at_most(Scalar x, double bound);
Scalar at_least(Scalar x, double bound);

// expm1(y) / 2 for y = 2 half >= 0, short of what overflows. The result is meant to be attenuated afterwards (by its own reciprocal).
Scalar half_expm1_of_double(Scalar half);

// 1 - exp(-g) for 0 <= g, short of what underflows.
Scalar minus_expm1_of_minus(Scalar g);

// A value in the middle of the range of exp's polynomial: exp(r) for |r| a little over log(2)/2 (sign +1), or exp(-r) (sign -1).
Scalar exp_polynomial(Scalar r, double sign);

// 2^n for n read from the low bits of `shifted`, which holds n + bias: the bits of a sum with Format::round.
Scalar power_of_two(Scalar shifted);

}  // namespace sinter::scalar::pieces
