// Drafts of groups, while fusion decides who belongs together.
#pragma once
#include <set>

#include "passes/fusion/plan.h"

namespace sinter {

struct Draft {
  Group group;
  size_t work = 0;               // scalar operations a point
  int beside = -1;               // once it has no room: the draft begun last for one of its readers
  bool alive = true;             // false once another has absorbed it
  std::set<size_t> producers;    // drafts that it reads from
  std::set<NodeId> reads;        // values, in memory or of other drafts, that it reads; some may since have come into this one
};

// Groups of all that the program needs. `forced`: movement nodes that have to be stored. `leaving`: is given the values whose buffers
// leave the program, reshapes looked through. `joins`: as fuse() takes it.
std::vector<Draft> draft_groups(const Program&, const std::set<NodeId>& forced, std::set<NodeId>& leaving, bool joins);

}  // namespace sinter
