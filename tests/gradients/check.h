// Holds gradients against differences: the derivative along a random direction, and that of this derivative along another.
#pragma once
#include <functional>
#include <vector>

#include "graph/expr.h"

namespace sinter {

using Function = std::function<Expr(const std::vector<Expr>&)>;

struct CheckOptions {
  double step = 1e-5;
  double tolerance = 1e-7;  // of the difference, relative to 1 + what is compared
};

// Checks, by Catch2, the first and second derivatives at `at`, which are f64. Returns the operations in the graph of the function.
std::vector<Op> check_gradients(const Function&, const std::vector<Tensor>& at, uint64_t seed, const CheckOptions& = {});

}  // namespace sinter
