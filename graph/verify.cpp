// The checklist. Of each node:
//   1. its operation takes as many operands, they come before it, and its attributes are of the operation's kind;
//   2. it is laid out row-major, on the one device that there is; its sizes are not negative, and their product fits in 64 bits;
//   3. it has a type exactly if all its operands have one; a variable may have none;
//   4. a variable or parameter has a name that no other has, without quotes, backslashes or control characters; neither is weak;
//   5. a constant's elements, and a parameter's storage, are there and of its type.
// Of each node with a type:
//   6. it is no sugar: what that stands for stands there instead;
//   7. its axes are counted from the front, inside their shape, in order, and no `all`, `keep` or open size is left;
//   8. elementwise operands have one shape, and the types that the row's promotion leaves;
//   9. its type is the one that its row infers.
// Of what the program returns and updates:
//  10. outputs are nodes, and not weak;
//  11. an update pairs a parameter with a node of its type, and no parameter has two.
#include "graph/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>

#include "graph/builder.h"
#include "graph/text.h"

namespace sinter {

Fault fault_of_sizes(const Type& type) {
  if (type.layout != Layout::row_major || type.device != 0) return "a value lies row-major on device 0";
  if (type.shape.size() > most_axes) return fmt::format("a value has at most {} axes, not {}", most_axes, type.shape.size());
  int64_t bytes = static_cast<int64_t>(size_of(type.dtype));
  for (const Dim& d : type.shape)
    if (d.is_number() && d.number() < 0) return fmt::format("a size is negative: {}", to_string(type.shape));
  bool empty = std::any_of(type.shape.begin(), type.shape.end(), [](const Dim& d) { return d.is(0); });
  for (const Dim& d : type.shape)
    if (!empty && d.is_number() && __builtin_mul_overflow(bytes, d.number(), &bytes))
      return fmt::format("a value of shape {} has more than 2^63 bytes", to_string(type.shape));
  return {};
}

namespace {

Fault fault_of_name(const Graph& graph, NodeId id, const std::string& name) {
  if (name.empty()) return "it needs a name";
  for (char c : name)
    if ((c >= 0 && c < ' ') || c == '"' || c == '\\' || c == 0x7f) return "its name holds a quote, a backslash or a control character";
  if (graph.named(name) != id) return fmt::format("the name '{}' is taken", name);
  if (graph.type(id).weak) return "only literals are weak";
  return {};
}

Fault fault_of_value(const Type& type, const Tensor& value, const char* what) {
  Type own = Type::of(value.dtype(), Shape(value.sizes().begin(), value.sizes().end()));
  own.weak = type.weak;
  if (!value.defined()) return fmt::format("its {} is undefined", what);
  return type == own ? Fault() : fmt::format("its {} is {}", what, to_string(own));
}

bool in_order(const Axes& axes, size_t rank) {
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] < (i == 0 ? 0 : axes[i - 1] + 1) || axes[i] >= static_cast<int64_t>(rank)) return false;
  return true;
}

// Item 7. The rest of what can be wrong with attributes, the row's inference says.
struct AttributesFault {
  std::span<const Type> operands;

  Fault operator()(const IotaAttributes& a) const {
    if (a.axis >= 0 && a.axis < static_cast<int64_t>(a.shape.size())) return {};
    return fmt::format("axis {} is outside {} dimensions", a.axis, a.shape.size());
  }
  Fault operator()(const BroadcastAttributes& a) const {
    return in_order(a.axes, a.shape.size())
               ? Fault()
               : fmt::format("axes {} must ascend within the {} dimensions of {}", to_string(a.axes), a.shape.size(), to_string(a.shape));
  }
  Fault operator()(const ReduceAttributes& a) const {
    if (a.all || a.keep) return "where the type is known, `all` is the axes themselves, and `keep` a reshape";
    size_t rank = operands[0].shape.size();
    return in_order(a.axes, rank) ? Fault() : fmt::format("axes {} must ascend within {} dimensions", to_string(a.axes), rank);
  }
  Fault operator()(const ReverseAttributes& a) const {
    size_t rank = operands[0].shape.size();
    return in_order(a.axes, rank) ? Fault() : fmt::format("axes {} must ascend within {} dimensions", to_string(a.axes), rank);
  }
  template <class T>
  Fault operator()(const T&) const {
    return {};
  }
};

// Item 8.
Fault fault_of_elements(const OpInfo& row, std::span<const Type> operands) {
  for (const Type& t : operands)
    if (t.shape != operands[0].shape)
      return fmt::format("elementwise operands have one shape; here {} and {}", to_string(operands[0].shape), to_string(t.shape));
  if (row.promotion == Promotion::none) return {};
  size_t first = row.promotion == Promotion::select ? 1 : 0;
  DType common = operands[first].dtype;
  if (first == 1 && operands[0].dtype != boolean) return fmt::format("it chooses by bool, not by {}", name(operands[0].dtype));
  for (const Type& t : operands.subspan(first))
    if (t.dtype != common) return fmt::format("operands have one type; here {} and {}; convert one of them", name(common), name(t.dtype));
  if (row.promotion == Promotion::logical && common != boolean) return fmt::format("it takes bool, not {}", name(common));
  if (row.promotion == Promotion::bits && is_float(common)) return fmt::format("it takes integers or bool, not {}; convert first", name(common));
  if (row.promotion == Promotion::numeric && common == boolean) return "it takes numbers, not bool; convert them first";
  if (row.promotion == Promotion::floating && !is_float(common)) return fmt::format("it takes floats, not {}; convert first", name(common));
  return {};
}

Fault fault_of_leaf(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (auto* variable = std::get_if<VariableAttributes>(&node.attributes)) return fault_of_name(graph, id, variable->name);
  if (auto* parameter = std::get_if<ParameterAttributes>(&node.attributes)) {
    if (Fault fault = fault_of_name(graph, id, parameter->name)) return fault;
    if (!graph.has_parameter(parameter->name)) return "it has no storage";
    return fault_of_value(node.type, graph.parameter(parameter->name)->value, "storage");
  }
  if (auto* constant = std::get_if<ConstantAttributes>(&node.attributes)) {
    if (constant->index >= graph.constant_count()) return "it has no value";
    return fault_of_value(node.type, graph.constant(constant->index), "value");
  }
  return {};
}

std::string described(const Graph& graph, NodeId id, const std::string& fault) { return fmt::format("node {}: {}", print_node(graph, id), fault); }

}  // namespace

Attributes blank_attributes(Op op) {
  switch (op) {
    case Op::variable: return VariableAttributes{};
    case Op::parameter: return ParameterAttributes{};
    case Op::constant: return ConstantAttributes{};
    case Op::dimension: return DimensionAttributes{};
    case Op::iota: return IotaAttributes{};
    case Op::convert: return ConvertAttributes{};
    case Op::broadcast: return BroadcastAttributes{};
    case Op::reshape: return ShapeAttributes{};
    case Op::transpose: return TransposeAttributes{};
    case Op::slice: return SliceAttributes{};
    case Op::reverse: return ReverseAttributes{};
    case Op::pad: return PadAttributes{};
    case Op::gather: return GatherAttributes{};
    case Op::scatter_add: return ScatterAttributes{};
    case Op::sum: case Op::prod: case Op::max: case Op::min: case Op::size: return ReduceAttributes{};
    case Op::contract: return ContractionAttributes{};
    case Op::custom_call: return CustomCallAttributes{};
    case Op::negate: case Op::abs: case Op::sign: case Op::floor: case Op::ceil: case Op::trunc: case Op::round: case Op::exp: case Op::exp2:
    case Op::expm1: case Op::log: case Op::log2: case Op::log10: case Op::log1p: case Op::sqrt: case Op::rsqrt: case Op::cbrt: case Op::sin:
    case Op::cos: case Op::tan: case Op::asin: case Op::acos: case Op::atan: case Op::sinh: case Op::cosh: case Op::tanh: case Op::asinh:
    case Op::acosh: case Op::atanh: case Op::sigmoid: case Op::softplus: case Op::erf: case Op::erfc: case Op::lgamma: case Op::tgamma: case Op::digamma: case Op::logb:
    case Op::logical_not: case Op::bitwise_not: case Op::bitwise_count:
    case Op::add: case Op::subtract: case Op::multiply: case Op::divide: case Op::floor_divide: case Op::remainder: case Op::power:
    case Op::hypot: case Op::atan2: case Op::copysign: case Op::nextafter: case Op::maximum: case Op::minimum:
    case Op::equal: case Op::not_equal: case Op::less: case Op::less_equal: case Op::logical_and: case Op::logical_or:
    case Op::bitwise_and: case Op::bitwise_or: case Op::bitwise_xor: case Op::shift_left: case Op::shift_right: case Op::select:
    case Op::stop_gradient: case Op::matmul: case Op::same_shape: return NoAttributes{};
    case Op::count_: break;
  }
  throw InternalError("an operation outside its enumeration");
}

Fault fault_of_operands(Op op, std::span<const Type> operands, const Attributes& attributes) {
  const OpInfo& row = info(op);
  if (row.family == Family::sugar) return "it is short for other operations, which must stand here now that the types are known";
  if (Fault fault = std::visit(AttributesFault{operands}, attributes)) return fault;
  return row.family == Family::elementwise ? fault_of_elements(row, operands) : Fault();
}

Fault fault_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  if (node.op >= Op::count_) return "its operation is not in the table";
  const OpInfo& row = info(node.op);
  std::span<const NodeId> inputs = graph.inputs(id);
  if (row.arity != any_arity && static_cast<int>(inputs.size()) != row.arity)
    return fmt::format("it takes {} operand{}, not {}", row.arity, row.arity == 1 ? "" : "s", inputs.size());
  std::vector<Type> operands;
  bool known = true;
  for (NodeId input : inputs) {
    if (input >= id) return "an operand does not come before it";
    operands.push_back(graph.type(input));
    known = known && operands.back().known;
  }
  if (node.attributes.index() != blank_attributes(node.op).index()) return "its attributes are of another operation's kind";
  if (node.type.known != known && !(node.op == Op::variable && !node.type.known))
    return known ? "all its operands have types, so it has one too" : "an operand has no type yet, so it has none";
  if (Fault fault = fault_of_sizes(node.type)) return fault;
  if (Fault fault = fault_of_leaf(graph, id)) return fault;
  if (!known || node.op == Op::variable || node.op == Op::parameter || node.op == Op::constant) return {};
  if (Fault fault = fault_of_operands(node.op, operands, node.attributes)) return fault;
  try {
    Type inferred = infer_type(node.op, operands, node.attributes);
    if (inferred != node.type) return fmt::format("its type is {}, not {}", to_string(inferred), to_string(node.type));
  } catch (const UserError& error) {
    return error.message();
  }
  return {};
}

Fault fault_of_output(const Graph& graph, NodeId output) {
  if (output.index >= graph.size()) return "an output is not a node";
  return graph.type(output).weak ? described(graph, output, "an output is not weak") : Fault();
}

Fault fault_of_update(const Graph& graph, const Update& u) {
  if (u.parameter.index >= graph.size() || u.value.index >= graph.size()) return "an update's parameter or value is not a node";
  if (graph.node(u.parameter).op != Op::parameter) return described(graph, u.parameter, "only a parameter is updated");
  const Type &type = graph.type(u.parameter), &value = graph.type(u.value);
  return value.known && value != type ? described(graph, u.value, fmt::format("what updates a parameter of type {} has that type", to_string(type)))
                                      : Fault();
}

void verify(const Program& program) {
  const Graph& graph = program.graph;
  auto hold = [](const Fault& fault) {
    if (fault) throw InternalError(*fault);
  };
  for (size_t i = 0; i < graph.size(); ++i)
    if (Fault fault = fault_of(graph, NodeId(i))) hold(described(graph, NodeId(i), *fault));
  for (NodeId o : program.outputs) hold(fault_of_output(graph, o));
  std::unordered_set<NodeId> updated;
  for (const Update& u : program.updates) {
    hold(fault_of_update(graph, u));
    if (!updated.insert(u.parameter).second) hold(described(graph, u.parameter, "it is updated twice"));
  }
}

}  // namespace sinter
