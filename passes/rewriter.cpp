#include "passes/rewriter.h"

#include <algorithm>

#include "graph/builder.h"

namespace sinter {

Rewriter::Rewriter(const Program& from) : from_(from), needed_(reachable(from)), moved_(from.graph.size()) {
  for (size_t i = 0; i < needed_.size(); ++i) needed_[i] = needed_[i] || from.graph.node(NodeId(i)).op == Op::variable;
}

std::vector<NodeId> Rewriter::moved_inputs(NodeId old) const {
  std::vector<NodeId> inputs;
  for (NodeId input : from().inputs(old)) inputs.push_back(moved(input));
  return inputs;
}

Origins Rewriter::origins(NodeId old) {
  Origins origins;
  for (uint32_t o : from().origins(old)) {
    if (o >= locations_.size()) locations_.resize(o + 1);
    if (locations_[o] == 0) locations_[o] = to().intern(from().location(o)) + 1;
    origins.push_back(locations_[o] - 1);
  }
  std::sort(origins.begin(), origins.end());
  return origins;
}

NodeId Rewriter::copy(NodeId old, std::span<const NodeId> inputs) {
  const Node& node = from().node(old);
  Attributes attributes = node.attributes;
  if (auto* constant = std::get_if<ConstantAttributes>(&attributes)) constant->index = to().copy_constant(from(), constant->index);
  if (node.op == Op::parameter) to().add_parameter(from().parameter(old));
  return to().append(node.op, inputs, std::move(attributes), node.type, origins(old));
}

NodeId Rewriter::constant(const Tensor& value, bool weak, const Origins& origins) { return build_constant(to(), value, weak, origins); }

std::vector<NodeId> Rewriter::results() const {
  std::vector<NodeId> results = from_.outputs;
  for (const Update& u : from_.updates) results.push_back(u.parameter), results.push_back(u.value);
  return results;
}

void Rewriter::put(NodeId old, NodeId fresh) {
  if (!fresh.valid()) {
    moved_[old.index] = copy(old, moved_inputs(old));
    return;
  }
  ensure(to().type(fresh) == from().type(old), "what takes a node's place has its type");
  to().add_origins(fresh, origins(old));
  moved_[old.index] = fresh;
}

PassResult Rewriter::finish(bool changed) && {
  for (NodeId o : from_.outputs) to_.outputs.push_back(moved(o));
  for (const Update& u : from_.updates) to_.updates.push_back({moved(u.parameter), moved(u.value)});
  return {std::move(to_), changed};
}

}  // namespace sinter
