// Mistakes in calls of compiled functions. Nothing has happened when one is refused: no parameter has changed, and the function can be called.
#include "tests/errors/expected.h"

using namespace sinter;

namespace {

// A training step of a linear model, and the inputs it takes.
struct Training {
  Variable x{"x", f32, {"batch", 4}}, y{"y", f32, {"batch", 2}};
  Parameter w{"w", ones({4, 2})};
  Function train;
  Training() {
    Expr loss = mse(matmul(x, w), y);
    train = compile(loss, sgd(loss, {w}));
  }
  NamedTensors with(Tensor x_value, Tensor y_value) const { return {{"x", std::move(x_value)}, {"y", std::move(y_value)}}; }

  // Refused by name and when bound, with the parameter as it was.
  void refused(const NamedTensors& inputs, std::initializer_list<std::string> parts) const {
    Tensor before = w.read();
    says([&] { train(inputs); }, parts);
    says([&] { train.bind(inputs); }, parts);
    says([&] { train.profile(inputs); }, parts);
    CHECK(same_bits(w.read(), before));
  }
};

}  // namespace

TEST_CASE("inputs by wrong names, or none") {
  GraphScope scope;
  Training step;
  step.refused({{"x", ones({3, 4})}}, {"'y'", "missing", "f32[batch, 2]"});
  step.refused({}, {"'x'", "missing"});
  step.refused({{"x", ones({3, 4})}, {"y", ones({3, 2})}, {"z", ones({3})}}, {"no input 'z'", "'x', 'y'"});
  step.refused({{"X", ones({3, 4})}, {"y", ones({3, 2})}}, {"no input 'X'"});
  step.refused({{"x", ones({3, 4})}, {"y", ones({3, 2})}, {"w", ones({4, 2})}}, {"no input 'w'"});  // a parameter is no input
  step.refused(step.with(ones({3, 4}), Tensor()), {"'y'", "empty Tensor"});
}

TEST_CASE("inputs of wrong types, ranks and sizes") {
  GraphScope scope;
  Training step;
  const std::string line = std::to_string(__LINE__ + 1);
  says([&] { step.train(step.with(ones({3, 5}), ones({3, 2}))); }, {"(in the call at ", "calls.cpp:" + line + ")"});
  step.refused(step.with(ones({3, 4}, f64), ones({3, 2})), {"'x'", "f32[batch, 4]", "f64[3, 4]"});
  step.refused(step.with(ones({3, 4}), ones({3, 2}, i32)), {"'y'", "i32[3, 2]"});
  step.refused(step.with(ones({12}), ones({3, 2})), {"'x'", "f32[batch, 4]", "f32[12]"});
  step.refused(step.with(ones({3, 4, 1}), ones({3, 2})), {"'x'", "[3, 4, 1]"});
  step.refused(step.with(ones({3, 5}), ones({3, 2})), {"'x'", "[3, 5]"});
  step.refused(step.with(ones({}), ones({3, 2})), {"'x'"});
  step.train(step.with(ones({3, 4}), ones({3, 2})));
}

TEST_CASE("a symbol bound to two values") {
  GraphScope scope;
  Training step;
  step.refused(step.with(ones({3, 4}), ones({5, 2})), {"batch", "3", "5"});
  step.train(step.with(ones({3, 4}), ones({3, 2})));  // these sizes are known from now on
  step.refused(step.with(ones({3, 4}), ones({5, 2})), {"batch"});
  step.refused(step.with(ones({5, 4}), ones({3, 2})), {"batch"});
  GraphScope another;
  Variable square("square", f32, {"n", "n"});
  Function f = compile(sum(square));
  says([&] { f({{"square", ones({2, 3})}}); }, {"'square'", "[n, n]", "[2, 3]"});
  Variable twice("twice", f32, {Dim("m") * 2}), one("one", f32, {"m"});
  Function g = compile(sum(twice) + sum(one));
  CHECK(g({{"twice", ones({6})}, {"one", ones({3})}}).item() == 9);
  says([&] { g({{"twice", ones({7})}, {"one", ones({3})}}); }, {"'twice'", "2*m", "6", "7"});
}

TEST_CASE("a size that is negative or unbound at the call") {
  GraphScope scope;
  Variable x("x", f32, {Dim("n") + 3}), n("n", f32, {"n"});
  Function f = compile(sum(x) + sum(n));
  CHECK(f({{"x", ones({5})}, {"n", ones({2})}}).item() == 7);
  says([&] { f({{"x", ones({2})}, {"n", ones({2})}}); }, {"'x'"});
  Variable y("y", f32, {"m"});
  Function g = compile(sum(broadcast_to(y, {Dim("m") - 5, "m"})));
  CHECK(g({{"y", ones({6})}}).item() == 6);
  Raised error = says([&] { g({{"y", ones({2})}}); }, {"broadcast", "[m + -5, m]", "m = 2", "negative"});
  CHECK(error.where.line == __LINE__ - 3);
}

TEST_CASE("sizes that overflow") {
  GraphScope scope;
  Variable x("x", f32, {"n", 0});
  Dim n("n");
  Function f = compile(sum(broadcast_to(Constant(1.0f), {n * n * n, 0})) + sum(x));
  int64_t large = int64_t{1} << 30;
  says([&] { f({{"x", zeros({large, 0})}}); }, {"n*n*n"});  // 2^90
  CHECK_THROWS_AS(ones({large, large, large}), UserError);
}

TEST_CASE("functions of none, one and several outputs") {
  GraphScope scope;
  Variable x("x", f32, {2});
  says([] { Function()({}); }, {"never assigned"});
  says([] { Function().all({}); }, {"never assigned"});
  Function two = compile({x + 1, x + 2});
  says([&] { two({{"x", ones({2})}}); }, {"2 outputs", "all()"});
  CHECK(two.all({{"x", ones({2})}}).size() == 2);
}

TEST_CASE("output buffers that do not fit") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  Function f = compile({x + 1, sum(x)});
  NamedTensors inputs = {{"x", ones({8})}};
  says([&] { f.bind(inputs, {zeros({8})}); }, {"1 output buffers", "2 outputs"});
  says([&] { f.bind(inputs, {zeros({8}), zeros({}), zeros({})}); }, {"3 output buffers"});
  says([&] { f.bind(inputs, {zeros({9}), zeros({})}); }, {"output 0", "f32[8]", "f32[9]"});
  says([&] { f.bind(inputs, {zeros({8}), zeros({1})}); }, {"output 1", "f32[]", "f32[1]"});
  says([&] { f.bind(inputs, {zeros({8}, f64), zeros({})}); }, {"output 0", "f64[8]"});
  says([&] { f.bind(inputs, {Tensor(), zeros({})}); }, {"output 0", "empty"});
}

TEST_CASE("buffers that overlap") {
  GraphScope scope;
  Variable x("x", f32, {8}), y("y", f32, {8});
  Parameter w("w", ones({8}));
  Function evaluate = compile({x + w, x * y}), train = compile(sum(x), {{w, w + x}});
  Tensor a = ones({8}), b = ones({8}), c = zeros({8}), d = zeros({8});
  std::vector<float> memory(24, 1);
  auto part = [&](size_t from) { return Tensor::borrow(memory.data() + from, f32, {8}); };
  NamedTensors inputs = {{"x", a}, {"y", b}};
  says([&] { evaluate.bind(inputs, {a, c}); }, {"output 0", "'x'"});
  says([&] { evaluate.bind(inputs, {c, b}); }, {"output 1", "'y'"});
  says([&] { evaluate.bind(inputs, {c, c}); }, {"output", "shares memory"});
  says([&] { evaluate.bind(inputs, {w.storage()->value, c}); }, {"output 0", "'w'"});
  says([&] { evaluate.bind(inputs, {part(0), part(7)}); }, {"shares memory"});
  says([&] { evaluate.bind({{"x", part(0)}, {"y", b}}, {part(7), c}); }, {"output 0", "'x'"});
  evaluate.bind({{"x", part(0)}, {"y", part(0)}}, {part(8), part(16)})();  // side by side, and one buffer for two inputs
  CHECK(memory[8] == 2);
  says([&] { train({{"x", w.storage()->value}}); }, {"'x'", "'w'", "updates"});
  says([&] { train.bind({{"x", w.storage()->value}}); }, {"'x'", "'w'"});
  evaluate.all({{"x", w.storage()->value}, {"y", w.storage()->value}});  // read only: no harm
}

TEST_CASE("tensors asked for what they do not hold") {
  Tensor t = ones({2, 3});
  says([&] { t.data<double>(); }, {"f32", "f64"});
  says([&] { t.item(); }, {"[2, 3]"});
  says([&] { t.reshaped({4}); }, {"[2, 3]", "[4]"});
  says([] { ones({-1}); }, {"-1"});
  says([] { Tensor().data<float>(); }, {"empty"});
  float three[3] = {};
  says([&] { Tensor::borrow(reinterpret_cast<char*>(three) + 1, f32, {1}); }, {"aligned"});
}
