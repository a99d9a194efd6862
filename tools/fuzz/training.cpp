#include "tools/fuzz/training.h"

#include "autodiff/optimizers.h"
#include "autodiff/reverse.h"
#include "graph/nn/nn.h"

namespace sinter::fuzz {
namespace {

// Gradients of gradients grow.
constexpr size_t most_nodes = 600;

template <class F>
void attempt(F f) {
  try {
    f();
  } catch (const UserError&) {
  }
}

int64_t random_axis(Random& random, const Expr& x) {
  int64_t rank = static_cast<int64_t>(x.shape().size());
  if (rank == 0) throw UserError("there is no axis");
  return random.number(-rank, rank - 1);
}

Expr random_loss(Random& random, Pool& pool, Values values) {
  Expr loss;
  for (size_t i = 0, count = 1 + random.below(3); i < count; ++i) {
    const Expr& x = i == 0 ? pool.some_float() : pool.some([](const Expr& e) { return is_float(e.dtype()) && !e.shape().empty(); });
    Expr term;
    if (values == Values::whole) term = random.chance(2) ? sum(x) : sum(x * x);
    else if (random.chance(6) && x.shape().size() >= 2) term = cross_entropy(x, argmax(x * 2 - 1, -1, random.chance(2) ? i32 : i64));
    else if (random.chance(6)) term = mse(x, stop_gradient(x * 0.5));
    else term = random.chance(3) ? mean(x * x) : random.chance(2) ? sum(tanh(x)) : random.chance(3) ? max(x) : mean(x);
    loss = loss.defined() ? loss + term : term;
  }
  return loss;
}

// Parameters replaced by whatever is of their type, each other included.
Updates by_hand(Random& random, Pool& pool, const std::vector<Parameter>& parameters) {
  Updates updates;
  for (const Parameter& p : parameters)
    attempt([&] {
      bool any = random.chance(3);
      Expr value = pool.some([&](const Expr& e) { return (any ? product(e.shape()) == product(p.shape()) : e.shape() == p.shape()) && (e.id() != p.id() || random.chance(3)); });
      if (value.dtype() != p.dtype()) value = convert(value, p.dtype());
      updates.push_back({p, value.shape() == p.shape() ? value : reshape(value, p.shape())});
    });
  return updates;
}

Updates optimizer(Random& random, const std::vector<Parameter>& trained, const std::vector<Expr>& g, Values values) {
  if (values == Values::whole) return random.chance(2) ? sgd(trained, g, {.rate = 0.5}) : momentum(trained, g, {.rate = 0.25, .momentum = 0.5, .nesterov = random.chance(2)});
  std::optional<double> clip = random.chance(4) ? std::optional(1.0) : std::nullopt;
  Operand rate = random.chance(4) ? Operand(Variable("rate", f32, {})) : Operand(0.125);
  double decay = random.chance(3) ? 0.01 : 0;
  switch (random.below(4)) {
    case 0: return sgd(trained, g, {.rate = rate, .weight_decay = decay, .clip_norm = clip});
    case 1: return momentum(trained, g, {.rate = rate, .nesterov = random.chance(2), .weight_decay = decay, .clip_norm = clip});
    case 2: return adam(trained, g, {.rate = rate, .weight_decay = decay, .clip_norm = clip});
    default: return adamw(trained, g, {.rate = rate, .clip_norm = clip});
  }
}

}  // namespace

Expr composition(Random& random, Pool& pool, Values values) {
  if (values == Values::whole) return random.chance(2) ? relu(pool.some()) : argmax(pool.some(), -1);
  const Expr& x = pool.some_float();
  bool either = random.chance(2);
  switch (random.below(14)) {
    case 0: return softmax(x, random_axis(random, x));
    case 1: return log_softmax(x, random_axis(random, x));
    case 2: return logsumexp(x, random_axis(random, x), either);
    case 3: return either ? layer_norm(x, 1.5, 0.5) : layer_norm(x, 1.5, 0.5, random_axis(random, x));
    case 4: return variance(x, {random_axis(random, x)}, either);
    case 5: return gelu(x, either ? Gelu::tanh : Gelu::erf);
    case 6: return either ? softplus(x) : silu(x);
    case 7: return either ? relu(x) : leaky_relu(x, 0.25);
    case 8: return argmax(x, random_axis(random, x), either ? i32 : i64);
    case 9: return one_hot(pool.some([](const Expr& e) { return is_integer(e.dtype()); }), Dim(random.number(1, 5)));
    case 10: return mean(x, {random_axis(random, x)}, either);
    case 11: return x / (1 + abs(x));
    case 12: return gradients(sum(x * x), {pool.some_float()})[0];
    default: return tanh(x);
  }
}

Updates random_training(Random& random, Pool& pool, const std::vector<Parameter>& parameters, std::vector<Expr>& outputs, Values values) {
  if (random.chance(6)) return by_hand(random, pool, parameters);
  Expr loss = random_loss(random, pool, values);
  std::vector<Parameter> trained;
  for (const Parameter& p : parameters)
    if (is_float(p.dtype()) && (trained.empty() || random.chance(2))) trained.push_back(p);
  if (trained.empty()) throw UserError("no parameter is a float");
  std::vector<Expr> g = gradients(loss, trained);
  if (loss.graph()->size() > most_nodes) throw UserError("too many nodes");
  outputs.push_back(loss);
  if (random.chance(2)) outputs.push_back(g[random.below(g.size())]);
  attempt([&] {
    if (random.chance(2)) outputs.push_back(gradients(loss, {pool.some_float()})[0]);
  });
  attempt([&] {  // and once more
    if (!random.chance(4) || loss.graph()->size() > most_nodes / 2) return;
    Expr second = gradients(sum(g[0] * g[0]), trained)[0];
    if (loss.graph()->size() < 2 * most_nodes) outputs.push_back(second);
  });
  if (random.chance(4)) return {};
  Updates updates = optimizer(random, trained, g, values);
  if (random.chance(3)) outputs.push_back(updates[random.below(updates.size())].value);  // what is updated, returned as well
  if (random.chance(3)) outputs.push_back(updates[0].parameter);                          // and what it was
  return updates;
}

}  // namespace sinter::fuzz
