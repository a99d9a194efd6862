#include "graph/arrays/joining.h"

#include "graph/arrays/pieces.h"

namespace sinter {

using namespace arrays;

Expr concatenate(const std::vector<Expr>& given, int64_t axis, Here where) {
  if (given.empty()) throw UserError("concatenate: takes one value or more", line_at(where));
  Operand at(given[0], where);
  OriginScope scope(at, "concatenate");
  GraphScope joined(given[0].graph());
  std::vector<Expr> parts;
  for (const Expr& e : given) parts.push_back(Operand(e, where).in(given[0].graph())), require_type("concatenate", e, at);
  const Type first = parts[0].type();
  int64_t along = axis_of("concatenate", axis, first.shape.size(), at);
  DType dtype = first.dtype;
  Shape whole = first.shape;
  std::vector<Dim> before = {Dim(0)};
  for (const Expr& e : parts) {
    Shape expected = e.shape();
    if (expected.size() == whole.size()) expected[static_cast<size_t>(along)] = first.shape[static_cast<size_t>(along)];
    if (expected != first.shape)
      throw UserError(fmt::format("concatenate of {} and {}: their sizes differ, and not only along axis {}", to_string(first), to_string(e.type()), axis), line_at(where));
    dtype = promote(dtype, e.dtype());
    before.push_back(before.back() + size_along(e, along));
  }
  whole[static_cast<size_t>(along)] = before.back();
  // Each is padded to the whole; which one an element is taken from is seen from where it is.
  Expr result, position = iota(whole, along, i64);
  for (size_t i = parts.size(); i-- > 0;) {
    if (size_along(parts[i], along).is(0) && (result.defined() || i > 0)) continue;
    Dim after(0);
    for (size_t k = i + 1; k < parts.size(); ++k) after = after + size_along(parts[k], along);
    Expr one = padded(convert(parts[i], dtype), 0, along, before[i], after);
    result = result.defined() ? select(position < dimension(before[i + 1]), one, result) : one;
  }
  return result;
}

Expr stack(const std::vector<Expr>& given, int64_t axis, Here where) {
  if (given.empty()) throw UserError("stack: takes one value or more", line_at(where));
  Operand at(given[0], where);
  OriginScope scope(at, "stack");
  require_type("stack", given[0], at);
  int64_t along = axis_of("stack", axis, given[0].shape().size() + 1, at);
  std::vector<Expr> parts;
  for (const Expr& e : given) {
    require_type("stack", e, at);
    if (e.shape() != given[0].shape()) throw UserError(fmt::format("stack of {} and {}: takes values of one shape", to_string(given[0].type()), to_string(e.type())), line_at(where));
    Shape longer = e.shape();
    longer.insert(longer.begin() + along, Dim(1));
    parts.push_back(reshape(e, longer));
  }
  return concatenate(parts, along, where);
}

std::vector<Expr> split(Operand operand, int64_t parts, int64_t axis) {
  OriginScope scope(operand, "split");
  Expr x = operand.expr();
  require_type("split", x, operand);
  int64_t along = axis_of("split", axis, x.shape().size(), operand);
  const Dim size = size_along(x, along);
  auto each = parts > 0 ? size.divided_by(Dim(parts)) : std::nullopt;
  if (!each) throw UserError(fmt::format("split: a size of {} has no {} equal parts{}", to_string(size), parts, size.is_number() ? "" : " at every value of its symbols"), line_at(operand.where()));
  std::vector<Expr> all;
  for (int64_t i = 0; i < parts; ++i) all.push_back(part(x, along, *each * Dim(i), *each * Dim(i + 1)));
  return all;
}

std::vector<Expr> split(Operand operand, const Axes& positions, int64_t axis) {
  OriginScope scope(operand, "split");
  Expr x = operand.expr();
  require_type("split", x, operand);
  int64_t along = axis_of("split", axis, x.shape().size(), operand);
  std::vector<Expr> all;
  Dim from(0);
  for (int64_t p : positions) all.push_back(part(x, along, from, Dim(p))), from = Dim(p);
  all.push_back(part(x, along, from, size_along(x, along)));
  return all;
}

Expr roll(Operand operand, int64_t shift, int64_t axis) {
  OriginScope scope(operand, "roll");
  Expr x = operand.expr();
  require_type("roll", x, operand);
  int64_t along = axis_of("roll", axis, x.shape().size(), operand);
  const Dim size = size_along(x, along);
  if (!size.is_number()) throw UserError(fmt::format("roll: the size along axis {} is {}, and has to be a number", axis, to_string(size)), line_at(operand.where()));
  int64_t n = size.number(), by = n == 0 ? 0 : (shift % n + n) % n;
  if (by == 0) return x;
  return concatenate({part(x, along, Dim(n - by), size), part(x, along, Dim(0), Dim(n - by))}, along, operand.where());
}

}  // namespace sinter
