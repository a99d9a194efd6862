#include "passes/fusion/absorb.h"

#include <algorithm>

#include "passes/fusion/operands.h"
#include "passes/fusion/walk.h"

namespace sinter {
namespace {

// Elements of a row that its later stages still find in the cache. A longer one is read from memory again anyway, by one thread: what comes
// after its reduction is better off in a kernel of its own. Symbols count as 64.
constexpr double longest_staged_row = 65536;

// Each loop of `gone` as a function of those of `into`: read off `own`, the index that `gone` computes a member at, where `into` reads it at
// `there`. Nothing where that does not tell.
std::optional<std::vector<Affine>> loops_in(const Group& into, const Group& gone, const Index& own, const Index& there) {
  std::vector<Affine> loops(gone.loops.size(), constant_index(Dim(0), into.loops.size()));
  std::vector<bool> known(loops.size());
  for (size_t axis = 0; axis < own.axes.size(); ++axis)
    for (size_t l = 0; l < loops.size(); ++l)
      if (!own.axes[axis].strides[l].is(0)) {
        Affine alone = constant_index(Dim(0), loops.size());
        alone.strides[l] = Dim(1);
        if (!(own.axes[axis] == alone)) return std::nullopt;
        loops[l] = there.axes[axis];
        known[l] = true;
      }
  // Of a row's value the reduced loops are not seen: they are ours, in order, where the extents agree.
  if (gone.kind == GroupKind::row)
    for (size_t l = 0, k = 0; l < loops.size(); ++l) {
      if (known[l] || !gone.reduced[l]) continue;
      while (k < into.loops.size() && !into.reduced[k]) ++k;
      if (k == into.loops.size() || !(into.loops[k] == gone.loops[l])) return std::nullopt;
      loops[l].strides[k++] = Dim(1);
      known[l] = true;
    }
  for (size_t l = 0; l < loops.size(); ++l)
    if (!known[l] && !gone.loops[l].is(1)) return std::nullopt;
  return loops;
}

// Whether rows of `gone`, with those loops, are rows of `into`.
bool same_rows(const Group& into, const Group& gone, const std::vector<Affine>& loops) {
  for (size_t l = 0; l < loops.size(); ++l) {
    bool reduced = false;
    for (size_t k = 0; k < into.loops.size(); ++k) reduced = reduced || (!loops[l].strides[k].is(0) && into.reduced[k]);
    if (reduced != gone.reduced[l]) return false;
  }
  // Its reductions have to run over all that ours do.
  for (size_t k = 0; k < into.loops.size(); ++k)
    if (into.reduced[k] && std::all_of(loops.begin(), loops.end(), [&](const Affine& a) { return a.strides[k].is(0); })) return false;
  return true;
}

// The indices of `gone`'s members in `into`; nothing where one would not be computed once at each point or a row.
std::optional<std::vector<Index>> members_in(const Graph& graph, const Group& into, const Group& gone, const std::vector<Affine>& loops) {
  std::vector<Index> moved;
  for (size_t i = 0; i < gone.members.size(); ++i) {
    const NodeId id = gone.members[i];
    Index index{substituted(gone.at[i].axes, loops, into.loops.size()), {}};
    // Where a reduction's operand is follows from the reduction's own index: there it has to be.
    if (is_reduction(graph.node(id).op)) {
      const Index operand = operand_index(graph, gone, id, gone.at[i]);
      if (!(operand_index(graph, into, id, index).axes == substituted(operand.axes, loops, into.loops.size()))) return std::nullopt;
    }
    if (!is_full(graph, into, id, index) && !is_row(graph, into, id, index)) return std::nullopt;
    moved.push_back(std::move(index));
  }
  return moved;
}

// Whether what draft `d` reads of `other`'s members it reads where they would be computed.
bool edges_agree(const Drafts& drafts, size_t d, size_t other, const std::vector<Index>& moved) {
  const Graph& graph = drafts.graph;
  const Group &group = drafts.all[d].group, &gone = drafts.all[other].group;
  for (size_t i = 0; i < group.members.size(); ++i) {
    const NodeId id = group.members[i];
    const Op op = graph.node(id).op;
    std::optional<Index> index = group.at[i];
    if (is_reduction(op)) index = operand_index(graph, group, id, *index);
    else if (is_movement(op)) index = pulled(graph, id, *index, group.loops);
    for (const Source& s : drafts.sources(id)) {
      if (!drafts.is_in(s.value, other)) continue;
      if (op == Op::contract || !index) return false;  // a contraction's operands are packed before
      if (!is_read_at(graph, group, s, *index, moved[member_number(gone, s.value)])) return false;
    }
  }
  return true;
}

}  // namespace

bool has_one_stage(const Group& group) {
  if (row_elements(group) > longest_staged_row) return true;
  bool open = false;
  for (size_t l = 0; l < group.loops.size(); ++l) {
    if (!group.reduced[l] && !group.loops[l].is(1)) return false;
    open = open || !group.loops[l].is_number();
  }
  return open;
}

void absorb(Drafts& drafts, size_t d, size_t other, const std::vector<Source>& from, NodeId reader) {
  const Graph& graph = drafts.graph;
  const Draft &into = drafts.all[d], &gone = drafts.all[other];
  const bool row = gone.group.kind == GroupKind::row;
  if (gone.group.kind == GroupKind::contraction || gone.group.kind == GroupKind::call || (row && into.group.kind != GroupKind::row)) return;
  if (!drafts.have_room(d, other) || is_movement(graph.node(gone.group.members[0]).op)) return;
  const bool waits = into.producers.count(other) || gone.producers.count(d);
  if (waits && row && has_one_stage(into.group)) return;
  std::vector<uint32_t> between;
  for (size_t p : into.producers)
    if (p != other) between.push_back(static_cast<uint32_t>(p));
  if (drafts.depend(between, other)) return;
  auto reads_other = [&](const Source& s) { return drafts.is_in(s.value, other); };
  if (std::any_of(from.begin(), from.end(), [&](const Source& s) { return s.padding && reads_other(s); })) return;
  auto source = std::find_if(from.begin(), from.end(), reads_other);
  auto there = pulled_through(graph, into.group, *source, drafts.at(d, reader));
  if (!there || !there->bounds.empty()) return;
  const auto loops = loops_in(into.group, gone.group, drafts.at(other, source->value), *there);
  if (!loops || (row && !same_rows(into.group, gone.group, *loops))) return;
  auto moved = members_in(graph, into.group, gone.group, *loops);
  if (moved && edges_agree(drafts, d, other, *moved)) drafts.merge(d, other, std::move(*moved));
}

}  // namespace sinter
