#include "graph/expr.h"

#include <fmt/format.h>

#include <set>

#include "graph/builder.h"
#include "graph/parameter_locks.h"
#include "graph/text.h"

namespace sinter {
namespace {

// Where the design wants the thread's state: the graph that declarations join, and whose lines are noted.
thread_local std::weak_ptr<Graph> current;
thread_local OriginScope* origin = nullptr;

const Tensor& checked(const Tensor& value, Here where) {
  if (!value.defined()) throw UserError("an empty Tensor has no value; give it sizes first", where);
  return value;
}

constexpr const char* two_graphs = "these expressions belong to two graphs; declare their variables under one GraphScope, GraphScope(e.graph()) for one that is there already. Each thread has a current graph of its own";

ReduceAttributes all_axes() { return {{}, true, false}; }

}  // namespace

std::shared_ptr<Graph> current_graph() {
  std::shared_ptr<Graph> graph = current.lock();
  if (!graph) current = graph = std::make_shared<Graph>();
  return graph;
}

GraphScope::GraphScope() : GraphScope(std::make_shared<Graph>()) {}
GraphScope::GraphScope(std::shared_ptr<Graph> graph) : entered_(std::move(graph)), before_(current) { current = entered_; }
GraphScope::~GraphScope() { current = before_; }

OriginScope::OriginScope(const Operand& caller, std::string_view composition) : before_(origin) {
  if (before_) {
    lines_ = before_->lines_;
  } else {
    lines_ = {Location(caller.where())};
    lines_.front().composition = composition;
  }
  origin = this;
}
OriginScope::OriginScope(std::vector<Location> lines) : lines_(std::move(lines)), before_(origin) { origin = this; }
OriginScope::~OriginScope() { origin = before_; }

Origins origins_at(Graph& graph, Here where) {
  if (!origin) return {graph.intern(where)};
  Origins origins;
  for (const Location& line : origin->lines_) origins = united(origins, {graph.intern(line)});
  return origins;
}

Location line_at(Here where) {
  if (!origin) return where;
  return origin->lines_.empty() ? Location() : origin->lines_.front();
}

bool Expr::is_template() const { return defined() && !graph_->type(id_).known; }

const Type& Expr::type() const {
  if (!defined()) throw UserError("an expression that was never assigned has no type");
  if (is_template()) throw UserError("this expression depends on a Variable declared without a type, so its type is not known before a call; declare the Variable with one", graph_->where(id_));
  return graph_->type(id_);
}

std::shared_ptr<Graph> Operand::graph() const {
  const Expr* e = std::get_if<Expr>(&value_);
  return e ? e->graph() : nullptr;
}

Expr Operand::in(const std::shared_ptr<Graph>& graph) const {
  if (const Expr* e = std::get_if<Expr>(&value_)) {
    if (!e->defined()) throw UserError("an expression that was never assigned is used here", where_);
    if (e->graph() != graph) throw UserError(two_graphs, where_);
    return *e;
  }
  const Tensor& literal = std::get<Tensor>(value_);
  return {graph, build_constant(*graph, literal, literal.dtype() != boolean, origins_at(*graph, where_))};
}

Expr Operand::expr() const {
  std::shared_ptr<Graph> graph = this->graph();
  return in(graph ? graph : current_graph());
}

Variable::Variable(const std::string& name, Here where) {
  auto graph = current_graph();
  static_cast<Expr&>(*this) = Expr(graph, build_variable(*graph, name, Type::unknown(), {graph->intern(where)}));
}

Variable::Variable(const std::string& name, DType dtype, Shape shape, Here where) {
  auto graph = current_graph();
  static_cast<Expr&>(*this) = Expr(graph, build_variable(*graph, name, Type::of(dtype, std::move(shape)), {graph->intern(where)}));
}

Parameter::Parameter(const std::string& name, Tensor initial, Here where) {
  checked(initial, where);
  storage_ = std::make_shared<ParameterStorage>(name, std::move(initial).unshared());
  auto graph = current_graph();
  static_cast<Expr&>(*this) = Expr(graph, build_parameter(*graph, storage_, {graph->intern(where)}));
}

const std::shared_ptr<ParameterStorage>& Parameter::storage(Here where) const {
  if (!storage_) throw UserError("this Parameter was moved from, and names nothing any more", where);
  return storage_;
}

Tensor Parameter::read(Here where) const {
  const LockedParameter read{storage(where).get(), false};
  return at_line(where, [&] {
    ParameterLocks locks({&read, 1});
    return storage()->value.clone();
  });
}

void Parameter::set(const Tensor& value, Here where) const {
  Tensor& own = storage(where)->value;
  if (!value.defined() || value.dtype() != own.dtype() || value.sizes() != own.sizes())
    throw UserError(fmt::format("the parameter '{}' is {}; it cannot be set to {}", name(), to_string(type_of(own)),
                                value.defined() ? to_string(type_of(value)) : "an empty Tensor"), where);
  const LockedParameter written{storage().get(), true};
  at_line(where, [&] {
    ParameterLocks locks({&written, 1}, Torn::replaced);
    std::memmove(own.raw(), value.raw(), own.bytes());
    locks.mark_torn(false);
  });
}

Constant::Constant(const Tensor& value, Here where) {
  auto graph = current_graph();
  static_cast<Expr&>(*this) = Expr(graph, build_constant(*graph, checked(value, where).clone(), false, {graph->intern(where)}));
}

namespace {
Expr made(Op op, std::span<const Operand> operands, Attributes attributes, const std::optional<Here>& where) {
  std::shared_ptr<Graph> graph;
  for (const Operand& o : operands)
    if (!graph) graph = o.graph();
  if (!graph) graph = current_graph();
  std::vector<NodeId> inputs;
  for (const Operand& o : operands) inputs.push_back(o.in(graph).id());
  Origins origins;
  if (operands.size() > 0) origins = origins_at(*graph, operands.back().where());
  else if (where || origin) origins = origins_at(*graph, where.value_or(Here()));
  return {graph, build(*graph, op, std::move(inputs), std::move(attributes), origins)};
}
}  // namespace

Expr make(Op op, std::initializer_list<Operand> operands, Attributes attributes) { return made(op, {operands.begin(), operands.size()}, std::move(attributes), {}); }

Program program_of(const std::vector<Expr>& outputs, const Updates& updates, Here where) {
  std::shared_ptr<Graph> graph;
  auto check = [&](const Expr& e, const char* what) {
    if (!e.defined()) throw UserError(fmt::format("{} was never assigned an expression", what), where);
    if (!graph) graph = e.graph();
    if (graph != e.graph()) throw UserError(two_graphs, e.graph()->where(e.id()));
  };
  std::vector<NodeId> ids;
  for (const Expr& e : outputs) check(e, "an output"), ids.push_back(e.id());
  std::vector<Update> replaced;
  std::set<NodeId> seen;
  for (const ParameterUpdate& u : updates) {
    check(u.parameter, "an updated parameter"), check(u.value, "an update");
    if (!seen.insert(u.parameter.id()).second) throw UserError(fmt::format("the parameter '{}' is updated twice by one function", u.parameter.name()), where);
    replaced.push_back({u.parameter.id(), update_value(*graph, u.parameter.id(), u.value.id())});
  }
  if (!graph) throw UserError("nothing to compile: no output and no update was given", where);
  return extract(*graph, ids, replaced);
}

std::string print(const Expr& e, Here where) { return print(program_of({e}, {}, where)); }

Expr operator+(Operand a, Operand b) { return make(Op::add, {a, b}); }
Expr operator-(Operand a, Operand b) { return make(Op::subtract, {a, b}); }
Expr operator*(Operand a, Operand b) { return make(Op::multiply, {a, b}); }
Expr operator/(Operand a, Operand b) { return make(Op::divide, {a, b}); }
Expr operator-(Operand a) { return make(Op::negate, {a}); }
Expr operator<(Operand a, Operand b) { return make(Op::less, {a, b}); }
Expr operator<=(Operand a, Operand b) { return make(Op::less_equal, {a, b}); }
Expr operator>(Operand a, Operand b) { return make(Op::less, {b, a}); }
Expr operator>=(Operand a, Operand b) { return make(Op::less_equal, {b, a}); }
Expr operator==(Operand a, Operand b) { return make(Op::equal, {a, b}); }
Expr operator!=(Operand a, Operand b) { return make(Op::not_equal, {a, b}); }
Expr operator&&(Operand a, Operand b) { return make(Op::logical_and, {a, b}); }
Expr operator||(Operand a, Operand b) { return make(Op::logical_or, {a, b}); }
Expr operator!(Operand a) { return make(Op::logical_not, {a}); }
Expr operator%(Operand a, Operand b) { return make(Op::remainder, {a, b}); }
Expr operator&(Operand a, Operand b) { return make(Op::bitwise_and, {a, b}); }
Expr operator|(Operand a, Operand b) { return make(Op::bitwise_or, {a, b}); }
Expr operator^(Operand a, Operand b) { return make(Op::bitwise_xor, {a, b}); }
Expr operator~(Operand a) { return make(Op::bitwise_not, {a}); }
Expr operator<<(Operand a, Operand b) { return make(Op::shift_left, {a, b}); }
Expr operator>>(Operand a, Operand b) { return make(Op::shift_right, {a, b}); }

Expr abs(Operand a) { return make(Op::abs, {a}); }
Expr sign(Operand a) { return make(Op::sign, {a}); }
Expr floor(Operand a) { return make(Op::floor, {a}); }
Expr ceil(Operand a) { return make(Op::ceil, {a}); }
Expr trunc(Operand a) { return make(Op::trunc, {a}); }
Expr round(Operand a) { return make(Op::round, {a}); }
Expr exp(Operand a) { return make(Op::exp, {a}); }
Expr exp2(Operand a) { return make(Op::exp2, {a}); }
Expr expm1(Operand a) { return make(Op::expm1, {a}); }
Expr log(Operand a) { return make(Op::log, {a}); }
Expr log2(Operand a) { return make(Op::log2, {a}); }
Expr log10(Operand a) { return make(Op::log10, {a}); }
Expr log1p(Operand a) { return make(Op::log1p, {a}); }
Expr sqrt(Operand a) { return make(Op::sqrt, {a}); }
Expr rsqrt(Operand a) { return make(Op::rsqrt, {a}); }
Expr cbrt(Operand a) { return make(Op::cbrt, {a}); }
Expr sin(Operand a) { return make(Op::sin, {a}); }
Expr cos(Operand a) { return make(Op::cos, {a}); }
Expr tan(Operand a) { return make(Op::tan, {a}); }
Expr asin(Operand a) { return make(Op::asin, {a}); }
Expr acos(Operand a) { return make(Op::acos, {a}); }
Expr atan(Operand a) { return make(Op::atan, {a}); }
Expr sinh(Operand a) { return make(Op::sinh, {a}); }
Expr cosh(Operand a) { return make(Op::cosh, {a}); }
Expr tanh(Operand a) { return make(Op::tanh, {a}); }
Expr asinh(Operand a) { return make(Op::asinh, {a}); }
Expr acosh(Operand a) { return make(Op::acosh, {a}); }
Expr atanh(Operand a) { return make(Op::atanh, {a}); }
Expr sigmoid(Operand a) { return make(Op::sigmoid, {a}); }
Expr softplus(Operand a) { return make(Op::softplus, {a}); }
Expr erf(Operand a) { return make(Op::erf, {a}); }
Expr erfc(Operand a) { return make(Op::erfc, {a}); }
Expr lgamma(Operand a) { return make(Op::lgamma, {a}); }
Expr tgamma(Operand a) { return make(Op::tgamma, {a}); }
Expr logb(Operand a) { return make(Op::logb, {a}); }
Expr digamma(Operand a) { return make(Op::digamma, {a}); }
Expr bitwise_count(Operand a) { return make(Op::bitwise_count, {a}); }
Expr floor_divide(Operand a, Operand b) { return make(Op::floor_divide, {a, b}); }
Expr remainder(Operand a, Operand b) { return make(Op::remainder, {a, b}); }
Expr hypot(Operand a, Operand b) { return make(Op::hypot, {a, b}); }
Expr atan2(Operand a, Operand b) { return make(Op::atan2, {a, b}); }
Expr copysign(Operand a, Operand b) { return make(Op::copysign, {a, b}); }
Expr nextafter(Operand a, Operand b) { return make(Op::nextafter, {a, b}); }
Expr pow(Operand a, Operand b) { return make(Op::power, {a, b}); }
Expr maximum(Operand a, Operand b) { return make(Op::maximum, {a, b}); }
Expr minimum(Operand a, Operand b) { return make(Op::minimum, {a, b}); }
Expr select(Operand condition, Operand then, Operand otherwise) { return make(Op::select, {condition, then, otherwise}); }
Expr convert(Operand a, DType dtype) { return make(Op::convert, {a}, ConvertAttributes{dtype}); }

Expr broadcast_to(Operand a, Shape shape) { return make(Op::broadcast, {a}, BroadcastAttributes{std::move(shape), {}}); }
Expr broadcast(Operand a, Shape shape, Axes axes) { return make(Op::broadcast, {a}, BroadcastAttributes{std::move(shape), std::move(axes)}); }
Expr reshape(Operand a, Shape shape) { return make(Op::reshape, {a}, ShapeAttributes{std::move(shape)}); }
Expr transpose(Operand a, Axes permutation) { return make(Op::transpose, {a}, TransposeAttributes{std::move(permutation)}); }
Expr slice(Operand a, Shape starts, Shape stops, Axes steps) { return make(Op::slice, {a}, SliceAttributes{std::move(starts), std::move(stops), std::move(steps)}); }
Expr flip(Operand a, Axes axes) { return make(Op::reverse, {a}, ReverseAttributes{std::move(axes)}); }
Expr pad(Operand a, Operand value, Shape low, Shape high, Axes interior) {
  if (interior.empty()) interior.assign(low.size(), 0);
  return make(Op::pad, {a, value}, PadAttributes{std::move(low), std::move(high), std::move(interior)});
}
namespace {
Expr leaf(Op op, Attributes attributes, Here where) {
  OriginScope scope{Operand(0, where)};
  return make(op, {}, std::move(attributes));
}
}  // namespace
Expr iota(Shape shape, int64_t axis, DType dtype, Here where) { return leaf(Op::iota, IotaAttributes{std::move(shape), axis, dtype}, where); }
Expr dimension(Dim value, Here where) { return leaf(Op::dimension, DimensionAttributes{std::move(value)}, where); }
Expr size(Operand a) { return make(Op::size, {a}, all_axes()); }
Expr size(Operand a, Axes axes) { return make(Op::size, {a}, ReduceAttributes{std::move(axes), false, false}); }

Expr sum(Operand a) { return make(Op::sum, {a}, all_axes()); }
Expr sum(Operand a, Axes axes, bool keep) { return make(Op::sum, {a}, ReduceAttributes{std::move(axes), false, keep}); }
Expr prod(Operand a) { return make(Op::prod, {a}, all_axes()); }
Expr prod(Operand a, Axes axes, bool keep) { return make(Op::prod, {a}, ReduceAttributes{std::move(axes), false, keep}); }
Expr max(Operand a) { return make(Op::max, {a}, all_axes()); }
Expr max(Operand a, Axes axes, bool keep) { return make(Op::max, {a}, ReduceAttributes{std::move(axes), false, keep}); }
Expr min(Operand a) { return make(Op::min, {a}, all_axes()); }
Expr min(Operand a, Axes axes, bool keep) { return make(Op::min, {a}, ReduceAttributes{std::move(axes), false, keep}); }

Expr matmul(Operand a, Operand b) { return make(Op::matmul, {a, b}); }
Expr same_shape(Operand a, Operand b) { return make(Op::same_shape, {a, b}); }
Expr contract(Operand a, Operand b, ContractionAttributes attributes) { return make(Op::contract, {a, b}, std::move(attributes)); }
Expr stop_gradient(Operand a) { return make(Op::stop_gradient, {a}); }
Expr custom_call(const CustomOperation& operation, const std::vector<Operand>& operands, Here where) {
  if (operation.name().empty()) throw UserError("custom_call: the operation is none; declare it as CustomOperation({.name = ..., .type = ..., .function = ...})", where);
  return made(Op::custom_call, operands, CustomCallAttributes{operation}, where);
}
Expr gather(Operand x, Operand positions, int64_t batch) { return make(Op::gather, {x, positions}, GatherAttributes{batch}); }
Expr scatter_add(Operand positions, Operand updates, Dim size, int64_t batch) {
  return make(Op::scatter_add, {positions, updates}, ScatterAttributes{batch, std::move(size)});
}

}  // namespace sinter
