// What classes and losses share.
#pragma once
#include "graph/expr.h"

namespace sinter {

// Whether each class along a new last axis is the label: labels [...] give [..., classes]. UserError, naming `what`, where they are no integers.
Expr is_label(std::string_view what, const Expr& labels, const Dim& classes, Here where);

// UserError, naming `what`, where `labels` is not of the shape of `scores` without its last axis.
void check_labels(std::string_view what, const Expr& scores, const Expr& labels, Here where);

}  // namespace sinter
