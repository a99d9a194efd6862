#include "passes/schedule.h"

#include <catch2/catch.hpp>
#include <ctime>

#include "graph/text.h"
#include "tests/plans/naive_plan.h"

namespace sinter {
namespace {

// Where in the order the group that stores %id comes.
size_t turn(const FusionPlan& plan, const Schedule& s, NodeId id) {
  for (size_t i = 0; i < s.order.size(); ++i)
    if (s.order[i] == static_cast<uint32_t>(plan.stored_by[id.index])) return i;
  return s.order.size();
}

Schedule in_plan_order(const FusionPlan& plan) {
  Schedule s;
  for (uint32_t g = 0; g < plan.groups.size(); ++g) s.order.push_back(g);
  return s;
}

}  // namespace

TEST_CASE("a schedule keeps less live than the order in which the graph was built", "[schedule]") {
  // Four large values that reduce to small ones: each is best reduced at once.
  Program program = parse(R"(sinter 1
%x = variable : f32[n, 100]
%1 = exp %x : f32[n, 100]
%2 = sin %x : f32[n, 100]
%3 = cos %x : f32[n, 100]
%4 = tanh %x : f32[n, 100]
%5 = sum %1 {axes=[1]} : f32[n]
%6 = sum %2 {axes=[1]} : f32[n]
%7 = sum %3 {axes=[1]} : f32[n]
%8 = sum %4 {axes=[1]} : f32[n]
%9 = add %5, %6 : f32[n]
%10 = add %7, %8 : f32[n]
%11 = add %9, %10 : f32[n]
return %11
)", "test");
  FusionPlan plan = naive_plan(program);
  Schedule s = schedule(program, plan);
  check(program, plan, s);
  int64_t large = 64 * 100 * 4, small = 64 * 4;
  CHECK(nominal_peak(program, plan, in_plan_order(plan)) == 4 * large + small);
  CHECK(nominal_peak(program, plan, s) <= large + 4 * small);
}

TEST_CASE("what reads a parameter's old value runs before its update", "[schedule]") {
  Program program = parse(R"(sinter 1
%x = variable : f32[4]
%w = parameter : f32[4]
%2 = add %w, %x : f32[4]
%3 = multiply %w, %x : f32[4]
%4 = exp %3 : f32[4]
update %w = %2
return %4
)", "test");
  FusionPlan plan = naive_plan(program);
  Schedule s = schedule(program, plan);
  check(program, plan, s);
  CHECK(turn(plan, s, NodeId(3)) < turn(plan, s, NodeId(2)));
}

TEST_CASE("a read of the old value that needs the new one keeps its place", "[schedule]") {
  Program program = parse(R"(sinter 1
%x = variable : f32[4]
%w = parameter : f32[4]
%2 = add %w, %x : f32[4]
%3 = multiply %w, %2 : f32[4]
update %w = %2
return %3
)", "test");
  FusionPlan plan = naive_plan(program);
  Schedule s = schedule(program, plan);
  check(program, plan, s);
  CHECK(turn(plan, s, NodeId(2)) < turn(plan, s, NodeId(3)));
}

TEST_CASE("the schedule of random programs is an order, and no worse than the plan's own", "[schedule]") {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Program program = random_program(seed, static_cast<int>(seed % 60));
    FusionPlan plan = naive_plan(program);
    Schedule s = schedule(program, plan);
    CAPTURE(seed);
    REQUIRE_NOTHROW(check(program, plan, s));
    if (program.updates.empty()) REQUIRE(nominal_peak(program, plan, s) <= nominal_peak(program, plan, in_plan_order(plan)));
    REQUIRE(schedule(program, plan).order == s.order);
  }
}

TEST_CASE("updates come after every other read, whatever had to move for that", "[schedule]") {
  size_t moved = 0;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    Program program = random_program(seed, static_cast<int>(seed % 60));
    // Where every value is an output none takes memory, and the order is the plan's own but for the updates.
    std::vector<bool> replaces(program.graph.size());
    for (const Update& u : program.updates) replaces[u.value.index] = true;
    program.outputs.clear();
    FusionPlan plan = naive_plan(program);
    for (const Group& g : plan.groups)
      if (!replaces[g.stored[0].index]) program.outputs.push_back(g.stored[0]);
    Schedule s = schedule(program, plan);
    CAPTURE(seed);
    REQUIRE_NOTHROW(check(program, plan, s));
    moved += s.order != in_plan_order(plan).order;
  }
  CHECK(moved > 10);
}

TEST_CASE("the checker of schedules finds what is wrong with one", "[schedule]") {
  Program program = random_program(3, 40);
  FusionPlan plan = naive_plan(program);
  Schedule right = schedule(program, plan);
  REQUIRE(right.order.size() > 10);
  Schedule missing = right, doubled = right, unknown = right, backwards = right;
  missing.order.pop_back();
  doubled.order[1] = doubled.order[0];
  unknown.order[0] = static_cast<uint32_t>(plan.groups.size());
  std::reverse(backwards.order.begin(), backwards.order.end());
  for (const Schedule* wrong : {&missing, &doubled, &unknown, &backwards}) CHECK_THROWS_AS(check(program, plan, *wrong), InternalError);
}

TEST_CASE("sizes that overflow at the nominal value are scheduled all the same", "[schedule]") {
  Program program = parse(R"(sinter 1
%x = variable : f32[a, b, c, d, e, f, g, h, i, j, k]
%1 = exp %x : f32[a, b, c, d, e, f, g, h, i, j, k]
%2 = sin %1 : f32[a, b, c, d, e, f, g, h, i, j, k]
%3 = add %1, %2 : f32[a, b, c, d, e, f, g, h, i, j, k]
return %3
)", "test");
  FusionPlan plan = naive_plan(program);
  CHECK_NOTHROW(check(program, plan, schedule(program, plan)));
}

TEST_CASE("a schedule of ten thousand groups takes milliseconds", "[schedule]") {
  Program program = random_program(1, 10000);
  for (size_t i = program.graph.size(); i-- > program.graph.size() - 200;) program.outputs.push_back(NodeId(i));
  FusionPlan plan = naive_plan(program);
  const std::clock_t start = std::clock();  // the time of this process: what else runs is none of it
  Schedule s = schedule(program, plan);
  double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  check(program, plan, s);
  CAPTURE(plan.groups.size());
  CHECK(seconds < 2);
}

}  // namespace sinter
