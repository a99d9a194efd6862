// Class numbers: from scores to classes and from classes to indicators. Compositions over the builder; each names the caller's line. They
// count classes, so a Variable must have its type.
#pragma once
#include "graph/expr.h"

namespace sinter {

// The position of the largest (least) along an axis, which goes: the first at a tie, the first NaN where there is one. i32 or i64.
Expr argmax(Operand x, int64_t axis = -1, DType dtype = i64);
Expr argmin(Operand x, int64_t axis = -1, DType dtype = i64);

// 1 where the class along the new last axis is the label, else 0: labels [...] of any integer type give [..., classes].
Expr one_hot(Operand labels, Dim classes, DType dtype = f32);

// The share of rows whose largest score is the label's, an f32 scalar: scores [..., classes], labels [...].
Expr accuracy(Operand scores, Operand labels);

}  // namespace sinter
