#include "tests/gradients/check.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "autodiff/forward.h"
#include "autodiff/reverse.h"
#include "tests/evaluate.h"

namespace sinter {
namespace {

NamedTensors named(const std::vector<Tensor>& tensors) {
  NamedTensors all;
  for (size_t i = 0; i < tensors.size(); ++i) all["x" + std::to_string(i)] = tensors[i];
  return all;
}

std::vector<Tensor> moved(const std::vector<Tensor>& from, const std::vector<Tensor>& direction, double by) {
  std::vector<Tensor> to;
  for (size_t i = 0; i < from.size(); ++i) {
    to.push_back(from[i].clone());
    for (int64_t k = 0; k < from[i].size(); ++k)
      to[i].data<double>()[static_cast<size_t>(k)] += by * direction[i].data<double>()[static_cast<size_t>(k)];
  }
  return to;
}

// The sum of the products with a direction: what the gradient is held against.
Expr along(const std::vector<Expr>& gradient, const std::vector<Tensor>& direction) {
  Expr total;
  for (size_t i = 0; i < gradient.size(); ++i) {
    Expr part = sum(gradient[i] * Constant(direction[i]));
    total = total.defined() ? total + part : part;
  }
  return total;
}

std::vector<Tensor> directions(const std::vector<Tensor>& like, uint64_t seed) {
  std::vector<Tensor> all;
  for (size_t i = 0; i < like.size(); ++i) all.push_back(sample(like[i].sizes(), seed * 16 + i, -1, 1));
  return all;
}

void check_close(const char* order, double derivative, double difference, double tolerance) {
  INFO(order << " derivative " << derivative << ", by difference " << difference);
  CHECK(std::isfinite(derivative));
  CHECK(std::fabs(derivative - difference) <= tolerance * (1 + std::fabs(difference)));
}

}  // namespace

std::vector<Op> check_gradients(const Function& function, const std::vector<Tensor>& at, uint64_t seed, const CheckOptions& options) {
  GraphScope scope;
  std::vector<Expr> x;
  for (size_t i = 0; i < at.size(); ++i) x.push_back(Variable("x" + std::to_string(i), f64, Shape(at[i].sizes().begin(), at[i].sizes().end())));
  Expr y = function(x);
  std::vector<Op> ops;
  for (size_t i = 0; i < y.graph()->size(); ++i) ops.push_back(y.graph()->node(NodeId(i)).op);

  std::vector<int64_t> sizes;
  for (const Dim& d : y.shape()) sizes.push_back(d.number());
  Expr weights = Constant(sample(sizes, seed + 1000, 0.5, 1.5));
  Expr loss = sum(y * weights);
  auto v = directions(at, seed + 1), u = directions(at, seed + 2);
  Expr first = along(gradients(loss, x), v);
  Expr second = along(gradients(first, x), u);

  std::vector<Expr> directions_of_x;
  for (const Tensor& t : v) directions_of_x.push_back(Constant(t));
  Expr forward = sum(jacobian_vector_products({y}, x, directions_of_x).front() * weights);

  auto difference = [&](const Expr& of, const std::vector<Tensor>& direction) {
    double above = value_of(of, named(moved(at, direction, options.step))).item(),
           below = value_of(of, named(moved(at, direction, -options.step))).item();
    return (above - below) / (2 * options.step);
  };
  check_close("first", value_of(first, named(at)).item(), difference(loss, v), options.tolerance);
  const double backward = value_of(first, named(at)).item();
  INFO("forward mode against reverse mode");
  CHECK(std::fabs(value_of(forward, named(at)).item() - backward) <= 1e-11 * (1 + std::fabs(backward)));
  check_close("second", value_of(second, named(at)).item(), difference(first, u), options.tolerance);
  return ops;
}

}  // namespace sinter
