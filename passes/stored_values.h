// Who stores what under a fusion plan: tables by node, for plans that ask of every value.
#pragma once
#include <vector>

#include "graph/graph.h"
#include "passes/fusion/plan.h"

namespace sinter {

struct StoredValues {
  static constexpr uint32_t none = ~uint32_t{0};
  std::vector<uint32_t> storer;               // the group that stores it; none for leaves and what is not stored
  std::vector<NodeId> home;                   // the leaf or stored value whose elements it shares (a reshape's: its operand's); invalid where nothing holds it
  std::vector<std::vector<uint32_t>> readers;  // of a home: the groups that read it, each once
};

StoredValues stored_values(const Program&, const FusionPlan&);

}  // namespace sinter
