#include "graph/nn/losses.h"

#include <fmt/format.h>

#include "graph/nn/is_label.h"
#include "graph/nn/squarable.h"
#include "graph/nn/statistics.h"

namespace sinter {

Expr mse(Operand prediction, Operand target) {
  OriginScope scope(prediction, "mse");
  Expr checked = same_shape(prediction, target);
  Expr difference = squarable(checked) - squarable(target.in(checked.graph()));
  return mean(difference * difference);
}

Expr cross_entropy(Operand logits_operand, Operand labels_operand) {
  OriginScope scope(logits_operand, "cross_entropy");
  Expr logits = logits_operand.expr(), labels = labels_operand.in(logits.graph());
  GraphScope joined(logits.graph());
  check_labels("cross_entropy", logits, labels, logits_operand.where());
  if (!is_float(logits.dtype()))
    throw UserError(fmt::format("cross_entropy: logits are floats, not {}", to_string(logits.type())), line_at(logits_operand.where()));
  Expr chosen = sum(select(is_label("cross_entropy", labels, logits.shape().back(), logits_operand.where()), logits, 0), {-1});
  return mean(logsumexp(logits) - chosen);
}

}  // namespace sinter
