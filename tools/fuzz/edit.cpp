#include "tools/fuzz/edit.h"

#include <algorithm>
#include <cstring>

#include "graph/builder.h"
#include "graph/verify.h"

namespace sinter::fuzz {
namespace {

// The elements that are left under smaller sizes, zeros where sizes grew.
Tensor resized(const Tensor& t, const std::vector<int64_t>& sizes) {
  if (t.sizes() == sizes) return t;
  Tensor to(t.dtype(), sizes);
  size_t width = size_of(t.dtype()), rank = sizes.size();
  std::vector<int64_t> index(rank);
  for (int64_t i = 0; i < to.size(); ++i) {
    int64_t from = 0;
    bool inside = true;
    for (size_t a = 0; a < rank; ++a) from = from * t.sizes()[a] + index[a], inside = inside && index[a] < t.sizes()[a];
    if (inside) std::memcpy(static_cast<char*>(to.raw()) + static_cast<size_t>(i) * width, static_cast<const char*>(t.raw()) + static_cast<size_t>(from) * width, width);
    for (size_t a = rank; a-- > 0;) {
      if (++index[a] < sizes[a]) break;
      index[a] = 0;
    }
  }
  return to;
}

Attributes resized(Attributes attributes, const std::function<Dim(const Dim&)>& size) {
  auto each = [&](Shape& shape) {
    for (Dim& d : shape) d = size(d);
  };
  if (auto* a = std::get_if<ShapeAttributes>(&attributes)) each(a->shape);
  if (auto* a = std::get_if<IotaAttributes>(&attributes)) each(a->shape);
  if (auto* a = std::get_if<BroadcastAttributes>(&attributes)) each(a->shape);
  if (auto* a = std::get_if<SliceAttributes>(&attributes)) each(a->stops);
  if (auto* a = std::get_if<DimensionAttributes>(&attributes)) a->value = size(a->value);
  return attributes;
}

class Editor {
 public:
  Editor(const Case& from, const Edit& edit) : from_(from), edit_(edit) {}

  Case run() {
    made_.variant = from_.variant, made_.whole = from_.whole;
    made_.calls.resize(from_.calls.size());
    const Graph& old = from_.program.graph;
    moved_.resize(old.size());
    evaluate_cut();
    for (size_t i = 0; i < old.size(); ++i) {
      NodeId id(i);
      if (auto at = edit_.instead.find(id); at != edit_.instead.end()) moved_[i] = moved_[at->second.index];
      else moved_[i] = edit_.cut.contains(id) ? cut(id) : copied(id);
    }
    for (NodeId o : from_.program.outputs) made_.program.outputs.push_back(moved_[o.index]);
    for (const Update& u : from_.program.updates) made_.program.updates.push_back({moved_[u.parameter.index], moved_[u.value.index]});
    Case result = reduced(made_, made_.program.outputs, made_.program.updates);
    verify(result.program);
    return result;
  }

 private:
  Type type_of(NodeId id) const {
    Type type = from_.program.graph.type(id);
    for (Dim& d : type.shape)
      if (edit_.size) d = edit_.size(d);
    return type;
  }
  NodeId variable(const std::string& name, NodeId id, const std::vector<Tensor>& values) {
    Type type = type_of(id);
    type.weak = false;
    for (size_t c = 0; c < values.size(); ++c) {
      Bindings bindings = bind_inputs(from_.program, from_.calls[c]);
      made_.calls[c].emplace(name, resized(values[c], evaluate(type.shape, bindings)));
    }
    return build_variable(made_.program.graph, name, type);
  }
  // What the nodes that are cut are at each call.
  void evaluate_cut() {
    Program all = from_.program;
    all.outputs.assign(edit_.cut.begin(), edit_.cut.end());
    all.updates.clear();
    if (all.outputs.empty()) return;
    for (const NamedTensors& inputs : from_.calls) {
      std::vector<Tensor> values = interpret(all, inputs).outputs;
      for (size_t k = 0; k < values.size(); ++k) cut_[all.outputs[k]].push_back(values[k]);
    }
  }
  NodeId cut(NodeId id) {
    std::string name;
    do name = "v" + std::to_string(next_name_++);
    while (from_.program.graph.named(name).valid());
    return variable(name, id, cut_.at(id));
  }
  NodeId copied(NodeId id) {
    const Graph& old = from_.program.graph;
    Graph& graph = made_.program.graph;
    const Node& node = old.node(id);
    if (node.op == Op::variable) {
      const std::string& name = old.attributes<VariableAttributes>(id).name;
      std::vector<Tensor> values;
      for (const NamedTensors& inputs : from_.calls) values.push_back(inputs.at(name));
      return variable(name, id, values);
    }
    if (node.op == Op::parameter || node.op == Op::constant) {
      std::vector<int64_t> sizes = evaluate(type_of(id).shape, {});
      if (node.op == Op::constant) return build_constant(graph, resized(old.constant_value(id), sizes), node.type.weak);
      const auto& storage = old.parameter(id);
      if (storage->value.sizes() == sizes) return build_parameter(graph, storage);
      return build_parameter(graph, std::make_shared<ParameterStorage>(storage->name, resized(storage->value, sizes)));
    }
    std::vector<NodeId> inputs;
    std::vector<Type> types;
    for (NodeId input : old.inputs(id)) inputs.push_back(moved_[input.index]), types.push_back(graph.type(inputs.back()));
    Attributes attributes = edit_.size ? resized(node.attributes, edit_.size) : node.attributes;
    if (fault_of_operands(node.op, types, attributes)) throw UserError("not a program");
    return graph.append(node.op, inputs, attributes, infer_type(node.op, types, attributes), {});
  }

  const Case& from_;
  const Edit& edit_;
  Case made_;
  std::vector<NodeId> moved_;
  std::map<NodeId, std::vector<Tensor>> cut_;
  int next_name_ = 0;
};

}  // namespace

Case reduced(const Case& from, const std::vector<NodeId>& outputs, const std::vector<Update>& updates) {
  Case made{extract(from.program.graph, outputs, updates), from.calls, from.variant, from.whole};
  for (NamedTensors& inputs : made.calls) std::erase_if(inputs, [&](const auto& input) { return !made.program.graph.named(input.first).valid(); });
  return made;
}

std::optional<Case> edited(const Case& from, const Edit& edit) {
  try {
    return Editor(from, edit).run();
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace sinter::fuzz
