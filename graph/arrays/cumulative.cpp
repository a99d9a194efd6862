#include "graph/arrays/cumulative.h"

#include "graph/arrays/pieces.h"

namespace sinter {
namespace {

using namespace arrays;

struct Running {
  std::string_view name;
  Expr (*join)(Operand, Operand);
  Expr (*reduce)(Operand, Axes, bool);
  Tensor (*neutral)(DType);
};

// Prefixes of doubling length: each element joined by what stands as far before it as the prefix is long.
Expr doubled(Expr x, int64_t axis, int64_t size, const Running& running) {
  Constant neutral(running.neutral(x.dtype()));
  for (int64_t reach = 1; reach < size; reach *= 2) x = running.join(padded(part(x, axis, Dim(0), Dim(size - reach)), neutral, axis, Dim(reach), Dim(0)), x);
  return x;
}

// Along a second axis, what stands up to each element.
Expr masked(const Expr& x, int64_t axis, const Running& running) {
  Shape wide = x.shape();
  wide.insert(wide.begin() + axis, size_along(x, axis));
  Axes axes;
  for (int64_t a = 0; a < static_cast<int64_t>(wide.size()); ++a)
    if (a != axis) axes.push_back(a);
  Expr before = iota(wide, axis + 1, i64) <= iota(wide, axis, i64);
  return running.reduce(select(before, broadcast(x, wide, axes), Constant(running.neutral(x.dtype()))), {axis + 1}, false);
}

Expr cumulative(const Operand& operand, int64_t axis, const Running& running, bool accumulates) {
  OriginScope scope(operand, running.name);
  Expr x = operand.expr();
  require_type(running.name, x, operand);
  GraphScope joined(x.graph());
  x = convert(x, accumulates ? accumulator_for(x.dtype()) : computing(x.dtype()));
  // The larger of two bools is a number.
  if (x.dtype() == boolean) return convert(cumulative(Operand(convert(x, u8), operand.where()), axis, running, accumulates), boolean);
  int64_t along = axis_of(running.name, axis, x.shape().size(), operand);
  const Dim size = size_along(x, along);
  return size.is_number() ? doubled(x, along, size.number(), running) : masked(x, along, running);
}

}  // namespace

// -0 added to anything leaves it as it is; +0 would lose a -0.
Expr cumsum(Operand x, int64_t axis) { return cumulative(x, axis, {"cumsum", operator+, sum, [](DType t) { return full({}, is_float(t) ? -0.0 : 0, t); }}, true); }
Expr cumprod(Operand x, int64_t axis) { return cumulative(x, axis, {"cumprod", operator*, prod, [](DType t) { return reduction_of_nothing(Op::prod, t); }}, true); }
Expr cummax(Operand x, int64_t axis) { return cumulative(x, axis, {"cummax", maximum, max, [](DType t) { return reduction_of_nothing(Op::max, t); }}, false); }
Expr cummin(Operand x, int64_t axis) { return cumulative(x, axis, {"cummin", minimum, min, [](DType t) { return reduction_of_nothing(Op::min, t); }}, false); }

}  // namespace sinter
