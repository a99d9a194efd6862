// What fusion makes of programs drawn at random, up to the memory plan.
#include <catch2/catch.hpp>

#include "passes/memory_plan.h"
#include "tests/plans/naive_plan.h"

namespace sinter {

TEST_CASE("plans of fused random programs hold", "[memory_plan]") {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Program program = random_program(seed, static_cast<int>(seed % 50));
    FusionPlan fusion = fuse(program);
    REQUIRE_NOTHROW(check(program, fusion));
    Schedule order = schedule(program, fusion);
    REQUIRE_NOTHROW(check(program, fusion, order));
    REQUIRE_NOTHROW(check(program, fusion, plan_memory(program, fusion, order)));
  }
}

TEST_CASE("without joining each kernel computes one node", "[memory_plan]") {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    Program program = random_program(seed, static_cast<int>(seed % 50));
    FusionPlan fusion = fuse(program, false);
    for (const Group& group : fusion.groups) REQUIRE((group.members.size() == 1 && group.riders.empty()));
    REQUIRE_NOTHROW(check(program, fusion));
    Schedule order = schedule(program, fusion);
    REQUIRE_NOTHROW(check(program, fusion, plan_memory(program, fusion, order)));
  }
}

}  // namespace sinter
