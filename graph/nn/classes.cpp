#include "graph/nn/classes.h"

#include <fmt/format.h>

#include <limits>

#include "graph/nn/is_label.h"
#include "graph/nn/statistics.h"

namespace sinter {

Expr is_label(std::string_view what, const Expr& labels, const Dim& classes, Here where) {
  if (!is_integer(labels.dtype()))
    throw UserError(fmt::format("{}: labels are whole numbers of classes, not {}", what, to_string(labels.type())), line_at(where));
  Shape column = labels.shape();
  column.push_back(Dim(1));
  return iota({classes}, 0, i32) == reshape(labels, column);
}

void check_labels(std::string_view what, const Expr& scores, const Expr& labels, Here where) {
  const Shape &rows = labels.shape(), &all = scores.shape();
  if (all.empty() || !std::equal(rows.begin(), rows.end(), all.begin(), all.end() - 1))
    throw UserError(fmt::format("{} of {}, {}: takes scores [..., classes] and a label for each row, [...]", what, to_string(scores.type()),
                                to_string(labels.type())),
                    line_at(where));
}

namespace {

Expr first_position(const char* what, const char* which, Expr (*extreme)(Operand, Axes, bool), const Operand& operand, int64_t axis, DType dtype) {
  OriginScope scope(operand, what);
  Expr x = operand.expr();
  GraphScope joined(x.graph());
  const Type type = x.type();
  if (dtype != i32 && dtype != i64) throw UserError(fmt::format("{}: positions are i32 or i64, not {}", what, name(dtype)), line_at(operand.where()));
  int64_t rank = static_cast<int64_t>(type.shape.size()), at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank) throw UserError(fmt::format("{}: {} has no axis {}", what, to_string(type), axis), line_at(operand.where()));
  const Dim& length = type.shape[static_cast<size_t>(at)];
  if (length.is(0))
    throw UserError(fmt::format("{}: axis {} of {} is empty, so there is no {}", what, axis, to_string(type), which), line_at(operand.where()));
  if (dtype == i32 && length.is_number() && length.number() > std::numeric_limits<int32_t>::max())
    throw UserError(fmt::format("{}: positions along axis {} of {} do not fit i32", what, axis, to_string(type)), line_at(operand.where()));
  // Where one is NaN the extreme is NaN, which equals nothing.
  Expr chosen = x == extreme(x, {axis}, true);
  if (is_float(type.dtype)) chosen = chosen || x != x;
  int64_t none = dtype == i32 ? std::numeric_limits<int32_t>::max() : std::numeric_limits<int64_t>::max();
  return min(select(chosen, iota(type.shape, axis, dtype), none), {axis});
}

}  // namespace

Expr argmax(Operand x, int64_t axis, DType dtype) { return first_position("argmax", "largest", max, x, axis, dtype); }
Expr argmin(Operand x, int64_t axis, DType dtype) { return first_position("argmin", "least", min, x, axis, dtype); }

Expr one_hot(Operand operand, Dim classes, DType dtype) {
  OriginScope scope(operand, "one_hot");
  Expr labels = operand.expr();
  GraphScope joined(labels.graph());
  return convert(is_label("one_hot", labels, classes, operand.where()), dtype);
}

Expr accuracy(Operand scores_operand, Operand labels_operand) {
  OriginScope scope(scores_operand, "accuracy");
  Expr scores = scores_operand.expr(), labels = labels_operand.in(scores.graph());
  check_labels("accuracy", scores, labels, scores_operand.where());
  return mean(convert(argmax(scores, -1, i32) == labels, f32));
}

}  // namespace sinter
