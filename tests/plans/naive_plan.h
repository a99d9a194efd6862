// Fusion plans and programs for tests of what comes after fusion.
#pragma once
#include <random>

#include "passes/fusion/plan.h"

namespace sinter {

// A group a node, each of which stores its value; reshapes share their operand's. Elementwise groups may store over what they read.
inline FusionPlan naive_plan(const Program& program) {
  const Graph& graph = program.graph;
  FusionPlan plan;
  std::vector<bool> needed = reachable(program), leaves(graph.size());
  for (NodeId o : program.outputs) leaves[o.index] = true;
  for (const Update& u : program.updates) leaves[u.value.index] = true;
  plan.recomputed.assign(graph.size(), false);
  plan.stored_by.assign(graph.size(), -1);
  std::vector<bool> in_memory(graph.size());
  for (size_t i = 0; i < graph.size(); ++i) {
    NodeId id(i);
    Op op = graph.node(id).op;
    Family family = info(op).family;
    in_memory[i] = true;
    if (op == Op::variable || op == Op::parameter || op == Op::constant || !needed[i]) continue;
    if ((op == Op::reshape || op == Op::stop_gradient) && in_memory[graph.inputs(id)[0].index]) continue;
    if ((op == Op::iota || op == Op::dimension) && !leaves[i]) {
      in_memory[i] = false;
      plan.recomputed[i] = true;
      continue;
    }
    Group group;
    group.kind = family == Family::contraction ? GroupKind::contraction : family == Family::reduction ? GroupKind::row : GroupKind::loop;
    group.members = group.stored = {id};
    for (NodeId input : graph.inputs(id)) {
      if (!in_memory[input.index]) continue;
      GroupRead read{input, {}};
      const Type &from = graph.type(input), &to = graph.type(id);
      if (family == Family::elementwise && size_of(from.dtype) == size_of(to.dtype) && product(from.shape) == product(to.shape)) read.replaceable_by = {id};
      if (std::none_of(group.reads.begin(), group.reads.end(), [&](const GroupRead& r) { return r.value == input; })) group.reads.push_back(read);
    }
    plan.stored_by[i] = static_cast<int32_t>(plan.groups.size());
    plan.groups.push_back(std::move(group));
  }
  return plan;
}

// A program of `count` operations on matrices of n rows and 4 columns, square ones, and parameters, with every kind of output and update:
// leaves, values listed twice, reshapes, parameters that take each other's values.
Program random_program(uint64_t seed, int count);

}  // namespace sinter
