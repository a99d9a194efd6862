// Programs made from others: the part that outputs reach, and a template at the types of a call.
#include <fmt/format.h>

#include "graph/builder.h"

namespace sinter {

namespace {
// Numbers in place of symbols.
Shape bound(Shape shape, const Bindings& symbols) {
  for (Dim& d : shape) d = d.with(symbols);
  return shape;
}
Type bound(Type type, const Bindings& symbols) {
  type.shape = bound(std::move(type.shape), symbols);
  return type;
}
Attributes bound(Attributes attributes, const Bindings& symbols) {
  auto put = [&](const char*, auto& value) {
    using T = std::decay_t<decltype(value)>;
    if constexpr (std::is_same_v<T, Dim>) value = value.with(symbols);
    if constexpr (std::is_same_v<T, Shape>) value = bound(std::move(value), symbols);
  };
  std::visit([&](auto& a) { a.fields(a, put); }, attributes);
  return attributes;
}

// Copies the needed nodes of `from` through `make`, which returns the new node of an old one that is no constant.
template <class Make>
Program rebuilt(const Graph& from, const std::vector<NodeId>& outputs, const std::vector<Update>& updates, const std::vector<bool>& needed, Make make) {
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
    } else {
      moved[i] = make(to.graph, node, std::move(inputs), origins);
    }
  }
  for (NodeId o : outputs) to.outputs.push_back(strengthened(to.graph, moved[o.index], to.graph.origins(moved[o.index])));
  for (const Update& u : updates) to.updates.push_back({moved[u.parameter.index], moved[u.value.index]});
  return to;
}
}  // namespace

NodeId update_value(Graph& graph, NodeId parameter, NodeId value) {
  const Type& own = graph.type(parameter);
  if (!graph.type(value).known) return value;
  const bool computed = is_stored_only(own.dtype) && graph.type(value).dtype == computing(own.dtype);
  if (graph.type(value).weak || computed) value = build_convert(graph, value, own.dtype, graph.origins(value));
  if (graph.type(value) != own)
    throw UserError(fmt::format("the parameter '{}' is {}, but its update is {}", graph.attributes<ParameterAttributes>(parameter).name, to_string(own),
                                to_string(graph.type(value))), graph.where(value));
  return value;
}

Program specialize(const Program& program, const std::unordered_map<std::string, Type>& variables, const Bindings& symbols) {
  const Graph& graph = program.graph;
  auto type_at_call = [&](const Node& node) {
    if (node.type.known) return bound(node.type, symbols);
    const std::string& name = std::get<VariableAttributes>(node.attributes).name;
    auto found = variables.find(name);
    if (found == variables.end()) throw UserError(fmt::format("'{}' was declared without a type and none is given for it here", name));
    return found->second;
  };
  auto make = [&](Graph& to, const Node& node, std::vector<NodeId> inputs, const Origins& origins) {
    Attributes attributes = bound(node.attributes, symbols);
    if (info(node.op).family == Family::leaf) return to.append(node.op, {}, attributes, type_at_call(node), origins);
    return build(to, node.op, std::move(inputs), attributes, origins);
  };
  Program typed = rebuilt(graph, program.outputs, program.updates, reachable(program), make);
  for (Update& u : typed.updates) u.value = update_value(typed.graph, u.parameter, u.value);
  return typed;
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
  return rebuilt(graph, outputs, updates, needed, make);
}

}  // namespace sinter
