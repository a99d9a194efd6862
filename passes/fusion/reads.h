// What a group reads, and what of it may be written over.
#pragma once
#include "passes/fusion/plan.h"

namespace sinter {

// Sets Group::reads, found by walking the group, and those of its riders. `all`: as if every member were stored.
void find_reads(const Program&, const FusionPlan&, Group&, bool all);

// Of a rider: all but the operands of its reductions.
void find_rider_reads(const Program&, const FusionPlan&, Group& rider);

}  // namespace sinter
