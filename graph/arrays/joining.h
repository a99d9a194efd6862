// Arrays joined, cut and turned: compositions of slices, paddings and selects, each of which is an index map in a kernel. Operands need types;
// axes count from the back where they are negative. Each names the caller's line.
#pragma once
#include "graph/expr.h"

namespace sinter {

// End to end along an axis; the other sizes are equal. The sizes along the axis may be symbols.
Expr concatenate(const std::vector<Expr>&, int64_t axis = 0, Here = Here::current());
// Side by side along a new axis.
Expr stack(const std::vector<Expr>&, int64_t axis = 0, Here = Here::current());

// In so many equal parts, or before each of these positions.
std::vector<Expr> split(Operand, int64_t parts, int64_t axis = 0);
std::vector<Expr> split(Operand, const Axes& positions, int64_t axis = 0);

// The element at i moves to i + shift, around the end; the size along the axis is a number.
Expr roll(Operand, int64_t shift, int64_t axis);

}  // namespace sinter
