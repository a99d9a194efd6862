// What norms, variances and losses share.
#pragma once
#include "graph/expr.h"

namespace sinter {

// x where it is a float, and integers as the float that is to hold their differences and squares: an f64, or of a template, whose type is not
// known yet, the one that a literal float makes of it.
Expr squarable(const Expr& x);

}  // namespace sinter
