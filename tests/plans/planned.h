// A program with a fusion plan and a memory plan, for tests of memory plans.
#pragma once
#include <algorithm>

#include "graph/text.h"
#include "passes/memory_plan.h"
#include "tests/plans/naive_plan.h"

namespace sinter {

struct Planned {
  Program program;
  FusionPlan fusion;
  MemoryPlan plan;
  Planned(Program p, FusionPlan f, const MemoryOptions& options = {})
      : program(std::move(p)), fusion(std::move(f)), plan(plan_memory(program, fusion, schedule(program, fusion), options)) {
    check(program, fusion, plan);
  }
  explicit Planned(const Program& p, const MemoryOptions& options = {}) : Planned(p, naive_plan(p), options) {}
  explicit Planned(const char* text, const MemoryOptions& options = {}) : Planned(parse(text, "test"), options) {}
  const PlannedBuffer& buffer(size_t node) const { return plan.buffers[plan.buffer_of[node]]; }
  size_t copies() const {
    return static_cast<size_t>(std::count_if(plan.steps.begin(), plan.steps.end(), [](const PlannedStep& s) { return s.group == PlannedStep::copy; }));
  }
  size_t arena_buffers() const {
    return static_cast<size_t>(std::count_if(plan.buffers.begin(), plan.buffers.end(), [](const PlannedBuffer& b) { return b.place == Place::arena; }));
  }
};

// A group written by hand: what it reads, each with those that may replace it, and what it stores.
inline Group group(std::vector<GroupRead> reads, std::vector<NodeId> stored) {
  Group g;
  g.members = g.stored = std::move(stored);
  g.reads = std::move(reads);
  return g;
}
inline FusionPlan fusion_of(const Program& program, std::vector<Group> groups) {
  FusionPlan plan;
  plan.recomputed.assign(program.graph.size(), false);
  plan.stored_by.assign(program.graph.size(), -1);
  for (size_t g = 0; g < groups.size(); ++g)
    for (NodeId id : groups[g].stored) plan.stored_by[id.index] = static_cast<int32_t>(g);
  plan.groups = std::move(groups);
  return plan;
}

inline bool is_refused(const Planned& p, const MemoryPlan& broken) {
  try {
    check(p.program, p.fusion, broken);
  } catch (const InternalError&) {
    return true;
  }
  return false;
}

// A contraction's value, computed from twice and updated in place.
inline constexpr const char* training = R"(sinter 1
%x = variable : f32[n, 4]
%w = parameter : f32[4, 4]
%2 = contract %x, %w {lhs_contracted=[1], rhs_contracted=[0]} : f32[n, 4]
%3 = tanh %2 : f32[n, 4]
%4 = contract %3, %w {lhs_contracted=[1], rhs_contracted=[1]} : f32[n, 4]
%5 = contract %x, %4 {lhs_contracted=[0], rhs_contracted=[0]} : f32[4, 4]
%6 = subtract %w, %5 : f32[4, 4]
%7 = sum %4 {axes=[0, 1]} : f32[]
update %w = %6
return %7
)";

// Each parameter takes the other's value.
inline constexpr const char* trading_places = R"(sinter 1
%a = parameter : f32[4]
%b = parameter : f32[4]
update %a = %b
update %b = %a
return
)";

}  // namespace sinter
