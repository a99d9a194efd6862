#include "passes/stored_values.h"

#include <algorithm>

namespace sinter {

bool is_held(const Graph& graph, NodeId id) {
  Op op = graph.node(id).op;
  return op == Op::variable || op == Op::parameter || op == Op::constant;
}

StoredValues stored_values(const Program& program, const FusionPlan& plan) {
  const Graph& graph = program.graph;
  StoredValues values;
  values.storer.assign(graph.size(), StoredValues::none);
  values.home.resize(graph.size());
  for (uint32_t g = 0; g < plan.groups.size(); ++g)
    for (NodeId id : plan.groups[g].stored) {
      ensure(id.index < graph.size() && values.storer[id.index] == StoredValues::none, "a value is stored by one group");
      values.storer[id.index] = g;
    }
  for (size_t i = 0; i < graph.size(); ++i) {
    NodeId id(i);
    Op op = graph.node(id).op;
    if (is_held(graph, id) || values.storer[i] != StoredValues::none) values.home[i] = id;
    else if (op == Op::reshape || op == Op::stop_gradient) values.home[i] = values.home[graph.inputs(id)[0].index];
  }

  std::vector<std::pair<NodeId, uint32_t>> reads;  // by home, then by group
  for (uint32_t g = 0; g < plan.groups.size(); ++g)
    for (const GroupRead& read : plan.groups[g].reads)
      if (NodeId home = values.home[read.value.index]; home.valid()) reads.emplace_back(home, g);
  std::sort(reads.begin(), reads.end());
  reads.erase(std::unique(reads.begin(), reads.end()), reads.end());
  values.first_reader_.assign(graph.size() + 1, 0);
  for (const auto& [home, group] : reads) ++values.first_reader_[home.index + 1], values.readers_.push_back(group);
  for (size_t i = 0; i < graph.size(); ++i) values.first_reader_[i + 1] += values.first_reader_[i];
  return values;
}

bool may_replace(const Group& group, const StoredValues& values, NodeId over, NodeId value) {
  return std::all_of(group.reads.begin(), group.reads.end(), [&](const GroupRead& read) {
    return values.home[read.value.index] != over || std::find(read.replaceable_by.begin(), read.replaceable_by.end(), value) != read.replaceable_by.end();
  });
}

bool equal_in_bytes(const Type& a, const Type& b) {
  return size_of(a.dtype) == size_of(b.dtype) && (a.shape == b.shape || product(a.shape) == product(b.shape));
}

std::vector<InPlaceUpdate> in_place_updates(const Program& program, const FusionPlan& plan, const StoredValues& values) {
  std::vector<bool> taken(program.graph.size());  // homes that leave the program, or that another parameter holds already
  for (NodeId output : program.outputs)
    if (NodeId home = values.home[output.index]; home.valid()) taken[home.index] = true;
  std::vector<bool> kept(program.graph.size());  // parameters whose old value is another one's new value
  for (const Update& u : program.updates)
    if (NodeId home = values.home[u.value.index]; home.valid() && home != u.parameter) kept[home.index] = true;
  std::vector<InPlaceUpdate> found;
  for (const Update& u : program.updates) {
    NodeId home = values.home[u.value.index];
    if (!home.valid() || taken[home.index] || kept[u.parameter.index]) continue;
    uint32_t group = values.storer[home.index];
    if (group == StoredValues::none || !may_replace(plan.groups[group], values, u.parameter, home)) continue;
    if (!equal_in_bytes(program.graph.type(u.parameter), program.graph.type(home))) continue;
    taken[home.index] = true;
    found.push_back({u.parameter, home, group});
  }
  return found;
}

}  // namespace sinter
