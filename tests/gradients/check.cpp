#include "tests/gradients/check.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "autodiff/forward.h"
#include "autodiff/reverse.h"
#include "tests/evaluate.h"

namespace sinter {
namespace {

// Variables of the sizes of x, with values for them.
std::vector<Expr> directions(const Derivatives& d, const std::string& name, uint64_t seed, const Bindings& symbols, NamedTensors& at, std::vector<std::string>& names) {
  std::vector<Expr> all;
  for (size_t i = 0; i < d.x.size(); ++i) {
    names.push_back(name + std::to_string(i));
    all.push_back(Variable(names[i], f64, d.x[i].shape()));
    at[names[i]] = sample(evaluate(d.x[i].shape(), symbols), seed * 16 + i, -1, 1);
  }
  return all;
}

// The sum of the products with a direction: what the gradient is held against.
Expr along(const std::vector<Expr>& gradient, const std::vector<Expr>& direction) {
  Expr total;
  for (size_t i = 0; i < gradient.size(); ++i) {
    Expr part = sum(gradient[i] * direction[i]);
    total = total.defined() ? total + part : part;
  }
  return total;
}

void check_close(const char* order, double derivative, double difference, double tolerance) {
  INFO(order << " derivative " << derivative << ", by difference " << difference);
  CHECK(std::isfinite(derivative));
  CHECK(std::fabs(derivative - difference) <= tolerance * (1 + std::fabs(difference)));
}

}  // namespace

std::vector<Tensor> points_of(const Case& c, uint64_t seed) {
  std::vector<Tensor> at;
  for (size_t k = 0; k < c.sizes.size(); ++k) {
    Domain domain = c.domains.empty() ? Domain{-1.5, 1.5} : c.domains[k];
    at.push_back(sample(c.sizes[k], 300 + seed * 8 + k, domain.low, domain.high));
  }
  return at;
}

std::string label(const Case& c) { return std::string(info(c.op).name) + ": " + c.name; }

Derivatives derivatives_of(const Case& c, const std::vector<Tensor>& at, uint64_t seed, const std::string& prefix) {
  Derivatives d;
  Bindings symbols;
  for (size_t i = 0; i < at.size(); ++i) {
    Shape shape;
    for (int64_t n : at[i].sizes()) {
      std::string symbol = "n" + std::to_string(n);
      bool named = c.symbolic && n != 1;
      if (named) symbols[symbol] = n;
      shape.push_back(named ? Dim(symbol) : Dim(n));
    }
    std::string name = prefix + "x" + std::to_string(i);
    d.x.push_back(Variable(name, f64, shape));
    d.at[name] = at[i];
  }
  d.value = c.formula(d.x);
  Variable weights(prefix + "weights", f64, d.value.shape());
  d.at[prefix + "weights"] = sample(evaluate(d.value.shape(), symbols), seed + 1000, 0.5, 1.5);
  auto v = directions(d, prefix + "v", seed + 1, symbols, d.at, d.along), u = directions(d, prefix + "u", seed + 2, symbols, d.at, d.along_second);
  d.loss = sum(d.value * weights);
  d.gradient = gradients(d.loss, d.x);
  d.first = along(d.gradient, v);
  d.second = along(gradients(d.first, d.x), u);
  d.forward = sum(jacobian_vector_products({d.value}, d.x, v).front() * weights);
  return d;
}

std::vector<Op> check_gradients(const Case& c, const std::vector<Tensor>& at, uint64_t seed, const CheckOptions& options) {
  GraphScope scope;
  const Derivatives d = derivatives_of(c, at, seed);
  auto difference = [&](const Expr& of, const std::vector<std::string>& direction) {
    auto at_step = [&](double step) {
      NamedTensors moved = d.at;
      for (size_t i = 0; i < at.size(); ++i) {
        Tensor& x = moved["x" + std::to_string(i)] = at[i].clone();
        for (size_t k = 0; k < static_cast<size_t>(x.size()); ++k) x.data<double>()[k] += step * d.at.at(direction[i]).data<double>()[k];
      }
      return value_of(of, moved).item();
    };
    return (at_step(options.step) - at_step(-options.step)) / (2 * options.step);
  };
  const double backward = value_of(d.first, d.at).item();
  check_close("first", backward, difference(d.loss, d.along), options.tolerance);
  INFO("forward mode against reverse mode");
  CHECK(std::fabs(value_of(d.forward, d.at).item() - backward) <= 1e-11 * (1 + std::fabs(backward)));
  check_close("second", value_of(d.second, d.at).item(), difference(d.first, d.along_second), options.tolerance);

  const Program formula = program_of({d.value});
  std::vector<Op> ops;
  for (size_t i = 0; i < formula.graph.size(); ++i) ops.push_back(formula.graph.node(NodeId(i)).op);
  return ops;
}

}  // namespace sinter
