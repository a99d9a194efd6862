// Forward mode: Jacobian-vector products. tests/gradients holds every rule's to reverse mode.
#include <catch2/catch.hpp>
#include <cmath>

#include "autodiff/forward.h"
#include "codegen/compile.h"
#include "graph/text.h"
#include "tests/evaluate.h"
#include "tests/raises.h"

namespace sinter {

TEST_CASE("a Jacobian times a direction", "[forward]") {
  GraphScope scope;
  Variable x("x", f64, {"n"}), w("w", f64, {2, 3}), v("v", f64, {"n"});
  CHECK(numbers(value_of(jacobian_vector_product(x * x, x, v), {{"x", Tensor::of<double>({1, 2, 3})}, {"v", Tensor::of<double>({10, 20, 30})}})) ==
        std::vector<double>{20, 80, 180});
  // Of two results by two inputs, each with a direction of its own.
  Variable y("y", f64, {3}), dw("dw", f64, {2, 3}), dy("dy", f64, {3});
  std::vector<Expr> moved = jacobian_vector_products({matmul(w, y), sum(y)}, {w, y}, {dw, dy});
  NamedTensors at = {{"w", Tensor::of<double>({{1, 2, 3}, {4, 5, 6}})}, {"y", Tensor::of<double>({1, 0, -1})}, {"dw", Tensor::of<double>({{1, 0, 0}, {0, 1, 2}})}, {"dy", Tensor::of<double>({0, 1, 1})}};
  CHECK(numbers(value_of(moved[0], at)) == std::vector<double>{1 + 5, -2 + 11});
  CHECK(value_of(moved[1], at).item() == 2);
  // What does not depend on the input does not move.
  CHECK(numbers(value_of(jacobian_vector_product(y, w, dw), at)) == std::vector<double>{0, 0, 0});
}

TEST_CASE("of the gradient only what the product needs is left", "[forward]") {
  GraphScope scope;
  Variable x("x", f32, {4, 8}), w("w", f32, {8, 5}), v("v", f32, {4, 8});
  // The product of the direction alone: no transposed product of adjoints is computed.
  Program optimized = stages_of(program_of({jacobian_vector_product(matmul(x, w), x, v)})).optimized.program;
  size_t contractions = 0;
  for (size_t i = 0; i < optimized.graph.size(); ++i) contractions += optimized.graph.node(NodeId(i)).op == Op::contract;
  INFO(print(optimized));
  CHECK(contractions == 1);
}

TEST_CASE("a mask drops directions as it drops values, and leaves those that it selects", "[forward]") {
  GraphScope scope;
  Variable x("x", f64, {3}), v("v", f64, {3});
  Expr moved = jacobian_vector_product(select(x >= 0, sqrt(x), 0), x, v);
  CHECK(numbers(value_of(moved, {{"x", Tensor::of<double>({-1, 0, 4})}, {"v", Tensor::of<double>({1, 1, 1})}})) == std::vector<double>{0, INFINITY, 0.25});
}

TEST_CASE("an adjoint that cancels hides no infinite derivative from forward mode", "[forward]") {
  GraphScope scope;
  Variable x("x", f64, {});
  Expr root = select(x >= 0, sqrt(x), 0);
  std::vector<Expr> moved = jacobian_vector_products({root, -root}, {x}, {Constant(Tensor::scalar(1.0))});
  std::vector<Tensor> at = values_of(moved, {{"x", Tensor::scalar(0.0)}});
  CHECK(at[0].item() == INFINITY);
  CHECK(at[1].item() == -INFINITY);
}

TEST_CASE("what has no Jacobian is refused", "[forward]") {
  GraphScope scope;
  Variable x("x", f32, {3}), i("i", i32, {3}), t("t");
  CHECK_THROWS_WITH(jacobian_vector_product(x * 2, x, Expr(x) + sum(convert(x, f64))), Catch::Contains("must be one too"));
  CHECK_THROWS_WITH(jacobian_vector_product(i, x, x), Catch::Contains("must be floats, not i32[3]"));
  CHECK_THROWS_WITH(jacobian_vector_product(x, i, i), Catch::Contains("convert it to a float first"));
  CHECK_THROWS_WITH(jacobian_vector_product(t * x, x, x), Catch::Contains("declared without a type"));
  CHECK_THROWS_WITH(jacobian_vector_products({x}, {x}, {}), Catch::Contains("1 inputs have 0 directions"));
}

}  // namespace sinter
