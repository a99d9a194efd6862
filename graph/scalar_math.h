// The elementary functions as scalar expressions, for f32 and f64: the project's own polynomials, so that the interpreter, the constant
// folder and every backend compute the same bits and compiled code needs no libm. No branches; a lane costs the same whatever its value.
#pragma once
#include "graph/scalar.h"

namespace sinter::scalar {

// Bounds on the error are stated, and held, in tests/scalar: 2.5 units in the last place or less for all but erfc, lgamma and digamma.
Scalar exp(Scalar);
Scalar exp2(Scalar);
Scalar expm1(Scalar);
Scalar log(Scalar);
Scalar log2(Scalar);
Scalar log10(Scalar);
Scalar log1p(Scalar);
Scalar cbrt(Scalar);
Scalar hypot(Scalar, Scalar);
Scalar asin(Scalar);
Scalar acos(Scalar);
Scalar atan(Scalar);
Scalar atan2(Scalar y, Scalar x);
Scalar sinh(Scalar);
Scalar cosh(Scalar);
Scalar tanh(Scalar);
Scalar asinh(Scalar);
Scalar acosh(Scalar);
Scalar atanh(Scalar);
Scalar sigmoid(Scalar);   // 1 / (1 + exp(-x))
Scalar softplus(Scalar);  // log(1 + exp(x))
Scalar erf(Scalar);
Scalar erfc(Scalar);      // f64: 7 ulp
Scalar lgamma(Scalar);    // log |gamma(x)|; for x < 0 the bound is one on the error relative to 1, too, as there are zeros between the poles
Scalar digamma(Scalar);   // the derivative of log gamma(x); its bound is relative to 1 where the result is less; NaN at negative whole numbers
Scalar sin(Scalar);
Scalar cos(Scalar);
Scalar tan(Scalar);
Scalar pow(Scalar, Scalar);  // both of one type; special values as in annex F of C
Scalar rsqrt(Scalar);        // 1 / sqrt(x), each correctly rounded
Scalar sign(Scalar);         // -1, 0 or 1; a zero keeps its sign, NaN stays NaN; of integers too


// Of integers and floats alike.
Scalar floor_divide(Scalar a, Scalar b);  // the largest whole number not above a / b; of integers by 0 it is 0
Scalar remainder(Scalar a, Scalar b);     // a - b floor(a / b), exact, with b's sign; of integers by 0 it is 0, of floats NaN from |a / b| = 2^53 on
Scalar copysign(Scalar magnitude, Scalar sign);
Scalar nextafter(Scalar from, Scalar towards);
Scalar bit_count(Scalar);                 // of an integer, in its own type

}  // namespace sinter::scalar
