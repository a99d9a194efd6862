// The contraction, which every product of matrices becomes, and the sugar that becomes it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/builder.h"
#include "graph/expr.h"
#include "graph/ops/expand.h"

namespace sinter {
namespace {

using Rule = const GradientRule&;

// The axes of an operand that are neither batch nor contracted, in order.
Axes free_axes(size_t rank, const Axes& batch, const Axes& contracted) {
  Axes free;
  for (int64_t a = 0; a < static_cast<int64_t>(rank); ++a)
    if (!contains(batch, a) && !contains(contracted, a)) free.push_back(a);
  return free;
}

Axes counted(int64_t from, size_t count) {
  Axes a(count);
  std::iota(a.begin(), a.end(), from);
  return a;
}

void check_axes(const Axes& batch, const Axes& contracted, size_t rank) {
  Axes all = batch;
  all.insert(all.end(), contracted.begin(), contracted.end());
  for (int64_t a : all)
    if (a < 0 || a >= static_cast<int64_t>(rank)) throw UserError(fmt::format("axis {} is outside a value of {} dimensions", a, rank));
  std::sort(all.begin(), all.end());
  if (std::adjacent_find(all.begin(), all.end()) != all.end()) throw UserError("an axis is named twice");
}

Type infer_contract(const Inference& in) {
  const auto& c = std::get<ContractionAttributes>(in.attributes);
  const Type &a = in.inputs[0], &b = in.inputs[1];
  if (a.dtype != b.dtype) throw UserError(fmt::format("multiplies two values of one type, not {} with {}; convert() one of them", name(a.dtype), name(b.dtype)));
  if (a.dtype == boolean) throw UserError("multiplies numbers, not bool; convert() them first");
  check_axes(c.lhs_batch, c.lhs_contracted, a.shape.size());
  check_axes(c.rhs_batch, c.rhs_contracted, b.shape.size());
  if (c.lhs_batch.size() != c.rhs_batch.size() || c.lhs_contracted.size() != c.rhs_contracted.size()) throw UserError("pairs axes of one operand with those of the other, one to one");
  Shape to;
  auto pair = [&](int64_t left, int64_t right, const char* what) {
    const Dim &l = a.shape[static_cast<size_t>(left)], &r = b.shape[static_cast<size_t>(right)];
    if (!(l == r)) throw UserError(fmt::format("{} and {} do not fit: the {} sizes are {} and {}", to_string(a.shape), to_string(b.shape), what, to_string(l), to_string(r)));
  };
  for (size_t i = 0; i < c.lhs_batch.size(); ++i) {
    pair(c.lhs_batch[i], c.rhs_batch[i], "batch");
    to.push_back(a.shape[static_cast<size_t>(c.lhs_batch[i])]);
  }
  for (size_t i = 0; i < c.lhs_contracted.size(); ++i) pair(c.lhs_contracted[i], c.rhs_contracted[i], "inner");
  for (int64_t f : free_axes(a.shape.size(), c.lhs_batch, c.lhs_contracted)) to.push_back(a.shape[static_cast<size_t>(f)]);
  for (int64_t f : free_axes(b.shape.size(), c.rhs_batch, c.rhs_contracted)) to.push_back(b.shape[static_cast<size_t>(f)]);
  return Type::of(a.dtype, to);
}

// Flat positions of an operand's elements along some of its axes, row-major over those axes.
std::vector<int64_t> positions(const Tensor& x, const Axes& axes) {
  std::vector<int64_t> at = {0};
  for (int64_t axis : axes) {
    int64_t stride = 1;
    for (size_t i = static_cast<size_t>(axis) + 1; i < x.sizes().size(); ++i) stride *= x.sizes()[i];
    std::vector<int64_t> next;
    for (int64_t p : at)
      for (int64_t i = 0; i < x.sizes()[static_cast<size_t>(axis)]; ++i) next.push_back(p + i * stride);
    at = std::move(next);
  }
  return at;
}

// Products and sums of f32 in f64, so that the reference is closer to the truth than a kernel.
Tensor contract_reference(const Reference& at) {
  const auto& c = std::get<ContractionAttributes>(at.attributes);
  const Tensor &a = at.inputs[0], &b = at.inputs[1];
  auto batch_a = positions(a, c.lhs_batch), batch_b = positions(b, c.rhs_batch);
  auto free_a = positions(a, free_axes(a.sizes().size(), c.lhs_batch, c.lhs_contracted)), free_b = positions(b, free_axes(b.sizes().size(), c.rhs_batch, c.rhs_contracted));
  auto inner_a = positions(a, c.lhs_contracted), inner_b = positions(b, c.rhs_contracted);
  Tensor result = Tensor::uninitialized(at.dtype, at.sizes);
  dispatch(at.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide = std::conditional_t<std::is_same_v<T, float>, double, std::conditional_t<std::is_floating_point_v<T>, long double, uint64_t>>;
    const T *x = static_cast<const T*>(a.raw()), *y = static_cast<const T*>(b.raw());
    T* r = static_cast<T*>(result.raw());
    std::vector<Wide> row(free_b.size());
    for (size_t n = 0; n < batch_a.size(); ++n)
      for (int64_t i : free_a) {
        std::fill(row.begin(), row.end(), Wide(0));
        for (size_t k = 0; k < inner_a.size(); ++k) {
          Wide left = static_cast<Wide>(x[batch_a[n] + i + inner_a[k]]);
          for (size_t j = 0; j < free_b.size(); ++j) row[j] += left * static_cast<Wide>(y[batch_b[n] + free_b[j] + inner_b[k]]);
        }
        for (const Wide& v : row) *r++ = static_cast<T>(v);
      }
  });
  return result;
}

// The gradient of one operand: the adjoint contracted with the other along the other's free axes, its axes put back in order.
std::vector<Expr> contract_gradient(Rule r) {
  const auto& c = std::get<ContractionAttributes>(r.attributes);
  const Expr &a = r.inputs[0], &b = r.inputs[1];
  Axes a_free = free_axes(a.shape().size(), c.lhs_batch, c.lhs_contracted), b_free = free_axes(b.shape().size(), c.rhs_batch, c.rhs_contracted);
  int64_t batches = static_cast<int64_t>(c.lhs_batch.size()), first_b = batches + static_cast<int64_t>(a_free.size());
  auto operand = [&](const Expr& other, const Axes& other_batch, const Axes& other_free, int64_t first_other_free, const Axes& own_batch, const Axes& own_free,
                     const Axes& own_contracted, const Axes& other_contracted) {
    Expr g = contract(r.adjoint, other, {counted(0, c.lhs_batch.size()), other_batch, counted(first_other_free, other_free.size()), other_free});
    // g's axes: batch, own free, then other's contracted ones in the order they have in `other`.
    Axes order = own_batch;
    order.insert(order.end(), own_free.begin(), own_free.end());
    Axes by_position = other_contracted;
    std::sort(by_position.begin(), by_position.end());
    for (int64_t axis : by_position) order.push_back(own_contracted[static_cast<size_t>(std::find(other_contracted.begin(), other_contracted.end(), axis) - other_contracted.begin())]);
    Axes permutation(order.size());
    for (size_t i = 0; i < order.size(); ++i) permutation[static_cast<size_t>(order[i])] = static_cast<int64_t>(i);
    return std::is_sorted(permutation.begin(), permutation.end()) ? g : transpose(g, permutation);
  };
  return r.each([&] { return operand(b, c.rhs_batch, b_free, first_b, c.lhs_batch, a_free, c.lhs_contracted, c.rhs_contracted); },
                [&] { return operand(a, c.lhs_batch, a_free, batches, c.rhs_batch, b_free, c.rhs_contracted, c.lhs_contracted); });
}

// NumPy's matmul: the last axis of one with the last but one of the other, all before it broadcast; a vector is a row or a column.
NodeId expand_matmul(Graph& graph, NodeId a, NodeId b, const Origins& origins) {
  const Type left = graph.type(a), right = graph.type(b);
  if (left.shape.empty() || right.shape.empty()) throw UserError("multiplies matrices and vectors, not scalars; use *");
  DType common = left.weak && !right.weak ? right.dtype : right.weak && !left.weak ? left.dtype : promote(left.dtype, right.dtype);
  a = build_convert(graph, a, common, origins), b = build_convert(graph, b, common, origins);
  int64_t ra = static_cast<int64_t>(left.shape.size()), rb = static_cast<int64_t>(right.shape.size());
  const Dim &k = left.shape.back(), &other_k = right.shape[static_cast<size_t>(rb == 1 ? 0 : rb - 2)];
  if (!(k == other_k))  // said here, so that the message names what the user wrote
    throw UserError(fmt::format("{} and {} do not fit: the inner sizes are {} and {}", to_string(left.shape), to_string(right.shape), to_string(k), to_string(other_k)));
  if (common == boolean) throw UserError("multiplies numbers, not bool; convert() them first");
  if (rb <= 2) return build(graph, Op::contract, {a, b}, ContractionAttributes{{}, {}, {ra - 1}, {rb == 1 ? 0 : rb - 2}}, origins);
  Type batches[] = {Type::of(common, Shape(left.shape.begin(), left.shape.end() - std::min<int64_t>(ra, 2))), Type::of(common, Shape(right.shape.begin(), right.shape.end() - 2))};
  Shape batch = broadcast_shapes(batches);
  auto spread = [&](NodeId x, const Shape& shape, int64_t inner) {
    Shape to = batch;
    to.insert(to.end(), shape.end() - inner, shape.end());
    return to == shape ? x : build(graph, Op::broadcast, {x}, BroadcastAttributes{to, {}}, origins);
  };
  a = spread(a, left.shape, std::min<int64_t>(ra, 2)), b = spread(b, right.shape, 2);
  Axes shared = counted(0, batch.size());
  int64_t n = static_cast<int64_t>(batch.size());
  return build(graph, Op::contract, {a, b}, ContractionAttributes{shared, shared, {ra == 1 ? n : n + 1}, {n}}, origins);
}

NodeId expand_same_shape(const Graph& graph, NodeId a, NodeId b) {
  if (graph.type(a).shape != graph.type(b).shape) throw UserError("takes two values of one shape");
  return a;
}

NodeId expand_size(Graph& graph, NodeId x, const ReduceAttributes& attributes, const Origins& origins) {
  Dim count(1);
  for (int64_t axis : attributes.axes) count = count * graph.type(x).shape[static_cast<size_t>(axis)];
  return build(graph, Op::dimension, {}, DimensionAttributes{count}, origins);
}

}  // namespace

NodeId expand(Graph& graph, Op op, const std::vector<NodeId>& inputs, const Attributes& attributes, const Origins& origins) {
  switch (op) {
    case Op::matmul: return expand_matmul(graph, inputs[0], inputs[1], origins);
    case Op::size: return expand_size(graph, inputs[0], std::get<ReduceAttributes>(attributes), origins);
    case Op::same_shape: return expand_same_shape(graph, inputs[0], inputs[1]);
    default: throw InternalError("an operation that is no sugar");
  }
}

std::span<const OpInfo> contraction_ops() {
  static const std::vector<OpInfo> rows = {
      {Op::contract, "contract", 2, Family::contraction, Promotion::none, false, infer_contract, "[batch..., the other axes of a..., the other axes of b...]", nullptr,
       contract_reference, contract_gradient, "contract(g, b); contract(g, a)", {},
       "Sums products over the contracted axes; batch axes go side by side. Integers keep their type, and wrap.", {}, "contract(a, b, {lhs_batch, rhs_batch, lhs_contracted, rhs_contracted})"},
      {Op::stop_gradient, "stop_gradient", 1, Family::identity, Promotion::none, false, infer_same, "that of x", nullptr, [](const Reference& at) { return at.inputs[0]; }, nullptr,
       not_differentiable, {},
       "x itself, through which no gradient flows."},
  };
  return rows;
}

std::span<const OpInfo> sugar_ops() {
  static const std::vector<OpInfo> rows = {
      {Op::matmul, "matmul", 2, Family::sugar, Promotion::none, false, infer_never, "[batch..., m, k], [batch..., k, n] -> [batch..., m, n]; batches broadcast, [k] is a row or a column", nullptr,
       nullptr, nullptr, "", {}, "NumPy's product of matrices, with its batching."},
      {Op::size, "size", 1, Family::sugar, Promotion::none, false, infer_never, "[]", nullptr, nullptr, nullptr, "", {}, "The number of elements along some axes as a dimension.", {},
       "size(x, axes)"},
      {Op::same_shape, "same_shape", 2, Family::sugar, Promotion::none, false, infer_never, "that of a, which is b's", nullptr, nullptr, nullptr, "", {}, "a, where b has its shape; refused elsewhere."},
  };
  return rows;
}

}  // namespace sinter
