// Wrong plans of contractions: the checker has to find each.
#include <catch2/catch.hpp>

#include "passes/fusion/plan.h"
#include "passes/pipeline.h"
#include "sinter.h"

namespace sinter {

TEST_CASE("a contraction's loops are its axes, the rows split where its readers see several", "[fusion]") {
  GraphScope scope;
  Variable x("x", f32, {"b", "t", 16}), w("w", f32, {16, 32}), c("c", f32, {"t", 32});
  const Program program = optimize(program_of({matmul(x, w) + c})).program;
  const FusionPlan plan = fuse(program);
  REQUIRE_NOTHROW(check(program, plan));
  REQUIRE(plan.groups.size() == 1);
  REQUIRE(plan.groups[0].loops == Shape{"b", "t", 32});
  size_t hero = member_number(plan.groups[0], plan.groups[0].hero);

  const auto wrong = [&](const std::function<void(Group&)>& change) {
    FusionPlan broken = plan;
    change(broken.groups[0]);
    CHECK_THROWS_AS(check(program, broken), InternalError);
  };
  wrong([&](Group& g) { g.loops = {"t", "b", 32}; });                                                // rows in another order
  wrong([&](Group& g) {                                                                              // a loop that no axis is
    g.loops.insert(g.loops.begin(), Dim(2)), g.reduced.push_back(false);
    for (Index& at : g.at)
      for (Affine& a : at.axes) a.strides.insert(a.strides.begin(), Dim(0));
  });
  wrong([&](Group& g) {                                                                              // the same, all walked so
    std::swap(g.loops[0], g.loops[1]);
    for (Index& at : g.at)
      for (Affine& a : at.axes) std::swap(a.strides[0], a.strides[1]);
  });
  wrong([&](Group& g) {                                                                              // all walked with columns outside of rows
    std::swap(g.loops[1], g.loops[2]);
    for (Index& at : g.at)
      for (Affine& a : at.axes) std::swap(a.strides[1], a.strides[2]);
  });
  wrong([&](Group& g) { g.at[hero].axes[1].offset = Dim(1); });
}

}  // namespace sinter
