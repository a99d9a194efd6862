// The schedule: in what order a fusion plan's groups run.
#pragma once
#include <string>
#include <vector>

#include "graph/graph.h"
#include "passes/fusion/plan.h"

namespace sinter {

struct Schedule {
  std::vector<uint32_t> order;  // indices of FusionPlan::groups, each once
};

// An order that respects what groups read of each other and keeps the least memory live: list scheduling that runs next the group that
// frees most and allocates least, or the plan's own order where that is no worse (Sethi and Ullman's problem; on a graph it is NP-hard).
// Where a parameter's new value is stored by a group, every other group that reads its old value runs before that one, so that the
// memory plan may update the parameter where it lies, unless the dependencies make that impossible. Symbolic sizes count as 64.
// Time: about (groups + reads) * log(groups).
Schedule schedule(const Program&, const FusionPlan&);

// Throws InternalError where it is no order of the plan's groups or where a group reads what a later one stores. Knows nothing of how it
// was made.
void check(const Program&, const FusionPlan&, const Schedule&);

// The most bytes of stored values, but for outputs and parameters, live at once in this order, symbolic sizes counted as 64.
int64_t nominal_peak(const Program&, const FusionPlan&, const Schedule&);

}  // namespace sinter
