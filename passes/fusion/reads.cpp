#include "passes/fusion/reads.h"

#include <algorithm>
#include <map>
#include <set>

#include "passes/fusion/operands.h"
#include "passes/fusion/walk.h"

namespace sinter {
namespace {

// What a group reads and at which positions, found by walking it.
struct Reads {
  struct Value {};
  struct Load {
    Affine position;
    bool whole;        // no bounds
    bool in_operand;   // of a contraction, while packing
    bool once_a_row;   // by a value that a row has one of, in a stage of its own
    uint32_t stage;
  };
  const Graph& graph;
  const std::set<NodeId>& at_hand;  // computed before, in a stage of its own
  bool in_operand = false, once_a_row = false;
  uint32_t stage = 0;
  NodeId current;
  std::map<NodeId, std::vector<Load>> loads;

  Value load(NodeId id, const Affine& position, const std::vector<Bound>& bounds) {
    loads[id].push_back({position, bounds.empty(), in_operand, once_a_row, stage});
    return {};
  }
  Value constant(const Tensor&) { return {}; }
  Value counter(const Affine&, DType) { return {}; }
  Value size(const Dim&) { return {}; }
  Value inside(const std::vector<Bound>&) { return {}; }
  Value apply(NodeId, std::span<const Value>) { return {}; }
  Value choose(Value, Value, Value) { return {}; }
  bool given(NodeId id, Value&) { return id != current && at_hand.count(id) > 0; }
};

// Whether `s`, member i, may be written over a value with these loads. Inner stages compute again what they need, and read again for it; a
// row's own values are computed once.
bool may_replace(const Graph& graph, const Group& group, size_t i, uint32_t last_inner_stage, NodeId value, const std::vector<Reads::Load>& loads) {
  NodeId s = group.members[i];
  if (!stores(group, s) || is_reduction(graph.node(s).op)) return false;
  if (size_of(graph.type(s).dtype) != size_of(graph.type(value).dtype) || !(product(graph.type(s).shape) == product(graph.type(value).shape))) return false;
  bool row = is_row_value(group, i);
  std::vector<bool> over(group.loops.size(), true);
  if (row) over = group.reduced, over.flip();
  Affine position = flattened(group.at[i], graph.type(s).shape, group.loops.size());
  if (!dense(position, group.loops, over, product(graph.type(s).shape)) || (!row && group.stage[i] < last_inner_stage)) return false;
  return std::all_of(loads.begin(), loads.end(), [&](const Reads::Load& l) {
    bool before = !row || (l.once_a_row ? l.stage <= group.stage[i] : last_inner_stage < group.stage[i]);
    return l.whole && !l.in_operand && l.position == position && before;
  });
}

// A custom call reads its operands whole, and writes over the one that its operation names, if no other is in the same memory.
void find_call_reads(const Program& program, const FusionPlan& plan, Group& group) {
  const Graph& graph = program.graph;
  std::vector<NodeId> homes;
  for (NodeId operand : graph.inputs(group.hero)) homes.push_back(stored_value(program, plan, operand));
  const std::optional<size_t> over = graph.attributes<CustomCallAttributes>(group.hero).operation.rules().in_place_of;
  group.reads.clear();
  for (NodeId home : std::set<NodeId>(homes.begin(), homes.end())) {
    const Type &type = graph.type(home), &result = graph.type(group.hero);
    bool fits = size_of(type.dtype) == size_of(result.dtype) && product(type.shape) == product(result.shape);
    bool replaced = over && homes[*over] == home && std::count(homes.begin(), homes.end(), home) == 1 && fits;
    group.reads.push_back({home, replaced ? std::vector<NodeId>{group.hero} : std::vector<NodeId>()});
  }
}

// `all`: as if every member were stored. `rides`: reductions are computed elsewhere.
void find_own_reads(const Program& program, const FusionPlan& plan, Group& group, bool all, bool rides) {
  const Graph& graph = program.graph;
  if (group.kind == GroupKind::call) return find_call_reads(program, plan, group);
  std::set<NodeId> at_hand;
  if (group.hero.valid()) at_hand.insert(group.hero);
  for (size_t i = 0; i < group.members.size(); ++i)
    if (is_reduction(graph.node(group.members[i]).op) || is_row_value(group, i)) at_hand.insert(group.members[i]);
  Reads reads{graph, at_hand, false, false, 0, NodeId(), {}};
  Walk<Reads> inner(program, plan, group, reads);
  uint32_t last_inner_stage = 0;
  for (size_t i = 0; i < group.members.size(); ++i) {
    NodeId id = group.members[i];
    bool reduction = is_reduction(graph.node(id).op), row = !reduction && is_row_value(group, i);
    reads.stage = group.stage[i];
    reads.once_a_row = row;
    reads.current = id;
    if (id == group.hero && group.kind == GroupKind::contraction) continue;
    if (row) Walk<Reads>(program, plan, group, reads).member(id);
    else if (reduction && rides) continue;
    else if (reduction) inner.value(graph.inputs(id)[0], operand_index(graph, group, id, group.at[i]));
    else if (all || stores(group, id) || feeds_rider(graph, group, id)) inner.member(id);
    if (!row && (reduction || stores(group, id) || feeds_rider(graph, group, id))) last_inner_stage = std::max(last_inner_stage, group.stage[i]);
  }
  if (group.kind == GroupKind::contraction) {
    // Operands have loops of their own, those of packing.
    for (int side = 0; side < 2; ++side) {
      Group packing = operand_group(graph, group.hero, side);
      const std::set<NodeId> nothing;
      Reads operand{graph, nothing, true, false, 0, NodeId(), {}};
      Walk<Reads> pack(program, plan, packing, operand);
      pack.value(graph.inputs(group.hero)[static_cast<size_t>(side)], packing.at[0]);
      for (auto& [id, loads] : operand.loads) reads.loads[id].insert(reads.loads[id].end(), loads.begin(), loads.end());
    }
  }
  group.reads.clear();
  for (auto& [id, loads] : reads.loads) {
    GroupRead read{id, {}};
    for (size_t i = 0; i < group.members.size(); ++i)
      if (may_replace(graph, group, i, last_inner_stage, id, loads)) read.replaceable_by.push_back(group.members[i]);
    group.reads.push_back(std::move(read));
  }
}

}  // namespace

void find_rider_reads(const Program& program, const FusionPlan& plan, Group& rider) { find_own_reads(program, plan, rider, false, true); }

void find_reads(const Program& program, const FusionPlan& plan, Group& group, bool all) {
  find_own_reads(program, plan, group, all, false);
  // Riders are finished one after another, when all rows are done: what one of them reads is still needed then, and only it can replace it.
  std::map<NodeId, size_t> rider_readers;
  for (Group& rider : group.riders) {
    find_rider_reads(program, plan, rider);
    for (const GroupRead& read : rider.reads) ++rider_readers[read.value];
  }
  for (const Group& rider : group.riders)
    for (const GroupRead& read : rider.reads) {
      auto known = std::find_if(group.reads.begin(), group.reads.end(), [&](const GroupRead& r) { return r.value == read.value; });
      if (known == group.reads.end()) known = group.reads.insert(known, {read.value, {}});
      known->replaceable_by = rider_readers.at(read.value) == 1 ? read.replaceable_by : std::vector<NodeId>();
    }
}

}  // namespace sinter
