// Einstein summation, in full: a front end over diagonal, sum, contraction and transpose.
#pragma once
#include <string_view>

#include "graph/expr.h"

namespace sinter {

// NumPy's: "ij,jk->ik" names the axes of each operand and of the result. A label that is not in the result is summed over; one that is
// repeated in an operand takes its diagonal; "..." stands for leading axes that broadcast. Without "->" the result has "..." and then, in
// alphabetical order, the labels that occur once. A size of 1 broadcasts. Operands need types, meet in their common one (of f16 and bf16 f32,
// as elsewhere), and are multiplied from left to right. UserError, naming the specification, where it does not fit.
Expr einsum(std::string_view specification, const std::vector<Expr>& operands, Here = Here::current());

}  // namespace sinter
