// Mistakes in what is given to compile(), gradients() and the optimisers.
#include "tests/errors/expected.h"

using namespace sinter;

TEST_CASE("nothing, or what was never assigned, is not compiled") {
  GraphScope scope;
  Parameter w("w", ones({2}));
  says([] { compile(std::vector<Expr>{}); }, {"nothing to compile"});
  says([] { compile(Expr()); }, {"never assigned"});
  says([&] { compile(sum(w), {{w, Expr()}}); }, {"never assigned"});
}

TEST_CASE("expressions of two graphs") {
  std::optional<Variable> a, b;
  {
    GraphScope scope;
    a.emplace("a", f32, Shape{2});
  }
  {
    GraphScope scope;
    b.emplace("b", f32, Shape{2});
  }
  says([&] { compile({*a, *b}); }, {"two graphs"});
  says_here([&] { *a + *b; }, {"two graphs"});
  says_here([&] { matmul(*a, *b); }, {"two graphs"});
  says_here([&] { gradients(sum(*a), {*b}); }, {"two graphs"});
}

TEST_CASE("updates that do not fit") {
  GraphScope scope;
  Variable x("x", f32, {"n", 2});
  Parameter w("w", ones({2})), v("v", ones({2}));
  says([&] { compile(sum(x), {{w, sum(x)}}); }, {"'w'", "f32[2]", "f32[]"});
  says([&] { compile(sum(x), {{w, x}}); }, {"'w'", "f32[2]", "f32[n, 2]"});
  says([&] { compile(sum(x), {{w, convert(w, f64)}}); }, {"'w'", "f64[2]"});
  says([&] { compile(sum(x), {{w, w + 1}, {v, w}, {w, w + 2}}); }, {"'w'", "twice"});
  says([&] { w.set(ones({3})); }, {"'w'", "f32[2]", "f32[3]"});
  says([&] { w.set(ones({2}, f64)); }, {"'w'", "f64[2]"});
}

TEST_CASE("gradients that there are not") {
  GraphScope scope;
  Variable x("x", f32, {"n", 2}), whole("whole", i32, {2}), untyped("untyped");
  says_here([&] { gradients(x, {x}); }, {"scalar", "f32[n, 2]"});
  says_here([&] { gradients(sum(whole), {x}); }, {"float", "i64[]"});
  says_here([&] { gradients(sum(x), {whole}); }, {"i32[2]"});
  says_here([&] { gradients(sum(untyped), {x}); }, {"'untyped'"});
  says_here([&] { gradients(sum(x) + sum(untyped * 2), {x}); }, {"'untyped'"});
  Constant half(0.5);
  says_here([&] { gradients(sum(x * half), {half}); }, {"literal", "Parameter"});
}

TEST_CASE("optimisers of nothing, of integers, of one parameter twice, with odd coefficients") {
  GraphScope scope;
  Variable x("x", f32, {2});
  Parameter w("w", ones({2})), whole("whole", ones({2}, i32));
  Expr loss = sum(w * x);
  says_here([&] { sgd(loss, {}); }, {"sgd"});
  says_here([&] { sgd(loss, {w, w}); }, {"sgd", "'w'"});
  says_here([&] { adam(loss, {whole}); }, {"adam", "i32[2]"});
  says_here([&] { momentum(loss, {w}, {.momentum = 1.5}); }, {"momentum"});
  says_here([&] { adam(loss, {w}, {.beta1 = -0.1}); }, {"adam"});
  says_here([&] { sgd(loss, {w}, {.rate = x}); }, {"sgd", "rate"});
  says_here([&] { sgd(loss, {w}, {.clip_norm = -1.0}); }, {"sgd", "clip_norm"});
}

TEST_CASE("sizes that no input gives a value") {
  GraphScope scope;
  says_here([] { compile(sum(Variable("odd", f32, {Dim("n") * 2 + 1}))); }, {"2*n + 1", "%odd = variable", "no input has the size n", "write one name"});
  Variable y("y", f32, {"m", Dim("m") + 1}), a("a");
  CHECK(compile(sum(y))({{"y", ones({2, 3})}}).item() == 6);
  uint32_t line = __LINE__ + 1;
  Expr wide = broadcast_to(Constant(1), {"nowhere"});
  CHECK(says([&] { compile(wide); }, {"nowhere", "broadcast"}).where.line == line);
  says([&] { compile(sum(a) + dimension(Dim("m") * 3)); }, {"3*m", "dimension"});
}

TEST_CASE("no output beside updates") {
  GraphScope scope;
  Parameter w("w", ones({2}));
  Function f = compile({}, {{w, w + 1}});
  f({});
  CHECK(w.read().data<float>()[0] == 2);
}

TEST_CASE("a pass that there is not") {
  GraphScope scope;
  Variable x("x", f32, {2});
  CompileOptions options;
  options.passes.disabled = {"simplfy"};
  says([&] { compile(x + 1, {}, options); }, {"'simplfy'", "simplify"});
  options.passes.disabled = {};
  options.passes.stop_after = "last";
  says([&] { compile(x + 1, {}, options); }, {"'last'"});
}

TEST_CASE("names taken twice, and sizes that are none") {
  GraphScope scope;
  Variable x("x", f32, {2});
  says_here([] { Variable again("x", f32, {2}); }, {"'x'", "twice"});
  says_here([] { Parameter again("x", ones({2})); }, {"'x'", "twice"});
  says_here([] { Variable negative("negative", f32, {-1}); }, {"'negative'", "-1"});
  CHECK_THROWS_AS(Dim("1n"), UserError);
  CHECK_THROWS_AS(Dim("a b"), UserError);
  GraphScope another;
  Variable elsewhere("x", f32, {2});  // a graph of its own
}
