// Where a derivative is a choice: ties, kinks, and what a mask hides.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "autodiff/reverse.h"
#include "graph/nn/nn.h"
#include "tests/evaluate.h"

namespace sinter {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
using Numbers = std::vector<double>;

// The gradient of the sum of f(x) at these elements.
template <class F>
Numbers gradient_at(std::initializer_list<double> at, F f) {
  GraphScope scope;
  Variable x("x", f64, {static_cast<int64_t>(at.size())});
  return numbers(value_of(gradients(sum(f(x)), {x})[0], {{"x", vector_of(at)}}));
}

}  // namespace

TEST_CASE("at a tie the gradient of maximum and minimum goes to the first operand", "[gradients]") {
  GraphScope scope;
  Variable a("a", f64, {3}), b("b", f64, {3});
  NamedTensors at = {{"a", vector_of({1.0, 2.0, 0.0})}, {"b", vector_of({2.0, 2.0, -0.0})}};
  auto check = [&](const Expr& y, const Numbers& first, const Numbers& second) {
    auto g = values_of(gradients(sum(y), {a, b}), at);
    CHECK(numbers(g[0]) == first);
    CHECK(numbers(g[1]) == second);
  };
  check(maximum(a, b), {0, 1, 1}, {1, 0, 0});
  check(minimum(a, b), {1, 1, 1}, {0, 0, 0});
  CHECK(gradient_at({2, -1}, [](const Expr& x) { return maximum(x, x); }) == Numbers{1, 1});
}

TEST_CASE("at a tie the gradient of max and min goes to the first in row-major order", "[gradients]") {
  CHECK(gradient_at({1, 3, 3, 3}, [](const Expr& x) { return max(x); }) == Numbers{0, 1, 0, 0});
  CHECK(gradient_at({5, 0, 1, 0}, [](const Expr& x) { return min(x); }) == Numbers{0, 1, 0, 0});
  CHECK(gradient_at({1, 2, 2, 2}, [](const Expr& x) { return max(reshape(x, {2, 2}), {0}); }) == Numbers{0, 1, 1, 0});
  CHECK(gradient_at({2, 2, 2, 2}, [](const Expr& x) { return max(reshape(x, {2, 2}), {1}); }) == Numbers{1, 0, 1, 0});
  CHECK(gradient_at({-inf, -inf}, [](const Expr& x) { return max(x); }) == Numbers{1, 0});
  CHECK(gradient_at({0, -0.0, 0, 0, 0, 0, 0, 0}, [](const Expr& x) {
          return max(reshape(x, {2, 2, 2}), {0, 2});
        }) == Numbers{1, 0, 1, 0, 0, 0, 0, 0});
}

TEST_CASE("a factor of 0 leaves the product of the others as its gradient", "[gradients]") {
  CHECK(gradient_at({2, 0, 5}, [](const Expr& x) { return prod(x); }) == Numbers{0, 10, 0});
  CHECK(gradient_at({2, 0, 0}, [](const Expr& x) { return prod(x); }) == Numbers{0, 0, 0});
  CHECK(gradient_at({2, 3, 5}, [](const Expr& x) { return prod(x); }) == Numbers{15, 10, 6});
  CHECK(gradient_at({0, 3, 5, 7}, [](const Expr& x) { return prod(reshape(x, {2, 2}), {0}); }) == Numbers{5, 7, 0, 3});
}

TEST_CASE("derivatives at kinks are the stated ones", "[gradients]") {
  CHECK(gradient_at({-1, -0.0, 0, 2}, [](const Expr& x) { return relu(x); }) == Numbers{0, 0, 0, 1});
  CHECK(gradient_at({-1, 0, 2}, [](const Expr& x) { return leaky_relu(x, 0.25); }) == Numbers{0.25, 0.25, 1});
  CHECK(gradient_at({-1, 0, 2}, [](const Expr& x) { return abs(x); }) == Numbers{-1, 0, 1});
  CHECK(gradient_at({0, 0}, [](const Expr& x) { return softplus(x); }) == Numbers{0.5, 0.5});
  CHECK(gradient_at({0, 2}, [](const Expr& x) { return pow(x, 2); }) == Numbers{0, 4});
  CHECK(gradient_at({0, 2}, [](const Expr& x) { return pow(x, 1); }) == Numbers{1, 1});
  CHECK(gradient_at({0, 2}, [](const Expr& x) { return pow(x, 0); }) == Numbers{0, 0});
  CHECK(gradient_at({-2}, [](const Expr& x) { return pow(x, 3); }) == Numbers{12});
}

TEST_CASE("a derivative that is infinite where the value is not selected gives 0", "[gradients]") {
  auto masked = [](auto f) { return [f](const Expr& x) { return select(x > 0, f(x), 0); }; };
  CHECK(gradient_at({0, 2}, masked([](const Expr& x) { return log(x); })) == Numbers{0, 0.5});
  CHECK(gradient_at({0, 4}, masked([](const Expr& x) { return sqrt(x); })) == Numbers{0, 0.25});
  CHECK(gradient_at({-1, 4}, masked([](const Expr& x) { return sqrt(x); })) == Numbers{0, 0.25});
  CHECK(gradient_at({0, 4}, masked([](const Expr& x) { return rsqrt(x); })) == Numbers{0, -0.0625});
  CHECK(gradient_at({0, 2}, masked([](const Expr& x) { return 1 / x; })) == Numbers{0, -0.25});
  CHECK(gradient_at({0, 2}, masked([](const Expr& x) { return x / x; })) == Numbers{0, 0});
  CHECK(gradient_at({0, 2}, masked([](const Expr& x) { return x * (1 / x); })) == Numbers{0, 0});
  CHECK(gradient_at({0, 2}, masked([](const Expr& x) { return x * log(x) - x; })) == Numbers{0, std::log(2.0)});
  CHECK(gradient_at({0, 2}, masked([](const Expr& x) { return pow(x, -1); })) == Numbers{0, -0.25});
  CHECK(gradient_at({-1e4, 2}, masked([](const Expr& x) { return exp(-x) * 0 + x; })) == Numbers{0, 1});
  CHECK(gradient_at({0}, masked([](const Expr& x) {
                      return sin(1 / x) + cos(1 / x) + tanh(log(-abs(x) - 1)) + sigmoid(log(x - 1)) + erf(log(x - 1)) + abs(log(x - 1));
                    })) == Numbers{0});
  CHECK(gradient_at({0, 2}, [](const Expr& x) { return minimum(1 / x, 10); }) == Numbers{0, -0.25});
  CHECK(gradient_at({0, 2, 3}, [](const Expr& x) { return min(log(x) * log(x)); }) == Numbers{0, std::log(2.0), 0});
  CHECK(gradient_at({2, 0}, [](const Expr& x) { return slice(log(x), {0}, {1}); }) == Numbers{0.5, 0});
  SECTION("also further from the mask") {
    CHECK(gradient_at({0, 4}, [](const Expr& x) { return tanh(select(x > 0, reshape(exp(sqrt(x)) - 1, {2}), 0) * 0); }) == Numbers{0, 0});
  }
  SECTION("and through multiplication by an infinity") {
    GraphScope scope;
    Variable x("x", f64, {2}), k("k", f64, {2});
    Expr y = select(k < 100, x * k, 0);
    CHECK(numbers(value_of(gradients(sum(y), {x})[0], {{"x", vector_of({1.0, 1.0})}, {"k", vector_of({3.0, inf})}})) == Numbers{3, 0});
  }
}

TEST_CASE("a derivative that is infinite where the value is selected stays so", "[gradients]") {
  CHECK(gradient_at({0}, [](const Expr& x) { return select(x >= 0, sqrt(x), 0); }) == Numbers{inf});
  CHECK(gradient_at({0}, [](const Expr& x) { return sqrt(x); }) == Numbers{inf});
  CHECK(std::isnan(gradient_at({0}, [](const Expr& x) { return 0 * sqrt(x); })[0]));
  INFO("one use takes all of it, so that the other's mask hides nothing");
  CHECK(gradient_at({0}, [](const Expr& x) {
          Expr root = sqrt(x);
          return select(x > 0, root, 0) + root;
        }) == Numbers{inf});
}

TEST_CASE("a mask leaves second derivatives right where the adjoint happens to be 0", "[gradients]") {
  GraphScope scope;
  Variable w("w", f64, {});
  Expr residual = relu(w * 2) - 6;  // 0 at w = 3
  Expr first = gradients(residual * residual, {w})[0];
  Expr second = gradients(first, {w})[0];
  auto at = values_of({first, second}, {{"w", Tensor::scalar(3.0)}});
  CHECK(at[0].item() == 0);
  CHECK(at[1].item() == 8);
}

TEST_CASE("second derivatives behind a mask are 0 too where the value is not selected", "[gradients]") {
  GraphScope scope;
  Variable x("x", f64, {2});
  Expr first = gradients(sum(select(x > 0, x * log(x), 0)), {x})[0];
  Expr second = gradients(sum(first), {x})[0];
  CHECK(numbers(value_of(second, {{"x", vector_of({0.0, 4.0})}})) == Numbers{0, 0.25});
}

}  // namespace sinter
