// Memory plans with one thing wrong in each: the checker finds it.
#include <catch2/catch.hpp>

#include "tests/plans/planned.h"

namespace sinter {
namespace {

template <class Change>
bool is_refused_after(const Planned& p, Change change) {
  MemoryPlan wrong = p.plan;
  change(wrong);
  return is_refused(p, wrong);
}

}  // namespace

TEST_CASE("the checker of memory plans finds what is wrong with one", "[memory_plan]") {
  Planned p(training);
  CHECK(p.copies() == 0);
  CHECK(p.buffer(6).place == Place::parameter);
  auto broken = [&](auto change) { return is_refused_after(p, change); };
  auto step_of = [&](MemoryPlan& m, uint32_t node) {
    return std::find_if(m.steps.begin(), m.steps.end(), [&](const PlannedStep& s) { return s.group == static_cast<uint32_t>(p.fusion.stored_by[node]); });
  };
  CHECK_FALSE(broken([](MemoryPlan&) {}));
  CHECK(broken([&](MemoryPlan& m) { std::swap(*m.steps.begin(), *(m.steps.begin() + 1)); }));              // read before it is stored
  CHECK(broken([&](MemoryPlan& m) { std::iter_swap(step_of(m, 6), step_of(m, 4)); }));                    // update before a read
  CHECK(broken([&](MemoryPlan& m) { m.steps.pop_back(); }));                                              // a group is left out
  CHECK(broken([&](MemoryPlan& m) { m.steps.push_back(m.steps.back()); }));                               // or runs twice
  CHECK(broken([&](MemoryPlan& m) { m.buffer_of[4] = m.buffer_of[3]; }));                                 // stored over what it still reads
  CHECK(broken([&](MemoryPlan& m) { m.buffer_of[5] = m.buffer_of[4]; }));                                 // another size
  CHECK(broken([&](MemoryPlan& m) { m.buffer_of[2] = m.buffer_of[0]; }));                                 // an input written
  CHECK(broken([&](MemoryPlan& m) { m.buffer_of[6] = m.buffer_of[5]; }));                                 // the parameter is not updated
  CHECK(broken([&](MemoryPlan& m) { m.buffer_of[7] = MemoryPlan::none; }));                               // no place for an output
  CHECK(broken([&](MemoryPlan& m) { ++m.buffers[m.buffer_of[4]].last; }));                                // live too long
  CHECK(broken([&](MemoryPlan& m) { --m.buffers[m.buffer_of[4]].last; }));                                // too short
  CHECK(broken([&](MemoryPlan& m) { ++m.buffers[m.buffer_of[4]].first; }));
  CHECK(broken([&](MemoryPlan& m) { m.buffer_of.pop_back(); }));
  CHECK(broken([&](MemoryPlan& m) { m.buffer_of[4] = 1000; }));
  CHECK(broken([&](MemoryPlan& m) { m.steps[0].group = 1000; }));
  CHECK(broken([&](MemoryPlan& m) { m.buffers[m.buffer_of[7]].output = 1; }));
  CHECK(broken([&](MemoryPlan& m) { m.buffers[m.buffer_of[1]].leaf = NodeId(0); }));

  Planned swapped(trading_places);
  for (size_t i = 0; i < swapped.plan.steps.size(); ++i) {  // a copy is missing, or comes at the wrong time
    MemoryPlan missing = swapped.plan;
    missing.steps.erase(missing.steps.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK(is_refused(swapped, missing));
    if (i == 0) continue;
    MemoryPlan reordered = swapped.plan;
    std::swap(reordered.steps[i], reordered.steps[i - 1]);
    CHECK(is_refused(swapped, reordered));
  }
}

TEST_CASE("the checker knows what only the order within a group decides", "[memory_plan]") {
  Planned p(R"(sinter 1
%w = parameter : f32[4, 4]
%1 = transpose %w {permutation=[1, 0]} : f32[4, 4]
update %w = %1
return
)");
  MemoryPlan in_place = p.plan;  // as if the transposition could be made where it lies
  in_place.buffers.resize(1);
  in_place.buffers[0] = p.buffer(0);
  in_place.buffer_of = {0, 0};
  in_place.steps = {p.plan.steps[0]};
  REQUIRE(in_place.steps[0].group == 0);
  CHECK(is_refused(p, in_place));
  p.fusion.groups[0].reads[0].replaceable_by = {NodeId(1)};
  CHECK_FALSE(is_refused(p, in_place));

  Program dead = parse(R"(sinter 1
%x = variable : f32[4]
%1 = exp %x : f32[4]
%2 = sin %x : f32[4]
return %2
)", "test");
  Planned both(dead, fusion_of(dead, {group({{NodeId(0), {}}}, {NodeId(1), NodeId(2)})}));
  MemoryPlan together = both.plan;
  together.buffer_of[1] = together.buffer_of[2];
  std::erase_if(together.buffers, [](const PlannedBuffer& b) { return b.place == Place::arena; });
  for (uint32_t i = 0; i < together.buffers.size(); ++i)
    if (together.buffers[i].place == Place::output) together.buffer_of[1] = together.buffer_of[2] = i;
  CHECK(is_refused(both, together));
}

TEST_CASE("the checker tells outputs apart", "[memory_plan]") {
  Planned p(R"(sinter 1
%x = variable : f32[4]
%1 = exp %x : f32[4]
%2 = sin %x : f32[4]
return %1, %2
)");
  MemoryPlan swapped = p.plan;
  for (PlannedBuffer& b : swapped.buffers)
    if (b.place == Place::output) b.output = 1 - b.output;
  CHECK(is_refused(p, swapped));
}

TEST_CASE("what a plan says that nothing reads is checked all the same", "[memory_plan]") {
  // %1 is stored, and nobody reads it.
  Program program = parse(R"(sinter 1
%x = variable : f32[4]
%1 = exp %x : f32[4]
%2 = sin %x : f32[4]
%w = parameter : f32[4]
return %2
)", "test");
  NodeId x(0), dead(1), sin(2), w(3);
  Planned p(program, fusion_of(program, {group({{x, {}}}, {sin}), group({{x, {dead}}}, {dead})}));
  const Type four = Type::of(f32, {4}), five = Type::of(f32, {5});
  auto broken = [&](auto change) { return is_refused_after(p, change); };
  auto with = [&](Place place, NodeId leaf, uint32_t output, const Type& type) {
    return broken([&](MemoryPlan& m) { m.buffers.push_back({place, leaf, output, type}); });
  };
  auto of = [&](const MemoryPlan& m, Place place) {
    return static_cast<uint32_t>(std::find_if(m.buffers.begin(), m.buffers.end(), [&](const PlannedBuffer& b) { return b.place == place; }) - m.buffers.begin());
  };
  CHECK_FALSE(with(Place::input, x, 0, four));
  CHECK_FALSE(with(Place::parameter, w, 0, four));
  CHECK(with(Place::input, dead, 0, four));                 // no leaf
  CHECK(with(Place::input, w, 0, four));                    // one of another kind
  CHECK(with(Place::constant, x, 0, four));
  CHECK(with(Place::parameter, x, 0, four));
  CHECK(with(Place::input, NodeId(), 0, four));
  CHECK(with(Place::input, NodeId(1000), 0, four));
  CHECK(with(Place::input, x, 0, five));                    // of another size
  CHECK(with(Place::output, NodeId(), 0, four));            // a second one
  CHECK(with(Place::output, NodeId(), 1, four));            // an output that there is not
  CHECK(broken([&](MemoryPlan& m) { m.buffers.insert(m.buffers.end(), 2, {Place::parameter, w, 0, four}); }));
  CHECK(broken([&](MemoryPlan& m) { m.buffer_of.push_back(MemoryPlan::none); }));
  CHECK(broken([&](MemoryPlan& m) { m.buffer_of[w.index] = static_cast<uint32_t>(m.buffers.size()); }));  // where there is no buffer
  CHECK(broken([&](MemoryPlan& m) {                         // its group is left out, and its buffer
    std::erase_if(m.steps, [&](const PlannedStep& s) { return s.group == static_cast<uint32_t>(p.fusion.stored_by[dead.index]); });
    std::erase_if(m.buffers, [](const PlannedBuffer& b) { return b.place == Place::arena; });
    m.buffer_of[dead.index] = MemoryPlan::none;
    m.buffer_of[x.index] = of(m, Place::input), m.buffer_of[sin.index] = of(m, Place::output);
  }));
  CHECK(broken([&](MemoryPlan& m) { m.buffers[m.buffer_of[dead.index]].type = five; }));
  CHECK(broken([&](MemoryPlan& m) {                         // over the input, which nobody reads any more
    std::erase_if(m.buffers, [](const PlannedBuffer& b) { return b.place == Place::arena; });
    m.buffer_of[x.index] = m.buffer_of[dead.index] = of(m, Place::input), m.buffer_of[sin.index] = of(m, Place::output);
    std::sort(m.steps.begin(), m.steps.end(), [](const PlannedStep& a, const PlannedStep& b) { return a.group < b.group; });
    REQUIRE(m.steps.back().group == static_cast<uint32_t>(p.fusion.stored_by[dead.index]));
  }));
  CHECK(broken([&](MemoryPlan& m) { m.steps.push_back({PlannedStep::copy, of(m, Place::output), of(m, Place::output)}); }));  // to itself
  CHECK(broken([&](MemoryPlan& m) {                         // the output is in the arena
    PlannedBuffer& output = m.buffers[of(m, Place::output)];
    auto step = std::find_if(m.steps.begin(), m.steps.end(), [&](const PlannedStep& s) { return s.group == static_cast<uint32_t>(p.fusion.stored_by[sin.index]); });
    output.place = Place::arena;
    output.first = output.last = static_cast<uint32_t>(step - m.steps.begin());
  }));

  Planned updated(R"(sinter 1
%w = parameter : f32[4]
%x = variable : f32[4]
%2 = exp %x : f32[4]
update %w = %2
return
)");
  MemoryPlan lost = updated.plan;  // the new value is in the arena, and stays there
  for (PlannedBuffer& b : lost.buffers)
    if (b.place == Place::parameter) b.place = Place::arena, b.first = b.last = 0;
  REQUIRE(lost.steps.size() == 1);
  CHECK(is_refused(updated, lost));
}

}  // namespace sinter
