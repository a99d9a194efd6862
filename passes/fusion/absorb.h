// One draft taken into another.
#pragma once
#include "passes/fusion/drafts.h"

namespace sinter {

// Whether rows are not to wait for their own reductions: they are long, or there is one, whose length is not known. Only a kernel of one stage
// can share a row out among chunks, which a long one needs: for the threads, and for its sums.
bool has_one_stage(const Group&);

// Takes draft `other` into `d`, where its members can be computed at the points of d's loops and no third draft stands between. `reader`, a
// member of `d`, reads it; `from` is all that `reader` reads.
void absorb(Drafts&, size_t d, size_t other, const std::vector<Source>& from, NodeId reader);

}  // namespace sinter
