// A custom operation for random programs.
#pragma once
#include "graph/expr.h"

namespace sinter::fuzz {

// Its operand's elements, whatever they are, in the opposite order; in place, where there is a choice.
const CustomOperation& turned();

}  // namespace sinter::fuzz
