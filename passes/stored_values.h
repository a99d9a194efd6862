// Who stores what under a fusion plan, and who reads it: tables by node, for plans that ask it of every value.
#pragma once
#include <span>
#include <vector>

#include "graph/graph.h"
#include "passes/fusion/plan.h"

namespace sinter {

// Whether `id` is held in memory before the first group runs: a variable, a parameter or a constant.
bool is_held(const Graph&, NodeId id);

struct StoredValues {
  static constexpr uint32_t none = ~uint32_t{0};
  std::vector<uint32_t> storer;  // by node: the group that stores it; none for leaves and for what is not stored
  std::vector<NodeId> home;      // by node: the held or stored value whose elements it shares (a reshape's: its operand's); invalid where there is none

  // The groups that read a home, each once, in the plan's order.
  std::span<const uint32_t> readers(NodeId id) const { return {readers_.data() + first_reader_[id.index], readers_.data() + first_reader_[id.index + 1]}; }

 private:
  std::vector<uint32_t> first_reader_, readers_;
  friend StoredValues stored_values(const Program&, const FusionPlan&);
};

// InternalError where two groups store one value.
StoredValues stored_values(const Program&, const FusionPlan&);

// An update that may be made where the parameter lies, if every other group that reads the parameter runs before `group`.
struct InPlaceUpdate {
  NodeId parameter, value;  // the value is a home, stored by the group
  uint32_t group;
};
// At most one a parameter and one a value. Left out are those whose value leaves the program, too, and those where the group may read the
// parameter after it stored the same element, or where another parameter's new value is this one's old one.
std::vector<InPlaceUpdate> in_place_updates(const Program&, const FusionPlan&, const StoredValues&);

// Whether the group may store `value` over all that it reads of `over` (both homes), or reads nothing of it.
bool may_replace(const Group&, const StoredValues&, NodeId over, NodeId value);
bool equal_in_bytes(const Type&, const Type&);  // and in elements, whatever the symbols stand for

}  // namespace sinter
