#include "autodiff/forward.h"

#include <fmt/format.h>

#include "autodiff/reverse.h"
#include "graph/builder.h"

namespace sinter {
namespace {

void check(const std::vector<Expr>& of, const std::vector<Expr>& wrt, const std::vector<Expr>& directions, Here where) {
  auto refuse = [&](const std::string& why) { throw UserError("jacobian_vector_products: " + why, line_at(where)); };
  if (of.empty() || wrt.empty()) refuse("name what is differentiated, and by what");
  if (wrt.size() != directions.size()) refuse(fmt::format("{} inputs have {} directions; each takes one", wrt.size(), directions.size()));
  for (const Expr& y : of)
    if (!is_float(y.dtype())) refuse(fmt::format("what is differentiated must be floats, not {}", to_string(y.type())));
  for (size_t i = 0; i < wrt.size(); ++i)
    if (wrt[i].dtype() != directions[i].dtype() || wrt[i].shape() != directions[i].shape())
      refuse(fmt::format("the direction of a {} must be one too, not {}", to_string(wrt[i].type()), to_string(directions[i].type())));
}

// The sum of the products, pair by pair.
Expr product(const std::vector<Expr>& a, const std::vector<Expr>& b, Here where) {
  Expr total;
  for (size_t i = 0; i < a.size(); ++i) {
    Expr part = sum(Operand(a[i] * b[i], where));
    total = total.defined() ? total + part : part;
  }
  return total;
}

}  // namespace

std::vector<Expr> jacobian_vector_products(const std::vector<Expr>& of, const std::vector<Expr>& wrt, const std::vector<Expr>& directions, Here where) {
  check(of, wrt, directions, where);
  GraphScope joined(of.front().graph());
  OriginScope called(Operand(of.front(), where), "jacobian_vector_products");
  // What is linear in the adjoints has one derivative by them wherever it is taken, so any finite value does. It is linear as long as no rule
  // looks whether an adjoint is 0, hence no guards. None is needed: a direction meets what drops elements after the factor that may be infinite,
  // not before. Where a rule itself drops, as power's does, it is before, and that is the second call's to guard.
  std::vector<Expr> adjoints;
  for (const Expr& y : of) adjoints.push_back(broadcast_to(Constant(full({}, 1, y.dtype())), y.shape()));
  const std::vector<Expr> along_adjoints = unguarded_gradients(Operand(product(of, adjoints, where), where), wrt);
  return gradients(Operand(product(along_adjoints, directions, where), where), adjoints);
}

Expr jacobian_vector_product(const Expr& of, const Expr& wrt, const Expr& direction, Here where) {
  return jacobian_vector_products({of}, {wrt}, {direction}, where).front();
}

}  // namespace sinter
