// What norms, variances, losses and activations share.
#pragma once
#include "graph/expr.h"

namespace sinter {

// x where it is a float, and integers as the float that is to hold their differences and squares: an f64, or of a template, whose type is not
// known yet, the one that a literal float makes of it.
Expr squarable(const Expr& x);

// x where it is a float, and otherwise the float that a literal float makes of it, whose differences and powers do not wrap around.
Expr floating(const Expr& x);

}  // namespace sinter
