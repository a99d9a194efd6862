#include "passes/legalize.h"

#include <algorithm>

#include "graph/builder.h"
#include "passes/rewriter.h"

namespace sinter {
namespace {

bool holds(const Axes& axes, int64_t axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); }

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
    if (!holds(batch, a) && !holds(contracted, a)) order.push_back(a), free = free * shape[static_cast<size_t>(a)];
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
  Axes none(rows.size(), 0), high = none;
  high[axis + 1] = interior;
  NodeId padded = build(graph, Op::pad, {build(graph, Op::reshape, {value}, ShapeAttributes{rows}, origins), fill}, PadAttributes{none, high, none}, origins);
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

}  // namespace

PassResult legalize(const Program& program) {
  Rewriter rewriter(program);
  bool changed = false;
  rewriter.each([&](NodeId old) {
    const Node& node = rewriter.from().node(old);
    bool reduces = info(node.op).family == Family::reduction;
    if (!node.type.known || (node.op != Op::contract && node.op != Op::pad && !reduces)) return NodeId();
    auto rewrite = reduces ? reduction : node.op == Op::contract ? contraction : pad;
    NodeId fresh = rewrite(rewriter.to(), node, rewriter.moved_inputs(old), rewriter.origins(old));
    changed = changed || fresh.valid();
    return fresh;
  });
  return std::move(rewriter).finish(changed);
}

}  // namespace sinter
