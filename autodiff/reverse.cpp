#include "autodiff/reverse.h"

#include <fmt/format.h>

#include "graph/builder.h"

namespace sinter {
namespace {

// Whether the rule of `user` sends an adjoint to its operand `k`: both hold floats, and the operand is more than a condition.
bool flows(const Graph& graph, NodeId user, size_t k) {
  return info(graph.node(user).op).gradient && is_float(graph.type(user).dtype) && is_float(graph.type(graph.inputs(user)[k]).dtype);
}

// Whether an operation may leave elements of its float operands out of its result, so that their adjoint is 0 whatever follows.
bool drops(Op op) {
  return op == Op::select || op == Op::maximum || op == Op::minimum || op == Op::max || op == Op::min || op == Op::slice || op == Op::gather;
}

struct Path {
  std::vector<bool> on;      // lies between one of `wrt` and `of`
  std::vector<bool> masked;  // every use of it on the way to `of` may drop elements of it, at once or further on
};

Path path_between(const Graph& graph, const std::vector<NodeId>& wrt, NodeId of) {
  size_t count = of.index + 1;
  std::vector<bool> depends(count), used(count), read_whole(count);
  for (NodeId id : wrt)
    if (id.index < count) depends[id.index] = true;
  for (size_t i = 0; i < count; ++i) {
    std::span<const NodeId> inputs = graph.inputs(NodeId(i));
    for (size_t k = 0; k < inputs.size() && !depends[i]; ++k) depends[i] = depends[inputs[k].index] && flows(graph, NodeId(i), k);
  }
  Path path{std::vector<bool>(count), std::vector<bool>(count)};
  used[of.index] = read_whole[of.index] = true;
  for (size_t i = count; i-- > 0;) {
    path.on[i] = used[i] && depends[i];
    path.masked[i] = !read_whole[i];
    if (!path.on[i]) continue;
    std::span<const NodeId> inputs = graph.inputs(NodeId(i));
    for (size_t k = 0; k < inputs.size(); ++k) {
      if (!depends[inputs[k].index] || !flows(graph, NodeId(i), k)) continue;
      used[inputs[k].index] = true;
      if (!path.masked[i] && !drops(graph.node(NodeId(i)).op)) read_whole[inputs[k].index] = true;
    }
  }
  return path;
}

std::vector<Location> lines_of(const Graph& graph, NodeId id) {
  std::vector<Location> lines;
  for (uint32_t origin : graph.origins(id)) lines.push_back(graph.location(origin));
  return lines;
}

// The variables with no type that `id`, a template, depends on.
std::string untyped_variables(const Graph& graph, NodeId id) {
  std::vector<bool> needed(id.index + 1);
  needed[id.index] = true;
  std::string names;
  for (size_t i = needed.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (NodeId input : graph.inputs(NodeId(i))) needed[input.index] = true;
    if (graph.node(NodeId(i)).op != Op::variable || graph.type(NodeId(i)).known) continue;
    Location where = graph.where(NodeId(i));
    names = fmt::format("'{}'{}{}{}", graph.attributes<VariableAttributes>(NodeId(i)).name, where.known() ? " (" + to_string(where) + ")" : "",
                        names.empty() ? "" : ", ", names);
  }
  return names;
}

void check_typed(const Graph& graph, NodeId id, Here where) {
  if (!graph.type(id).known)
    throw UserError(fmt::format("gradients: types must be known, and this depends on {}, declared without one; "
                                "declare it as Variable(name, type, sizes)",
                                untyped_variables(graph, id)),
                    line_at(where));
}

Expr constant_of(const std::shared_ptr<Graph>& graph, double value, const Type& type) {
  Expr scalar(graph, build_constant(*graph, full({}, value, type.dtype), false, origins_at(*graph, Here())));
  return type.shape.empty() ? scalar : broadcast_to(scalar, type.shape);
}

// Appends the contributions of `id`, whose adjoint is known, to those of its operands.
void propagate(const std::shared_ptr<Graph>& graph, NodeId id, const Expr& adjoint, const Path& path,
               std::vector<std::vector<NodeId>>& contributions) {
  const Node& node = graph->node(id);
  // A copy: the rule appends inputs of its own.
  std::vector<NodeId> input_ids(graph->inputs(id).begin(), graph->inputs(id).end());
  std::vector<Expr> inputs;
  std::vector<bool> wanted;
  bool any = false;
  for (size_t k = 0; k < input_ids.size(); ++k) {
    inputs.push_back({graph, input_ids[k]});
    wanted.push_back(path.on[input_ids[k].index] && flows(*graph, id, k));
    any |= wanted.back();
  }
  if (!any) return;
  const Expr output(graph, id);
  std::vector<Expr> parts = info(node.op).gradient({inputs, output, adjoint, node.attributes, wanted, path.masked[id.index]});
  ensure(parts.size() == inputs.size(), "a gradient rule returns one expression an operand");
  for (size_t k = 0; k < parts.size(); ++k) {
    if (!wanted[k] || !parts[k].defined()) continue;
    const Type &is = parts[k].type(), &expected = inputs[k].type();
    // Of what is only stored a rule may compute: the sum of all contributions is converted once.
    ensure((is.dtype == expected.dtype || is.dtype == computing(expected.dtype)) && is.shape == expected.shape,
           fmt::format("the gradient of {} by its operand {} is {}, not {}", info(node.op).name, k, to_string(is), to_string(expected)));
    contributions[input_ids[k].index].push_back(parts[k].id());
  }
}

std::vector<Expr> differentiate(const Operand& of_operand, const std::vector<Expr>& wrt, bool guarded) {
  const Here where = of_operand.where();
  const Expr of = of_operand.expr();
  const std::shared_ptr<Graph>& graph = of.graph();
  check_typed(*graph, of.id(), where);
  if (!is_float(of.dtype()) || !of.shape().empty())
    throw UserError(fmt::format("gradients: what is differentiated must be a scalar float, not {}; take its sum or mean", to_string(of.type())),
                    line_at(where));
  std::vector<NodeId> ids;
  for (const Expr& e : wrt) {
    ids.push_back(Operand(e, where).in(graph).id());
    check_typed(*graph, ids.back(), where);
    if (graph->type(ids.back()).weak)
      throw UserError("gradients: nothing can be differentiated by a literal, which is another in each place that it is used; use a Parameter or a "
                      "Variable, or a Constant of a Tensor", line_at(where));
    if (!is_float(e.dtype()))
      throw UserError(fmt::format("gradients: nothing can be differentiated by {}; convert it to a float first", to_string(e.type())),
                      line_at(where));
  }

  GraphScope joined(graph);
  OriginScope called(of_operand, "gradients");
  Path path = path_between(*graph, ids, of.id());
  if (!guarded) path.masked.assign(path.masked.size(), false);
  std::vector<std::vector<NodeId>> contributions(of.id().index + 1);
  std::vector<NodeId> adjoints(of.id().index + 1);
  contributions[of.id().index] = {constant_of(graph, 1, of.type()).id()};
  for (size_t i = of.id().index + 1; i-- > 0;) {
    if (!path.on[i] || contributions[i].empty()) continue;
    OriginScope forward(lines_of(*graph, NodeId(i)));
    Expr adjoint(graph, contributions[i].front());
    for (size_t k = 1; k < contributions[i].size(); ++k) adjoint = adjoint + Expr(graph, contributions[i][k]);
    if (const DType held = graph->type(NodeId(i)).dtype; adjoint.dtype() != held) adjoint = convert(adjoint, held);
    contributions[i] = {};
    adjoints[i] = adjoint.id();
    propagate(graph, NodeId(i), adjoint, path, contributions);
  }

  std::vector<Expr> results;
  for (NodeId id : ids) {
    bool reached = id.index < adjoints.size() && adjoints[id.index].valid();
    results.push_back(reached ? Expr(graph, adjoints[id.index]) : constant_of(graph, 0, Type(graph->type(id))));
  }
  return results;
}

}  // namespace

std::vector<Expr> gradients(const Operand& of, const std::vector<Expr>& wrt) { return differentiate(of, wrt, true); }
std::vector<Expr> unguarded_gradients(const Operand& of, const std::vector<Expr>& wrt) { return differentiate(of, wrt, false); }

}  // namespace sinter
