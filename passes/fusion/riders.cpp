#include "passes/fusion/riders.h"

#include <algorithm>
#include <set>

#include "passes/fusion/reads.h"
#include "passes/fusion/walk.h"
#include "passes/growing_order.h"

namespace sinter {
namespace {

// Rows that lie along memory, and several of them: a kernel walks them one after another.
bool takes_riders(const Group& group) {
  if (group.kind != GroupKind::row) return false;
  std::vector<bool> reduced;
  for (size_t l = 0; l < group.loops.size(); ++l)
    if (!group.loops[l].is(1)) reduced.push_back(group.reduced[l]);
  return !reduced.empty() && reduced.back() && !reduced.front();
}

// The one group whose members are all that `rider` reduces; none where it does more than a rider may.
std::optional<uint32_t> host_of(const Graph& graph, const FusionPlan& plan, const Group& rider) {
  if (rider.kind != GroupKind::row) return std::nullopt;
  std::optional<uint32_t> host;
  for (size_t i = 0; i < rider.members.size(); ++i) {
    NodeId id = rider.members[i];
    if (!is_reduction(graph.node(id).op)) {
      if (!is_row_value(rider, i)) return std::nullopt;
      continue;
    }
    const int32_t home = plan.stored_by[graph.inputs(id)[0].index];
    if (home < 0 || rider.stage[i] != 0 || graph.type(id).dtype == boolean) return std::nullopt;
    const uint32_t g = static_cast<uint32_t>(home);
    if (host.value_or(g) != g || !takes_riders(plan.groups[g]) || !ridden_operand(graph, plan.groups[g], id)) return std::nullopt;
    host = g;
  }
  return host;
}

// The groups while some come to ride with others.
class Riding {
 public:
  explicit Riding(const FusionPlan& plan) : groups(plan.groups), plan_(plan), order_(groups.size()) {
    for (uint32_t g = 0; g < groups.size(); ++g) host.push_back(g);
    for (uint32_t g = 0; g < groups.size(); ++g)
      for (uint32_t storer : storers(groups[g])) before(storer, g);
  }

  std::vector<Group> groups;
  std::vector<uint32_t> host;  // by group: itself, or the one it rides with

  // Whether the group reads, through others, what `b` stores.
  bool depends(const Group& group, uint32_t b) { return order_.follows(storers(group), b); }

  void ride(uint32_t r, Group rider, uint32_t with) {
    for (uint32_t storer : storers(rider)) before(storer, with);
    for (uint32_t reader : order_.after(r)) before(with, reader);
    host[r] = with;
    groups[with].riders.push_back(std::move(rider));
  }

 private:
  std::vector<uint32_t> storers(const Group& group) const {
    std::vector<uint32_t> found;
    for (const GroupRead& read : group.reads)
      if (int32_t g = plan_.stored_by[read.value.index]; g >= 0) found.push_back(host[static_cast<size_t>(g)]);
    return found;
  }
  void before(uint32_t first, uint32_t second) { ensure(order_.add(first, second), "groups depend on each other in a circle"); }

  const FusionPlan& plan_;
  GrowingOrder order_;  // of the groups: what stores comes before what reads; those that ride keep their places
};

}  // namespace

bool feeds_rider(const Graph& graph, const Group& group, NodeId member) {
  return std::any_of(group.riders.begin(), group.riders.end(), [&](const Group& rider) {
    return std::any_of(rider.members.begin(), rider.members.end(), [&](NodeId id) { return is_reduction(graph.node(id).op) && graph.inputs(id)[0] == member; });
  });
}

std::optional<RiddenOperand> ridden_operand(const Graph& graph, const Group& group, NodeId reduction) {
  NodeId operand = graph.inputs(reduction)[0];
  const size_t i = member_number(group, operand);
  if (i == group.members.size()) return std::nullopt;
  const auto& axes = graph.attributes<ReduceAttributes>(reduction).axes;
  RiddenOperand ridden{operand, {}};
  std::vector<bool> kept(group.loops.size()), gone(group.loops.size());
  for (size_t a = 0, k = 0; a < group.at[i].axes.size(); ++a) {
    const Affine& axis = group.at[i].axes[a];
    const bool reduced = k < axes.size() && axes[k] == static_cast<int64_t>(a);
    if (reduced) ++k;
    else ridden.index.axes.push_back(axis);
    for (size_t l = 0; l < kept.size(); ++l)
      if (!axis.strides[l].is(0)) (reduced ? gone : kept)[l] = true;
  }
  // All rows are reduced, and of the places along a row either none or all.
  bool some = false, all = true;
  for (size_t l = 0; l < kept.size(); ++l) {
    if (kept[l] && (gone[l] || !group.reduced[l])) return std::nullopt;
    if (group.reduced[l] && !group.loops[l].is(1)) some = some || kept[l], all = all && kept[l];
  }
  if (some && !all) return std::nullopt;
  return ridden;
}

std::vector<Group> with_riders(const Program& program, const std::set<NodeId>& leaving, const FusionPlan& plan) {
  Riding riding(plan);
  std::set<size_t> hosts;
  for (uint32_t r = 0; r < plan.groups.size(); ++r) {
    const auto host = host_of(program.graph, plan, plan.groups[r]);
    if (!host || riding.host[*host] != *host || !riding.groups[r].riders.empty()) continue;
    Group rider = plan.groups[r];
    find_rider_reads(program, plan, rider);
    // What else it reads has to be there before the first row is walked.
    if (riding.depends(rider, *host)) continue;
    riding.ride(r, std::move(rider), *host);
    hosts.insert(*host);
  }
  // What only riders read is not stored.
  std::set<NodeId> read = leaving;
  for (size_t g = 0; g < riding.groups.size(); ++g) {
    if (riding.host[g] != g) continue;
    for (const GroupRead& r : riding.groups[g].reads) read.insert(r.value);
    for (const Group& rider : riding.groups[g].riders)
      for (const GroupRead& r : rider.reads) read.insert(r.value);
  }
  std::vector<Group> left;
  for (size_t g = 0; g < riding.groups.size(); ++g) {
    if (riding.host[g] != g) continue;
    Group& group = riding.groups[g];
    if (hosts.count(g)) {
      group.stored.erase(std::remove_if(group.stored.begin(), group.stored.end(), [&](NodeId id) { return !read.count(id); }), group.stored.end());
      for (const Group& rider : group.riders) group.stored.insert(group.stored.end(), rider.stored.begin(), rider.stored.end());
    }
    left.push_back(std::move(group));
  }
  return left;
}

}  // namespace sinter
