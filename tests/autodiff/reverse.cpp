// What gradients() promises beside numbers, which tests/gradients checks.
#include "autodiff/reverse.h"

#include <catch2/catch.hpp>
#include <cmath>

#include "graph/nn/nn.h"
#include "tests/evaluate.h"
#include "tests/raises.h"

namespace sinter {
namespace {

using Numbers = std::vector<double>;

size_t count(const Graph& graph, Op op) {
  size_t n = 0;
  for (size_t i = 0; i < graph.size(); ++i) n += graph.node(NodeId(i)).op == op;
  return n;
}

}  // namespace

TEST_CASE("the gradient by one expression is one expression", "[reverse]") {
  GraphScope scope;
  Variable x("x", f32, {2});
  Expr y = x * x;
  Expr by_x = gradients(sum(y), x), by_y = gradients(sum(y), y);
  CHECK(value_of(by_x, {{"x", Tensor::of<float>({3, -1})}}).data<float>()[0] == 6);
  CHECK(value_of(by_y, {{"x", Tensor::of<float>({3, -1})}}).data<float>()[0] == 1);
}

TEST_CASE("gradients have the types and the order of what is asked for", "[reverse]") {
  GraphScope scope;
  Variable x("x", f32, {"batch", 3});
  Parameter w("w", tensor_of<float>({1, 2, 3, 4, 5, 6}, {3, 2})), b("b", vector_of<float>({0, 0}));
  Expr loss = mean(linear(x, w, b));
  std::vector<Parameter> parameters = {w, b};
  for (const auto& g : {gradients(loss, {w, b}), gradients(loss, parameters), gradients(loss, std::vector<Expr>{w, b})}) {
    REQUIRE(g.size() == 2);
    CHECK(g[0].type() == w.type());
    CHECK(g[1].type() == b.type());
  }
  CHECK(gradients(loss, {x})[0].type() == x.type());
  CHECK(gradients(loss, std::vector<Expr>{}).empty());
}

TEST_CASE("one graph serves every batch", "[reverse]") {
  GraphScope scope;
  Variable x("x", f64, {"batch", 2}), y("y", f64, {"batch", 1});
  Parameter w("w", tensor_of<double>({0.5, -1}, {2, 1}));
  Expr g = gradients(mse(matmul(x, w), y), {w})[0];
  for (int64_t batch : {1, 2, 5}) {
    Tensor xs = sample({batch, 2}, 1, -1, 1), ys = sample({batch, 1}, 2, -1, 1);
    Numbers expected(2, 0);
    for (size_t r = 0; r < static_cast<size_t>(batch); ++r) {
      auto at = [&](size_t c) { return xs.data<double>()[r * 2 + c]; };
      double residual = 0.5 * at(0) - at(1) - ys.data<double>()[r];
      for (size_t c = 0; c < 2; ++c) expected[c] += 2 * residual * at(c) / static_cast<double>(batch);
    }
    auto found = numbers(value_of(g, {{"x", xs}, {"y", ys}}));
    for (size_t c = 0; c < 2; ++c) CHECK(found[c] == Approx(expected[c]).epsilon(1e-12));
  }
}

TEST_CASE("what the loss does not depend on has a gradient of zeros", "[reverse]") {
  GraphScope scope;
  Variable x("x", f32, {3}), other("other", f64, {"n", 2});
  Expr later_loss = sum(x * x);
  Variable later("later", f32, {2});
  auto g = gradients(later_loss, {other, later, x});
  CHECK(g[0].type() == other.type());
  CHECK(g[1].type() == later.type());
  auto values = values_of({sum(g[0] + other), g[1], g[2]}, {{"x", vector_of<float>({1, 2, 3})}, {"other", tensor_of<double>({1, 2}, {1, 2})}});
  CHECK(values[0].item() == 3);
  CHECK(numbers(values[1]) == Numbers{0, 0});
  CHECK(numbers(values[2]) == Numbers{2, 4, 6});
}

TEST_CASE("anything can be differentiated by: a node in the middle, the loss itself, one thing twice", "[reverse]") {
  GraphScope scope;
  Variable x("x", f64, {2});
  Expr square = x * x, loss = sum(square * square);
  auto g = gradients(loss, {square, loss, x, x});
  auto values = values_of(g, {{"x", vector_of({1.0, 2.0})}});
  CHECK(numbers(values[0]) == Numbers{2, 8});
  CHECK(values[1].item() == 1);
  CHECK(numbers(values[2]) == Numbers{4, 32});
  CHECK(g[2].id() == g[3].id());
}

TEST_CASE("nothing that is there changes, and nothing is built that is not asked for", "[reverse]") {
  GraphScope scope;
  Variable a("a", f32, {4}), b("b", f32, {4});
  Expr loss = sum(exp(a) * tanh(b));
  const Graph& graph = *loss.graph();
  size_t before = graph.size();
  std::vector<Node> nodes;
  for (size_t i = 0; i < before; ++i) nodes.push_back(graph.node(NodeId(i)));
  Expr g = gradients(loss, {a})[0];
  for (size_t i = 0; i < before; ++i) {
    CHECK(graph.node(NodeId(i)).op == nodes[i].op);
    CHECK(graph.type(NodeId(i)) == nodes[i].type);
  }
  INFO("broadcast of 1, times tanh(b), times exp(a)");
  CHECK(graph.size() == before + 4);
  CHECK(count(graph, Op::subtract) == 0);
}

TEST_CASE("the same program has the same gradient, node for node", "[reverse]") {
  auto built = [] {
    GraphScope scope;
    Variable x("x", f32, {4});
    Expr y = x;
    for (int i = 0; i < 5; ++i) y = y * x + tanh(x) / (1 + x * y);
    return gradients(sum(y), {x})[0];
  };
  Expr a = built(), b = built();
  REQUIRE(a.graph()->size() == b.graph()->size());
  for (size_t i = 0; i < a.graph()->size(); ++i) {
    CHECK(a.graph()->node(NodeId(i)).op == b.graph()->node(NodeId(i)).op);
    auto left = a.graph()->inputs(NodeId(i)), right = b.graph()->inputs(NodeId(i));
    CHECK(std::equal(left.begin(), left.end(), right.begin(), right.end()));
  }
}

TEST_CASE("gradient nodes name the lines of the operations they are of", "[reverse]") {
  GraphScope scope;
  Variable x("x", f32, {3});
  const uint32_t line = Here::current().line();
  Expr y = tanh(x);
  Expr z = y * 3;
  Expr loss = sum(z);
  const Graph& graph = *x.graph();
  size_t before = graph.size();
  Expr g = gradients(loss, {x})[0];
  std::vector<uint32_t> lines;
  for (size_t i = before; i < graph.size(); ++i) {
    REQUIRE(graph.origins(NodeId(i)).size() == 1);
    CHECK(graph.where(NodeId(i)).file == Location(Here::current()).file);
    if (lines.empty() || lines.back() != graph.where(NodeId(i)).line) lines.push_back(graph.where(NodeId(i)).line);
  }
  INFO("the adjoint of the loss comes from the call, the rest from the forward lines, last first");
  CHECK(lines == std::vector<uint32_t>{line + 6, line + 3, line + 2, line + 1});
  CHECK(graph.where(g.id()).line == line + 1);
  SECTION("and keep all of them where a pass has united several") {
    x.graph()->add_origins(y.id(), {x.graph()->intern(Location("elsewhere.cpp", 7))});
    Expr again = gradients(loss, {x})[0];
    CHECK(graph.origins(again.id()).size() == 2);
  }
}

TEST_CASE("a graph may be deep", "[reverse]") {
  GraphScope scope;
  Variable x("x", f64, {});
  Expr y = x;
  for (int i = 0; i < 20000; ++i) y = y + x;
  CHECK(value_of(gradients(y, {x})[0], {{"x", Tensor::scalar(1.0)}}).item() == 20001);
  Expr deep = x;
  for (int i = 0; i < 20000; ++i) deep = sin(deep);
  double value = 1, derivative = 1;
  for (int i = 0; i < 20000; ++i) derivative *= std::cos(value), value = std::sin(value);
  CHECK(value_of(gradients(deep, {x})[0], {{"x", Tensor::scalar(1.0)}}).item() == Approx(derivative).epsilon(1e-9));
}

TEST_CASE("gradients of gradients of gradients", "[reverse]") {
  GraphScope scope;
  Variable x("x", f64, {});
  Expr y = x * x * x * x;
  for (double expected : {4 * 27.0, 12 * 9.0, 24 * 3.0, 24.0, 0.0}) {
    y = gradients(y, {x})[0];
    CHECK(value_of(y, {{"x", Tensor::scalar(3.0)}}).item() == Approx(expected));
  }
}

TEST_CASE("gradients says what it cannot do, at the user's line", "[reverse]") {
  GraphScope scope;
  Variable x("x", f32, {2, 3}), n("n", i32, {3}), untyped("A"), other_untyped("B");
  Expr loss = sum(x);
  auto by = [&](const Expr& of, const Expr& wrt) { return raised([&] { gradients(of, {wrt}); }); };
  const uint32_t line = Here::current().line() - 1;
  Raised e = by(x, x);
  CHECK(e.where.line == line);
  CHECK(e.where.file == Location(Here::current()).file);
  CHECK(e.message == "gradients: what is differentiated must be a scalar float, not f32[2, 3]; take its sum or mean");
  CHECK(by(sum(n), x).message == "gradients: what is differentiated must be a scalar float, not i64[]; take its sum or mean");
  CHECK(by(loss, n).message == "gradients: nothing can be differentiated by i32[3]; convert it to a float first");
  CHECK(by(Expr(), x).message.find("never assigned") != std::string::npos);
  CHECK(by(loss, Expr()).message.find("never assigned") != std::string::npos);
  SECTION("a template's variables are named, with their lines") {
    Expr product = sum(untyped * other_untyped + x);
    Raised of_template = by(product, x);
    CHECK(of_template.message.find("'A'") != std::string::npos);
    CHECK(of_template.message.find("'B'") != std::string::npos);
    CHECK(of_template.message.find(Location(Here::current()).file) != std::string::npos);
    CHECK(of_template.where.line == line);
    CHECK(by(loss, untyped).message.find("'A'") != std::string::npos);
    CHECK(by(loss, untyped).message.find("'B'") == std::string::npos);
  }
  SECTION("and other graphs are refused") {
    GraphScope another;
    Variable y("y", f32, {2});
    CHECK(by(loss, y).message.find("two graphs") != std::string::npos);
  }
}

TEST_CASE("gradients joins the graph of the loss, whatever the thread's is", "[reverse]") {
  GraphScope scope;
  Variable x("x", f64, {2, 3});
  Expr loss = max(x) + sum(x, {0, 1});
  GraphScope another;
  Expr g = gradients(loss, {x})[0];
  CHECK(g.graph() == x.graph());
  CHECK(current_graph()->size() == 0);
  CHECK(numbers(value_of(g, {{"x", tensor_of<double>({1, 5, 2, 3, 4, 5}, {2, 3})}})) == Numbers{1, 2, 1, 1, 1, 1});
}

TEST_CASE("the mixed second derivatives of a power agree, at an exponent of 0 too", "[reverse]") {
  for (auto [base, exponent] : std::vector<std::pair<double, double>>{{2, 0}, {2, 1e-9}, {3, 2}, {0.5, -1}, {0, 0}, {INFINITY, 0}}) {
    CAPTURE(base, exponent);
    GraphScope scope;
    Variable x("x", f64, {1}), y("y", f64, {1});
    const Expr p = sum(pow(x, y));
    const NamedTensors at{{"x", vector_of<double>({base})}, {"y", vector_of<double>({exponent})}};
    auto number = [&](const Expr& e) { return value_of(e, at).data<double>()[0]; };
    const double by_x = number(gradients(p, x));
    CHECK((exponent == 0 ? by_x == 0 : by_x == Approx(exponent * std::pow(base, exponent - 1))));
    if (base == 0 || base == INFINITY) continue;
    const double mixed = std::pow(base, exponent - 1) * (1 + exponent * std::log(base));
    CHECK(number(gradients(sum(gradients(p, x)), y)) == Approx(mixed));
    CHECK(number(gradients(sum(gradients(p, y)), x)) == Approx(mixed));
  }
}

TEST_CASE("the gradient of a maximum or minimum that is NaN goes to the first NaN", "[reverse]") {
  GraphScope scope;
  Variable x("x", f64, {4});
  const NamedTensors at{{"x", vector_of<double>({5, NAN, 7, NAN})}};
  for (const Expr& e : {max(x), min(x)}) {
    const Tensor g = value_of(gradients(e * 3, x), at);
    for (size_t i = 0; i < 4; ++i) CHECK(g.data<double>()[i] == (i == 1 ? 3 : 0));
  }
}

}  // namespace sinter
