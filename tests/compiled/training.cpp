// Whole training steps: perceptrons under every optimiser and loss, at several batch sizes by one compile.
#include <cmath>
#include <functional>

#include "tests/compiled/check.h"

using namespace sinter;
using namespace sinter::test;

namespace {

const int64_t batches[] = {1, 2, 7, 64, 129};

// What the first layer's relu sees is exact, and so is which of its units are off: everything behind it is a smooth function.
struct Perceptron {
  Parameter w1, b1, w2, b2, w3, b3;
  Perceptron()
      : w1("w1", eighths({20, 33}, 1)), b1("b1", eighths({33}, 2)), w2("w2", values({33, 17}, 3)), b2("b2", values({17}, 4)), w3("w3", values({17, 10}, 5)), b3("b3", values({10}, 6)) {}
  Expr operator()(const Expr& x) const {
    Expr h = relu(linear(x * 0.25, w1, b1));
    return linear(tanh(linear(h * 0.25, w2, b2)), w3, b3);
  }
  void reset() const { w1.set(eighths({20, 33}, 1)), b1.set(eighths({33}, 2)); }
  std::vector<Parameter> all() const { return {w1, b1, w2, b2, w3, b3}; }
};

struct Optimizer {
  const char* name;
  std::function<Updates(const Expr&, const std::vector<Parameter>&)> make;
};
const Optimizer optimizers[] = {
    {"sgd", [](const Expr& loss, const auto& p) { return sgd(loss, p, {.rate = 0.05}); }},
    {"sgd, clipped, with weight decay", [](const Expr& loss, const auto& p) { return sgd(loss, p, {.rate = 0.05, .weight_decay = 0.01, .clip_norm = 0.1}); }},
    {"momentum", [](const Expr& loss, const auto& p) { return momentum(loss, p, {.rate = 0.05}); }},
    {"Nesterov's momentum", [](const Expr& loss, const auto& p) { return momentum(loss, p, {.rate = 0.05, .nesterov = true, .clip_norm = 10.0}); }},
    {"adam", [](const Expr& loss, const auto& p) { return adam(loss, p); }},
    {"adamw, clipped", [](const Expr& loss, const auto& p) { return adamw(loss, p, {.rate = 0.01, .clip_norm = 0.5}); }},
};

}  // namespace

TEST_CASE("a perceptron's training steps with the mean squared error") {
  for (const Optimizer& optimizer : optimizers) {
    INFO(optimizer.name);
    GraphScope scope;
    Variable x("x", f32, {"batch", 20}), y("y", f32, {"batch", 10});
    Perceptron model;
    Expr loss = mse(model(x), y);
    CompiledProgram step = compiled({loss}, optimizer.make(loss, model.all()));
    Counted counted;
    for (int64_t batch : batches) {
      INFO("batch " << batch);
      check_call(step.program, step.function, {{"x", eighths({batch, 20}, 11)}, {"y", values({batch, 10}, 12)}}, &counted);
      model.reset();
    }
    CHECK(counted.known * 100 > counted.elements * 99);
  }
}

TEST_CASE("a perceptron's training steps with the cross entropy") {
  for (const Optimizer& optimizer : optimizers) {
    INFO(optimizer.name);
    GraphScope scope;
    Variable x("x", f32, {"batch", 20}), y("y", i32, {"batch"});
    Perceptron model;
    Expr logits = model(x), loss = cross_entropy(logits, y);
    CompiledProgram step = compiled({loss, accuracy(logits, y)}, optimizer.make(loss, model.all()));
    Counted counted;
    for (int64_t batch : batches) {
      INFO("batch " << batch);
      check_call(step.program, step.function, {{"x", eighths({batch, 20}, 11)}, {"y", labels(batch, 10, 12)}}, &counted);
      model.reset();
    }
    CHECK(counted.known * 100 > counted.elements * 99);
  }
}

TEST_CASE("training in f64") {
  GraphScope scope;
  Variable x("x", f64, {"batch", 5}), y("y", f64, {"batch", 3});
  Parameter w("w", values({5, 3}, 1, f64)), b("b", zeros({3}, f64));
  Expr loss = mse(linear(x, w, b), y);
  CompiledProgram step = compiled({loss}, adam(loss, {w, b}));
  for (int64_t batch : batches) check_call(step.program, step.function, {{"x", values({batch, 5}, 2, f64)}, {"y", values({batch, 3}, 3, f64)}});
}

TEST_CASE("a batch of no rows trains nothing but NaN") {
  GraphScope scope;
  Variable x("x", f32, {"batch", 5}), y("y", f32, {"batch", 3});
  Parameter w("w", values({5, 3}, 1));
  Expr loss = mse(matmul(x, w), y);
  CompiledProgram step = compiled({loss, sum(x)}, sgd(loss, {w}));
  std::vector<Tensor> got = check_call(step.program, step.function, {{"x", zeros({0, 5})}, {"y", zeros({0, 3})}});
  CHECK(std::isnan(got[0].item()));
  CHECK(got[1].item() == 0);
}

// The lecture's practice, against loops in double written from the formulas.
TEST_CASE("two layers by hand") {
  constexpr int64_t in = 31, hidden = 40, out = 10, batch = 24;
  constexpr double rate = 0.05;
  GraphScope scope;
  Variable x("x", f32, {"batch", in}), y("y", f32, {"batch", out});
  Parameter w1("w1", values({in, hidden}, 1)), w2("w2", values({hidden, out}, 2));
  Expr loss = mse(matmul(relu(matmul(x, w1)), w2), y);
  Function train = compile(loss, sgd(loss, {w1, w2}, {.rate = rate}));

  auto doubles = [](const Tensor& t) { return std::vector<double>(t.data<float>().begin(), t.data<float>().end()); };
  std::vector<double> a = doubles(w1.read()), b = doubles(w2.read());
  for (uint64_t step = 0; step < 3; ++step) {
    Tensor tx = values({batch, in}, 10 + step), ty = values({batch, out}, 20 + step);
    std::vector<double> vx = doubles(tx), vy = doubles(ty), h(batch * hidden), p(batch * out), dp(batch * out), dh(batch * hidden);
    double want = 0;
    for (size_t i = 0; i < batch; ++i) {
      for (size_t j = 0; j < hidden; ++j)
        for (size_t k = 0; k < in; ++k) h[i * hidden + j] += vx[i * in + k] * a[k * hidden + j];
      for (size_t o = 0; o < out; ++o) {
        for (size_t j = 0; j < hidden; ++j) p[i * out + o] += std::max(h[i * hidden + j], 0.0) * b[j * out + o];
        double difference = p[i * out + o] - vy[i * out + o];
        want += difference * difference / (batch * out);
        dp[i * out + o] = 2 * difference / (batch * out);
      }
      for (size_t j = 0; j < hidden; ++j)
        for (size_t o = 0; o < out; ++o) dh[i * hidden + j] += h[i * hidden + j] > 0 ? dp[i * out + o] * b[j * out + o] : 0;
    }
    for (size_t i = 0; i < batch; ++i)
      for (size_t j = 0; j < hidden; ++j) {
        for (size_t o = 0; o < out; ++o) b[j * out + o] -= rate * std::max(h[i * hidden + j], 0.0) * dp[i * out + o];
        for (size_t k = 0; k < in; ++k) a[k * hidden + j] -= rate * vx[i * in + k] * dh[i * hidden + j];
      }
    double loss_value = train({{"x", tx}, {"y", ty}}).item();
    CHECK(loss_value == Approx(want).epsilon(1e-4));
    auto close = [](const Tensor& got, const std::vector<double>& exact) {
      double worst = 0;
      for (size_t i = 0; i < exact.size(); ++i) worst = std::max(worst, std::fabs(static_cast<double>(got.data<float>()[i]) - exact[i]));
      return worst < 1e-3;
    };
    CHECK(close(w1.read(), a));
    CHECK(close(w2.read(), b));
  }
}

// Attention over `heads` heads and a perceptron, each behind a layer norm and around a residual: x is [batch, n, 12].
TEST_CASE("a transformer's block, trained") {
  constexpr int64_t width = 12, heads = 3, classes = 5;
  GraphScope scope;
  Variable x("x", f32, {"batch", "n", width}), y("y", i32, {"batch", "n"});
  std::vector<Parameter> p;
  auto weight = [&](const std::string& name, std::vector<int64_t> sizes) {
    p.emplace_back(name, uniform(std::move(sizes), p.size() + 1, 0.4));
    return p.back();
  };
  auto split = [&](const Expr& e) { return transpose(reshape(e, {"batch", "n", heads, width / heads}), {0, 2, 1, 3}); };
  Expr h = layer_norm(x, weight("gain1", {width}), weight("bias1", {width}));
  Expr q = split(matmul(h, weight("wq", {width, width}))), k = split(matmul(h, weight("wk", {width, width}))), v = split(matmul(h, weight("wv", {width, width})));
  Expr attention = matmul(softmax(matmul(q, transpose(k, {0, 1, 3, 2})) / std::sqrt(static_cast<double>(width / heads))), v);
  Expr joined = x + matmul(reshape(transpose(attention, {0, 2, 1, 3}), {"batch", "n", width}), weight("wo", {width, width}));
  Expr inner = gelu(linear(layer_norm(joined, weight("gain2", {width}), weight("bias2", {width})), weight("w1", {width, 4 * width}), weight("b1", {4 * width})));
  Expr out = joined + linear(inner, weight("w2", {4 * width, width}), weight("b2", {width}));
  Expr loss = cross_entropy(matmul(out, weight("head", {width, classes})), y);
  CompiledProgram step = compiled({loss}, adamw(loss, p, {.rate = 0.01, .clip_norm = 1.0}));
  Counted counted;
  for (int64_t batch : {1, 3})
    for (int64_t n : {1, 7, 16})
      check_call(step.program, step.function, {{"x", values({batch, n, width}, 11)}, {"y", labels(batch * n, classes, 12).reshaped({batch, n})}}, &counted);
  CHECK(counted.known * 100 > counted.elements * 90);
  NamedTensors inputs = {{"x", values({3, 16, width}, 11)}, {"y", labels(48, classes, 12).reshaped({3, 16})}};
  double first = step.function(inputs).item(), last = first;
  for (int i = 0; i < 30; ++i) last = step.function(inputs).item();
  CHECK(last < first / 2);
}

TEST_CASE("the practice's own sizes") {
  GraphScope scope;
  Variable x("x", f32, {"batch", 784}), y("y", f32, {"batch", 10});
  Parameter w1("w1", uniform({784, 512}, 1, 0.06)), w2("w2", uniform({512, 10}, 2, 0.06));
  Expr loss = mse(matmul(relu(matmul(x, w1)), w2), y);
  CompiledProgram step = compiled({loss}, sgd(loss, {w1, w2}));
  Function evaluate = compile(loss);
  for (int64_t batch : {64, 1}) {
    NamedTensors inputs = {{"x", values({batch, 784}, 3)}, {"y", values({batch, 10}, 4)}};
    double before = evaluate(inputs).item();  // shares the parameters
    CHECK(check_call(step.program, step.function, inputs)[0].item() == Approx(before));
    CHECK(evaluate(inputs).item() < before);
  }
}
