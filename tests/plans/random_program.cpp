#include "graph/expr.h"
#include "tests/plans/naive_plan.h"

namespace sinter {

Program random_program(uint64_t seed, int count) {
  std::mt19937_64 engine(seed);
  auto below = [&](size_t n) { return static_cast<size_t>(engine() % n); };
  GraphScope scope;
  Variable x("x", f32, {"n", 4}), y("y", f32, {"n", 4});
  std::vector<Parameter> parameters;
  for (int i = 0; i < 5; ++i) parameters.emplace_back("p" + std::to_string(i), uniform({4, 4}, seed * 5 + static_cast<uint64_t>(i)));
  std::vector<Expr> tall = {x, y}, square(parameters.begin(), parameters.end());  // the pools that operations draw from
  square.push_back(Constant(uniform({4, 4}, seed)));
  std::vector<Expr> other = {Constant(1.5f), dimension("n"), iota({"n", 4}), reshape(x, {4, "n"})};
  auto one_of = [&](const std::vector<Expr>& pool) { return pool[pool.size() > 4 && below(2) ? pool.size() - 1 - below(4) : below(pool.size())]; };
  for (int i = 0; i < count; ++i) {
    switch (below(9)) {
      case 0: tall.push_back(one_of(tall) + one_of(tall)); break;
      case 1: tall.push_back(tanh(one_of(tall))); break;
      case 2: tall.push_back(matmul(one_of(tall), one_of(square)) * 0.25f); break;
      case 3: square.push_back(matmul(transpose(one_of(tall)), one_of(tall)) * 0.1f); break;
      case 4: square.push_back(one_of(square) - one_of(square) * 0.5f); break;
      case 5: square.push_back(transpose(one_of(square))); break;
      case 6: tall.push_back(one_of(tall) * sum(one_of(tall), {0}) * 0.1f + 1); break;
      case 7: tall.push_back(tanh(reshape(transpose(reshape(one_of(tall), {4, "n"})), {"n", 4}))); break;
      default: other.push_back(reshape(one_of(below(2) ? square : tall), {-1})); break;
    }
  }
  std::vector<Expr> outputs;
  for (size_t i = 0, n = below(5); i < n; ++i) outputs.push_back(below(4) == 0 ? one_of(other) : one_of(below(2) ? tall : square));
  if (!outputs.empty() && below(2)) outputs.push_back(outputs[0]);
  if (outputs.size() > 1 && below(3) == 0) outputs.push_back(reshape(outputs[1], {-1}));
  Updates updates;
  for (const Parameter& p : parameters) {
    size_t how = below(8);
    if (how == 0) continue;
    if (how == 1) updates.push_back({p, parameters[below(parameters.size())]});       // moved, or swapped
    else if (how == 2) updates.push_back({p, reshape(reshape(p, {16}), {4, 4})});     // left as it is
    else if (how == 3 && !updates.empty()) updates.push_back({p, updates[0].value});  // one value for two
    else if (how < 6) updates.push_back({p, p - one_of(square) * 0.125f});
    else updates.push_back({p, one_of(square)});
  }
  if (outputs.empty() && updates.empty()) outputs.push_back(tall.back());
  return program_of(outputs, updates);
}

}  // namespace sinter
