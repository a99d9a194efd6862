// Layers: compositions over the builder of an input and its parameters. Each names the caller's line.
#pragma once
#include "graph/expr.h"

namespace sinter {

Expr linear(Operand x, Operand w, Operand b);  // matmul(x, w) + b: x [..., in], w [in, out], b [out]

// (x - mean) / sqrt(variance + epsilon) * gain + bias, with the mean and variance along one axis (Ba, Kiros & Hinton 2016). `gain` and
// `bias` have that axis's size. An axis counted from the front needs an x with a type.
Expr layer_norm(Operand x, Operand gain, Operand bias, int64_t axis = -1, double epsilon = 1e-5);

}  // namespace sinter
