#include "passes/fold.h"

#include <algorithm>

#include "graph/builder.h"
#include "graph/interpreter.h"
#include "passes/rewriter.h"

namespace sinter {
namespace {

// Results of up to this many elements may be larger than their operands.
constexpr int64_t small = 1024;

bool is_constant(const Graph& graph, NodeId id) { return graph.node(id).op == Op::constant; }
bool is_scalar(const Graph& graph, NodeId id) { return graph.type(id).shape.empty(); }
bool is_broadcast_constant(const Graph& graph, NodeId id) { return graph.node(id).op == Op::broadcast && is_constant(graph, graph.inputs(id)[0]); }

class Folder {
 public:
  explicit Folder(Rewriter& rewriter) : rewriter_(rewriter), graph_(rewriter.to()) {}
  bool changed() const { return changed_; }

  // The constant, or broadcast constant, that the node is; invalid where it is neither, or has better be computed at each call.
  NodeId folded(NodeId old) {
    const Node& node = rewriter_.from().node(old);
    Family family = info(node.op).family;
    if (!node.type.known || family == Family::sugar || family == Family::call || (family == Family::leaf && node.op != Op::dimension)) return {};
    if (node.op == Op::dimension && !rewriter_.from().attributes<DimensionAttributes>(old).value.is_number()) return {};
    std::vector<NodeId> inputs = rewriter_.moved_inputs(old);
    NodeId result = family == Family::elementwise ? of_splats(old, inputs) : NodeId();
    if (!result.valid()) result = of_constants(old, inputs);
    changed_ = changed_ || result.valid();
    return result;
  }

 private:
  // Elementwise on broadcast scalars: computed once, broadcast again.
  NodeId of_splats(NodeId old, const std::vector<NodeId>& inputs) {
    const Node& node = rewriter_.from().node(old);
    std::vector<Tensor> scalars;
    for (NodeId input : inputs) {
      if (is_scalar(graph_, input) || !is_broadcast_constant(graph_, input) || !is_scalar(graph_, graph_.inputs(input)[0])) return {};
      scalars.push_back(graph_.constant_value(graph_.inputs(input)[0]));
    }
    Graph scratch;
    Type type = node.type;
    type.shape.clear();
    NodeId probe = scratch.append(node.op, {}, node.attributes, type, {});
    NodeId value = constant(evaluate_node(scratch, probe, scalars, {}), node.type.weak, old);
    return graph_.append(Op::broadcast, std::span(&value, 1), BroadcastAttributes{node.type.shape, {}}, node.type, rewriter_.origins(old));
  }

  NodeId of_constants(NodeId old, const std::vector<NodeId>& inputs) {
    const Node& node = rewriter_.from().node(old);
    int64_t size = size_of_shape(node.type.shape), read = 0, largest = small;
    if (size > fold_limit) return {};
    for (NodeId input : inputs) {
      bool spread = info(node.op).family == Family::elementwise && is_broadcast_constant(graph_, input);
      if (!is_constant(graph_, input) && !spread) return {};
      int64_t elements = size_of_shape(graph_.type(input).shape);
      read = std::max(read, elements);
      if (!spread) largest = std::max(largest, elements);
    }
    // A broadcast is an index map, and costs less than the elements that it stands for.
    if (node.op == Op::broadcast || read > fold_limit || size > largest) return {};
    std::vector<Tensor> values;
    for (NodeId input : inputs) values.push_back(value_of(input));
    return constant(evaluate_node(rewriter_.from(), old, values, {}), node.type.weak, old);
  }

  Tensor value_of(NodeId id) {
    if (is_constant(graph_, id)) return graph_.constant_value(id);
    Tensor operand = graph_.constant_value(graph_.inputs(id)[0]);
    return evaluate_node(graph_, id, std::span(&operand, 1), {});
  }

  NodeId constant(const Tensor& value, bool weak, NodeId old) { return rewriter_.constant(value, weak, rewriter_.origins(old)); }

  // Beyond any limit where it is not known, or too large to be counted.
  static int64_t size_of_shape(const Shape& shape) {
    int64_t size = 1;
    for (const Dim& d : shape)
      if (!d.is_number() || __builtin_mul_overflow(size, d.number(), &size)) return INT64_MAX;
    return size;
  }

  Rewriter& rewriter_;
  Graph& graph_;
  bool changed_ = false;
};

}  // namespace

PassResult fold(const Program& program) {
  Rewriter rewriter(program);
  Folder folder(rewriter);
  rewriter.each([&](NodeId old) { return folder.folded(old); });
  return std::move(rewriter).finish(folder.changed());
}

}  // namespace sinter
