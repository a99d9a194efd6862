// Holds gradients against differences: the derivative along a random direction, and that of this derivative along another.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "graph/expr.h"
#include "graph/interpreter.h"
#include "graph/op.h"

namespace sinter {

using Inputs = std::vector<Expr>;
using Formula = std::function<Expr(const Inputs&)>;

// A formula and where it is differentiated.
struct Case {
  Op op;  // in its graph
  std::string name;
  std::vector<std::vector<int64_t>> sizes;  // of its operands, which are f64
  Formula formula;
  std::vector<Domain> domains = {};         // of each operand; none: from -1.5 to 1.5
  bool symbolic = false;                    // whether the sizes are symbols, one for each number but 1
};
std::vector<Tensor> points_of(const Case&, uint64_t seed);
std::string label(const Case&);  // for messages

// The tables.
std::vector<Case> row_cases();                       // elementwise rows, where they say to sample them and elsewhere
const std::vector<Case>& structural_cases();         // the other rows
const std::vector<Case>& composition_cases();        // what is made of them: graph/arrays and graph/nn

// Its derivatives as graph, of variables whose names begin with `prefix`.
struct Derivatives {
  Inputs x;
  Expr value, loss;              // the loss: a random combination of the value's elements
  std::vector<Expr> gradient;    // of the loss, by each of x
  Expr forward, first, second;   // the loss along one direction by forward and by reverse mode, and the latter along another
  NamedTensors at;               // all that these read
  std::vector<std::string> along, along_second;  // the directions' names in `at`
};
Derivatives derivatives_of(const Case&, const std::vector<Tensor>& at, uint64_t seed, const std::string& prefix = "");

struct CheckOptions {
  double step = 1e-5;
  double tolerance = 1e-7;  // of the difference, relative to 1 + what is compared
};

// Checks, by Catch2, the first and second derivatives at `at`. Returns the operations in the graph of the formula.
std::vector<Op> check_gradients(const Case&, const std::vector<Tensor>& at, uint64_t seed, const CheckOptions& = {});

}  // namespace sinter
