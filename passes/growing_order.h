// An order of groups, or of drafts of them, that grows with what each must come after.
#pragma once
#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "graph/support/errors.h"

namespace sinter {

// What must come before what, kept in an order that grows with it: Pearce and Kelly, "A dynamic topological sort algorithm for directed
// acyclic graphs", 2006. An edge that goes along with the order costs nothing; another one reorders what lies between its ends.
class GrowingOrder {
 public:
  explicit GrowingOrder(size_t count = 0) : after_(count), before_(count), position_(count), seen_(count) {
    std::iota(position_.begin(), position_.end(), 0u);
    at_ = position_;
  }
  // Returns false, and changes nothing, where `second` already comes before `first`.
  bool add(uint32_t first, uint32_t second) {
    if (first == second || (position_[second] < position_[first] && !reorder(first, second))) return false;
    after_[first].push_back(second);
    before_[second].push_back(first);
    return true;
  }
  void take_back(uint32_t first, uint32_t second) {  // the edge added last of each
    ensure(after_[first].back() == second && before_[second].back() == first, "edges are taken back last first");
    after_[first].pop_back();
    before_[second].pop_back();
  }
  // One more, the last in order so far.
  void grow() {
    const uint32_t last = static_cast<uint32_t>(at_.size());
    after_.emplace_back(), before_.emplace_back(), position_.push_back(last), at_.push_back(last), seen_.push_back(false);
  }
  // Whether one of `seconds` comes after `first`, or is it. Only what stands between them is walked: where that is very much, the answer is yes.
  bool follows(const std::vector<uint32_t>& seconds, uint32_t first) {
    constexpr size_t most_between = 1000;
    std::vector<uint32_t> found;
    auto come_to = [&](uint32_t g) {
      if (!seen_[g] && position_[g] >= position_[first]) seen_[g] = true, found.push_back(g);
    };
    for (uint32_t g : seconds) come_to(g);
    for (size_t i = 0; i < found.size() && found.size() <= most_between && !seen_[first]; ++i)
      for (uint32_t g : before_[found[i]]) come_to(g);
    const bool follows = seen_[first] || found.size() > most_between;
    for (uint32_t g : found) seen_[g] = false;
    return follows;
  }
  const std::vector<uint32_t>& order() const { return at_; }
  uint32_t position(uint32_t group) const { return position_[group]; }
  const std::vector<uint32_t>& after(uint32_t group) const { return after_[group]; }
  size_t count_before(uint32_t group) const { return before_[group].size(); }

 private:
  bool reorder(uint32_t first, uint32_t second) {
    uint32_t low = position_[second], high = position_[first];
    std::vector<uint32_t> later = reached(second, after_, [&](uint32_t p) { return p <= high; });
    bool cycle = seen_[first];
    for (uint32_t g : later) seen_[g] = false;
    if (cycle) return false;
    std::vector<uint32_t> earlier = reached(first, before_, [&](uint32_t p) { return p >= low; });
    for (uint32_t g : earlier) seen_[g] = false;
    auto by_position = [&](uint32_t a, uint32_t b) { return position_[a] < position_[b]; };
    std::sort(earlier.begin(), earlier.end(), by_position);
    std::sort(later.begin(), later.end(), by_position);
    earlier.insert(earlier.end(), later.begin(), later.end());
    std::vector<uint32_t> places;
    for (uint32_t g : earlier) places.push_back(position_[g]);
    std::sort(places.begin(), places.end());
    for (size_t i = 0; i < places.size(); ++i) position_[earlier[i]] = places[i], at_[places[i]] = earlier[i];
    return true;
  }
  template <class Within>
  std::vector<uint32_t> reached(uint32_t from, const std::vector<std::vector<uint32_t>>& edges, Within within) {
    std::vector<uint32_t> found = {from};
    seen_[from] = true;
    for (size_t i = 0; i < found.size(); ++i)
      for (uint32_t next : edges[found[i]])
        if (!seen_[next] && within(position_[next])) seen_[next] = true, found.push_back(next);
    return found;
  }

  std::vector<std::vector<uint32_t>> after_, before_;
  std::vector<uint32_t> position_, at_;  // inverse of each other
  std::vector<bool> seen_;               // false between calls
};

}  // namespace sinter
