// Losses: compositions over the builder that give a scalar. Each names the caller's line.
#pragma once
#include "graph/expr.h"

namespace sinter {

// The mean over all elements of (prediction - target)^2, of integers in f64. UserError where their shapes differ: broadcasting here hides mistakes.
Expr mse(Operand prediction, Operand target);

// The mean over all rows of logsumexp(logits) - logits[label], which is -log(softmax(logits)[label]) without its overflow. Logits
// [..., classes] need a type; labels [...] are of any integer type. A label that is no class picks no logit: its row adds logsumexp.
Expr cross_entropy(Operand logits, Operand labels);

}  // namespace sinter
