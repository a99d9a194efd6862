#include "graph/interpreter.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "graph/support/floating_point.h"
#include "graph/text.h"

namespace sinter {
namespace {

Tensor evaluate_iota(const IotaAttributes& a, std::vector<int64_t> sizes) {
  Tensor result = Tensor::uninitialized(a.dtype, sizes);
  int64_t inner = 1;
  for (size_t i = static_cast<size_t>(a.axis) + 1; i < sizes.size(); ++i) inner *= sizes[i];
  int64_t length = sizes[static_cast<size_t>(a.axis)];
  dispatch(a.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < result.size(); ++i) static_cast<T*>(result.raw())[i] = static_cast<T>(i / inner % length);
  });
  return result;
}

}  // namespace

NamedTensors::NamedTensors(std::initializer_list<value_type> all, Here where) {
  for (const auto& [name, tensor] : all)
    if (!emplace(name, tensor).second) throw UserError(fmt::format("the input '{}' is given twice", name), where);
}

Tensor evaluate_elementwise(Op op, DType dtype, std::span<const Tensor> operands, std::vector<int64_t> sizes) {
  Tensor result = Tensor::uninitialized(dtype, std::move(sizes));
  std::vector<DType> types;
  std::vector<const void*> elements;
  for (const Tensor& t : operands) types.push_back(t.dtype()), elements.push_back(t.raw());
  void* out = result.raw();
  evaluate(expression_of(op, types, dtype), elements, std::span(&out, 1), result.size());
  return result;
}

Bindings bind_inputs(std::span<const NamedType> wanted, const NamedTensors& inputs) {
  Bindings bindings;
  for (const auto& [name, type, where] : wanted) {
    auto found = inputs.find(name);
    if (found == inputs.end()) throw UserError(fmt::format("the input '{}' ({}) is missing", name, to_string(type)), where);
    if (!found->second.defined()) throw UserError(fmt::format("the input '{}' ({}) was given an empty Tensor", name, to_string(type)), where);
    const Tensor& t = found->second;
    bool fits = t.dtype() == type.dtype && t.sizes().size() == type.shape.size();
    for (size_t a = 0; fits && a < type.shape.size(); ++a)
      if (auto symbol = type.shape[a].symbol()) fits = bindings.try_emplace(*symbol, t.sizes()[a]).first->second == t.sizes()[a];
    if (!fits) {
      std::string bound;
      for (const auto& [symbol, value] : bindings) bound += fmt::format("{}{} = {}", bound.empty() ? ", where " : ", ", symbol, value);
      throw UserError(fmt::format("the input '{}' is {}, not {}{}{}", name, to_string(type), sinter::name(t.dtype()), to_string(t.sizes()), bound), where);
    }
  }
  for (const auto& [name, type, where] : wanted)
    if (std::vector<int64_t> sizes = evaluate(type.shape, bindings); sizes != inputs.at(name).sizes())
      throw UserError(fmt::format("the input '{}' is {}, which is {} in this call, not {}", name, to_string(type), to_string(sizes), to_string(inputs.at(name).sizes())), where);
  return bindings;
}

void refuse_unknown(std::span<const NamedType> declared, const NamedTensors& inputs) {
  std::set<std::string_view> names;
  for (const NamedType& d : declared) names.insert(d.name);
  for (const auto& [name, tensor] : inputs)
    if (!names.contains(name)) throw UserError(fmt::format("there is no input '{}'; {}", name, names.empty() ? "none is taken" : fmt::format("there is '{}'", fmt::join(names, "', '"))));
}

void refuse_unbound(const Program& program) {
  const Graph& graph = program.graph;
  std::vector<bool> needed = reachable(program);
  std::set<std::string> bound;
  for (size_t i = 0; i < graph.size(); ++i)
    if (needed[i] && graph.node(NodeId(i)).op == Op::variable)
      for (const Dim& d : graph.type(NodeId(i)).shape)
        if (auto symbol = d.symbol()) bound.insert(*symbol);
  for (size_t i = 0; i < graph.size(); ++i) {
    if (!needed[i]) continue;
    NodeId id(i);
    const Node& node = graph.node(id);
    auto check = [&](const Dim& size) {
      for (const std::string& symbol : size.symbols())
        if (!bound.contains(symbol))
          throw UserError(fmt::format("the size {} in {} has no value at a call, as no input has the size {}: {}", to_string(size), print_node(graph, id), symbol,
                                      node.op == Op::variable ? "write one name for it, such as \"m\", or take another input with that size"
                                                              : "an input that has it must be part of what is computed, or be returned beside it; or give it a number"),
                          graph.where(id));
    };
    for (const Dim& d : node.type.shape) check(d);
    std::visit([&](const auto& a) {
      a.fields(a, [&](const char*, const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Dim>) check(value);
        if constexpr (std::is_same_v<T, Shape>) std::for_each(value.begin(), value.end(), check);
      });
    }, node.attributes);
  }
}

Bindings bind_inputs(const Program& program, const NamedTensors& inputs) {
  const Graph& graph = program.graph;
  std::vector<bool> needed = reachable(program);
  std::vector<NamedType> declared, wanted;
  for (size_t i = 0; i < graph.size(); ++i) {
    NodeId id(i);
    if (graph.node(id).op != Op::variable) continue;
    declared.push_back({graph.attributes<VariableAttributes>(id).name, graph.type(id), graph.where(id)});
    if (needed[i]) wanted.push_back(declared.back());
  }
  refuse_unknown(declared, inputs);
  return bind_inputs(wanted, inputs);
}

Tensor evaluate_node(const Graph& graph, NodeId id, std::span<const Tensor> inputs, const Bindings& bindings) {
  FloatingPointEnvironment environment;
  const Node& node = graph.node(id);
  std::vector<int64_t> sizes = evaluate(node.type.shape, bindings);
  const OpInfo& row = info(node.op);
  switch (row.family) {
    case Family::leaf: break;
    case Family::elementwise: return evaluate_elementwise(node.op, node.type.dtype, inputs, std::move(sizes));
    case Family::movement:
    case Family::reduction:
    case Family::contraction:
    case Family::indexing:
    case Family::identity: return row.reference({inputs, node.attributes, node.type.dtype, sizes, bindings});
    case Family::call: return evaluate(graph.attributes<CustomCallAttributes>(id).operation, inputs, node.type.dtype, std::move(sizes), graph.where(id));
    case Family::sugar: throw InternalError("sugar in a program whose types are known");
  }
  if (node.op == Op::constant) return graph.constant_value(id);
  if (node.op == Op::iota) return evaluate_iota(graph.attributes<IotaAttributes>(id), std::move(sizes));
  if (node.op == Op::dimension) return Tensor::scalar(graph.attributes<DimensionAttributes>(id).value.evaluate(bindings));
  throw InternalError("a variable or parameter has no value of its own");
}

void refuse_uncallable(const Program& program) {
  const Graph& graph = program.graph;
  std::vector<bool> needed = reachable(program);
  for (size_t i = 0; i < graph.size(); ++i) {
    auto* call = std::get_if<CustomCallAttributes>(&graph.node(NodeId(i)).attributes);
    if (needed[i] && call && !call->operation.can_be_called())
      throw UserError(fmt::format("custom_call: '{}' has no function in this process; give the operation to what reads the text (ParseOptions::operations)", call->operation.name()),
                      graph.where(NodeId(i)));
  }
}

Interpreted interpret(const Program& program, const NamedTensors& inputs) {
  FloatingPointEnvironment environment;
  const Graph& graph = program.graph;
  refuse_uncallable(program);
  if (is_template(program)) throw UserError("a program with untyped variables is specialized before it is run");
  Bindings bindings = bind_inputs(program, inputs);
  std::vector<bool> needed = reachable(program);
  std::vector<Tensor> values(graph.size());
  for (size_t i = 0; i < graph.size(); ++i) {
    if (!needed[i]) continue;
    NodeId id(i);
    const Node& node = graph.node(id);
    if (node.op == Op::variable) values[i] = inputs.at(graph.attributes<VariableAttributes>(id).name);
    else if (node.op == Op::parameter) values[i] = graph.parameter(id)->value;
    else {
      std::vector<Tensor> operands;
      for (NodeId input : graph.inputs(id)) operands.push_back(values[input.index]);
      values[i] = evaluate_node(graph, id, operands, bindings);
    }
  }
  Interpreted result;
  for (NodeId o : program.outputs) result.outputs.push_back(values[o.index].clone());
  for (const Update& u : program.updates) result.updates.push_back(values[u.value.index].clone());
  return result;
}

}  // namespace sinter
