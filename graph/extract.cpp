// Programs made from others: the part that outputs reach, and a template at the types of a call.
#include <fmt/format.h>

#include "graph/builder.h"

namespace sinter {

namespace {
// Copies the reachable nodes of `from` through `make`, which returns the new node of an old one that is no leaf.
template <class Leaf, class Make>
Program rebuilt(const Graph& from, const std::vector<NodeId>& outputs, const std::vector<Update>& updates, const std::vector<bool>& needed, Leaf leaf, Make make) {
  Program to;
  std::vector<NodeId> moved(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    if (!needed[i]) continue;
    NodeId id(i);
    const Node& node = from.node(id);
    Origins origins;
    for (uint32_t o : from.origins(id)) origins = united(origins, {to.graph.intern(from.location(o))});
    std::vector<NodeId> inputs;
    for (NodeId input : from.inputs(id)) inputs.push_back(moved[input.index]);
    if (node.op == Op::parameter) to.graph.add_parameter(from.parameter(id));
    if (node.op == Op::constant) {
      ConstantAttributes copied{to.graph.copy_constant(from, std::get<ConstantAttributes>(node.attributes).index)};
      moved[i] = to.graph.append(Op::constant, {}, copied, node.type, origins);
    } else if (info(node.op).family == Family::leaf) {
      moved[i] = to.graph.append(node.op, {}, node.attributes, leaf(node), origins);
    } else {
      moved[i] = make(to.graph, node, std::move(inputs), origins);
    }
  }
  for (NodeId o : outputs) to.outputs.push_back(strengthened(to.graph, moved[o.index], to.graph.origins(moved[o.index])));
  for (const Update& u : updates) to.updates.push_back({moved[u.parameter.index], moved[u.value.index]});
  return to;
}
}  // namespace

Program specialize(const Program& program, const std::unordered_map<std::string, Type>& variables) {
  auto leaf = [&](const Node& node) {
    if (node.op != Op::variable || node.type.known) return node.type;
    const std::string& name = std::get<VariableAttributes>(node.attributes).name;
    auto found = variables.find(name);
    if (found == variables.end()) throw UserError(fmt::format("'{}' was declared without a type and none is given for it here", name));
    return found->second;
  };
  auto make = [](Graph& graph, const Node& node, std::vector<NodeId> inputs, const Origins& origins) {
    return build(graph, node.op, std::move(inputs), node.attributes, origins);
  };
  return rebuilt(program.graph, program.outputs, program.updates, reachable(program), leaf, make);
}

Program extract(const Graph& graph, const std::vector<NodeId>& outputs, const std::vector<Update>& updates) {
  std::vector<bool> needed(graph.size());
  for (NodeId o : outputs) needed[o.index] = true;
  for (const Update& u : updates) needed[u.parameter.index] = needed[u.value.index] = true;
  for (size_t i = graph.size(); i-- > 0;)
    if (needed[i])
      for (NodeId input : graph.inputs(NodeId(i))) needed[input.index] = true;
  auto make = [](Graph& to, const Node& node, std::vector<NodeId> inputs, const Origins& origins) {
    return to.append(node.op, inputs, node.attributes, node.type, origins);
  };
  return rebuilt(graph, outputs, updates, needed, [](const Node& node) { return node.type; }, make);
}

}  // namespace sinter
