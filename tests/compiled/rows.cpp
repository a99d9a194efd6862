// What rows are for: softmax, norms, losses and attention, forwards and backwards, and the gradients of their gradients.
#include "tests/compiled/check.h"

using namespace sinter;
using namespace sinter::test;

namespace {

struct RowFunction {
  const char* name;
  Expr (*make)(const Expr& x, int64_t axis);
};
const RowFunction row_functions[] = {
    {"softmax", [](const Expr& x, int64_t axis) { return softmax(x, axis); }},
    {"log_softmax", [](const Expr& x, int64_t axis) { return log_softmax(x, axis); }},
    {"logsumexp", [](const Expr& x, int64_t axis) { return logsumexp(x, axis, true); }},
    {"variance", [](const Expr& x, int64_t axis) { return variance(x, {axis}, true); }},
    {"layer_norm", [](const Expr& x, int64_t axis) { return layer_norm(x, 1.5, 0.25, axis); }},
    {"max", [](const Expr& x, int64_t axis) { return max(x, {axis}, true); }},
    {"a chain of four", [](const Expr& x, int64_t axis) { return x / (1 + sum(abs(x - mean(x, {axis}, true)), {axis}, true)) + min(tanh(x), {axis}, true); }},
};

void check_at(const CompiledProgram& c, const Expr& x, Counted& counted) {
  for (int64_t n : {1, 2, 7, 64})
    for (int64_t m : {1, 5, 33}) {
      INFO("n = " << n << ", m = " << m);
      std::vector<int64_t> sizes = evaluate(x.shape(), {{"n", n}, {"m", m}});
      NamedTensors inputs = {{"x", eighths(sizes, static_cast<uint64_t>(n + m))}, {"c", values(sizes, 2)}};
      std::erase_if(inputs, [&](const auto& input) { return !c.program.graph.named(input.first).valid(); });
      check_call(c.program, c.function, inputs, &counted);
    }
}

}  // namespace

TEST_CASE("rows along every axis, and their gradients") {
  Counted counted;
  for (const RowFunction& f : row_functions)
    for (const Shape& shape : {Shape{"n", "m"}, Shape{3, "n", "m"}})
      for (int64_t axis : {0, -1}) {
        INFO(f.name << " of " << to_string(shape) << " along " << axis);
        GraphScope scope;
        Variable x("x", f32, shape), c("c", f32, shape);
        Expr y = f.make(x, axis);
        check_at(compiled({y, gradients(sum(y * c), {x})[0]}), x, counted);
      }
  CHECK(counted.known * 100 > counted.elements * 95);
}

TEST_CASE("rows of a fixed length") {
  for (const RowFunction& f : row_functions)
    for (int64_t length : {1, 10, 64, 1000}) {
      INFO(f.name << " of " << length);
      GraphScope scope;
      Variable x("x", f32, {"n", length}), c("c", f32, {"n", length});
      Expr y = f.make(x, -1);
      CompiledProgram both = compiled({y, gradients(sum(y * c), {x})[0]});
      for (int64_t n : {1, 9}) check_call(both.program, both.function, {{"x", eighths({n, length}, 1)}, {"c", values({n, length}, 2)}});
    }
}

TEST_CASE("gradients of gradients") {
  Counted counted;
  for (const RowFunction& f : row_functions) {
    INFO(f.name);
    GraphScope scope;
    Variable x("x", f32, {"n", "m"}), c("c", f32, {"n", "m"});
    Expr g = gradients(sum(f.make(x, -1) * c), {x})[0];
    check_at(compiled({g, gradients(sum(g * g), {x})[0]}), x, counted);
  }
  CHECK(counted.known * 100 > counted.elements * 90);
}

TEST_CASE("a layer norm with its own gain and bias, trained") {
  GraphScope scope;
  Variable x("x", f32, {"n", 33}), c("c", f32, {"n", 33});
  Parameter gain("gain", values({33}, 3)), bias("bias", values({33}, 4));
  Expr y = layer_norm(x, gain, bias), loss = sum(y * c);
  CompiledProgram step = compiled({loss, gradients(loss, {x})[0]}, sgd(loss, {gain, bias}));
  for (int64_t n : {1, 2, 7, 64, 129}) check_call(step.program, step.function, {{"x", values({n, 33}, 1)}, {"c", values({n, 33}, 2)}});
}

TEST_CASE("softmax and its kin do not overflow") {
  GraphScope scope;
  Variable x("x", f32, {2, 20});
  Function f = compile({softmax(x), log_softmax(x), logsumexp(x), sum(softmax(x), {-1})});
  Tensor large = values({2, 20}, 1);
  for (size_t i = 0; i < 40; ++i) large.data<float>()[i] = large.data<float>()[i] * 10 + (i < 20 ? 3e4f : -3e4f);
  std::vector<Tensor> got = f.all({{"x", large}});
  for (const Tensor& t : got)
    for (float v : t.data<float>()) CHECK(std::isfinite(v));
  for (float total : got[3].data<float>()) CHECK(total == Approx(1));
}

TEST_CASE("attention, and its gradients") {
  GraphScope scope;
  Variable q("q", f32, {"b", 3, "n", 8}), k("k", f32, {"b", 3, "m", 8}), v("v", f32, {"b", 3, "m", 8});
  Expr scores = matmul(q, transpose(k, {0, 1, 3, 2})) / std::sqrt(8.0), y = matmul(softmax(scores), v);
  std::vector<Expr> outputs = gradients(mean(y * y), std::vector<Expr>{q, k, v});
  outputs.push_back(y);
  CompiledProgram c = compiled(outputs);
  for (int64_t n : {1, 5, 33})
    for (int64_t m : {1, 17})
      check_call(c.program, c.function, {{"q", values({2, 3, n, 8}, 1)}, {"k", values({2, 3, m, 8}, 2)}, {"v", values({2, 3, m, 8}, 3)}});
}

TEST_CASE("losses of odd labels") {
  GraphScope scope;
  Variable logits("logits", f32, {"n", 10}), y("y", i32, {"n"});
  Expr loss = cross_entropy(logits, y);
  CompiledProgram c = compiled({loss, gradients(loss, {logits})[0], one_hot(y, 10), argmax(logits)});
  for (int64_t n : {1, 7, 64}) {
    Tensor some = labels(n, 10, 3);
    some.data<int32_t>()[0] = -1;  // no class
    check_call(c.program, c.function, {{"logits", values({n, 10}, 1)}, {"y", some}});
  }
}

TEST_CASE("gradients clipped by their global norm") {
  for (double norm : {1e-3, 1e3}) {
    GraphScope scope;
    Variable x("x", f32, {"n", 12});
    Parameter w1("w1", values({12, 30}, 1)), w2("w2", values({30, 5}, 2));
    Expr loss = mean(tanh(matmul(tanh(matmul(x, w1)), w2)));
    std::vector<Expr> g = clip_by_global_norm(gradients(loss, {w1, w2}), norm);
    CompiledProgram step = compiled({loss, g[0], g[1]}, sgd({w1, w2}, g, {.rate = 0.5}));
    for (int64_t n : {1, 7, 64}) {
      std::vector<Tensor> got = check_call(step.program, step.function, {{"x", values({n, 12}, 3)}});
      double square = 0;
      for (size_t i : {1, 2})
        for (float v : got[i].data<float>()) square += static_cast<double>(v) * static_cast<double>(v);
      CHECK(std::sqrt(square) < norm * 1.001);
    }
  }
}
