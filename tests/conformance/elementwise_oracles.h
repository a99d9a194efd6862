// What the elementwise rows should give: an oracle a row, written from its documentation, with the standard library's
// functions; how near a float has to be is said in tests/scalar/functions.h.
#pragma once
#include <functional>
#include <map>
#include <span>
#include <string>

#include "graph/tensor.h"

namespace sinter::conformance {

// Looks at each element of a row's result, given operands of the same sizes; says what is wrong with the first wrong one, "" where none.
using Oracle = std::function<std::string(std::span<const Tensor> operands, const Tensor& result)>;

const std::map<std::string, Oracle, std::less<>>& elementwise_oracles();

}  // namespace sinter::conformance
