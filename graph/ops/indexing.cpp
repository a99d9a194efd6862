// Indexing: operations whose elements' places are computed. `legalize` makes reductions of them.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "graph/expr.h"
#include "graph/ops/expand.h"

namespace sinter {
namespace {

using Rule = const GradientRule&;

void check_positions(const Type& positions, int64_t batch, const Shape& other, const char* what) {
  if (!is_integer(positions.dtype)) throw UserError(fmt::format("positions are integers, not {}", name(positions.dtype)));
  if (batch < 0 || batch > static_cast<int64_t>(positions.shape.size()) || batch > static_cast<int64_t>(other.size()))
    throw UserError(fmt::format("{} leading axes are not shared by {} and {}", batch, to_string(positions.shape), to_string(other)));
  for (size_t i = 0; i < static_cast<size_t>(batch); ++i)
    if (!(positions.shape[i] == other[i])) throw UserError(fmt::format("the shared axis {} is {} in the positions and {} in {}", i, to_string(positions.shape[i]), to_string(other[i]), what));
}

Type infer_gather(const Inference& in) {
  int64_t batch = std::get<GatherAttributes>(in.attributes).batch;
  const Type &x = in.inputs[0], &positions = in.inputs[1];
  check_positions(positions, batch, x.shape, "what is gathered from");
  if (batch == static_cast<int64_t>(x.shape.size())) throw UserError(fmt::format("{} has no axis {} to gather along", to_string(x.shape), batch));
  if (x.shape[static_cast<size_t>(batch)].is(0)) throw UserError("gathers from an axis of size 0, where nothing is");
  Shape to = positions.shape;
  to.insert(to.end(), x.shape.begin() + batch + 1, x.shape.end());
  return Type::of(x.dtype, to);
}

Type infer_scatter(const Inference& in) {
  const auto& a = std::get<ScatterAttributes>(in.attributes);
  const Type &positions = in.inputs[0], &updates = in.inputs[1];
  check_positions(positions, a.batch, updates.shape, "the updates");
  if (updates.dtype == boolean) throw UserError("adds numbers, not bool; convert() them first");
  if (a.size.is_number() && a.size.number() < 0) throw UserError(fmt::format("a size of {} is negative", to_string(a.size)));
  size_t rank = positions.shape.size();
  if (updates.shape.size() < rank || !std::equal(positions.shape.begin(), positions.shape.end(), updates.shape.begin()))
    throw UserError(fmt::format("takes an update for each position: their shape {} begins with {}", to_string(updates.shape), to_string(positions.shape)));
  Shape to(updates.shape.begin(), updates.shape.begin() + a.batch);
  to.push_back(a.size);
  to.insert(to.end(), updates.shape.begin() + static_cast<std::ptrdiff_t>(rank), updates.shape.end());
  return Type::of(updates.dtype, to);
}

int64_t product_of(const std::vector<int64_t>& sizes, size_t from, size_t to) {
  int64_t n = 1;
  for (size_t i = from; i < to; ++i) n *= sizes[i];
  return n;
}

// Calls visit(number of the position, row of the indexed operand or -1 where the position is outside), rows being what one position names.
template <class F>
void each_position(const Tensor& positions, int64_t batch, int64_t size, bool clamps, F visit) {
  size_t b = static_cast<size_t>(batch);
  int64_t each = product_of(positions.sizes(), b, positions.sizes().size());
  dispatch(positions.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* p = static_cast<const T*>(positions.raw());
    for (int64_t i = 0; i < positions.size(); ++i) {
      bool below = p[i] < T(0), above = !below && static_cast<uint64_t>(p[i]) >= static_cast<uint64_t>(size);
      int64_t at = below ? 0 : above ? size - 1 : static_cast<int64_t>(p[i]);
      bool drops = size == 0 || (!clamps && (below || above));
      visit(i, drops ? -1 : i / each * size + at);
    }
  });
}

// Of an axis that is empty at the call, zeros.
Tensor gather_reference(const Reference& at) {
  int64_t batch = std::get<GatherAttributes>(at.attributes).batch;
  const Tensor& x = at.inputs[0];
  Tensor result(at.dtype, at.sizes);
  size_t axis = static_cast<size_t>(batch), width = static_cast<size_t>(product_of(x.sizes(), axis + 1, x.sizes().size())) * size_of(at.dtype);
  each_position(at.inputs[1], batch, x.sizes()[axis], true, [&](int64_t i, int64_t row) {
    if (row >= 0) std::memcpy(static_cast<char*>(result.raw()) + static_cast<size_t>(i) * width, static_cast<const char*>(x.raw()) + static_cast<size_t>(row) * width, width);
  });
  return result;
}

// Sums f32 in f64, as sum's reference does.
Tensor scatter_reference(const Reference& at) {
  const auto& a = std::get<ScatterAttributes>(at.attributes);
  const Tensor &positions = at.inputs[0], &updates = at.inputs[1];
  Tensor result(at.dtype, at.sizes);
  int64_t width = product_of(updates.sizes(), positions.sizes().size(), updates.sizes().size());
  dispatch(at.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide = std::conditional_t<std::is_same_v<T, float>, double, std::conditional_t<std::is_floating_point_v<T>, long double, uint64_t>>;
    std::vector<Wide> total(static_cast<size_t>(result.size()), Wide(0));
    const T* u = static_cast<const T*>(updates.raw());
    each_position(positions, a.batch, at.sizes[static_cast<size_t>(a.batch)], false, [&](int64_t i, int64_t row) {
      for (int64_t k = 0; k < width && row >= 0; ++k) total[static_cast<size_t>(row * width + k)] += static_cast<Wide>(u[i * width + k]);
    });
    for (size_t i = 0; i < total.size(); ++i) static_cast<T*>(result.raw())[i] = static_cast<T>(total[i]);
  });
  return result;
}

// As i64. A u64 beyond that is as far outside as the greatest.
Expr as_index(const Expr& positions) {
  return convert(positions.dtype() == u64 ? minimum(positions, std::numeric_limits<int64_t>::max()) : positions, i64);
}

// To where each was read; what was clamped, to the element that it was clamped to.
std::vector<Expr> gather_gradient(Rule r) {
  if (!r.wanted[0]) return {Expr(), Expr()};
  int64_t batch = std::get<GatherAttributes>(r.attributes).batch;
  const Dim size = r.inputs[0].shape()[static_cast<size_t>(batch)];
  const Expr& positions = r.inputs[1];
  Expr nearest = maximum(minimum(as_index(positions), dimension(size - Dim(1))), 0);
  return {scatter_add(nearest, r.adjoint, size, batch), Expr()};
}

// From where each went; to what was dropped, nothing.
std::vector<Expr> scatter_gradient(Rule r) {
  if (!r.wanted[1]) return {Expr(), Expr()};
  const auto& a = std::get<ScatterAttributes>(r.attributes);
  const Expr &positions = r.inputs[0], &updates = r.inputs[1];
  Axes leading(positions.shape().size());
  for (size_t i = 0; i < leading.size(); ++i) leading[i] = static_cast<int64_t>(i);
  Expr at = as_index(positions), inside = at >= 0 && at < dimension(a.size);
  return {Expr(), select(broadcast(inside, updates.shape(), leading), gather(r.adjoint, positions, a.batch), 0)};
}

OpInfo row(Op op, std::string_view name, Type (*infer)(const Inference&), std::string_view shape, Tensor (*reference)(const Reference&), std::vector<Expr> (*gradient)(Rule),
           std::string_view derivative, std::string_view doc, std::string_view operands, std::string_view written = {}) {
  return {op, name, 2, Family::indexing, Promotion::none, false, infer, shape, nullptr, reference, gradient, derivative, {}, doc, operands, written};
}

}  // namespace

std::span<const OpInfo> indexing_ops() {
  static const std::vector<OpInfo> rows = {
      row(Op::gather, "gather", infer_gather, "[batch..., n, rest...], [batch..., k...] -> [batch..., k..., rest...]", gather_reference, gather_gradient, "scatter_add(nearest positions, g); none",
          "The elements at positions along the axis after the shared ones; outside, the nearest.", "x, positions"),
      row(Op::scatter_add, "scatter_add", infer_scatter, "[batch..., k...], [batch..., k..., rest...] -> [batch..., size, rest...]", scatter_reference, scatter_gradient, "none; gather(g, positions), 0 where dropped",
          "Zeros, to which updates are added at positions; those outside are dropped.", "positions, updates",
          "scatter_add(positions, updates, size, batch)"),
  };
  return rows;
}

}  // namespace sinter
