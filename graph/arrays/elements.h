// Elementwise compositions, and reductions of truth. They work on variables without a type too. Each names the caller's line.
#pragma once
#include "graph/expr.h"

namespace sinter {

Expr isnan(Operand);     // false for integers
Expr isinf(Operand);
Expr isfinite(Operand);
Expr logical_xor(Operand, Operand);                  // of bool
Expr clip(Operand x, Operand low, Operand high);     // minimum(maximum(x, low), high): at a bound the gradient is x's

// Whether any, or each, is not 0; of nothing false, and true.
Expr any(Operand);
Expr any(Operand, Axes axes, bool keep = false);
Expr all(Operand);
Expr all(Operand, Axes axes, bool keep = false);

}  // namespace sinter
