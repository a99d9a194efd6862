// The elementary functions as scalar expressions, for f32 and f64: the project's own polynomials, so that the interpreter, the constant
// folder and every backend compute the same bits and compiled code needs no libm. No branches; a lane costs the same whatever its value.
#pragma once
#include "graph/scalar.h"

namespace sinter::scalar {

Scalar exp(Scalar);
Scalar expm1(Scalar);
Scalar log(Scalar);
Scalar log1p(Scalar);
Scalar tanh(Scalar);
Scalar sigmoid(Scalar);   // 1 / (1 + exp(-x))
Scalar softplus(Scalar);  // log(1 + exp(x))
Scalar erf(Scalar);
Scalar sin(Scalar);
Scalar cos(Scalar);
Scalar pow(Scalar, Scalar);  // both of one type; special values as in annex F of C
Scalar rsqrt(Scalar);        // 1 / sqrt(x), each correctly rounded
Scalar sign(Scalar);         // -1, 0 or 1; a zero keeps its sign, NaN stays NaN; of integers too

}  // namespace sinter::scalar
