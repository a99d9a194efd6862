// Every gradient rule of the op table, and of what is composed of them, against differences.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "autodiff/reverse.h"
#include "tests/evaluate.h"
#include "tests/gradients/check.h"

namespace sinter {

TEST_CASE("each elementwise row's gradient is right where the row says to sample it, and elsewhere", "[gradients]") {
  for (const Case& c : row_cases()) {
    INFO(label(c));
    // Inside something that makes the adjoint vary, and of one value with itself.
    Case inside = c, itself = c;
    inside.formula = [&](const Inputs& x) { return tanh(c.formula(x) * x[0]); };
    itself.formula = [&](const Inputs& x) { return c.formula({x[0], x[0] * 0.5 + 1}); };
    itself.sizes = {{5}}, itself.domains = {{0.6, 2}};
    for (uint64_t seed = 0; seed < 4; ++seed) {
      auto ops = check_gradients(c, points_of(c, seed), seed);
      CHECK(std::count(ops.begin(), ops.end(), c.op) == 1);
      check_gradients(inside, points_of(inside, seed), seed, {.tolerance = 2e-6});
      if (c.sizes.size() == 2) check_gradients(itself, points_of(itself, seed), seed);
    }
  }
}

TEST_CASE("each structural rule's gradient is right", "[gradients]") {
  for (const Case& c : structural_cases()) {
    INFO(label(c));
    for (uint64_t seed = 0; seed < 2; ++seed) {
      auto ops = check_gradients(c, points_of(c, seed), seed);
      CHECK(std::find(ops.begin(), ops.end(), c.op) != ops.end());
    }
  }
}

TEST_CASE("the gradient of each composition is right", "[gradients]") {
  for (const Case& c : composition_cases()) {
    INFO(label(c));
    for (uint64_t seed = 0; seed < 2; ++seed) {
      auto ops = check_gradients(c, points_of(c, seed), seed, {.tolerance = 2e-6});
      CHECK(std::find(ops.begin(), ops.end(), c.op) != ops.end());
    }
  }
}

TEST_CASE("no gradient rule of the table goes untested", "[gradients]") {
  std::set<Op> listed;
  for (const Case& c : row_cases()) listed.insert(c.op);
  for (const Case& c : structural_cases()) listed.insert(c.op);
  for (const OpInfo& row : op_table()) {
    INFO(row.name);
    CHECK(listed.contains(row.op) == (row.gradient != nullptr));
    if (row.gradient) CHECK(row.derivative != not_differentiable);
  }
}

TEST_CASE("a conversion between floats passes the gradient on in the operand's type", "[gradients]") {
  GraphScope scope;
  Variable x("x", f64, {4});
  Expr narrow = convert(x, f32);
  Expr g = gradients(sum(convert(narrow * narrow * 3, f64) * x), {x})[0];
  CHECK(g.dtype() == f64);
  Tensor at = sample({4}, 5, -1, 1);
  auto by_hand = numbers(value_of(g, {{"x", at}}));
  for (size_t i = 0; i < 4; ++i) CHECK(by_hand[i] == Approx(9 * at.data<double>()[i] * at.data<double>()[i]).epsilon(1e-6));
  SECTION("and none through integers") {
    Expr whole = convert(convert(x, i32), f64);
    CHECK(numbers(value_of(gradients(sum(whole * x), {x})[0], {{"x", vector_of({1.5, 2.5, -1.5, 0.0})}})) == std::vector<double>{1, 2, -1, 0});
  }
}

TEST_CASE("no gradient flows through stop_gradient, sign, floor and comparisons", "[gradients]") {
  GraphScope scope;
  Variable x("x", f64, {3});
  Tensor at = vector_of({1.5, -2.0, 0.25});
  auto gradient_of = [&](const Expr& y) { return numbers(value_of(gradients(sum(y), {x})[0], {{"x", at}})); };
  CHECK(gradient_of(x * stop_gradient(x)) == numbers(at));
  CHECK(gradient_of(stop_gradient(x * x)) == std::vector<double>{0, 0, 0});
  CHECK(gradient_of(x * floor(x)) == std::vector<double>{1, -2, 0});
  CHECK(gradient_of(x * sign(x)) == std::vector<double>{1, -1, 1});
  CHECK(gradient_of(x * convert(x > 0, f64)) == std::vector<double>{1, 0, 1});
}

}  // namespace sinter
