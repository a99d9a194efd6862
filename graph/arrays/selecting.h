// Elements picked by number, and parts of matrices. Operands need types; axes count from the back where they are negative. A position
// outside is the nearest inside. Each names the caller's line.
#pragma once
#include "graph/expr.h"

namespace sinter {

// x [before..., n, after...] at positions of any shape along an axis: [before..., positions..., after...]. Without an axis, of all elements
// in order.
Expr take(Operand x, Operand positions);
Expr take(Operand x, Operand positions, int64_t axis);
// The positions have x's dimensions and, but for the axis, its sizes, or 1: each row along the axis is picked from by its own.
Expr take_along_axis(Operand x, Operand positions, int64_t axis);
// Rows of a table [n, width] by their numbers [...]: [..., width].
Expr embedding(Operand table, Operand numbers);

// The elements whose numbers along two axes differ by `offset`, along a new last axis. Both sizes are numbers.
Expr diagonal(Operand x, int64_t offset = 0, int64_t axis1 = 0, int64_t axis2 = 1);
// Of the last two axes, what is on and below (above) the diagonal `offset` above the main one; 0 elsewhere.
Expr tril(Operand x, int64_t offset = 0);
Expr triu(Operand x, int64_t offset = 0);

}  // namespace sinter
