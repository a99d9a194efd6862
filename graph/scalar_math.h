// The elementary functions as scalar expressions, for f32 and f64: the project's own polynomials, so that the interpreter, the constant
// folder and every backend compute the same bits and compiled code needs no libm. No branches; a lane costs the same whatever its value.
//
// Beside each is its bound on the error in units in the last place, of f32 and of f64: tests/accuracy holds it to that over all 2^32 inputs of f32 and 2^28
// of f64 and of pairs, and ops/ACCURACY.md says where it is worst; tests/scalar at samples. What they are on a target without a fused multiply-add
// is in tests/scalar/functions.h; there sin and cos of f64 are off by 2^-52 max(1, |x|), up to 2^30.
#pragma once
#include "graph/scalar.h"

namespace sinter::scalar {

//                                   f32    f64
Scalar exp(Scalar);               // 1.5    2
Scalar exp2(Scalar);              // 1.25   2
Scalar expm1(Scalar);             // 1.5    2
Scalar log(Scalar);               // 1      1
Scalar log2(Scalar);              // 0.51   0.51
Scalar log10(Scalar);             // 0.51   0.51
Scalar log1p(Scalar);             // 1.5    2
Scalar cbrt(Scalar);              // 0.51   1
Scalar hypot(Scalar, Scalar);     // 0.51   1.25
Scalar asin(Scalar);              // 0.51   2.25
Scalar acos(Scalar);              // 0.51   1.5
Scalar atan(Scalar);              // 0.51   2.5
Scalar atan2(Scalar y, Scalar x); // 0.51   3
Scalar sinh(Scalar);              // 0.51   2.5
Scalar cosh(Scalar);              // 0.51   2
Scalar tanh(Scalar);              // 1.51   2
Scalar asinh(Scalar);             // 0.51   2
Scalar acosh(Scalar);             // 0.51   2.75
Scalar atanh(Scalar);             // 0.51   2.5
Scalar sigmoid(Scalar);           // 1.75   2      1 / (1 + exp(-x))
Scalar softplus(Scalar);          // 2.75   2.75   log(1 + exp(x))
Scalar erf(Scalar);               // 1.25   2
Scalar erfc(Scalar);              // 0.51   7
Scalar lgamma(Scalar);            // 0.51   8      log |gamma(x)|; where x < 0 of 1 + |lgamma(1 - x)|, as there are zeros between the poles
Scalar tgamma(Scalar);            // 0.51   6      the gamma function; whole up to 17!; NaN at negative whole numbers
Scalar logb(Scalar);              // exact         the exponent of x, a whole number: of 0 -infinity, of an infinity infinity
Scalar digamma(Scalar);           // 0.51   14     its derivative, of 1 where that is less; where x < 0 of 1 + |digamma(1 - x)|; NaN at negative whole numbers
Scalar sin(Scalar);               // 1      1      of an f64 where |x| > 2^45 NaN, as the reduction has no more bits of pi; of an f32 right everywhere
Scalar cos(Scalar);               // 1      1      the same
Scalar tan(Scalar);               // 1      2.5    the same
Scalar pow(Scalar, Scalar);       // 1.5    2      both of one type; special values as in annex F of C
Scalar rsqrt(Scalar);             // 1.5    1.5    1 / sqrt(x), each correctly rounded
Scalar sign(Scalar);              // exact         -1, 0 or 1; a zero keeps its sign, NaN stays NaN; of integers too

// Of integers and floats alike.
Scalar floor_divide(Scalar a, Scalar b);  // the largest whole number not above a / b; of integers by 0 it is 0
Scalar remainder(Scalar a, Scalar b);     // a - b floor(a / b), exact, with b's sign; of integers by 0 it is 0, of floats NaN from |a / b| = 2^53 on
Scalar copysign(Scalar magnitude, Scalar sign);
Scalar nextafter(Scalar from, Scalar towards);
Scalar bit_count(Scalar);                 // of an integer, in its own type

}  // namespace sinter::scalar
