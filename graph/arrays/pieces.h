// What the compositions of this folder share. For them only.
#pragma once
#include <fmt/format.h>

#include <string_view>

#include "graph/expr.h"

namespace sinter::arrays {

// `axis` counted from the front of a value of `rank` dimensions.
inline int64_t axis_of(std::string_view what, int64_t axis, size_t rank, const Operand& at) {
  int64_t n = static_cast<int64_t>(rank), a = axis < 0 ? axis + n : axis;
  if (a < 0 || a >= n) throw UserError(fmt::format("{}: axis {} is outside a value of {} dimensions", what, axis, n), line_at(at.where()));
  return a;
}

inline void require_type(std::string_view what, const Expr& x, const Operand& at) {
  if (x.is_template()) throw UserError(fmt::format("{}: needs sizes, and this depends on a Variable declared without a type", what), line_at(at.where()));
}

inline const Dim& size_along(const Expr& x, int64_t axis) { return x.shape()[static_cast<size_t>(axis)]; }

// Part of an axis.
inline Expr part(const Expr& x, int64_t axis, const Dim& start, const Dim& stop, int64_t step = 1) {
  Shape starts(x.shape().size(), Dim(0)), stops = x.shape();
  Axes steps(stops.size(), 1);
  starts[static_cast<size_t>(axis)] = start, stops[static_cast<size_t>(axis)] = stop, steps[static_cast<size_t>(axis)] = step;
  return slice(x, starts, stops, steps);
}

// `value` before and after along an axis.
inline Expr padded(const Expr& x, const Operand& value, int64_t axis, const Dim& before, const Dim& after) {
  Shape low(x.shape().size(), Dim(0)), high = low;
  low[static_cast<size_t>(axis)] = before, high[static_cast<size_t>(axis)] = after;
  return pad(x, value, low, high);
}

// The axis moved to another place, the others in order.
inline Expr moved_axis(const Expr& x, int64_t from, int64_t to) {
  Axes order;
  for (int64_t a = 0; a < static_cast<int64_t>(x.shape().size()); ++a)
    if (a != from) order.push_back(a);
  order.insert(order.begin() + to, from);
  return from == to ? x : transpose(x, order);
}

}  // namespace sinter::arrays
