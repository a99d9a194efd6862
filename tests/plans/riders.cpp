// Wrong plans of groups that ride along: the checker has to find each.
#include <catch2/catch.hpp>

#include "graph/text.h"
#include "passes/fusion/plan.h"
#include "sinter.h"

namespace sinter {
namespace {

// Rows, with a column sum that updates a parameter and a total.
Program summed_rows() {
  Variable x("x", f32, {"n", 300});
  Parameter b("b", zeros({300}));
  Expr y = exp(x - max(x, {1}, true));
  return program_of({sum(y)}, {{b, b - sum(y * x, {0})}});
}

NodeId only(const Program& program, Op op, size_t rank) {
  for (size_t v = 0; v < program.graph.size(); ++v)
    if (program.graph.node(NodeId(v)).op == op && program.graph.type(NodeId(v)).shape.size() == rank) return NodeId(v);
  return {};
}

}  // namespace

TEST_CASE("sums over the rows of a group ride along with it", "[fusion]") {
  GraphScope scope;
  const Program program = summed_rows();
  const FusionPlan plan = fuse(program);
  REQUIRE_NOTHROW(check(program, plan));
  REQUIRE(plan.groups.size() == 1);
  const Group& rows = plan.groups[0];
  REQUIRE(rows.riders.size() == 2);
  CHECK(rows.stored.size() == 2);  // the total and the parameter: nothing of a row

  const auto wrong = [&](const std::function<void(Group&)>& change) {
    FusionPlan broken = plan;
    change(broken.groups[0]);
    CHECK_THROWS_AS(check(program, broken), InternalError);
  };
  auto column = [](Group& g) -> Group& { return g.riders[0].stored.size() == 1 && g.riders[0].members.size() == 2 ? g.riders[0] : g.riders[1]; };
  wrong([&](Group& g) { g.riders.pop_back(); });                                            // what it stores nobody computes
  wrong([&](Group& g) { g.riders[0].kind = GroupKind::loop; });
  wrong([&](Group& g) { g.riders[0].stage[0] = 1; });                                       // it waits for a reduction that there is not
  wrong([&](Group& g) { g.reduced = {true, false}; });                                      // rows the other way
  wrong([&](Group& g) { std::erase_if(g.stored, [&](NodeId id) { return id == column(g).stored[0]; }); });
  wrong([&](Group& g) { column(g).stage = {0, 0}; });                                       // what follows from a sum, before it is done
  wrong([&](Group& g) {                                                                     // the rows' operand, written over before a rider read it
    for (GroupRead& read : g.reads)
      if (program.graph.node(read.value).op == Op::parameter) read.replaceable_by = {g.riders[0].stored[0] == column(g).stored[0] ? g.riders[1].stored[0] : g.riders[0].stored[0]};
  });
  wrong([&](Group& g) {                                                                     // a parameter that the group reads and does not say so
    std::erase_if(g.reads, [&](const GroupRead& read) { return program.graph.node(read.value).op == Op::parameter; });
  });
}

TEST_CASE("what waits for the rows does not ride with them", "[fusion]") {
  GraphScope scope;
  Variable x("x", f32, {"n", 300}), w("w", f32, {300, 300});
  Expr y = exp(x - max(x, {1}, true));
  // The columns' sum is scaled by what a product of the rows gives: it cannot be finished before.
  Expr scale = sum(matmul(y, w));
  const Program program = program_of({sum(y, {0}) * scale});
  const FusionPlan plan = fuse(program);
  REQUIRE_NOTHROW(check(program, plan));
  for (const Group& group : plan.groups)
    for (const Group& rider : group.riders)
      for (const GroupRead& read : rider.reads) CHECK(plan.stored_by[read.value.index] < 0);
  CHECK(only(program, Op::contract, 2).valid());
}

}  // namespace sinter
