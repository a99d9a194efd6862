// Results of NumPy and JAX (tests/goldens/<family>.safetensors, made by tools/goldens), and the expressions that are to give the same.
#pragma once
#include <fmt/format.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "graph/arrays/arrays.h"
#include "graph/nn/nn.h"
#include "tests/conformance/support.h"

namespace sinter::goldens {

// The inputs of an expression; those that it has not are undefined.
struct Inputs {
  Expr x, y, z;
};

// An expression in Python, and the same in sinter.
struct Row {
  std::string python;
  std::function<Expr(const Inputs&)> make;
  // How far an element may be from NumPy's, in units of its type's epsilon times the larger of 1 and its magnitude. 0: to the bit.
  double epsilons = 0;
};

// One result of a file.
struct Golden {
  std::string python;
  std::vector<Tensor> inputs;
  Tensor result;
};
std::vector<Golden> read_goldens(const std::string& family);

// Variables x, y and z with `suffix`, of the types of a result's inputs, which are added to `values`.
Inputs inputs_of(const Golden&, const std::string& suffix, NamedTensors& values);

// What is wrong with `got`, or "".
std::string fault(const Tensor& got, const Golden&, double epsilons);

// Each result of the family's file against what its row gives, interpreted and compiled. A result without a row, and a row without one, fail;
// and so does an operation of the families `holds` in which none of the results is computed.
void check(const std::string& family, const std::vector<Row>&, const std::set<Family>& holds = {});

}  // namespace sinter::goldens
