#include "passes/legalize.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "graph/builder.h"
#include "passes/rewriter.h"

namespace sinter {
namespace {

struct OperandForm {
  NodeId value;
  Axes batch, contracted;
};

// The operand with its free axes as one and its contracted axes as one: itself, or [batch..., free, contracted] of it.
OperandForm single_axes(Graph& graph, NodeId value, const Axes& batch, const Axes& contracted, const Origins& origins) {
  const Shape shape = graph.type(value).shape;
  if (contracted.size() == 1 && shape.size() == batch.size() + 2) return {value, batch, contracted};
  Axes order = batch;
  Dim free(1), depth(1);
  for (int64_t a = 0; a < static_cast<int64_t>(shape.size()); ++a)
    if (!contains(batch, a) && !contains(contracted, a)) order.push_back(a), free = free * shape[static_cast<size_t>(a)];
  for (int64_t a : contracted) order.push_back(a), depth = depth * shape[static_cast<size_t>(a)];
  if (!std::is_sorted(order.begin(), order.end())) value = build(graph, Op::transpose, {value}, TransposeAttributes{order}, origins);
  Shape to;
  OperandForm form{value, {}, {static_cast<int64_t>(batch.size()) + 1}};
  for (size_t i = 0; i < batch.size(); ++i) to.push_back(shape[static_cast<size_t>(batch[i])]), form.batch.push_back(static_cast<int64_t>(i));
  to.push_back(free);
  to.push_back(depth);
  form.value = build(graph, Op::reshape, {value}, ShapeAttributes{to}, origins);
  return form;
}

NodeId contraction(Graph& graph, const Node& node, const std::vector<NodeId>& inputs, const Origins& origins) {
  const auto& c = std::get<ContractionAttributes>(node.attributes);
  OperandForm a = single_axes(graph, inputs[0], c.lhs_batch, c.lhs_contracted, origins), b = single_axes(graph, inputs[1], c.rhs_batch, c.rhs_contracted, origins);
  if (a.value == inputs[0] && b.value == inputs[1]) return NodeId();
  NodeId product = build(graph, Op::contract, {a.value, b.value}, ContractionAttributes{a.batch, b.batch, a.contracted, b.contracted}, origins);
  return build(graph, Op::reshape, {product}, ShapeAttributes{node.type.shape}, origins);
}

// Interior padding along one axis: each element becomes a row that padding fills up, and the rows end to end are the axis.
NodeId spread_apart(Graph& graph, NodeId value, NodeId fill, size_t axis, int64_t interior, const Origins& origins) {
  Shape shape = graph.type(value).shape, rows = shape, end_to_end = shape;
  rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(axis) + 1, Dim(1));
  Shape none(rows.size(), Dim(0)), high = none;
  high[axis + 1] = Dim(interior);
  NodeId padded = build(graph, Op::pad, {build(graph, Op::reshape, {value}, ShapeAttributes{rows}, origins), fill}, PadAttributes{none, high, Axes(rows.size(), 0)}, origins);
  end_to_end[axis] = shape[axis] * Dim(interior + 1);
  NodeId joined = build(graph, Op::reshape, {padded}, ShapeAttributes{end_to_end}, origins);
  Shape stops = end_to_end;
  stops[axis] = stops[axis] - Dim(interior);
  return build(graph, Op::slice, {joined}, SliceAttributes{Shape(shape.size(), Dim(0)), stops, Axes(shape.size(), 1)}, origins);
}

NodeId pad(Graph& graph, const Node& node, const std::vector<NodeId>& inputs, const Origins& origins) {
  auto attributes = std::get<PadAttributes>(node.attributes);
  NodeId value = inputs[0];
  for (size_t axis = 0; axis < attributes.interior.size(); ++axis) {
    const Dim& size = graph.type(value).shape[axis];
    if (attributes.interior[axis] == 0) continue;
    if (!size.is(0) && !size.is(1)) value = spread_apart(graph, value, inputs[1], axis, attributes.interior[axis], origins);
    attributes.interior[axis] = 0;
  }
  const auto& before = std::get<PadAttributes>(node.attributes).interior;
  return before == attributes.interior ? NodeId() : build(graph, Op::pad, {value, inputs[1]}, attributes, origins);
}

// Over no axes it is its operand, to the sign of a zero, which a kernel that adds to 0 would lose.
NodeId reduction(Graph&, const Node& node, const std::vector<NodeId>& inputs, const Origins&) {
  return std::get<ReduceAttributes>(node.attributes).axes.empty() ? inputs[0] : NodeId();
}

// What gather and scatter_add have in common: positions and an axis, compared with one another, over [batch..., *, rest...] of given sizes.
struct Matched {
  Graph& graph;
  const Origins& origins;
  Shape shape;

  NodeId make(Op op, std::vector<NodeId> inputs, Attributes attributes = NoAttributes{}) const { return build(graph, op, std::move(inputs), std::move(attributes), origins); }
  NodeId number(DType dtype, double value) const { return build_constant(graph, full({}, value, dtype), false, origins); }
  NodeId spread(NodeId value, Axes axes) const { return make(Op::broadcast, {value}, BroadcastAttributes{shape, std::move(axes)}); }
  // A u64 beyond i64 is as far outside as the greatest that is not.
  NodeId as_index(NodeId positions) const {
    NodeId most = build_constant(graph, Tensor::scalar(std::numeric_limits<int64_t>::max()), true, origins);
    if (graph.type(positions).dtype == u64) positions = make(Op::minimum, {positions, most});
    return build_convert(graph, positions, i64, origins);
  }
  NodeId equal(NodeId positions, Axes at, size_t axis) const {
    NodeId counted = make(Op::iota, {}, IotaAttributes{shape, static_cast<int64_t>(axis), i64});
    return make(Op::equal, {spread(positions, std::move(at)), counted});
  }
};

Axes counted(size_t from, size_t to) {
  Axes axes(to - from);
  std::iota(axes.begin(), axes.end(), static_cast<int64_t>(from));
  return axes;
}
Axes joined(Axes a, const Axes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

// A gather is the one element of an axis whose number is the position: the largest, the others being the least. (A sum would lose -0.)
NodeId gather(Graph& graph, const Node& node, const std::vector<NodeId>& inputs, const Origins& origins) {
  size_t batch = static_cast<size_t>(std::get<GatherAttributes>(node.attributes).batch);
  const Shape from = graph.type(inputs[0]).shape, at = graph.type(inputs[1]).shape;
  size_t axis = at.size(), rank = axis + from.size() - batch;
  Matched m{graph, origins, at};
  m.shape.insert(m.shape.end(), from.begin() + static_cast<std::ptrdiff_t>(batch), from.end());
  NodeId size = m.make(Op::dimension, {}, DimensionAttributes{from[batch]}), one = m.number(i64, 1), zero = m.number(i64, 0);
  NodeId nearest = m.make(Op::maximum, {m.make(Op::minimum, {m.as_index(inputs[1]), m.make(Op::subtract, {size, one})}), zero});
  DType dtype = computing(node.type.dtype);
  NodeId least = build_constant(graph, reduction_of_nothing(Op::max, dtype), false, origins);
  NodeId x = m.spread(build_convert(graph, inputs[0], dtype, origins), joined(counted(0, batch), counted(axis, rank)));
  NodeId chosen = m.make(Op::select, {m.equal(nearest, counted(0, axis), axis), x, least});
  NodeId result = m.make(Op::max, {chosen}, ReduceAttributes{{static_cast<int64_t>(axis)}, false, false});
  if (!from[batch].is_number()) result = m.make(Op::select, {m.make(Op::equal, {size, zero}), m.number(dtype, 0), result});
  return build_convert(graph, result, node.type.dtype, origins);
}

// A scatter is, at each number along the axis, the sum of the updates whose positions it is.
NodeId scatter_add(Graph& graph, const Node& node, const std::vector<NodeId>& inputs, const Origins& origins) {
  const auto& a = std::get<ScatterAttributes>(node.attributes);
  size_t batch = static_cast<size_t>(a.batch);
  const Shape at = graph.type(inputs[0]).shape, from = graph.type(inputs[1]).shape;
  size_t positions = at.size() - batch;  // axes
  Matched m{graph, origins, Shape(from.begin(), from.begin() + a.batch)};
  m.shape.push_back(a.size);
  m.shape.insert(m.shape.end(), from.begin() + a.batch, from.end());
  NodeId updates = m.spread(inputs[1], joined(counted(0, batch), counted(batch + 1, m.shape.size())));
  NodeId is_here = m.equal(m.as_index(inputs[0]), joined(counted(0, batch), counted(batch + 1, batch + 1 + positions)), batch);
  NodeId chosen = m.make(Op::select, {is_here, updates, m.number(node.type.dtype, 0)});
  NodeId total = positions == 0 ? m.make(Op::add, {chosen, m.number(node.type.dtype, 0)})
                                : m.make(Op::sum, {chosen}, ReduceAttributes{counted(batch + 1, batch + 1 + positions), false, false});
  return build_convert(graph, total, node.type.dtype, origins);
}

}  // namespace

PassResult legalize(const Program& program) {
  Rewriter rewriter(program);
  bool changed = false;
  rewriter.each([&](NodeId old) {
    const Node& node = rewriter.from().node(old);
    const bool reduces = info(node.op).family == Family::reduction;
    auto rewrite = reduces ? reduction : node.op == Op::contract ? contraction : node.op == Op::pad ? pad : node.op == Op::gather ? gather : node.op == Op::scatter_add ? scatter_add : nullptr;
    if (!node.type.known || !rewrite) return NodeId();
    NodeId fresh = rewrite(rewriter.to(), node, rewriter.moved_inputs(old), rewriter.origins(old));
    changed = changed || fresh.valid();
    return fresh;
  });
  return std::move(rewriter).finish(changed);
}

}  // namespace sinter
