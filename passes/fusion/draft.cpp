#include "passes/fusion/draft.h"

#include <algorithm>

#include "passes/fusion/absorb.h"
#include "passes/fusion/operands.h"
#include "passes/fusion/walk.h"

namespace sinter {
namespace {

bool agrees(const Drafts& drafts, size_t d, const std::vector<Source>& from, const Index& index) {
  return std::all_of(from.begin(), from.end(), [&](const Source& s) {
    return !drafts.is_in(s.value, d) || is_read_at(drafts.graph, drafts.all[d].group, s, index, drafts.at(d, s.value));
  });
}

bool closes_circle(Drafts& drafts, size_t d, const std::vector<size_t>& read) {
  std::vector<uint32_t> others;
  for (size_t other : read)
    if (other != d) others.push_back(static_cast<uint32_t>(other));
  return drafts.depend(others, d);
}

// Where an elementwise node would be computed in draft `d`, some of whose members it reads; nothing where it may not join.
std::optional<Index> index_in(Drafts& drafts, size_t d, NodeId id, const std::vector<Source>& from) {
  Group& group = drafts.all[d].group;
  if (group.kind == GroupKind::call || !drafts.has_room(d, id, from)) return std::nullopt;
  std::optional<Index> index;
  for (const Source& s : from)
    if (!index && !s.padding && drafts.is_in(s.value, d)) index = pushed_through(drafts.graph, group, s, drafts.at(d, s.value));
  if (!index) return std::nullopt;
  const bool row = is_row(drafts.graph, group, id, *index);
  if (!row && !is_full(drafts.graph, group, id, *index)) return std::nullopt;
  if (group.kind == GroupKind::row && !row && drafts.stage_in(d, from) > 0 && has_one_stage(group)) return std::nullopt;
  return agrees(drafts, d, from, *index) ? index : std::nullopt;
}

bool joins_beside(Drafts& drafts, size_t d, NodeId id, const std::vector<Source>& from, const std::vector<size_t>& candidates) {
  const Draft& draft = drafts.all[d];
  if (!draft.alive || draft.group.kind != GroupKind::loop || !(draft.group.loops == drafts.graph.type(id).shape) || is_movement(drafts.graph.node(draft.group.members[0]).op)) return false;
  Index index = identity(draft.group.loops);
  if (!drafts.has_room(d, id, from) || closes_circle(drafts, d, candidates) || !agrees(drafts, d, from, index)) return false;
  drafts.add(d, id, std::move(index), 0);
  return true;
}

void place_elementwise(Drafts& drafts, NodeId id) {
  const std::vector<Source> from = drafts.sources(id);
  std::vector<size_t> candidates;
  for (const Source& s : from)
    if (int d = drafts.of(s.value); d >= 0 && std::find(candidates.begin(), candidates.end(), static_cast<size_t>(d)) == candidates.end()) candidates.push_back(static_cast<size_t>(d));
  auto rank = [&](size_t d) { return drafts.all[d].group.kind == GroupKind::contraction ? 0 : drafts.all[d].group.kind == GroupKind::row ? 1 : 2; };
  // Of two contractions the later takes it in: the earlier is read by it, or by nothing between.
  std::sort(candidates.begin(), candidates.end(), [&](size_t a, size_t b) { return std::pair(rank(a), b) < std::pair(rank(b), a); });
  for (size_t d : candidates) {
    if (closes_circle(drafts, d, candidates)) continue;
    auto index = index_in(drafts, d, id, from);
    if (!index) continue;
    drafts.add(d, id, std::move(*index), drafts.stage_in(d, from));
    for (size_t other : candidates)
      if (other != d) absorb(drafts, d, other, from, id);
    return;
  }
  // Readers of a group that has no room left share one of their own, as they share what they read.
  auto full = std::find_if(candidates.begin(), candidates.end(), [&](size_t d) { return !drafts.has_room(d, id, from); });
  if (full == candidates.end()) return void(drafts.start(id, GroupKind::loop));
  if (int s = drafts.all[*full].beside; s >= 0 && joins_beside(drafts, static_cast<size_t>(s), id, from, candidates)) return;
  const size_t fresh = drafts.start(id, GroupKind::loop);
  drafts.all[*full].beside = static_cast<int>(fresh);
}

bool joins_as_reduction(Drafts& drafts, size_t d, NodeId id, const std::vector<Source>& from, const Axes& axes) {
  const Graph& graph = drafts.graph;
  Group& group = drafts.all[d].group;
  if (group.kind == GroupKind::contraction || group.kind == GroupKind::call || is_movement(graph.node(group.members[0]).op)) return false;
  if (!drafts.has_room_for_reduction(d)) return false;
  auto operand = pushed_through(graph, group, from[0], drafts.at(d, from[0].value));
  if (!operand || !is_full(graph, group, graph.inputs(id)[0], *operand)) return false;
  std::vector<bool> reduced(group.loops.size());
  Index index;
  for (size_t a = 0, k = 0; a < operand->axes.size(); ++a) {
    bool goes = k < axes.size() && axes[k] == static_cast<int64_t>(a);
    if (goes) ++k;
    else index.axes.push_back(operand->axes[a]);
    for (size_t l = 0; goes && l < reduced.size(); ++l) reduced[l] = reduced[l] || !operand->axes[a].strides[l].is(0);
  }
  for (const Affine& a : index.axes)
    for (size_t l = 0; l < reduced.size(); ++l)
      if (reduced[l] && !a.strides[l].is(0)) return false;
  if (group.kind == GroupKind::row && reduced != group.reduced) return false;
  // A reduction's operand is found again from its own index: reduced axes run over the reduced loops in order.
  Group as_row = group;
  as_row.kind = GroupKind::row;
  as_row.reduced = reduced;
  if (!(operand_index(graph, as_row, id, index) == *operand)) return false;
  if (group.kind == GroupKind::loop) {
    group.kind = GroupKind::row;
    group.reduced = reduced;
    group.hero = id;
  }
  drafts.add(d, id, std::move(index), drafts.stage_in(d, from));
  return true;
}

void place_reduction(Drafts& drafts, NodeId id, bool joins) {
  const std::vector<Source> from = drafts.sources(id);
  const int d = drafts.of(from[0].value);
  const auto& axes = drafts.graph.attributes<ReduceAttributes>(id).axes;
  if (joins && d >= 0 && from.size() == 1 && joins_as_reduction(drafts, static_cast<size_t>(d), id, from, axes)) return;
  const Shape& shape = drafts.graph.type(drafts.graph.inputs(id)[0]).shape;
  Draft draft;
  draft.group.kind = GroupKind::row;
  draft.group.hero = id;
  draft.group.loops = shape;
  draft.group.reduced.assign(shape.size(), false);
  Index full = identity(shape), index;
  for (size_t a = 0, k = 0; a < shape.size(); ++a)
    if (k < axes.size() && axes[k] == static_cast<int64_t>(a)) ++k, draft.group.reduced[a] = !shape[a].is(1);
    else index.axes.push_back(full.axes[a]);
  drafts.start(id, std::move(draft), std::move(index));
}

// The values whose buffers leave the program, and operands of custom calls, which read whole values from memory. A value that leaves is stored,
// but where it is a reshape of one that can be: then that one is.
void find_leaving(const Program& program, const std::vector<bool>& needed, const std::set<NodeId>& forced, std::set<NodeId>& leaving) {
  const Graph& graph = program.graph;
  auto leave = [&](NodeId id) {
    while ((graph.node(id).op == Op::reshape || graph.node(id).op == Op::stop_gradient) && !forced.count(id)) id = graph.inputs(id)[0];
    leaving.insert(id);
  };
  for (NodeId o : program.outputs) leave(o);
  for (const Update& u : program.updates) leave(u.value);
  for (size_t i = 0; i < graph.size(); ++i)
    if (NodeId id(i); needed[i] && graph.node(id).op == Op::custom_call)
      for (NodeId operand : graph.inputs(id)) leave(operand);
}

}  // namespace

std::vector<Draft> draft_groups(const Program& program, const std::set<NodeId>& forced, std::set<NodeId>& leaving, bool joins) {
  const Graph& graph = program.graph;
  const std::vector<bool> needed = reachable(program);
  find_leaving(program, needed, forced, leaving);
  Drafts drafts(graph);
  for (size_t i = 0; i < graph.size(); ++i) {
    NodeId id(i);
    if (!needed[i]) continue;
    Op op = graph.node(id).op;
    if (op == Op::contract) drafts.start(id, GroupKind::contraction);
    else if (op == Op::custom_call) drafts.start(id, GroupKind::call);
    else if (is_reduction(op)) place_reduction(drafts, id, joins);
    else if (is_elementwise(op) && joins) place_elementwise(drafts, id);
    else if (is_elementwise(op) || forced.count(id) || (leaving.count(id) && (is_movement(op) || op == Op::iota || op == Op::dimension))) drafts.start(id, GroupKind::loop);
  }
  return std::move(drafts.all);
}

}  // namespace sinter
