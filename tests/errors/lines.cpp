// Shape errors name the user's file and line: of operators, of functions, of compositions and what they are made of, in templates and in
// the gradients' callers.
#include "tests/errors/expected.h"

using namespace sinter;

namespace {

struct Values {
  Variable x{"x", f32, {"batch", 784}}, v{"v", f32, {3}}, u{"u", f32, {4}}, labels{"labels", i32, {"batch"}};
  Parameter w{"w", zeros({512, 10})}, b{"b", zeros({7})};
};

}  // namespace

TEST_CASE("operators name their line") {
  GraphScope scope;
  Values s;
  says_here([&] { s.v + s.u; }, {"add", "f32[3]", "f32[4]"});
  says_here([&] { s.v - s.u; }, {"subtract"});
  says_here([&] { s.v * s.u; }, {"multiply"});
  says_here([&] { s.v / s.u; }, {"divide"});
  says_here([&] { return s.v < s.u; }, {"less"});
  says_here([&] { return s.v >= s.u; }, {"less_equal"});
  says_here([&] { return s.v == s.u; }, {"equal"});
  says_here([&] { return s.v != s.u; }, {"not_equal"});
  says_here([&] { s.v && s.u; }, {"logical_and", "bool"});
  says_here([&] { s.v > 0 || s.u > 0; }, {"logical_or"});
  says_here([&] { !s.v; }, {"logical_not", "bool"});
  says_here([&] { -(s.v > 0) + s.u; }, {"add"});
  says_here([&] { 2 * s.v - (1 - s.u); }, {"subtract"});
}

TEST_CASE("operators in an expression of several lines name the line of their right operand") {
  GraphScope scope;
  Values s;
  uint32_t line = 0;
  Raised error = raised([&] {
    line = __LINE__ + 2;
    Expr wrong = exp(s.v) * 2 +
                 s.u +
                 1;
  });
  CHECK(error.where.line == line);
  CHECK(error.where.file.ends_with("lines.cpp"));
}

TEST_CASE("functions name their line") {
  GraphScope scope;
  Values s;
  says_here([&] { matmul(s.x, s.w); }, {"matmul", "[batch, 784]", "[512, 10]", "784", "512"});
  says_here([&] { maximum(s.v, s.u); }, {"maximum"});
  says_here([&] { pow(s.v, s.u); }, {"power"});
  says_here([&] { select(s.v > 0, s.u, 1); }, {"select"});
  says_here([&] { select(s.v, s.v, 1); }, {"select", "bool"});
  says_here([&] { reshape(s.x, {-1, 100}); }, {"reshape", "784*batch"});
  says_here([&] { transpose(s.x, {0, 2}); }, {"transpose", "2"});
  says_here([&] { broadcast_to(s.v, {4}); }, {"broadcast"});
  says_here([&] { broadcast_to(s.v, {int64_t{1} << 61, 3}); }, {"broadcast", "more than 2^63 bytes"});
  says_here([&] { slice(s.v, {0}, {5}); }, {"slice", "5"});
  says_here([&] { slice(s.x, {0, 0}, {2, 784}); }, {"slice", "axis 0", "the stop 2", "stop at the end, batch", "before it, -2"});
  says_here([&] { slice(s.x, {Dim("batch") - 1, 0}, {"batch", 784}); }, {"the start batch + -1 may be negative at a call"});
  says_here([&] { slice(s.x, {0, 0}, {"batch", 784}, {2, 1}); }, {"axis 0", "the step is 2", "steps of 1"});
  says_here([&] { slice(s.x, {0, 9}, {"batch", 784}, {1, 0}); }, {"axis 1, of size 784", "step 0"});
  says_here([&] { slice(s.x, {0}, {"batch"}); }, {"2 axes", "not 1, 1 and 1"});
  says_here([&] { pad(s.v, 0, {1}, {1, 1}); }, {"pad"});
  says_here([&] { pad(s.x, 0, {0, 0}, {0, 0}, {1, 0}); }, {"pad", "batch"});
  says_here([&] { sum(s.x, {2}); }, {"sum", "axis 2"});
  says_here([&] { max(s.x, {0, 0}); }, {"max", "twice"});
  says_here([&] { contract(s.v, s.u, {{}, {}, {0}, {0}}); }, {"contract", "3", "4"});
  says_here([&] { contract(s.v, s.labels, {}); }, {"contract", "f32", "i32"});
}

TEST_CASE("compositions name their caller's line, not their own") {
  GraphScope scope;
  Values s;
  says_here([&] { linear(s.x, s.w, s.b); }, {"linear: matmul", "784", "512"});
  says_here([&] { linear(s.v, Constant(zeros({3, 5})), s.b); }, {"linear: add", "[5]", "[7]"});
  says_here([&] { mse(s.v, s.u); }, {"mse: same_shape of f32[3], f32[4]: takes two values of one shape"});
  says_here([&] { mse(s.v, 0); }, {"mse"});
  says_here([&] { cross_entropy(s.x, s.u); }, {"cross_entropy"});
  says_here([&] { cross_entropy(s.v, s.labels); }, {"cross_entropy", "f32[3]", "i32[batch]"});
  says_here([&] { cross_entropy(s.x, reshape(convert(s.labels, f32), {"batch"})); }, {"cross_entropy: labels are whole numbers", "f32"});
  says_here([&] { accuracy(s.v, s.labels); }, {"accuracy"});
  says_here([&] { softmax(s.v, 1); }, {"softmax: max of f32[3]: axis 1"});
  says_here([&] { log_softmax(s.v, -2); }, {"log_softmax: ", "axis -2"});
  says_here([&] { logsumexp(s.v, 3); }, {"logsumexp: ", "axis 3"});
  says_here([&] { variance(s.v, {2}); }, {"variance: sum of f32[3]: axis 2"});  // though mean() is what it calls
  says_here([&] { layer_norm(s.x, s.b, 0); }, {"layer_norm: ", "[7]"});
  says_here([&] { layer_norm(s.v, 1, 0, 4); }, {"layer_norm", "axis 4"});
  says_here([&] { argmax(s.v, 1); }, {"argmax", "axis 1"});
  says_here([&] { argmax(s.v, 0, f32); }, {"argmax", "f32"});
  says_here([&] { one_hot(s.v, 10); }, {"whole numbers"});
  says_here([&] { mean(s.v, {1}); }, {"axis 1"});
  says_here([&] { variance(s.v, {1}); }, {"axis 1"});
}

TEST_CASE("a composition of a user's own names the lines inside it") {
  GraphScope scope;
  Values s;
  uint32_t line = 0;
  auto layer = [&](const Expr& x, const Expr& w) {
    line = __LINE__ + 1;
    return relu(matmul(x, w));
  };
  Raised error = raised([&] { layer(s.x, s.w); });
  CHECK(error.where.line == line);
}

TEST_CASE("templates name the line of the operation, when they are called") {
  GraphScope scope;
  Variable a("a"), b("b");
  Expr product = matmul(a, b);
  uint32_t product_line = __LINE__ - 1;
  Expr normal = softmax(product, 5);
  uint32_t softmax_line = __LINE__ - 1;
  Function f = compile(normal);
  Raised error = says([&] { f({{"a", ones({2, 3})}, {"b", ones({4, 5})}}); }, {"matmul", "[2, 3]", "[4, 5]"});
  CHECK(error.where.line == product_line);
  CHECK(error.where.file.ends_with("lines.cpp"));
  error = says([&] { f({{"a", ones({2, 3})}, {"b", ones({3, 5})}}); }, {"softmax: max of f32[2, 5]: axis 5"});
  CHECK(error.where.line == softmax_line);
  says([&] { f({{"a", ones({2, 3}, i32)}, {"b", ones({3, 5})}}); }, {"axis 5"});
}

TEST_CASE("a missing input names the line that declared it") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  Variable y("y", f32, {"n"});
  uint32_t line = __LINE__ - 1;
  Function f = compile(x + y);
  Raised error = says([&] { f({{"x", ones({2})}}); }, {"'y'", "missing"});
  CHECK(error.where.line == line);
  error = says([&] { f({{"x", ones({2})}, {"y", ones({3})}}); }, {"'y'", "n = 2"});
  CHECK(error.where.line == line);
}

TEST_CASE("what a composition checks it checks of templates too, when they are called") {
  GraphScope scope;
  Variable a("a"), b("b");
  Expr loss = mse(a, b);
  uint32_t line = __LINE__ - 1;
  Function f = compile(loss);
  Raised error = says([&] { f({{"a", ones({4, 1})}, {"b", ones({4})}}); }, {"mse: same_shape of f32[4, 1], f32[4]"});
  CHECK(error.where.line == line);
  CHECK(f({{"a", ones({4})}, {"b", zeros({4})}}).item() == 1);
}

TEST_CASE("an update of a template is held to its parameter when it is called") {
  GraphScope scope;
  Variable a("a");
  Parameter w("w", ones({2}));
  Function f = compile({}, {{w, a * 2}});
  f({{"a", ones({2})}});
  CHECK(w.read().data<float>()[1] == 2);
  says([&] { f({{"a", ones({3})}}); }, {"'w'", "f32[2]", "f32[3]"});
}

TEST_CASE("templates and symbolic sizes meet in one graph") {
  GraphScope scope;
  Variable a("a"), x("x", f32, {"n", 2});
  Function f = compile(sum(a * x) + dimension("n") + sum(broadcast_to(Constant(1.0), {"n", 3})));
  CHECK(f({{"a", ones({3, 2})}, {"x", ones({3, 2})}}).item() == 18);
  CHECK(f({{"a", full({}, 2)}, {"x", ones({5, 2})}}).item() == 40);
  auto for_any = f.executable();
  CHECK(f({{"a", full({}, 2)}, {"x", ones({1, 2})}}).item() == 8);
  CHECK(f.executable() == for_any);  // a scalar meets no symbol
  CHECK(f({{"a", full({5, 1}, 2)}, {"x", ones({5, 2})}}).item() == 40);
  says([&] { f({{"a", ones({4, 2})}, {"x", ones({3, 2})}}); }, {"multiply of f32[4, 2], f32[3, 2]"});
  says([&] { f({{"a", ones({3, 2})}, {"x", ones({3, 3})}}); }, {"'x'", "f32[n, 2]", "not [3, 3]"});
}

TEST_CASE("calls, tensors, parameters and sizes name their line") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  Parameter w("w", ones({2}));
  Function f = compile(sum(x) + sum(w)), two = compile({x + 1, x + 2}), train = compile({}, {{w, w + sum(x)}});
  Tensor a = ones({2});
  says_here([&] { f({{"x", a}, {"z", a}}); }, {"no input 'z'"});
  says_here([&] { f.all({{"z", a}}); }, {"no input 'z'"});
  says_here([&] { f.profile({{"z", a}}); }, {"no input 'z'"});
  says_here([&] { f({{"x", a}, {"x", ones({3})}}); }, {"'x'", "twice"});
  says_here([&] { two({{"x", a}}); }, {"2 outputs"});
  says_here([&] { f.bind({{"x", a}}, {ones({}), ones({})}); }, {"2 output buffers"});
  says_here([&] { f.bind({{"x", a}}, {ones({3})}); }, {"output 0"});
  says_here([&] { f.bind({{"x", a}}, {Tensor()}); }, {"output 0", "empty"});
  says_here([&] { two.bind({{"x", a}}, {a, ones({2})}); }, {"shares memory"});
  says_here([&] { train({{"x", w.storage()->value}}); }, {"shares memory"});
  says_here([] { Function()({}); }, {"never assigned"});
  says_here([] { Function().report(); }, {"never assigned"});
  says_here([&] { w.set(ones({3})); }, {"'w'", "f32[2]", "f32[3]"});
  says_here([&] { w.set(Tensor()); }, {"'w'", "an empty Tensor"});
  says_here([] { compile(Expr()); }, {"never assigned"});
  says_here([] { compile(std::vector<Expr>{}); }, {"nothing to compile"});
  says_here([] { Variable y("y", f32, {"a b"}); }, {"'a b'"});
  says_here([] { Dim("1n"); }, {"'1n'"});
  says_here([] { ones({-1}); }, {"-1"});
  says_here([] { zeros({-2}); }, {"-2"});
  says_here([] { Tensor(f32, {-1}); }, {"-1"});
  says_here([] { uniform({2}, 1, 1, i32); }, {"i32"});
  says_here([] { Tensor::of<float>({1, 2, 3}, {2, 2}); }, {"takes 4 values, not 3"});
  says_here([] { Tensor::of<float>({{1, 2}, {3}}); }, {"equally long", "2 and 1"});
  says_here([&] { a.data<double>(); }, {"f32", "f64"});
  says_here([&] { a.item(); }, {"[2]"});
  says_here([] { Tensor().item(); }, {"empty"});
  says_here([&] { a.reshaped({3}); }, {"[2]", "[3]"});
  says_here([&] { Tensor::borrow(nullptr, f32, {3}); }, {"null"});
}
