// What large graphs become: groups of a bounded size, and few of them.
#include <catch2/catch.hpp>

#include "codegen/compile.h"
#include "graph/expr.h"
#include "tests/plans/naive_plan.h"

namespace sinter {
namespace {

size_t scalar_operations(const Kernel& kernel) {
  auto& expr = std::get<LoopKernel>(kernel.body).body.expr;
  return static_cast<size_t>(std::count_if(expr.ops.begin(), expr.ops.end(), [](const ScalarOp& op) { return operand_count(op.code) > 0; }));
}

}  // namespace

TEST_CASE("a chain of expensive operations is cut where a kernel would take long to compile", "[fusion]") {
  Variable x("x", f32, {"n"}), y("y", f32, {"n"});
  Expr h = x;
  for (int i = 0; i < 400; ++i) h = tanh(h) + y;
  Stages stages = stages_of(program_of({h}));
  CHECK(stages.kernels.size() <= 3);  // the pieces are alike
  for (const Kernel& kernel : stages.kernels) {
    CHECK(scalar_operations(kernel) <= 700);
    CHECK(scalar_operations(kernel) >= 100);
  }
}

TEST_CASE("many readers of one value share kernels", "[fusion]") {
  Variable x("x", f32, {"n"});
  Expr shared = exp(x);
  std::vector<Expr> outputs;
  for (int i = 0; i < 2000; ++i) outputs.push_back(shared + static_cast<double>(i));
  Stages stages = stages_of(program_of(outputs));
  CHECK(stages.fusion.groups.size() <= 2000 / 100);
  for (const Group& group : stages.fusion.groups) CHECK(group.members.size() <= 200);
}

TEST_CASE("readers of one value that depend on each other through others stay apart", "[fusion]") {
  // Each sine reads the exponential, whose group is full, and a row of a product of what the one before it gave: no group computes that.
  Variable x("x", f32, {10, 10}), w("w", f32, {10, 10});
  Expr shared = exp(x), last = x;
  std::vector<Expr> outputs;
  for (int i = 0; i < 60; ++i) outputs.push_back(last = sin(shared + static_cast<double>(i)));
  for (int i = 0; i < 20; ++i) outputs.push_back(last = sin(shared + slice(matmul(last, w), {0, 0}, {1, 10})));
  Program program = program_of(outputs);
  FusionPlan plan = fuse(program);
  REQUIRE_NOTHROW(check(program, plan));
  CHECK(plan.groups.size() >= 40);
}

}  // namespace sinter
