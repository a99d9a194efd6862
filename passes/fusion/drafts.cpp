#include "passes/fusion/drafts.h"

#include <algorithm>

#include "passes/fusion/walk.h"

namespace sinter {
namespace {

constexpr size_t most_members = 200;  // of one kernel: more would not fit its registers, nor a compile time in milliseconds
constexpr size_t most_reads = 128;    // of one kernel: each is an address, and often a vector, that is at hand throughout; its stack is 4 KiB

// Scalar operations of one kernel: about ten exponentials and tangents more than the largest layer with its gradient needs. Beyond, LLVM's
// registers are allotted in more than linear time, and a store and a load more cost a few hundredths of the arithmetic.
constexpr size_t most_work = 600;

bool few_reads(const Draft& draft, std::set<NodeId> more) {
  if (draft.reads.size() + more.size() <= most_reads) return true;
  more.insert(draft.reads.begin(), draft.reads.end());
  return more.size() <= most_reads;
}

void sort_members(Group& group) {
  std::vector<size_t> order(group.members.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return group.members[a] < group.members[b]; });
  Group old = group;
  for (size_t i = 0; i < order.size(); ++i) group.members[i] = old.members[order[i]], group.at[i] = old.at[order[i]], group.stage[i] = old.stage[order[i]];
}

}  // namespace

std::vector<Source> Drafts::sources(NodeId id) const {
  // Movement costs nothing by itself, where nobody stores it.
  auto chased = [&](NodeId value) {
    Source source{value, {}};
    while (is_movement(graph.node(source.value).op) && of(source.value) < 0) {
      source.chain.push_back(source.value);
      source.value = graph.inputs(source.value)[0];
    }
    return source;
  };
  std::vector<Source> found;
  std::vector<NodeId> open(graph.inputs(id).begin(), graph.inputs(id).end());
  const size_t operands = open.size();
  for (size_t i = 0; i < open.size(); ++i) {
    found.push_back(chased(open[i]));
    found.back().padding = i >= operands;
    for (NodeId m : found.back().chain)
      if (graph.node(m).op == Op::pad) open.push_back(graph.inputs(m)[1]);
  }
  return found;
}

uint32_t Drafts::stage_in(size_t d, const std::vector<Source>& from) const {
  const Group& group = all[d].group;
  uint32_t stage = 0;
  for (const Source& s : from)
    if (is_in(s.value, d)) stage = std::max(stage, group.stage[member_number(group, s.value)] + (is_reduction(graph.node(s.value).op) ? 1 : 0));
  return stage;
}

size_t Drafts::start(NodeId id, Draft draft, Index index) {
  all.push_back(std::move(draft));
  order_.grow();
  add(all.size() - 1, id, std::move(index), 0);
  return all.size() - 1;
}

size_t Drafts::start(NodeId id, GroupKind kind) {
  Draft draft;
  draft.group.kind = kind;
  if (kind == GroupKind::contraction || kind == GroupKind::call) draft.group.hero = id;
  draft.group.loops = graph.type(id).shape;
  draft.group.reduced.assign(draft.group.loops.size(), false);
  Index index = identity(draft.group.loops);
  return start(id, std::move(draft), std::move(index));
}

void Drafts::add(size_t d, NodeId id, Index index, uint32_t stage) {
  Draft& draft = all[d];
  draft.group.members.push_back(id);
  draft.group.at.push_back(std::move(index));
  draft.group.stage.push_back(stage);
  draft.work += work_of(id);
  draft_of_[id.index] = static_cast<int>(d);
  for (const Source& s : sources(id)) {
    if (is_in(s.value, d)) continue;
    draft.reads.insert(s.value);
    if (of(s.value) >= 0) read_from(d, static_cast<size_t>(of(s.value)));
  }
}

void Drafts::merge(size_t d, size_t other, std::vector<Index> moved) {
  Draft &into = all[d], &gone = all[other];
  for (size_t i = 0; i < moved.size(); ++i) {
    into.group.members.push_back(gone.group.members[i]);
    into.group.at.push_back(std::move(moved[i]));
    into.group.stage.push_back(0);
    draft_of_[gone.group.members[i].index] = static_cast<int>(d);
  }
  into.work += gone.work;
  into.reads.insert(gone.reads.begin(), gone.reads.end());
  into.producers.erase(other);
  for (size_t p : gone.producers) read_from(d, p);
  gone.alive = false;
  for (uint32_t reader : order_.after(static_cast<uint32_t>(other)))
    if (all[reader].alive && all[reader].producers.erase(other)) read_from(reader, d);
  sort_members(into.group);
  std::fill(into.group.stage.begin(), into.group.stage.end(), 0);
  for (size_t i = 0; i < into.group.members.size(); ++i) into.group.stage[i] = stage_in(d, sources(into.group.members[i]));
}

void Drafts::read_from(size_t d, size_t producer) {
  if (all[d].producers.insert(producer).second) ensure(order_.add(static_cast<uint32_t>(producer), static_cast<uint32_t>(d)), "drafts depend on each other in a circle");
}

bool Drafts::depend(const std::vector<uint32_t>& drafts, size_t b) { return order_.follows(drafts, static_cast<uint32_t>(b)); }

bool Drafts::has_room(size_t d, NodeId id, const std::vector<Source>& from) {
  const Draft& draft = all[d];
  if (draft.group.members.size() >= most_members || draft.work + work_of(id) > most_work) return false;
  std::set<NodeId> more;
  for (const Source& s : from)
    if (!is_in(s.value, d)) more.insert(s.value);
  return few_reads(draft, std::move(more));
}

bool Drafts::have_room(size_t a, size_t b) const {
  const Draft &one = all[a], &other = all[b];
  return one.group.members.size() + other.group.members.size() <= most_members && one.work + other.work <= most_work && few_reads(one, other.reads);
}

bool Drafts::has_room_for_reduction(size_t d) const { return all[d].group.members.size() < most_members; }

// The scalar operations of one element of an elementwise node; 1 of others.
size_t Drafts::work_of(NodeId id) {
  const Node& node = graph.node(id);
  if (!is_elementwise(node.op)) return 1;
  std::vector<DType> inputs;
  for (NodeId input : graph.inputs(id)) inputs.push_back(graph.type(input).dtype);
  auto [known, is_new] = work_.try_emplace({node.op, node.type.dtype, inputs}, 0);
  if (is_new)
    for (const ScalarOp& op : expression_of(node.op, inputs, node.type.dtype).ops) known->second += operand_count(op.code) > 0;
  return known->second;
}

}  // namespace sinter
