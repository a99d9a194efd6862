// A case made from another by taking something away.
#pragma once
#include <map>
#include <set>

#include "tools/fuzz/check.h"

namespace sinter::fuzz {

struct Edit {
  std::set<NodeId> cut;                        // nodes that become variables with the values that they had
  std::map<NodeId, NodeId> instead;            // nodes that an earlier one of their type takes the place of
  std::function<Dim(const Dim&)> size = {};    // of every size in the program
};
// Nothing where that makes no program.
std::optional<Case> edited(const Case&, const Edit&);

// With other outputs and updates, and without what those do not reach.
Case reduced(const Case&, const std::vector<NodeId>& outputs, const std::vector<Update>& updates);

}  // namespace sinter::fuzz
