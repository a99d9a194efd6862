// Greedy fusion in one sweep: each node joins a group of its operands where it is computed at the same point of the same loops and no
// cycle arises, and draws the operands' other groups in; then cheap values are left to their readers.
#include <algorithm>
#include <map>
#include <set>

#include "passes/fusion/draft.h"
#include "passes/fusion/left_to_readers.h"
#include "passes/fusion/plan.h"
#include "passes/fusion/reads.h"
#include "passes/fusion/riders.h"
#include "passes/fusion/walk.h"

namespace sinter {
namespace {

// A loop group whose one value only feeds one operand of one contraction is computed while that operand is packed.
void take_prologues(const Program& program, const std::set<NodeId>& kept, FusionPlan& plan) {
  const Graph& graph = program.graph;
  std::map<NodeId, int> readers;
  std::map<NodeId, bool> by_operand;
  for (const Group& group : plan.groups)
    for (const GroupRead& read : group.reads) ++readers[read.value];
  constexpr size_t most_producer_members = 32;
  for (const Group& group : plan.groups) {
    if (group.kind != GroupKind::contraction) continue;
    for (NodeId operand : graph.inputs(group.hero)) {
      while (is_movement(graph.node(operand).op) && plan.stored_by[operand.index] < 0) operand = graph.inputs(operand)[0];
      int32_t home = plan.stored_by[operand.index];
      if (home < 0 || readers[operand] != 1 || kept.count(operand)) continue;
      const Group& producer = plan.groups[static_cast<size_t>(home)];
      if (producer.kind != GroupKind::loop || producer.stored.size() != 1 || producer.members.size() > most_producer_members || is_movement(graph.node(operand).op)) continue;
      if (graph.inputs(group.hero)[0] == graph.inputs(group.hero)[1]) continue;
      if (std::any_of(producer.members.begin(), producer.members.end(), [&](NodeId member) { return kept.count(member) > 0; })) continue;
      for (NodeId member : producer.members) plan.recomputed[member.index] = true;
    }
  }
}

// Drops members that nothing stored needs: those that only served values which their readers now compute themselves.
void drop_unneeded(const Graph& graph, const FusionPlan& plan, Group& group) {
  std::set<NodeId> own(group.members.begin(), group.members.end()), needed(group.stored.begin(), group.stored.end()), seen;
  std::vector<NodeId> open(group.stored.begin(), group.stored.end());
  while (!open.empty()) {
    NodeId id = open.back();
    open.pop_back();
    if (!seen.insert(id).second) continue;
    if (own.count(id)) needed.insert(id);
    else if (plan.stored_by[id.index] >= 0 || (!is_movement(graph.node(id).op) && !plan.recomputed[id.index])) continue;
    open.insert(open.end(), graph.inputs(id).begin(), graph.inputs(id).end());
  }
  Group kept = group;
  kept.members.clear(), kept.at.clear(), kept.stage.clear();
  for (size_t i = 0; i < group.members.size(); ++i)
    if (needed.count(group.members[i])) kept.members.push_back(group.members[i]), kept.at.push_back(group.at[i]), kept.stage.push_back(group.stage[i]);
  group = std::move(kept);
}

// Puts the groups, which stored_by numbers as they are given, in a stable topological order: a group follows its producers; ties go by the
// first member.
void order(FusionPlan& plan, std::vector<Group> groups) {
  std::vector<size_t> in_order, waiting(groups.size(), 0);
  std::vector<std::vector<size_t>> readers(groups.size());
  for (size_t g = 0; g < groups.size(); ++g)
    for (const GroupRead& r : groups[g].reads)
      if (int32_t from = plan.stored_by[r.value.index]; from >= 0) readers[static_cast<size_t>(from)].push_back(g), ++waiting[g];
  auto later = [&](size_t a, size_t b) { return groups[a].members.front() > groups[b].members.front(); };
  std::vector<size_t> ready;
  for (size_t g = 0; g < groups.size(); ++g)
    if (waiting[g] == 0) ready.push_back(g);
  std::make_heap(ready.begin(), ready.end(), later);
  while (!ready.empty()) {
    std::pop_heap(ready.begin(), ready.end(), later);
    size_t g = ready.back();
    ready.pop_back();
    in_order.push_back(g);
    for (size_t r : readers[g])
      if (--waiting[r] == 0) {
        ready.push_back(r);
        std::push_heap(ready.begin(), ready.end(), later);
      }
  }
  ensure(in_order.size() == groups.size(), "fusion made a cycle");
  plan.groups.clear();
  for (size_t g : in_order) {
    for (NodeId id : groups[g].stored) plan.stored_by[id.index] = static_cast<int32_t>(plan.groups.size());
    plan.groups.push_back(std::move(groups[g]));
  }
}

void take_riders(const Program& program, const std::set<NodeId>& leaving, FusionPlan& plan) {
  std::vector<Group> groups = with_riders(program, leaving, plan);
  if (groups.size() == plan.groups.size()) return;
  plan.stored_by.assign(plan.stored_by.size(), -1);
  for (size_t g = 0; g < groups.size(); ++g)
    for (NodeId id : groups[g].stored) plan.stored_by[id.index] = static_cast<int32_t>(g);
  for (Group& group : groups)
    if (!group.riders.empty()) find_reads(program, plan, group, false);
  order(plan, std::move(groups));
}

// A movement that is stored: a group of its own.
Group stored_movement(const Graph& graph, NodeId id) {
  Group group;
  group.loops = graph.type(id).shape;
  group.reduced.assign(group.loops.size(), false);
  group.members = {id}, group.at = {identity(group.loops)}, group.stage = {0}, group.stored = {id};
  return group;
}

// Finds what each group reads. The operand of a movement that cannot be an index map is `forced` to be stored, and then read where it lies: a
// movement by a group of its own, a computed value by not being left to its readers. That takes drafts made anew, which NotAffine is thrown
// for; but first all such operands are found, those, too, that come to light once others are stored: a long chain may have thousands.
void find_all_reads(const Program& program, FusionPlan& plan, std::vector<Group>& groups, bool all, std::set<NodeId>& forced) {
  const Graph& graph = program.graph;
  std::optional<NotAffine> last;
  std::vector<Group> alone;
  auto find = [&](Group& group) {
    for (;;) try {
        return find_reads(program, plan, group, all);
      } catch (const NotAffine& e) {
        last = e;
        NodeId operand = graph.inputs(e.movement)[0];
        if (!forced.insert(operand).second) return;
        plan.recomputed[operand.index] = false;
        plan.stored_by[operand.index] = 0;
        if (is_movement(graph.node(operand).op)) alone.push_back(stored_movement(graph, operand));
      }
  };
  for (Group& group : groups) {
    find(group);
    while (!alone.empty()) {
      Group own = std::move(alone.back());
      alone.pop_back();
      find(own);
    }
  }
  if (last) throw *last;
}

// The plan of the drafts: what is stored, who reads it, in which order. Throws NotAffine once more is `forced`.
FusionPlan assembled(const Program& program, const std::vector<Draft>& drafts, const std::set<NodeId>& leaving, std::vector<bool> recomputed, std::set<NodeId>& forced) {
  const Graph& graph = program.graph;
  FusionPlan plan;
  plan.recomputed = std::move(recomputed);
  plan.stored_by.assign(graph.size(), -1);
  // First as if every member were stored, to see what is read; then only what is.
  std::vector<Group> groups;
  for (const Draft& d : drafts) {
    if (!d.alive) continue;
    Group group = d.group;
    if (std::all_of(group.members.begin(), group.members.end(), [&](NodeId id) { return plan.recomputed[id.index]; })) continue;
    groups.push_back(std::move(group));
  }
  for (size_t g = 0; g < groups.size(); ++g)
    for (NodeId id : groups[g].members)
      if (!plan.recomputed[id.index]) plan.stored_by[id.index] = static_cast<int32_t>(g);
  find_all_reads(program, plan, groups, true, forced);
  std::set<NodeId> read = leaving;
  for (Group& group : groups)
    for (const GroupRead& r : group.reads) read.insert(r.value);
  for (Group& group : groups) {
    for (NodeId id : group.members)
      if (read.count(id) && !plan.recomputed[id.index]) group.stored.push_back(id);
      else plan.stored_by[id.index] = -1;
    drop_unneeded(graph, plan, group);
  }
  std::vector<Group> used;
  for (Group& group : groups)
    if (!group.members.empty()) used.push_back(std::move(group));
  groups = std::move(used);
  for (size_t g = 0; g < groups.size(); ++g)
    for (NodeId id : groups[g].stored) plan.stored_by[id.index] = static_cast<int32_t>(g);
  find_all_reads(program, plan, groups, false, forced);
  order(plan, std::move(groups));
  return plan;
}

// Movements that are stored, since too many were before them: an index map has a bound for each padding on its way, and the walks through one
// recurse.
std::set<NodeId> ends_of_long_chains(const Graph& graph) {
  constexpr int most_movements = 32;
  std::set<NodeId> ends;
  std::vector<int> movements(graph.size());  // on the longest way from what is certainly stored
  for (size_t i = 0; i < graph.size(); ++i) {
    const NodeId id(i);
    if (!is_movement(graph.node(id).op) && !is_elementwise(graph.node(id).op)) continue;
    for (NodeId input : graph.inputs(id)) movements[i] = std::max(movements[i], movements[input.index]);
    if (is_movement(graph.node(id).op) && ++movements[i] == most_movements) ends.insert(id), movements[i] = 0;
  }
  return ends;
}

}  // namespace

size_t member_number(const Group& group, NodeId id) { return static_cast<size_t>(std::find(group.members.begin(), group.members.end(), id) - group.members.begin()); }
bool stores(const Group& group, NodeId id) { return std::find(group.stored.begin(), group.stored.end(), id) != group.stored.end(); }

NodeId stored_value(const Program& program, const FusionPlan& plan, NodeId id) {
  while (plan.stored_by[id.index] < 0 && (program.graph.node(id).op == Op::reshape || program.graph.node(id).op == Op::stop_gradient)) id = program.graph.inputs(id)[0];
  return id;
}

double nominal(const Dim& d) {
  constexpr int64_t symbol = 64;
  Bindings bindings;
  for (const std::string& name : d.symbols()) bindings[name] = symbol;
  return static_cast<double>(d.evaluate(bindings));
}

double row_elements(const Group& group) {
  double elements = 1;
  for (size_t l = 0; l < group.loops.size(); ++l)
    if (group.reduced[l]) elements *= nominal(group.loops[l]);
  return elements;
}

bool is_row_value(const Group& group, size_t i) {
  for (const Affine& a : group.at[i].axes)
    for (size_t l = 0; l < group.loops.size(); ++l)
      if (group.reduced[l] && !a.strides[l].is(0)) return false;
  return group.kind == GroupKind::row;
}

FusionPlan fuse(const Program& program, bool joins) {
  std::set<NodeId> forced = ends_of_long_chains(program.graph);
  for (;;) {
    const size_t known = forced.size();
    try {
      std::set<NodeId> leaving;
      std::vector<Draft> drafts = draft_groups(program, forced, leaving, joins);
      FusionPlan plan = assembled(program, drafts, leaving, std::vector<bool>(program.graph.size()), forced);
      if (!joins) return plan;
      // What is kept in memory whatever it costs: what leaves, and what no index map reaches through.
      std::set<NodeId> kept = leaving;
      kept.insert(forced.begin(), forced.end());
      leave_to_readers(program, kept, plan);
      store_their_source(program, kept, plan);
      plan = assembled(program, drafts, leaving, plan.recomputed, forced);
      take_prologues(program, kept, plan);
      plan = assembled(program, drafts, leaving, plan.recomputed, forced);
      take_riders(program, leaving, plan);
      return plan;
    } catch (const NotAffine&) {
      ensure(forced.size() > known, "an index map that storing its operand does not mend");
    }
  }
}

}  // namespace sinter
