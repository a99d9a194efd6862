// Activations: compositions of what the builder records, elementwise, of any shape, and of variables without a type too. Each names the
// caller's line. Integers are computed as floats where the formula needs them.
#pragma once
#include "graph/expr.h"

namespace sinter {

enum class Gelu { tanh, erf };

Expr relu(Operand x);                             // max(0, x); its derivative at 0 is 0
Expr leaky_relu(Operand x, double slope = 0.01);  // x where x > 0, else slope * x
Expr silu(Operand x);                             // x * sigmoid(x): Elfwing, Uchibe & Doya 2018
// x * P(N(0, 1) <= x): Hendrycks & Gimpel 2016; by default their approximation 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))).
Expr gelu(Operand x, Gelu form = Gelu::tanh);

}  // namespace sinter
