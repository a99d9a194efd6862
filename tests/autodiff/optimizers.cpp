// Optimisers against the papers' formulas, written out in loops over doubles.
#include "autodiff/optimizers.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "autodiff/reverse.h"
#include "tests/evaluate.h"
#include "tests/raises.h"

namespace sinter {
namespace {

using Numbers = std::vector<double>;

// Does what a call of the compiled step does.
void take_step(const Updates& updates, const NamedTensors& inputs = {}) {
  Program program = program_of({}, updates);
  verify(program);
  NamedTensors known = inputs;
  std::erase_if(known, [&](const auto& input) { return !program.graph.named(input.first).valid(); });
  auto values = interpret(program, known).updates;
  for (size_t i = 0; i < updates.size(); ++i) updates[i].parameter.set(values[i]);
}

const Parameter& named(const Updates& updates, const std::string& name) {
  for (const ParameterUpdate& u : updates)
    if (u.parameter.name() == name) return u.parameter;
  FAIL("no update of " << name);
  return updates.front().parameter;
}

// A loss whose gradient in double is easy to write: sum(c * w^2) / 2 + sum(w), over two parameters.
struct Problem {
  DType dtype;
  GraphScope scope;
  Tensor c1 = sample({2, 3}, 1, 0.5, 2), c2 = sample({4}, 2, 0.5, 2);
  Parameter w1, w2;
  Expr loss;
  explicit Problem(DType type) : dtype(type), w1("w1", cast(sample({2, 3}, 3, -1, 1))), w2("w2", cast(sample({4}, 4, -1, 1))) {
    loss = sum(w1 * w1 * Constant(cast(c1))) / 2 + sum(w2 * w2 * Constant(cast(c2))) / 2 + sum(w1) + sum(w2);
  }
  Tensor cast(const Tensor& from) const {
    if (dtype == f64) return from.clone();
    Tensor to(f32, from.sizes());
    for (int64_t i = 0; i < from.size(); ++i)
      to.data<float>()[static_cast<size_t>(i)] = static_cast<float>(from.data<double>()[static_cast<size_t>(i)]);
    return to;
  }
  Numbers c() const {
    Numbers all = numbers(cast(c1)), rest = numbers(cast(c2));
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  }
  Numbers w() const {
    Numbers all = numbers(w1.read()), rest = numbers(w2.read());
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
  }
  double tolerance() const { return dtype == f64 ? 1e-13 : 2e-6; }
};

// One step on one element: what w becomes at step t, counted from 1, with gradient g.
using Rule = std::function<double(size_t element, int t, double w, double g)>;

void check_five_steps(Problem& p, const Updates& updates, const Rule& rule, double clip_norm = INFINITY) {
  Numbers c = p.c(), w = p.w();
  for (int t = 1; t <= 5; ++t) {
    Numbers g(w.size());
    double norm = 0;
    for (size_t i = 0; i < w.size(); ++i) g[i] = c[i] * w[i] + 1, norm += g[i] * g[i];
    double scale = std::min(1.0, clip_norm / (std::sqrt(norm) + 1e-6));
    for (size_t i = 0; i < w.size(); ++i) w[i] = rule(i, t, w[i], g[i] * scale);
    take_step(updates);
    Numbers found = p.w();
    for (size_t i = 0; i < w.size(); ++i) {
      INFO("step " << t << ", element " << i << ": " << found[i] << " for " << w[i]);
      CHECK(std::fabs(found[i] - w[i]) <= p.tolerance() * (1 + std::fabs(w[i])));
    }
  }
}

Rule adam_rule(double rate, double b1, double b2, double epsilon, double l2, double decay) {
  auto m = std::make_shared<Numbers>(16, 0.0), v = std::make_shared<Numbers>(16, 0.0);
  return [=](size_t i, int t, double w, double g) {
    g += l2 * w;
    (*m)[i] = b1 * (*m)[i] + (1 - b1) * g;
    (*v)[i] = b2 * (*v)[i] + (1 - b2) * g * g;
    double m_hat = (*m)[i] / (1 - std::pow(b1, t)), v_hat = (*v)[i] / (1 - std::pow(b2, t));
    return w * (1 - rate * decay) - rate * m_hat / (std::sqrt(v_hat) + epsilon);
  };
}

Rule momentum_rule(double rate, double mu, bool nesterov) {
  auto v = std::make_shared<Numbers>(16, 0.0);
  return [=](size_t i, int, double w, double g) {
    (*v)[i] = mu * (*v)[i] + g;
    return w - rate * (nesterov ? g + mu * (*v)[i] : (*v)[i]);
  };
}

}  // namespace

TEST_CASE("five steps are those of the formulas", "[optimizers]") {
  DType dtype = GENERATE(f64, f32);
  Problem p(dtype);
  SECTION("sgd") {
    check_five_steps(p, sgd(p.loss, {p.w1, p.w2}, {.rate = 0.1}), [](size_t, int, double w, double g) { return w - 0.1 * g; });
  }
  SECTION("sgd with weight decay") {
    check_five_steps(p, sgd(p.loss, {p.w1, p.w2}, {.rate = 0.1, .weight_decay = 0.3}),
                     [](size_t, int, double w, double g) { return w - 0.1 * (g + 0.3 * w); });
  }
  SECTION("sgd with clipping") {
    check_five_steps(
        p, sgd(p.loss, {p.w1, p.w2}, {.rate = 0.1, .clip_norm = 0.5}), [](size_t, int, double w, double g) { return w - 0.1 * g; }, 0.5);
  }
  SECTION("clipping that does not bite") {
    check_five_steps(p, sgd(p.loss, {p.w1, p.w2}, {.rate = 0.1, .clip_norm = 1e3}), [](size_t, int, double w, double g) { return w - 0.1 * g; });
  }
  SECTION("momentum") { check_five_steps(p, momentum(p.loss, {p.w1, p.w2}, {.rate = 0.05}), momentum_rule(0.05, 0.9, false)); }
  SECTION("nesterov") {
    check_five_steps(p, momentum(p.loss, {p.w1, p.w2}, {.rate = 0.05, .momentum = 0.8, .nesterov = true}), momentum_rule(0.05, 0.8, true));
  }
  SECTION("adam") { check_five_steps(p, adam(p.loss, {p.w1, p.w2}), adam_rule(1e-3, 0.9, 0.999, 1e-8, 0, 0)); }
  SECTION("adam, all options") {
    check_five_steps(p,
                     adam(p.loss, {p.w1, p.w2}, {.rate = 0.02, .beta1 = 0.7, .beta2 = 0.95, .epsilon = 1e-2, .weight_decay = 0.1, .clip_norm = 1.0}),
                     adam_rule(0.02, 0.7, 0.95, 1e-2, 0.1, 0), 1.0);
  }
  SECTION("adam without memory") {
    check_five_steps(p, adam(p.loss, {p.w1, p.w2}, {.rate = 0.02, .beta1 = 0, .beta2 = 0}), adam_rule(0.02, 0, 0, 1e-8, 0, 0));
  }
  SECTION("adamw") {
    check_five_steps(p, adamw(p.loss, {p.w1, p.w2}, {.rate = 0.02, .weight_decay = 0.2}), adam_rule(0.02, 0.9, 0.999, 1e-8, 0, 0.2));
    CHECK(AdamWOptions{}.weight_decay == 0.01);
  }
  SECTION("of gradients at hand") {
    std::vector<Expr> g = gradients(p.loss, {p.w1, p.w2});
    check_five_steps(p, adam({p.w1, p.w2}, g, {.rate = 0.02}), adam_rule(0.02, 0.9, 0.999, 1e-8, 0, 0));
  }
  SECTION("a rate that is an expression") {
    Variable rate("rate", f64, {});
    std::vector<Parameter> parameters = {p.w1, p.w2};
    Updates updates = sgd(p.loss, parameters, {.rate = rate / 2});
    Numbers c = p.c(), w = p.w();
    for (double r : {0.2, 0.1, 0.05}) {
      for (size_t i = 0; i < w.size(); ++i) w[i] -= r / 2 * (c[i] * w[i] + 1);
      take_step(updates, {{"rate", Tensor::scalar(r)}});
    }
    Numbers found = p.w();
    for (size_t i = 0; i < w.size(); ++i) CHECK(std::fabs(found[i] - w[i]) <= p.tolerance() * (1 + std::fabs(w[i])));
  }
}

TEST_CASE("adam's first steps are not blurred by cancellation in f32", "[optimizers]") {
  GraphScope scope;
  Parameter w("w", vector_of<float>({0, 0, 0}));
  Updates updates = adam(sum(w * Constant(vector_of<float>({1e-3f, 1, 1e3f}))), {w}, {.rate = 1});
  take_step(updates);
  INFO("the first step is the rate, whatever the gradient; 1 - beta2 in f32 would be off by 5e-5");
  for (double v : numbers(w.read())) CHECK(std::fabs(v + 1) < (v == Approx(-1).epsilon(1e-4) ? 2e-5 : 0));
  CHECK(std::fabs(numbers(w.read())[2] + 1) < 3e-7);
}

TEST_CASE("state is in parameters named after their own", "[optimizers]") {
  Problem p(f32);
  Updates updates = adam(p.loss, {p.w1, p.w2});
  REQUIRE(updates.size() == 7);
  for (const char* name : {"w1.m", "w1.v", "w2.m", "w2.v"}) CHECK(named(updates, name).dtype() == f32);
  CHECK(named(updates, "w1.m").shape() == p.w1.shape());
  CHECK(named(updates, "w1.step").dtype() == i64);
  for (int t = 1; t <= 3; ++t) {
    take_step(updates);
    CHECK(named(updates, "w1.step").read().item() == t);
  }
  CHECK(named(momentum(p.loss, {p.w1}), "w1.velocity").shape() == p.w1.shape());
}

TEST_CASE("an element of adam costs one root and one division", "[optimizers]") {
  GraphScope scope;
  Parameter w("w", normal({8}, 1));
  Updates updates = adam(sum(w * 2), {w});
  Program program = program_of({}, updates);
  size_t roots = 0, divisions = 0;
  for (size_t i = 0; i < program.graph.size(); ++i) {
    if (program.graph.type(NodeId(i)).shape.empty()) continue;
    roots += program.graph.node(NodeId(i)).op == Op::sqrt;
    divisions += program.graph.node(NodeId(i)).op == Op::divide;
  }
  CHECK(roots == 1);
  CHECK(divisions == 1);
}

TEST_CASE("parameters of two types train together", "[optimizers]") {
  GraphScope scope;
  Parameter a("a", vector_of<float>({1, 2})), b("b", vector_of<double>({3, 4}));
  Updates updates = adamw(sum(a * a) + sum(b * b), {a, b}, {.rate = 0.5, .weight_decay = 0.5, .clip_norm = 1.0});
  take_step(updates);
  for (const auto& [w, before] : {std::pair(a, Numbers{1, 2}), std::pair(b, Numbers{3, 4})})
    for (size_t i = 0; i < 2; ++i) CHECK(numbers(w.read())[i] == Approx(before[i] * 0.75 - 0.5).epsilon(1e-5));
}

TEST_CASE("clip_by_global_norm scales all gradients together", "[optimizers]") {
  GraphScope scope;
  Variable a("a", f64, {2}), b("b", f64, {1});
  NamedTensors at = {{"a", vector_of({3.0, 0.0})}, {"b", vector_of({4.0})}};
  auto clipped = values_of(clip_by_global_norm({a, b}, 1), at);
  CHECK(numbers(clipped[0])[0] == Approx(0.6).epsilon(1e-6));
  CHECK(numbers(clipped[1])[0] == Approx(0.8).epsilon(1e-6));
  auto whole = values_of(clip_by_global_norm({a, b}, 10), at);
  CHECK(numbers(whole[0]) == Numbers{3, 0});
  auto zero = values_of(clip_by_global_norm({a, b}, 1), {{"a", vector_of({0.0, 0.0})}, {"b", vector_of({0.0})}});
  CHECK(numbers(zero[0]) == Numbers{0, 0});
  CHECK(clip_by_global_norm({}, 1).empty());
}

TEST_CASE("optimisers say what they cannot do, at the user's line", "[optimizers]") {
  GraphScope scope;
  Variable x("x", f32, {2});
  Parameter w("w", vector_of<float>({1, 2})), n("n", vector_of<int32_t>({1, 2}));
  Expr loss = sum(w * x);
  const uint32_t line = Here::current().line() + 1;
  Raised e = raised([&] { sgd(loss, {w, w}); });
  CHECK(e.message == "sgd: the parameter 'w' is named twice");
  CHECK(e.where.line == line);
  CHECK(e.where.file == Location(Here::current()).file);
  CHECK(raised([&] { adam(loss, {n}); }).message == "adam: the parameter 'n' is i32[2], and only floats can be trained");
  CHECK(raised([&] { adam(loss, {}); }).message == "adam: no parameter was given to train");
  CHECK(raised([&] { adam(loss, {w}, {.beta1 = 1}); }).message == "adam: beta1 must be at least 0 and below 1, not 1");
  CHECK(raised([&] { momentum(loss, {w}, {.momentum = NAN}); }).message == "momentum: momentum must be at least 0 and below 1, not nan");
  CHECK(raised([&] { adamw(loss, {w}, {.weight_decay = -1}); }).message == "adamw: weight_decay must be at least 0 and below inf, not -1");
  CHECK(raised([&] { sgd(loss, {w}, {.rate = x}); }).message == "sgd: the rate is a number or a scalar expression, not f32[2]");
  CHECK(raised([&] { sgd(x, {w}); }).message.find("must be a scalar float, not f32[2]") != std::string::npos);
  CHECK(raised([&] { sgd({w}, {x, x}); }).message == "sgd: 2 gradients were given for 1 parameters");
  CHECK(raised([&] { sgd({w}, {loss}); }).message == "sgd: the parameter 'w' is f32[2], but its gradient is f32[]");
  CHECK(raised([&] { sgd({w}, {loss}); }).where.line == line + 13);
  adam(loss, {w});
  CHECK(raised([&] { adam(loss, {w}); }).message.find("adam: 'w' has an optimizer in this graph already") != std::string::npos);
  GraphScope another;
  Parameter far("far", vector_of<float>({1}));
  CHECK(raised([&] { sgd(loss, {far}); }).message.find("two graphs") != std::string::npos);
}

TEST_CASE("what an optimiser builds names the line of its call, and of the forward operations", "[optimizers]") {
  GraphScope scope;
  Parameter w("w", vector_of<float>({1, 2}));
  Expr loss = sum(w * w);
  const uint32_t forward = Here::current().line() - 1, call = forward + 2;
  Updates updates = adam(loss, {w}, {.clip_norm = 1.0});
  const Graph& graph = *w.graph();
  for (size_t i = 0; i < graph.size(); ++i) {
    INFO(i);
    Location where = graph.where(NodeId(i));
    CHECK(where.file == Location(Here::current()).file);
    CHECK((where.line == forward || where.line == call || where.line == forward - 1));
  }
  for (const ParameterUpdate& u : updates) CHECK(graph.where(u.value.id()).line == call);
}

}  // namespace sinter
