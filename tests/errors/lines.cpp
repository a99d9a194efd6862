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
  says_here([&] { slice(s.v, {0}, {5}); }, {"slice", "5"});
  says_here([&] { slice(s.x, {0, 0}, {2, 784}); }, {"slice", "symbolic"});
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
  says_here([&] { linear(s.x, s.w, s.b); }, {"matmul", "784", "512"});
  says_here([&] { linear(s.v, Constant(zeros({3, 5})), s.b); }, {"add", "[5]", "[7]"});
  says_here([&] { mse(s.v, s.u); }, {"mse", "f32[3]", "f32[4]"});
  says_here([&] { cross_entropy(s.x, s.u); }, {"cross_entropy"});
  says_here([&] { cross_entropy(s.v, s.labels); }, {"cross_entropy", "f32[3]", "i32[batch]"});
  says_here([&] { cross_entropy(s.x, reshape(convert(s.labels, f32), {"batch"})); }, {"whole numbers", "f32"});
  says_here([&] { accuracy(s.v, s.labels); }, {"accuracy"});
  says_here([&] { softmax(s.v, 1); }, {"axis 1"});
  says_here([&] { log_softmax(s.v, -2); }, {"axis -2"});
  says_here([&] { logsumexp(s.v, 3); }, {"axis 3"});
  says_here([&] { layer_norm(s.x, s.b, 0); }, {"[7]"});
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
  error = says([&] { f({{"a", ones({2, 3})}, {"b", ones({3, 5})}}); }, {"axis 5"});
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
