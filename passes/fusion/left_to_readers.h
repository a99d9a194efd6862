// What is not stored although other groups read it: they compute it from what is in memory anyway.
#pragma once
#include <set>

#include "passes/fusion/plan.h"

namespace sinter {

// Marks as recomputed the values that cost less to compute again than to store and read: a few cheap operations on no more bytes. None of
// `kept`.
void leave_to_readers(const Program&, const std::set<NodeId>& kept, FusionPlan&);

// Of several values that are cheap to compute from one which is not stored, that one is, instead of them. 1 + tanh(x) and 1 - tanh(x)^2 are
// what the gradient of a gelu reads; tanh(x) is half of that. Not of values that contractions and reductions read: those would compute
// them while packing, or once a stage.
void store_their_source(const Program&, const std::set<NodeId>& kept, FusionPlan&);

}  // namespace sinter
