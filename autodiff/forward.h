// Forward-mode differentiation: how results move where their inputs move in a direction.
#pragma once
#include <vector>

#include "graph/expr.h"

namespace sinter {

// The product of the Jacobian of `of`, floats of any shapes, by `wrt`, with a direction: of each of `of`, what it changes by, to the first order,
// where each of `wrt` changes by its own of `directions` (of the same type). One product, however many inputs there are; the gradients of many
// results by one input are cheaper so than by `gradients`.
//
// Made of the reverse rules: the gradient along u of `of` is linear in u, and the derivative of that by u is this product (Townsend, "A new trick
// for calculating Jacobian vector products", 2017). What of the gradient nothing needs then is not computed. Nodes are appended, as by
// `gradients`.
//
// UserError (at the line of the call) as for `gradients`, and where a direction is not of its input's type.
std::vector<Expr> jacobian_vector_products(const std::vector<Expr>& of, const std::vector<Expr>& wrt, const std::vector<Expr>& directions,
                                           Here = Here::current());
Expr jacobian_vector_product(const Expr& of, const Expr& wrt, const Expr& direction, Here = Here::current());

}  // namespace sinter
