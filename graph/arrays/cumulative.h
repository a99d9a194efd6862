// Running sums, products and maxima along an axis: compositions. Where the axis's size is a number they take log2(size) steps over all
// elements, else each element is reduced from the start. Operands need types. Each names the caller's line.
#pragma once
#include "graph/expr.h"

namespace sinter {

Expr cumsum(Operand, int64_t axis);   // small integers in 64 bits, as in a sum
Expr cumprod(Operand, int64_t axis);
Expr cummax(Operand, int64_t axis);   // NaN from the first NaN on
Expr cummin(Operand, int64_t axis);

}  // namespace sinter
