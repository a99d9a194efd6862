#include "runtime/arena_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "graph/support/errors.h"

namespace sinter {
namespace {

constexpr int64_t most_bytes = std::numeric_limits<int64_t>::max() / 2;
// Above this many requests one order has to do: placing takes their square.
constexpr size_t most_for_other_orders = 2048;

int64_t rounded(int64_t bytes) { return (bytes + arena_alignment - 1) / arena_alignment * arena_alignment; }

// The most bytes live at one step.
int64_t most_live(std::span<const ArenaRequest> requests) {
  std::vector<std::pair<uint64_t, int64_t>> changes;  // at a step; what ends does so before what begins
  for (const ArenaRequest& r : requests) changes.emplace_back(uint64_t{r.first} * 2 + 1, rounded(r.bytes)), changes.emplace_back(uint64_t{r.last} * 2 + 2, -rounded(r.bytes));
  std::sort(changes.begin(), changes.end());
  int64_t live = 0, most = 0;
  for (const auto& [when, bytes] : changes) most = std::max(most, live += bytes);
  return most;
}

struct Placed {
  int64_t begin, end;
  uint32_t first, last;
};

// Places the requests in this order, each in the smallest gap among those live with it that holds it.
void place(std::span<const ArenaRequest> requests, const std::vector<uint32_t>& order, ArenaLayout& layout) {
  std::vector<Placed> placed;  // by begin
  placed.reserve(requests.size());
  layout.offsets.assign(requests.size(), 0);
  layout.bytes = 0;
  for (uint32_t i : order) {
    const ArenaRequest& r = requests[i];
    int64_t bytes = rounded(r.bytes);
    if (bytes == 0) continue;
    int64_t free_from = 0, best = -1, smallest = std::numeric_limits<int64_t>::max();
    for (const Placed& p : placed) {
      if (p.last < r.first || p.first > r.last) continue;
      if (int64_t gap = p.begin - free_from; gap >= bytes && gap < smallest) best = free_from, smallest = gap;
      free_from = std::max(free_from, p.end);
    }
    if (best < 0) best = free_from;
    Placed here{best, best + bytes, r.first, r.last};
    placed.insert(std::upper_bound(placed.begin(), placed.end(), here, [](const Placed& a, const Placed& b) { return a.begin < b.begin; }), here);
    layout.offsets[i] = best;
    layout.bytes = std::max(layout.bytes, here.end);
  }
}

}  // namespace

ArenaLayout layout_arena(std::span<const ArenaRequest> requests) {
  int64_t total = 0;
  for (const ArenaRequest& r : requests) {
    ensure(r.bytes >= 0 && r.first <= r.last, "an arena buffer has a size and is live at some step");
    if (r.bytes > most_bytes - arena_alignment || rounded(r.bytes) > most_bytes - total) throw UserError("the values of this function overflow 63 bits of memory at these sizes");
    total += rounded(r.bytes);
  }
  ArenaLayout best;
  best.lower_bound = most_live(requests);
  std::vector<uint32_t> order(requests.size());
  std::iota(order.begin(), order.end(), 0u);
  auto by = [&](auto key) {  // largest key first
    std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
      auto x = key(requests[a]), y = key(requests[b]);
      return x != y ? x > y : a < b;
    });
    return order;
  };
  place(requests, by([](const ArenaRequest& r) { return rounded(r.bytes); }), best);
  auto try_order = [&](const std::vector<uint32_t>& other) {
    if (best.bytes == best.lower_bound || requests.size() > most_for_other_orders) return;
    ArenaLayout layout;
    layout.lower_bound = best.lower_bound;
    place(requests, other, layout);
    if (layout.bytes < best.bytes) best = std::move(layout);
  };
  try_order(by([](const ArenaRequest& r) { return static_cast<double>(r.bytes) * (static_cast<double>(r.last - r.first) + 1); }));
  try_order(by([](const ArenaRequest& r) { return r.last - r.first; }));
  try_order(by([](const ArenaRequest& r) { return -static_cast<int64_t>(r.first); }));
  return best;
}

void check(std::span<const ArenaRequest> requests, const ArenaLayout& layout) {
  ensure(layout.offsets.size() == requests.size(), "each arena buffer has an offset");
  struct Event {
    uint64_t when;
    bool begins;
    uint32_t request;
  };
  std::vector<Event> events;
  for (uint32_t i = 0; i < requests.size(); ++i) {
    int64_t offset = layout.offsets[i];
    ensure(offset >= 0 && offset % arena_alignment == 0 && requests[i].bytes <= layout.bytes - offset, fmt::format("arena buffer {} lies aligned within the arena", i));
    if (requests[i].bytes > 0) events.push_back({requests[i].first, true, i}), events.push_back({uint64_t{requests[i].last} + 1, false, i});
  }
  std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.when != b.when ? a.when < b.when : a.begins < b.begins; });
  std::map<int64_t, uint32_t> live;  // by offset
  auto apart = [&](uint32_t lower, uint32_t upper) {
    ensure(layout.offsets[lower] + requests[lower].bytes <= layout.offsets[upper], fmt::format("arena buffers {} and {} are apart, being live at one step", lower, upper));
  };
  for (const Event& e : events) {
    if (!e.begins) {
      live.erase(layout.offsets[e.request]);
      continue;
    }
    auto [at, is_new] = live.emplace(layout.offsets[e.request], e.request);
    ensure(is_new, fmt::format("arena buffers {} and {} are apart, being live at one step", at->second, e.request));
    if (at != live.begin()) apart(std::prev(at)->second, e.request);
    if (std::next(at) != live.end()) apart(e.request, std::next(at)->second);
  }
}

}  // namespace sinter
