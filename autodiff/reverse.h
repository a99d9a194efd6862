// Reverse-mode differentiation: the gradient of a scalar is more graph.
#pragma once
#include <concepts>
#include <vector>

#include "graph/expr.h"

namespace sinter {

// The gradients of `of`, a scalar float, with respect to each of `wrt`, in its order; each has the type of its own. What `of` does not
// depend on has a gradient of zeros. Nodes are appended to the graph of `of`, and nothing that is there changes; each names the lines
// of the operation it is the gradient of. The results are expressions like any other: print, compile or differentiate them again.
//
// Each operation is differentiated by its row's rule in graph/ops, and only those on a way from `wrt` to `of` are. An adjoint that
// several users contribute to is their sum, the latest user first, so that its bits are fixed by the graph.
//
// UserError (at the line of the call): `of` is no scalar or no float, one of `wrt` is no float, they are of several graphs, or depend on
// a Variable declared without a type.
std::vector<Expr> gradients(const Operand& of, const std::vector<Expr>& wrt);

// The same without the guards of masked values (README): the arithmetic of the rules as it stands, linear in each adjoint, of which forward mode
// is made.
std::vector<Expr> unguarded_gradients(const Operand& of, const std::vector<Expr>& wrt);

// The gradient with respect to one.
template <std::derived_from<Expr> T>
Expr gradients(const Operand& of, const T& wrt) {
  return gradients(of, std::vector<Expr>{wrt}).front();
}
template <std::derived_from<Expr> T>
std::vector<Expr> gradients(const Operand& of, const std::vector<T>& wrt) {
  return gradients(of, std::vector<Expr>(wrt.begin(), wrt.end()));
}

}  // namespace sinter
