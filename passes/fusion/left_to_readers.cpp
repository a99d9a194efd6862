#include "passes/fusion/left_to_readers.h"

#include <map>
#include <optional>
#include <vector>

#include "passes/fusion/walk.h"

namespace sinter {
namespace {

// Bytes, with every symbol taken for 64: only compared with each other.
double nominal_bytes(const Type& type) {
  double bytes = static_cast<double>(size_of(type.dtype));
  for (const Dim& d : type.shape) bytes *= d.is_number() ? static_cast<double>(d.number()) : 64;
  return bytes;
}

bool is_cheap(Op op) {
  switch (op) {
    case Op::negate:
    case Op::abs:
    case Op::sign:
    case Op::logical_not:
    case Op::convert:
    case Op::add:
    case Op::subtract:
    case Op::multiply:
    case Op::maximum:
    case Op::minimum:
    case Op::equal:
    case Op::not_equal:
    case Op::less:
    case Op::less_equal:
    case Op::logical_and:
    case Op::logical_or:
    case Op::select: return true;
    default: return false;
  }
}

// How a value is computed again, by a few cheap operations: which they are, its own first, and the bytes that they read from memory.
struct Recipe {
  std::vector<NodeId> operations;
  double bytes = 0;
};

// From memory and from `source`, which does not count; nothing where it takes more.
std::optional<Recipe> recipe(const Graph& graph, const FusionPlan& plan, NodeId v, std::optional<NodeId> source = {}) {
  constexpr size_t most_operations = 4;
  Recipe made;
  // What is much smaller than the value stays in the cache, and counts for nothing.
  const double own = nominal_bytes(graph.type(v));
  auto count = [&](const Type& type) { made.bytes += nominal_bytes(type) * 16 < own ? 0 : nominal_bytes(type); };
  std::vector<NodeId> open = {v};
  std::set<NodeId> seen;
  while (!open.empty()) {
    NodeId id = open.back();
    open.pop_back();
    if (id == source || !seen.insert(id).second) continue;
    const Node& node = graph.node(id);
    if (info(node.op).family == Family::leaf) {
      if (node.op == Op::variable || node.op == Op::parameter || (node.op == Op::constant && !product(node.type.shape).is(1))) count(node.type);
      continue;
    }
    if (id != v && plan.stored_by[id.index] >= 0 && !plan.recomputed[id.index]) {
      count(node.type);
      continue;
    }
    if (is_elementwise(node.op)) made.operations.push_back(id);
    else if (!is_movement(node.op)) return std::nullopt;
    if (made.operations.size() > most_operations || (is_elementwise(node.op) && !is_cheap(node.op))) return std::nullopt;
    open.insert(open.end(), graph.inputs(id).begin(), graph.inputs(id).end());
  }
  return made;
}

void leave(const Recipe& recipe, FusionPlan& plan) {
  for (NodeId id : recipe.operations) plan.recomputed[id.index] = true;
}

// By node: whether a contraction, a reduction or the like reads it, as it is or moved.
std::vector<bool> operands_of_others(const Graph& graph) {
  std::vector<bool> read(graph.size());
  for (size_t i = graph.size(); i-- > 0;) {
    const NodeId id(i);
    if (is_elementwise(graph.node(id).op) || (is_movement(graph.node(id).op) && !read[i])) continue;
    for (NodeId input : graph.inputs(id)) read[input.index] = true;
  }
  return read;
}

// How the group's stored values are made, cheaply, from a member that is not stored: by that.
std::map<NodeId, std::vector<Recipe>> made_from(const Graph& graph, const FusionPlan& plan, const Group& group, const std::vector<NodeId>& values) {
  std::map<NodeId, std::vector<Recipe>> made;
  const std::set<NodeId> members(group.members.begin(), group.members.end());
  for (NodeId v : values) {
    std::vector<NodeId> open = {v};
    std::set<NodeId> seen;
    while (!open.empty()) {
      const NodeId id = open.back();
      open.pop_back();
      if (!members.count(id) || !is_elementwise(graph.node(id).op) || graph.type(id).shape != graph.type(v).shape || !seen.insert(id).second) continue;
      if (id != v && plan.stored_by[id.index] >= 0) continue;
      if (id != v)
        if (auto from = recipe(graph, plan, v, id)) made[id].push_back(std::move(*from));
      if (is_cheap(graph.node(id).op)) open.insert(open.end(), graph.inputs(id).begin(), graph.inputs(id).end());
    }
  }
  return made;
}

}  // namespace

void leave_to_readers(const Program& program, const std::set<NodeId>& kept, FusionPlan& plan) {
  const Graph& graph = program.graph;
  for (const Group& group : plan.groups)
    for (NodeId v : group.stored) {
      if (v == group.hero || kept.count(v) || !is_elementwise(graph.node(v).op)) continue;
      if (auto made = recipe(graph, plan, v); made && made->bytes <= nominal_bytes(graph.type(v))) leave(*made, plan);
    }
}

void store_their_source(const Program& program, const std::set<NodeId>& kept, FusionPlan& plan) {
  const Graph& graph = program.graph;
  const std::vector<bool> operand = operands_of_others(graph);
  for (size_t g = 0; g < plan.groups.size(); ++g) {
    const Group& group = plan.groups[g];
    for (;;) {
      std::vector<NodeId> values;
      for (NodeId v : group.stored)
        if (v != group.hero && !kept.count(v) && !operand[v.index] && !plan.recomputed[v.index] && is_elementwise(graph.node(v).op)) values.push_back(v);
      const auto made = made_from(graph, plan, group, values);
      double most = 0;
      auto best = made.end();
      for (auto at = made.begin(); at != made.end(); ++at) {
        double saved = -nominal_bytes(graph.type(at->first));
        for (const Recipe& value : at->second) saved += nominal_bytes(graph.type(value.operations.front())) - value.bytes;
        if (saved > most) most = saved, best = at;
      }
      if (best == made.end()) break;
      for (const Recipe& value : best->second) leave(value, plan);
      plan.stored_by[best->first.index] = static_cast<int32_t>(g);
    }
  }
}

}  // namespace sinter
