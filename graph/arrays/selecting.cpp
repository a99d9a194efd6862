#include "graph/arrays/selecting.h"

#include <algorithm>

#include "graph/arrays/pieces.h"

namespace sinter {

using namespace arrays;

Expr take(Operand operand, Operand positions) {
  OriginScope scope(operand, "take");
  return gather(reshape(operand, {-1}), positions);
}

Expr take(Operand operand, Operand positions, int64_t axis) {
  OriginScope scope(operand, "take");
  Expr x = operand.expr(), at = positions.in(x.graph());
  require_type("take", x, operand), require_type("take", at, operand);
  int64_t along = axis_of("take", axis, x.shape().size(), operand), ranks = static_cast<int64_t>(at.shape().size());
  Expr picked = gather(moved_axis(x, along, 0), at);
  // [positions..., before..., after...] to [before..., positions..., after...]
  Axes order;
  for (int64_t a = 0; a < along; ++a) order.push_back(ranks + a);
  for (int64_t a = 0; a < ranks; ++a) order.push_back(a);
  for (int64_t a = ranks + along; a < static_cast<int64_t>(picked.shape().size()); ++a) order.push_back(a);
  return std::is_sorted(order.begin(), order.end()) ? picked : transpose(picked, order);
}

Expr take_along_axis(Operand operand, Operand positions, int64_t axis) {
  OriginScope scope(operand, "take_along_axis");
  Expr x = operand.expr(), at = positions.in(x.graph());
  require_type("take_along_axis", x, operand), require_type("take_along_axis", at, operand);
  size_t rank = x.shape().size();
  int64_t along = axis_of("take_along_axis", axis, rank, operand), last = static_cast<int64_t>(rank) - 1;
  if (at.shape().size() != rank)
    throw UserError(fmt::format("take_along_axis of {}, {}: positions have as many dimensions", to_string(x.type()), to_string(at.type())), line_at(operand.where()));
  auto without = [&](Shape shape) {
    shape.erase(shape.begin() + along);
    return shape;
  };
  Type rest[] = {Type::of(x.dtype(), without(x.shape())), Type::of(x.dtype(), without(at.shape()))};
  Shape both = rest[0].shape;
  for (size_t i = 0; i < both.size(); ++i) {
    const Dim& other = rest[1].shape[i];
    if (both[i].is(1)) both[i] = other;
    else if (!other.is(1) && !(other == both[i]))
      throw UserError(fmt::format("take_along_axis of {}, {}: sizes are equal but along axis {}", to_string(x.type()), to_string(at.type()), axis), line_at(operand.where()));
  }
  auto spread = [&](const Expr& e) {
    Shape to = both;
    to.push_back(size_along(e, along));
    Expr last_axis = moved_axis(e, along, last);
    return last_axis.shape() == to ? last_axis : broadcast_to(last_axis, to);
  };
  return moved_axis(gather(spread(x), spread(at), last), last, along);
}

Expr embedding(Operand table, Operand numbers) {
  OriginScope scope(table, "embedding");
  return gather(table, numbers);
}

Expr diagonal(Operand operand, int64_t offset, int64_t axis1, int64_t axis2) {
  OriginScope scope(operand, "diagonal");
  Expr x = operand.expr();
  require_type("diagonal", x, operand);
  size_t rank = x.shape().size();
  int64_t first = axis_of("diagonal", axis1, rank, operand), second = axis_of("diagonal", axis2, rank, operand);
  if (first == second) throw UserError("diagonal: takes two axes", line_at(operand.where()));
  const Dim height = size_along(x, first), width = size_along(x, second);
  if (!height.is_number() || !width.is_number())
    throw UserError(fmt::format("diagonal of {}: the sizes of its axes have to be numbers", to_string(x.type())), line_at(operand.where()));
  int64_t m = height.number(), n = width.number();
  int64_t length = std::max<int64_t>(0, offset >= 0 ? std::min(m, n - offset) : std::min(m + offset, n));
  // Row by row, the next element of a diagonal is a row and one further.
  Axes order;
  Shape flat;
  for (int64_t a = 0; a < static_cast<int64_t>(rank); ++a)
    if (a != first && a != second) order.push_back(a), flat.push_back(size_along(x, a));
  order.push_back(first), order.push_back(second), flat.push_back(height * width);
  int64_t start = length == 0 ? 0 : offset >= 0 ? offset : -offset * n;
  int64_t stop = length == 0 ? 0 : start + (length - 1) * (n + 1) + 1;
  Expr rows = std::is_sorted(order.begin(), order.end()) ? x : transpose(x, order);
  return part(reshape(rows, flat), static_cast<int64_t>(flat.size()) - 1, Dim(start), Dim(stop), n + 1);
}

namespace {

// The difference of an element's numbers along the last two axes.
Expr above_diagonal(std::string_view what, const Expr& x, const Operand& operand) {
  require_type(what, x, operand);
  if (x.shape().size() < 2) throw UserError(fmt::format("{} of {}: takes a matrix", what, to_string(x.type())), line_at(operand.where()));
  return iota(x.shape(), -1, i64) - iota(x.shape(), -2, i64);
}

}  // namespace

Expr tril(Operand operand, int64_t offset) {
  OriginScope scope(operand, "tril");
  Expr x = operand.expr();
  GraphScope joined(x.graph());
  return select(above_diagonal("tril", x, operand) <= offset, x, Constant(zeros({}, x.dtype())));
}

Expr triu(Operand operand, int64_t offset) {
  OriginScope scope(operand, "triu");
  Expr x = operand.expr();
  GraphScope joined(x.graph());
  return select(above_diagonal("triu", x, operand) >= offset, x, Constant(zeros({}, x.dtype())));
}

}  // namespace sinter
