// Where a derivative is a choice: ties, kinks, and what a mask hides.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "autodiff/forward.h"
#include "autodiff/reverse.h"
#include "graph/arrays/arrays.h"
#include "graph/nn/nn.h"
#include "tests/evaluate.h"

namespace sinter {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
using Numbers = std::vector<double>;

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)) || std::fabs(a - b) <= 1e-14 * (std::fabs(a) + std::fabs(b)); }

// The gradients of the sum of y, by x at these values, of any shape; forward mode, along one element after the other, makes the same of each.
std::vector<Numbers> gradients_at(const std::vector<Variable>& x, const Expr& y, const NamedTensors& at) {
  std::vector<Numbers> found;
  for (const Tensor& g : values_of(gradients(sum(y), x), at)) found.push_back(numbers(g));
  std::vector<Expr> directions;
  std::vector<std::string> names;  // of their own for each y of a graph
  for (size_t k = 0; k < x.size(); ++k) {
    names.push_back("direction" + std::to_string(y.graph()->size()));
    directions.push_back(Variable(names[k], f64, x[k].shape()));
  }
  Expr forward = sum(jacobian_vector_products({y}, {x.begin(), x.end()}, directions)[0]);
  NamedTensors with = at;
  for (size_t k = 0; k < x.size(); ++k) with[names[k]] = zeros(evaluate(x[k].shape(), {}), f64);
  for (size_t k = 0; k < x.size(); ++k) {
    auto direction = with[names[k]].data<double>();
    for (size_t i = 0; i < direction.size(); ++i) {
      direction[i] = 1;
      double moved = value_of(forward, with).item();
      INFO("forward mode along element " << i << " of operand " << k << " makes " << moved << ", reverse mode " << found[k][i]);
      CHECK(same(moved, found[k][i]));
      direction[i] = 0;
    }
  }
  return found;
}

// The gradient of the sum of f(x) at these elements.
template <class F>
Numbers gradient_at(std::initializer_list<double> at, F f) {
  GraphScope scope;
  Variable x("x", f64, {static_cast<int64_t>(at.size())});
  return gradients_at({x}, f(x), {{"x", vector_of(at)}})[0];
}

}  // namespace

TEST_CASE("at a tie the gradient of maximum and minimum goes to the first operand", "[gradients]") {
  GraphScope scope;
  Variable a("a", f64, {3}), b("b", f64, {3});
  NamedTensors at = {{"a", vector_of({1.0, 2.0, 0.0})}, {"b", vector_of({2.0, 2.0, -0.0})}};
  auto check = [&](const Expr& y, const Numbers& first, const Numbers& second) {
    auto g = gradients_at({a, b}, y, at);
    CHECK(g[0] == first);
    CHECK(g[1] == second);
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

TEST_CASE("at a tie the gradient of a running max or min goes to the first", "[gradients]") {
  CHECK(gradient_at({1, 2, 2, 0}, [](const Expr& x) { return cummax(x, 0); }) == Numbers{1, 3, 0, 0});
  CHECK(gradient_at({2, 1, 1, 3}, [](const Expr& x) { return cummin(x, 0); }) == Numbers{1, 3, 0, 0});
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
  CHECK(gradient_at({3, 3, 0}, [](const Expr& n) { return pow(Constant(vector_of({-2.0, 0.0, -0.0})), n); }) == Numbers{0, 0, 0});
  CHECK(gradient_at({2, 2, 2}, [](const Expr& n) { return pow(Constant(vector_of({0.0, -2.0, 1.0})), n); }) == Numbers{0, 0, 0});
  CHECK(gradient_at({2, -2, 0}, [](const Expr& x) { return copysign(x, -0.0); }) == Numbers{-1, 1, 1});
  CHECK(gradient_at({-2, -1, 0, 1, 2}, [](const Expr& x) { return clip(x, -1, 1); }) == Numbers{0, 1, 1, 1, 0});
}

TEST_CASE("slopes neither overflow nor cancel where the function does not", "[gradients]") {
  auto near = [](const Numbers& found, const Numbers& exact) {
    REQUIRE(found.size() == exact.size());
    for (size_t i = 0; i < found.size(); ++i) CHECK(found[i] == Approx(exact[i]).epsilon(1e-14).margin(0));
  };
  near(gradient_at({1e200, -1e200, 1e-200}, [](const Expr& x) { return asinh(x); }), {1e-200, 1e-200, 1});
  near(gradient_at({1e200, 2}, [](const Expr& x) { return acosh(x); }), {1e-200, 1 / std::sqrt(3)});
  const double beside = 0x1p-40;  // 1 - beside and its square root are exact
  near(gradient_at({1 - beside, beside - 1}, [](const Expr& x) { return asin(x); }), {1 / std::sqrt(beside * (2 - beside)), 1 / std::sqrt(beside * (2 - beside))});
  near(gradient_at({1 - beside, beside - 1}, [](const Expr& x) { return acos(x); }), {-1 / std::sqrt(beside * (2 - beside)), -1 / std::sqrt(beside * (2 - beside))});
  GraphScope scope;
  Variable a("a", f64, {4}), b("b", f64, {4});
  auto found = gradients_at({a, b}, atan2(a, b), {{"a", vector_of({1e200, 1e-200, 0.0, -3e300})}, {"b", vector_of({1e200, 1e-200, -0.0, 4e300})}});
  near(found[0], {5e-201, 5e199, 0, 4.0 / 25 * 1e-300});
  near(found[1], {-5e-201, -5e199, 0, 3.0 / 25 * 1e-300});
  // By reflection pi^2 / sin(pi x)^2 - trigamma(1 - x), the latter 1 / 1000 or so: what 2^-20 beside a pole makes is known by its series.
  const double d = 0x1p-20;
  CHECK(gradient_at({-1000 + d}, [](const Expr& x) { return digamma(x); })[0] == Approx(1 / (d * d) + 3.2888686335347397).epsilon(1e-13));
}

TEST_CASE("at 0 the gradients of norm and hypot are 0, those of second order too", "[gradients]") {
  CHECK(gradient_at({0, -0.0}, [](const Expr& x) { return norm(x); }) == Numbers{0, 0});
  CHECK(gradient_at({0, 0, 0, -2}, [](const Expr& x) { return norm(reshape(x, {2, 2}), {1}); }) == Numbers{0, 0, 0, -1});
  GraphScope scope;
  Variable a("a", f64, {5}), b("b", f64, {5});
  NamedTensors at = {{"a", vector_of({0.0, -0.0, 3.0, 0.0, 3e300})}, {"b", vector_of({0.0, 0.0, -4.0, 2.0, 4e300})}};
  Expr y = hypot(a, b);
  auto first = gradients_at({a, b}, y, at);
  CHECK(first[0] == Numbers{0, 0, 0.6, 0, 0.6});
  CHECK(first[1] == Numbers{0, 0, -0.8, 1, 0.8});
  Expr by_a = gradients(sum(y), a);
  auto second = gradients_at({a, b}, by_a, at);
  const Numbers by_a_a = {0, 0, 16.0 / 125, 0.5, 0}, by_a_b = {0, 0, 12.0 / 125, 0, 0};
  for (size_t i = 0; i < 5; ++i) {
    CHECK(second[0][i] == Approx(by_a_a[i]).margin(1e-15));
    CHECK(second[1][i] == Approx(by_a_b[i]).margin(1e-15));
  }
  Variable x("x", f64, {2});
  CHECK(gradients_at({x}, gradients(norm(x), x), {{"x", vector_of({0.0, 0.0})}})[0] == Numbers{0, 0});
}

TEST_CASE("what is undefined where the value is selected stays so", "[gradients]") {
  CHECK(std::isnan(gradient_at({-1}, [](const Expr& x) { return select(x < 0, sqrt(x), 0); })[0]));
}

TEST_CASE("a derivative that is infinite where the value is not selected gives 0", "[gradients]") {
  CHECK(gradient_at({inf, 2}, [](const Expr& x) {
          Expr p = prod(x);
          return select(p < 100, p, 0);
        }) == Numbers{0, 0});
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
  CHECK(gradient_at({0, 2}, [](const Expr& x) { return maximum(log(x), -10); }) == Numbers{0, 0.5});
  CHECK(gradient_at({0, 2, 4}, [](const Expr& x) { return max(log(x)); }) == Numbers{0, 0, 0.25});
  CHECK(gradient_at({2, 0}, [](const Expr& x) { return gather(log(x), Constant(vector_of<int64_t>({0, 0}))); }) == Numbers{1, 0});
  SECTION("also further from the mask") {
    CHECK(gradient_at({0, 4}, [](const Expr& x) { return tanh(select(x > 0, reshape(exp(sqrt(x)) - 1, {2}), 0) * 0); }) == Numbers{0, 0});
  }
  SECTION("and through multiplication by an infinity") {
    GraphScope scope;
    Variable x("x", f64, {2}), k("k", f64, {2});
    Expr y = select(k < 100, x * k, 0);
    CHECK(gradients_at({x}, y, {{"x", vector_of({1.0, 1.0})}, {"k", vector_of({3.0, inf})}})[0] == Numbers{3, 0});
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

TEST_CASE("an infinity or NaN inside a contraction comes through, whatever was dropped", "[gradients]") {
  GraphScope scope;
  Variable x("x", f64, {3}), w("w", f64, {3});
  Expr product = contract(reshape(x, {3, 1}), reshape(w, {3, 1}), {{0}, {0}, {1}, {1}});
  Expr dropped = select(abs(product) < 100, product, 0);
  Numbers g = numbers(value_of(gradients(sum(dropped), x), {{"x", vector_of({1.0, 1.0, 1.0})}, {"w", vector_of({inf, std::nan(""), 2.0})}}));
  CHECK(std::isnan(g[0]));
  CHECK(std::isnan(g[1]));
  CHECK(g[2] == 2);
}

TEST_CASE("a mask leaves second derivatives right where the adjoint happens to be 0", "[gradients]") {
  GraphScope scope;
  Variable w("w", f64, {});
  Expr residual = relu(w * 2) - 6;  // 0 at w = 3
  Expr first = gradients(residual * residual, {w})[0];
  NamedTensors at = {{"w", Tensor::scalar(3.0)}};
  CHECK(value_of(first, at).item() == 0);
  CHECK(gradients_at({w}, first, at)[0] == Numbers{8});
}

TEST_CASE("second derivatives behind a mask are 0 too where the value is not selected", "[gradients]") {
  GraphScope scope;
  Variable x("x", f64, {2});
  Expr first = gradients(sum(select(x > 0, x * log(x), 0)), {x})[0];
  CHECK(gradients_at({x}, first, {{"x", vector_of({0.0, 4.0})}})[0] == Numbers{0, 0.25});
}

}  // namespace sinter
