#include "passes/schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <queue>
#include <set>

#include "passes/growing_order.h"
#include "passes/stored_values.h"

namespace sinter {
namespace {

constexpr int64_t nominal_size = 64, most_bytes = int64_t{1} << 40;  // the latter so that sums of them stay in 64 bits

int64_t nominal_bytes(const Type& type) {
  Bindings bindings;
  for (const Dim& d : type.shape)
    for (const std::string& symbol : d.symbols()) bindings[symbol] = nominal_size;
  try {
    int64_t bytes = static_cast<int64_t>(size_of(type.dtype));
    for (const Dim& d : type.shape) bytes = checked_multiply(bytes, std::max<int64_t>(d.evaluate(bindings), 0));
    return std::min(bytes, most_bytes);
  } catch (const UserError&) {
    return most_bytes;
  }
}

// What each value costs while it is live.
struct Costs {
  StoredValues values;
  std::vector<InPlaceUpdate> updates;
  std::vector<int64_t> bytes;  // by home: 0 for what lies in an output or a parameter, or was there before
  std::vector<bool> kept;      // by home: needed after the last group
};

Costs costs_of(const Program& program, const FusionPlan& plan) {
  Costs costs{stored_values(program, plan), {}, std::vector<int64_t>(program.graph.size()), std::vector<bool>(program.graph.size())};
  costs.updates = in_place_updates(program, plan, costs.values);
  for (const Group& group : plan.groups)
    for (NodeId id : group.stored) costs.bytes[id.index] = nominal_bytes(program.graph.type(id));
  for (NodeId o : program.outputs)
    if (NodeId home = costs.values.home[o.index]; home.valid()) costs.bytes[home.index] = 0;
  for (const Update& u : program.updates)
    if (NodeId home = costs.values.home[u.value.index]; home.valid()) costs.kept[home.index] = true;
  for (const InPlaceUpdate& u : costs.updates) costs.bytes[u.value.index] = 0;
  return costs;
}

// The bytes that a group's values take over from those that die in it, which `dies` tells.
template <class Dies>
int64_t taken_over(const Program& program, const Costs& costs, const Group& group, Dies dies) {
  std::set<NodeId> gone, taken;
  int64_t bytes = 0;
  for (const GroupRead& read : group.reads) {
    NodeId home = costs.values.home[read.value.index];
    if (!home.valid() || costs.bytes[home.index] == 0 || gone.count(home) || read.replaceable_by.empty() || !dies(home)) continue;
    for (NodeId by : read.replaceable_by) {
      if (costs.bytes[by.index] == 0 || taken.count(by) || !equal_in_bytes(program.graph.type(home), program.graph.type(by)) ||
          !may_replace(group, costs.values, home, by))
        continue;
      gone.insert(home), taken.insert(by);
      bytes += costs.bytes[by.index];
      break;
    }
  }
  return bytes;
}

int64_t peak_of(const Program& program, const FusionPlan& plan, const Costs& costs, const std::vector<uint32_t>& order) {
  std::vector<uint32_t> left(program.graph.size());
  for (const Group& group : plan.groups)
    for (NodeId id : group.stored) left[id.index] = static_cast<uint32_t>(costs.values.readers(id).size());
  int64_t live = 0, peak = 0;
  for (uint32_t g : order) {
    const Group& group = plan.groups[g];
    int64_t over = taken_over(program, costs, group, [&](NodeId home) { return left[home.index] == 1 && !costs.kept[home.index]; });
    for (NodeId id : group.stored) live += costs.bytes[id.index];
    peak = std::max(peak, live - over);
    std::set<NodeId> read;
    for (const GroupRead& r : group.reads)
      if (NodeId home = costs.values.home[r.value.index]; home.valid() && read.insert(home).second && left[home.index] > 0 && --left[home.index] == 0 && !costs.kept[home.index])
        live -= costs.bytes[home.index];
    for (NodeId id : group.stored)
      if (left[id.index] == 0 && !costs.kept[id.index]) live -= costs.bytes[id.index];
  }
  return peak;
}

// Of the groups whose turn has come, always the one that frees most and allocates least; of equals the first in `before`'s order.
std::vector<uint32_t> greedy(const FusionPlan& plan, const Costs& costs, const GrowingOrder& before) {
  size_t count = plan.groups.size();
  std::vector<uint32_t> waits(count), order;
  std::vector<int64_t> gain(count);           // bytes freed less bytes allocated, as far as known
  std::vector<uint32_t> left(costs.bytes.size());  // by home: readers to come
  std::vector<uint64_t> left_sum(costs.bytes.size());  // the sum of their indices: the last one's where there is one left
  std::vector<bool> done(count);
  struct Candidate {
    int64_t gain;
    uint32_t position, group;
    bool operator<(const Candidate& o) const { return gain != o.gain ? gain < o.gain : position > o.position; }
  };
  std::priority_queue<Candidate> candidates;
  auto frees = [&](NodeId home, uint32_t g) {
    if (!costs.kept[home.index]) gain[g] += costs.bytes[home.index];
  };
  for (uint32_t g = 0; g < count; ++g) {
    waits[g] = static_cast<uint32_t>(before.count_before(g));
    for (NodeId id : plan.groups[g].stored) {
      gain[g] -= costs.bytes[id.index];
      auto readers = costs.values.readers(id);
      left[id.index] = static_cast<uint32_t>(readers.size());
      left_sum[id.index] = std::accumulate(readers.begin(), readers.end(), uint64_t{0});
      if (readers.empty()) frees(id, g);
      if (readers.size() == 1) frees(id, readers[0]);
    }
  }
  auto offer = [&](uint32_t g) { candidates.push({gain[g], before.position(g), g}); };
  for (uint32_t g = 0; g < count; ++g)
    if (waits[g] == 0) offer(g);
  while (!candidates.empty()) {
    uint32_t g = candidates.top().group;
    candidates.pop();
    if (done[g]) continue;  // an offer that a better one has overtaken
    done[g] = true;
    order.push_back(g);
    std::set<NodeId> read;
    for (const GroupRead& r : plan.groups[g].reads) {
      NodeId home = costs.values.home[r.value.index];
      if (!home.valid() || costs.values.storer[home.index] == StoredValues::none || !read.insert(home).second) continue;
      left_sum[home.index] -= g;
      if (--left[home.index] != 1) continue;
      uint32_t last = static_cast<uint32_t>(left_sum[home.index]);
      frees(home, last);
      if (waits[last] == 0) offer(last);
    }
    for (uint32_t next : before.after(g))
      if (--waits[next] == 0) offer(next);
  }
  ensure(order.size() == count, "groups depend on each other in a circle");
  return order;
}

}  // namespace

Schedule schedule(const Program& program, const FusionPlan& plan) {
  Costs costs = costs_of(program, plan);
  GrowingOrder before(plan.groups.size());
  for (size_t i = 0; i < program.graph.size(); ++i) {
    NodeId id(i);
    if (uint32_t storer = costs.values.storer[i]; storer != StoredValues::none)
      for (uint32_t reader : costs.values.readers(id)) ensure(reader == storer || before.add(storer, reader), "groups depend on each other in a circle");
  }
  // All of a parameter's readers go before its update, or, where one cannot, none needs to: then the update is a copy anyway.
  for (const InPlaceUpdate& u : costs.updates) {
    std::vector<uint32_t> added;
    bool possible = true;
    for (uint32_t reader : costs.values.readers(u.parameter)) {
      if (reader == u.group) continue;
      possible = before.add(reader, u.group);
      if (!possible) break;
      added.push_back(reader);
    }
    if (possible) continue;
    for (size_t i = added.size(); i-- > 0;) before.take_back(added[i], u.group);
    costs.bytes[u.value.index] = nominal_bytes(program.graph.type(u.value));
  }
  std::vector<uint32_t> own = before.order(), other = greedy(plan, costs, before);
  return {peak_of(program, plan, costs, other) < peak_of(program, plan, costs, own) ? std::move(other) : std::move(own)};
}

int64_t nominal_peak(const Program& program, const FusionPlan& plan, const Schedule& schedule) {
  return peak_of(program, plan, costs_of(program, plan), schedule.order);
}

void check(const Program& program, const FusionPlan& plan, const Schedule& schedule) {
  constexpr size_t never = ~size_t{0};
  std::vector<size_t> turn(plan.groups.size(), never), stored(program.graph.size(), never);
  ensure(schedule.order.size() == plan.groups.size(), "a schedule has every group");
  for (size_t i = 0; i < schedule.order.size(); ++i) {
    uint32_t g = schedule.order[i];
    ensure(g < plan.groups.size() && turn[g] == never, fmt::format("a schedule has group {} once", g));
    turn[g] = i;
    for (NodeId id : plan.groups[g].stored) stored[id.index] = i;
  }
  for (uint32_t g : schedule.order)
    for (const GroupRead& read : plan.groups[g].reads) {
      NodeId id = read.value;
      while (stored[id.index] == never && (program.graph.node(id).op == Op::reshape || program.graph.node(id).op == Op::stop_gradient)) id = program.graph.inputs(id)[0];
      if (info(program.graph.node(id).op).family == Family::leaf && stored[id.index] == never) continue;
      ensure(stored[id.index] < turn[g], fmt::format("group {} reads %{} after it is stored", g, id.index));
    }
}

}  // namespace sinter
