#include "graph/builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "graph/interpreter.h"
#include "graph/ops/expand.h"
#include "graph/verify.h"

namespace sinter {
namespace {

int64_t normalized(int64_t axis, size_t rank) {
  int64_t n = static_cast<int64_t>(rank), a = axis < 0 ? axis + n : axis;
  if (a < 0 || a >= n) throw UserError(fmt::format("axis {} is outside a value of {} dimensions", axis, n));
  return a;
}

Axes normalized(const Axes& axes, size_t rank) {
  Axes r;
  for (int64_t a : axes) r.push_back(normalized(a, rank));
  return r;
}

// Axes counted from the back, "all of them" and "what is left" become what they stand for.
struct Normalize {
  std::span<const Type> types;

  void operator()(ReduceAttributes& a) const {
    size_t rank = types[0].shape.size();
    if (a.all) {
      a.axes.resize(rank);
      std::iota(a.axes.begin(), a.axes.end(), 0);
      a.all = false;
    }
    a.axes = normalized(a.axes, rank);
    std::sort(a.axes.begin(), a.axes.end());
    if (std::adjacent_find(a.axes.begin(), a.axes.end()) != a.axes.end()) throw UserError("an axis is named twice");
  }
  void operator()(TransposeAttributes& a) const {
    if (a.permutation.empty()) {
      a.permutation.resize(types[0].shape.size());
      std::iota(a.permutation.rbegin(), a.permutation.rend(), 0);
    }
    a.permutation = normalized(a.permutation, types[0].shape.size());
  }
  void operator()(BroadcastAttributes& a) const {
    size_t rank = types[0].shape.size();
    if (a.axes.empty() && rank > 0) {
      if (a.shape.size() < rank) throw UserError(fmt::format("a value of shape {} cannot be broadcast to {}, which has fewer dimensions", to_string(types[0].shape), to_string(a.shape)));
      a.axes.resize(rank);
      std::iota(a.axes.begin(), a.axes.end(), static_cast<int64_t>(a.shape.size() - rank));
    }
    a.axes = normalized(a.axes, a.shape.size());
  }
  void operator()(ShapeAttributes& a) const {
    Dim known(1);
    size_t open = a.shape.size();
    for (size_t i = 0; i < a.shape.size(); ++i) {
      if (!a.shape[i].is(-1)) known = known * a.shape[i];
      else if (open == a.shape.size()) open = i;
      else throw UserError("a reshape can leave one size open, not two");
    }
    if (open == a.shape.size()) return;
    auto rest = product(types[0].shape).divided_by(known);
    if (!rest) throw UserError(fmt::format("{} holds {} elements, which are no multiple of the {} that {} takes beside its open size{}", to_string(types[0].shape), to_string(product(types[0].shape)), to_string(known), to_string(a.shape),
                                              known.is_number() && product(types[0].shape).is_number() ? "" : " at every value of its symbols"));
    a.shape[open] = *rest;
  }
  void operator()(IotaAttributes& a) const { a.axis = normalized(a.axis, a.shape.size()); }
  // As in NumPy a negative bound counts from the back, so that -n - 1 stands before the first.
  void operator()(SliceAttributes& a) const {
    if (a.steps.empty()) a.steps.assign(a.starts.size(), 1);
    const Shape& from = types[0].shape;
    for (Shape* bounds : {&a.starts, &a.stops})
      for (size_t i = 0; i < std::min(bounds->size(), from.size()); ++i)
        if (Dim& bound = (*bounds)[i]; bound.is_number() ? bound.number() < 0 : bound == Dim(-1) - from[i]) bound = bound + from[i];
  }
  void operator()(ReverseAttributes& a) const {
    a.axes = normalized(a.axes, types[0].shape.size());
    std::sort(a.axes.begin(), a.axes.end());
    if (std::adjacent_find(a.axes.begin(), a.axes.end()) != a.axes.end()) throw UserError("an axis is named twice");
  }
  template <class T>
  void operator()(T&) const {}
};

std::vector<Type> types_of(const Graph& graph, std::span<const NodeId> inputs) {
  std::vector<Type> types;
  for (NodeId i : inputs) types.push_back(graph.type(i));
  return types;
}

std::string shapes_text(std::span<const Type> types) {
  std::string text;
  for (const Type& t : types) text += (text.empty() ? "" : ", ") + to_string(t);
  return text;
}

// The type that `types` meet in, literals yielding to the rest.
DType common_type(std::span<const Type> types, bool& weak) {
  std::optional<DType> strong, literal;
  for (const Type& t : types) {
    auto& side = t.weak ? literal : strong;
    side = side ? promote(*side, t.dtype) : t.dtype;
  }
  weak = !strong;
  if (!strong) return *literal;
  if (!literal || is_float(*strong)) return *strong;
  if (is_float(*literal)) return float_for(*strong);
  return *strong == boolean && *literal != boolean ? i32 : *strong;
}

bool is_literal(const Graph& graph, NodeId id) { return graph.node(id).op == Op::constant && graph.type(id).weak; }

// The elements of a literal as `dtype`. UserError where it is a number that this does not hold: whole, or beyond what is finite.
Tensor converted_literal(const Tensor& literal, DType dtype) {
  Tensor converted = evaluate_elementwise(Op::convert, dtype, std::span(&literal, 1), literal.sizes());
  if (literal.size() != 1) return converted;
  const bool other = is_integer(dtype) && !is_float(literal.dtype()) && converted.item() != literal.item();
  const bool overflown = is_float(dtype) && std::isinf(converted.item()) && !std::isinf(literal.item());
  if (other || overflown)
    throw UserError(fmt::format("the literal {} does not fit {}", literal.item(), name(dtype)));
  return converted;
}

// A literal, or what is computed of sizes and literals, in another type, still weak.
NodeId build_weak(Graph& graph, NodeId value, DType dtype, const Origins& origins) {
  if (graph.type(value).dtype == dtype) return value;
  if (is_literal(graph, value)) return build_constant(graph, converted_literal(graph.constant_value(value), dtype), true, origins);
  return build(graph, Op::convert, {value}, ConvertAttributes{dtype, true}, origins);
}

// The one type that weak operands, all of one data type, have where nothing else gives them one. A size may exceed 2^31.
DType strong_type(const Graph& graph, std::span<const NodeId> weak) {
  DType held = graph.type(weak.front()).dtype;
  if (is_float(held)) return f32;
  auto is_small = [&](NodeId id) {
    if (!is_literal(graph, id)) return false;
    const Tensor& value = graph.constant_value(id);
    auto as = [](DType dtype, const Tensor& t) { return evaluate_elementwise(Op::convert, dtype, std::span(&t, 1), t.sizes()); };
    return same_bits(as(f64, as(i32, value)), as(f64, value));
  };
  return std::all_of(weak.begin(), weak.end(), is_small) ? i32 : held;
}

void refuse_stored_only(DType type) {
  if (is_stored_only(type)) throw UserError(fmt::format("computes, and {} is only stored; convert() it first", name(type)));
}

// Whether the row does more with elements than keep them: what is only stored is taken to f32 before it.
bool computes(const OpInfo& row) {
  if (row.family == Family::elementwise) return row.op != Op::convert && row.op != Op::select;
  return row.family == Family::reduction || row.family == Family::contraction || row.op == Op::scatter_add || row.op == Op::iota;
}

void promote_operands(Graph& graph, const OpInfo& row, std::vector<NodeId>& inputs, const Origins& origins) {
  std::vector<Type> types = types_of(graph, inputs);
  size_t first = row.promotion == Promotion::select ? 1 : 0;
  bool weak = false;
  DType common = common_type(std::span(types).subspan(first), weak);
  if (computes(row)) common = computing(common);
  if (row.promotion == Promotion::numeric && common == boolean) common = i32;
  if (row.promotion == Promotion::floating) common = weak && !is_float(common) ? f64 : float_for(common);
  if (row.promotion == Promotion::bits && is_float(common)) throw UserError(fmt::format("takes integers or bool, not {}; convert() it first", name(common)));
  if (row.promotion == Promotion::logical && common != boolean) throw UserError(fmt::format("takes bool, not {}; write x != 0 for a number x", name(common)));
  if (first == 1 && types[0].dtype != boolean) throw UserError(fmt::format("chooses by a bool, not {}", name(types[0].dtype)));
  auto operands = std::span(inputs).subspan(first);
  for (NodeId& i : operands) i = weak ? build_weak(graph, i, common, origins) : build_convert(graph, i, common, origins);
  Shape shape = broadcast_shapes(types);
  // A broadcast gives each literal a type by itself: all that meet here take one.
  if (weak && std::any_of(operands.begin(), operands.end(), [&](NodeId i) { return graph.type(i).shape != shape; })) {
    DType dtype = strong_type(graph, operands);
    for (NodeId& i : operands) i = build_convert(graph, i, dtype, origins);
  }
  for (size_t i = 0; i < inputs.size(); ++i)
    if (types[i].shape != shape) inputs[i] = build(graph, Op::broadcast, {inputs[i]}, BroadcastAttributes{shape, {}}, origins);
}

// A reduction that keeps its axes is a reduction and a reshape.
NodeId build_keeping(Graph& graph, Op op, NodeId input, ReduceAttributes attributes, const Origins& origins) {
  Shape kept = graph.type(input).shape;
  for (int64_t a : attributes.axes) kept[static_cast<size_t>(a)] = Dim(1);
  attributes.keep = false;
  NodeId reduced = build(graph, op, {input}, attributes, origins);
  return build(graph, Op::reshape, {reduced}, ShapeAttributes{kept}, origins);
}

// A slice with negative steps is one with positive steps from its last element to its first, reversed; an invalid node where none is negative.
NodeId build_backwards(Graph& graph, NodeId input, SliceAttributes a, const Origins& origins) {
  ReverseAttributes reversed;
  size_t rank = graph.type(input).shape.size();
  if (a.starts.size() != rank || a.stops.size() != rank || a.steps.size() != rank) return NodeId();
  for (size_t i = 0; i < rank; ++i) {
    if (a.steps[i] >= 0) continue;
    reversed.axes.push_back(static_cast<int64_t>(i));
    if (a.steps[i] == INT64_MIN) throw UserError("a step does not fit 64 bits when it is turned round");
    int64_t step = -a.steps[i];
    Dim length = a.starts[i] - a.stops[i], first = a.stops[i] + Dim(1);
    if (step != 1 && !length.is_number()) throw UserError("a step other than 1 or -1 needs a size that is a number");
    if (step != 1 && length.number() > 0) first = a.starts[i] - Dim((length.number() - 1) / step * step);
    bool empty = length.is_number() && length.number() <= 0;
    a.stops[i] = empty ? first : a.starts[i] + Dim(1);
    a.starts[i] = first;
    a.steps[i] = step;
  }
  if (reversed.axes.empty()) return NodeId();
  NodeId forwards = build(graph, Op::slice, {input}, std::move(a), origins);
  return build(graph, Op::reverse, {forwards}, std::move(reversed), origins);
}

// A padding by less than nothing is a slice of one by nothing; an invalid node where there is none.
NodeId build_cropped(Graph& graph, const std::vector<NodeId>& inputs, PadAttributes a, const Origins& origins) {
  auto is_negative = [](const Dim& d) { return d.is_number() && d.number() < 0; };
  if (std::none_of(a.low.begin(), a.low.end(), is_negative) && std::none_of(a.high.begin(), a.high.end(), is_negative)) return NodeId();
  Shape starts, ends;
  for (Shape* widths : {&a.low, &a.high})
    for (Dim& width : *widths) {
      (widths == &a.low ? starts : ends).push_back(is_negative(width) ? Dim(0) - width : Dim(0));
      if (is_negative(width)) width = Dim(0);
    }
  NodeId padded = build(graph, Op::pad, inputs, std::move(a), origins);
  Shape stops = graph.type(padded).shape;
  for (size_t i = 0; i < stops.size(); ++i) {
    stops[i] = stops[i] - ends[i];
    if (is_negative(stops[i] - starts[i])) throw UserError(fmt::format("takes more away than there is along axis {}", i));
  }
  Axes steps(stops.size(), 1);
  return build(graph, Op::slice, {padded}, SliceAttributes{starts, stops, steps}, origins);
}

Location first_of(const Graph& graph, const Origins& origins) { return origins.empty() ? Location() : graph.location(origins.front()); }

NodeId build_typed(Graph& graph, const OpInfo& row, std::vector<NodeId> inputs, Attributes attributes, const Origins& origins) {
  std::vector<Type> types = types_of(graph, inputs);
  std::visit([&](auto& a) { Normalize{types}(a); }, attributes);
  if (row.family == Family::sugar) return expand(graph, row.op, inputs, attributes, origins);
  if (row.promotion != Promotion::none) promote_operands(graph, row, inputs, origins);
  if (row.family == Family::identity && is_literal(graph, inputs[0])) return inputs[0];
  if (row.op == Op::pad && types[1].weak) inputs[1] = build_convert(graph, inputs[1], graph.type(strengthened(graph, inputs[0], origins)).dtype, origins);
  if (row.promotion == Promotion::none && row.family != Family::identity && row.family != Family::elementwise)
    for (NodeId& i : inputs) i = strengthened(graph, i, origins);
  if (row.op == Op::slice)
    if (NodeId made = build_backwards(graph, inputs[0], std::get<SliceAttributes>(attributes), origins); made.valid()) return made;
  if (row.op == Op::pad)
    if (NodeId made = build_cropped(graph, inputs, std::get<PadAttributes>(attributes), origins); made.valid()) return made;
  if (row.family == Family::reduction && std::get<ReduceAttributes>(attributes).keep)
    return build_keeping(graph, row.op, inputs[0], std::get<ReduceAttributes>(attributes), origins);
  if (computes(row))
    for (NodeId& i : inputs)
      if (const DType dtype = graph.type(i).dtype; is_stored_only(dtype)) i = build_convert(graph, i, computing(dtype), origins);
  if (row.op == Op::sum || row.op == Op::prod) inputs[0] = build_convert(graph, inputs[0], accumulator_for(graph.type(inputs[0]).dtype), origins);
  types = types_of(graph, inputs);
  Type type = infer_type(row.op, types, attributes);
  if (type.weak && row.family == Family::elementwise && std::all_of(inputs.begin(), inputs.end(), [&](NodeId i) { return graph.node(i).op == Op::constant; })) {
    std::vector<Tensor> values;
    for (NodeId i : inputs) values.push_back(graph.constant_value(i));
    return build_constant(graph, evaluate_elementwise(row.op, type.dtype, values, values.back().sizes()), true, origins);
  }
  if (Fault fault = fault_of_sizes(type)) throw UserError(*fault);
  return graph.append(row.op, inputs, std::move(attributes), std::move(type), origins);
}

}  // namespace

Type infer_type(Op op, std::span<const Type> operands, const Attributes& attributes) {
  const OpInfo& row = info(op);
  Type type = row.infer({operands, attributes});
  if (computes(row)) {
    for (const Type& t : operands) refuse_stored_only(t.dtype);
    refuse_stored_only(type.dtype);
  }
  if (op == Op::dimension) return type;
  if (row.family == Family::identity) return operands[0];
  if (op == Op::convert && std::get<ConvertAttributes>(attributes).weak) {
    if (!operands[0].weak) throw UserError("only what is weak stays so when it is converted");
    type.weak = true;
    return type;
  }
  type.weak = row.promotion != Promotion::none && std::all_of(operands.begin(), operands.end(), [](const Type& t) { return t.weak || t.dtype == boolean; }) &&
              std::any_of(operands.begin(), operands.end(), [](const Type& t) { return t.weak; }) && type.dtype != boolean;
  return type;
}

Shape broadcast_shapes(std::span<const Type> types) {
  size_t rank = 0;
  for (const Type& t : types) rank = std::max(rank, t.shape.size());
  Shape shape(rank, Dim(1));
  for (const Type& t : types)
    for (size_t i = 0; i < t.shape.size(); ++i) {
      Dim& at = shape[rank - t.shape.size() + i];
      if (at.is(1)) at = t.shape[i];
      else if (!t.shape[i].is(1) && !(t.shape[i] == at))
        throw UserError(fmt::format("{} and {} do not broadcast: their sizes along axis -{} are {} and {}", to_string(types[0].shape),
                                    to_string(t.shape == types[0].shape ? shape : t.shape), t.shape.size() - i, to_string(at), to_string(t.shape[i])));
    }
  return shape;
}

NodeId build(Graph& graph, Op op, std::vector<NodeId> inputs, Attributes attributes, const Origins& origins) {
  const OpInfo& row = info(op);
  ensure(row.arity == any_arity || static_cast<int>(inputs.size()) == row.arity, "wrong number of operands for an operation");
  std::vector<Type> types = types_of(graph, inputs);
  for (const Type& t : types)
    if (!t.known) return graph.append(op, inputs, std::move(attributes), Type::unknown(), origins);
  Location where = first_of(graph, origins);
  try {
    return build_typed(graph, row, std::move(inputs), std::move(attributes), origins);
  } catch (const UserError& error) {
    if (error.where().known()) throw;
    std::string operands = types.empty() ? "" : " of " + shapes_text(types);
    throw UserError(fmt::format("{}{}{}{}: {}", where.composition, where.composition.empty() ? "" : ": ", row.name, operands, error.message()), where);
  }
}

namespace {
void refuse_sizes(const Graph& graph, const Type& type, const Origins& origins, const std::string& name = "") {
  if (Fault fault = fault_of_sizes(type)) throw UserError(name.empty() ? *fault : fmt::format("'{}': {}", name, *fault), first_of(graph, origins));
}
}  // namespace

NodeId build_constant(Graph& graph, const Tensor& value, bool weak, const Origins& origins) {
  Type type = Type::of(value.dtype(), Shape(value.sizes().begin(), value.sizes().end()));
  type.weak = weak;
  refuse_sizes(graph, type, origins);
  return graph.append(Op::constant, {}, ConstantAttributes{graph.add_constant(value)}, type, origins);
}

namespace {
void check_free(const Graph& graph, const std::string& name, const Origins& origins) {
  Location where = first_of(graph, origins);
  if (name.empty()) throw UserError("a variable needs a name", where);
  for (char c : name)
    if ((c >= 0 && c < ' ') || c == '"' || c == '\\' || c == 0x7f) throw UserError(fmt::format("the name '{}' holds a quote, a backslash or a control character", name), where);
  NodeId other = graph.named(name);
  if (!other.valid()) return;
  Location first = graph.where(other);
  throw UserError(fmt::format("'{}' is declared twice in one graph{}; use another name, or enter a GraphScope of its own", name,
                              first.known() ? " (first at " + to_string(first) + ")" : ""), where);
}
}  // namespace

NodeId build_variable(Graph& graph, const std::string& name, const Type& type, const Origins& origins) {
  check_free(graph, name, origins);
  refuse_sizes(graph, type, origins, name);
  return graph.append(Op::variable, {}, VariableAttributes{name}, type, origins);
}

NodeId build_parameter(Graph& graph, std::shared_ptr<ParameterStorage> storage, const Origins& origins) {
  check_free(graph, storage->name, origins);
  Type type = Type::of(storage->value.dtype(), Shape(storage->value.sizes().begin(), storage->value.sizes().end()));
  std::string name = storage->name;
  refuse_sizes(graph, type, origins, name);
  graph.add_parameter(std::move(storage));
  return graph.append(Op::parameter, {}, ParameterAttributes{name}, type, origins);
}

NodeId build_convert(Graph& graph, NodeId value, DType dtype, const Origins& origins) {
  const Type& type = graph.type(value);
  if (type.known && type.dtype == dtype && !type.weak) return value;
  if (is_literal(graph, value)) return build_constant(graph, converted_literal(graph.constant_value(value), dtype), false, origins);
  // A size is held to what a literal is.
  if (const auto* size = std::get_if<DimensionAttributes>(&graph.node(value).attributes); size && type.weak && size->value.is_number())
    return build_constant(graph, converted_literal(Tensor::scalar(size->value.number()), dtype), false, origins);
  return build(graph, Op::convert, {value}, ConvertAttributes{dtype}, origins);
}

NodeId strengthened(Graph& graph, NodeId value, const Origins& origins) {
  const Type& type = graph.type(value);
  return type.known && type.weak ? build_convert(graph, value, strong_type(graph, std::span(&value, 1)), origins) : value;
}

}  // namespace sinter
