// Random attributes of an operation, one maker for each struct of graph/attributes.h.
#pragma once
#include "graph/expr.h"
#include "tools/fuzz/sizes.h"

namespace sinter::fuzz {

// Such that they may fit these operands; operands that are no variables of the choice (a padding's value, the other type of a product) are put
// right. UserError where nothing fits.
Attributes random_attributes(Random&, const Sizes&, Op, std::vector<Expr>& operands, Values);

DType random_dtype(Random&);

}  // namespace sinter::fuzz
