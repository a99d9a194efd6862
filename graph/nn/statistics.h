// Means, and what is normalised by an axis: compositions over the builder. Axes count from the back where they are negative. All but
// those that say so work on variables without a type. Each names the caller's line.
#pragma once
#include "graph/expr.h"

namespace sinter {

// sum(x) / size(x), over all axes or over some; `keep` leaves them with size 1. Of integers an f64, of no elements NaN.
Expr mean(Operand x);
Expr mean(Operand x, Axes axes, bool keep = false);
// mean((x - mean(x))^2), of integers in f64.
Expr variance(Operand x);
Expr variance(Operand x, Axes axes, bool keep = false);
// sqrt(sum(x^2)), of integers in f64; at 0 its gradient is 0.
Expr norm(Operand x);
Expr norm(Operand x, Axes axes, bool keep = false);

// log(sum(exp(x))) along an axis, without overflow: the largest is taken out first.
Expr logsumexp(Operand x, int64_t axis = -1, bool keep = false);
// exp(x) / sum(exp(x)) along an axis, and its logarithm, without overflow. NaN where every x is -inf.
Expr softmax(Operand x, int64_t axis = -1);
Expr log_softmax(Operand x, int64_t axis = -1);

}  // namespace sinter
