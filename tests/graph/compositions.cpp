// The compositions of graph/nn against their formulas in loops over doubles.
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <numbers>

#include "autodiff/reverse.h"
#include "graph/arrays/einsum.h"
#include "graph/builder.h"
#include "graph/nn/nn.h"
#include "tests/evaluate.h"
#include "tests/raises.h"

namespace sinter {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
using Numbers = std::vector<double>;

void check_close(const Numbers& found, const Numbers& expected, double tolerance = 1e-12) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    INFO("element " << i << ": " << found[i] << " for " << expected[i]);
    if (std::isnan(expected[i])) CHECK(std::isnan(found[i]));
    else if (std::isinf(expected[i])) CHECK(found[i] == expected[i]);
    else CHECK(std::fabs(found[i] - expected[i]) <= tolerance * (1 + std::fabs(expected[i])));
  }
}

// f of each of the rows of a [rows, n] tensor, put one after another.
Numbers by_row(const Tensor& x, const std::function<Numbers(const Numbers&)>& f) {
  Numbers all = numbers(x), results;
  size_t n = static_cast<size_t>(x.sizes()[1]);
  for (size_t r = 0; r < static_cast<size_t>(x.sizes()[0]); ++r)
    for (double v : f(Numbers(all.begin() + static_cast<int64_t>(r * n), all.begin() + static_cast<int64_t>((r + 1) * n)))) results.push_back(v);
  return results;
}

double total(const Numbers& x) {
  double sum = 0;
  for (double v : x) sum += v;
  return sum;
}
double mean_of(const Numbers& x) { return total(x) / static_cast<double>(x.size()); }
Numbers mapped(Numbers x, const std::function<double(double)>& f) {
  for (double& v : x) v = f(v);
  return x;
}
double log_sum_exp(const Numbers& x) {
  return std::log(total(mapped(x, [](double v) { return std::exp(v); })));
}

Tensor transposed(const Tensor& x) {
  Tensor t(f64, {x.sizes()[1], x.sizes()[0]});
  for (int64_t r = 0; r < x.sizes()[0]; ++r)
    for (int64_t c = 0; c < x.sizes()[1]; ++c)
      t.data<double>()[static_cast<size_t>(c * x.sizes()[0] + r)] = x.data<double>()[static_cast<size_t>(r * x.sizes()[1] + c)];
  return t;
}

// Builds f of a Variable declared as [batch, n], and of one declared with no type that is given this one afterwards.
void check(const std::function<Expr(const Expr&)>& f, const Tensor& at, const Numbers& expected, double tolerance = 1e-12) {
  Type type = Type::of(at.dtype(), Shape(at.sizes().begin(), at.sizes().end()));
  {
    GraphScope scope;
    Shape shape = type.shape;
    shape[0] = Dim("batch");
    Expr y = f(Variable("x", at.dtype(), shape));
    check_close(numbers(value_of(y, {{"x", at}})), expected, tolerance);
    for (size_t i = 0; i < y.graph()->size(); ++i) CHECK(y.graph()->where(NodeId(i)).file == Location(Here::current()).file);
  }
  GraphScope scope;
  Program program = specialize(program_of({f(Variable("x"))}), {{"x", type}});
  check_close(numbers(interpret(program, {{"x", at}}).outputs[0]), expected, tolerance);
}

const Tensor& grid() {
  static const Tensor x = sample({4, 5}, 7, -4, 4);
  return x;
}

}  // namespace

TEST_CASE("activations", "[compositions]") {
  auto each = [](const std::function<Expr(const Expr&)>& f, const std::function<double(double)>& oracle) {
    check(f, grid(), mapped(numbers(grid()), oracle));
  };
  each([](const Expr& x) { return relu(x); }, [](double x) { return x > 0 ? x : 0; });
  each([](const Expr& x) { return leaky_relu(x, 0.2); }, [](double x) { return x > 0 ? x : 0.2 * x; });
  each([](const Expr& x) { return silu(x); }, [](double x) { return x / (1 + std::exp(-x)); });
  each([](const Expr& x) { return softplus(x); }, [](double x) { return std::log1p(std::exp(x)); });
  each([](const Expr& x) { return gelu(x, Gelu::erf); }, [](double x) { return x * 0.5 * std::erfc(-x / std::numbers::sqrt2); });
  each([](const Expr& x) { return gelu(x); },
       [](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * std::pow(x, 3)))); });
  check([](const Expr& x) { return softplus(x); }, vector_of<double>({-800.0, -40, 39.9, 40.1, 800, inf}), {0, std::exp(-40), 39.9, 40.1, 800, inf});
  check([](const Expr& x) { return relu(x); }, vector_of<double>({NAN, -inf, inf}), {NAN, 0, inf});
}

TEST_CASE("means and variances", "[compositions]") {
  Numbers all = numbers(grid());
  auto variance_of = [](const Numbers& x) {
    double m = mean_of(x);
    return mean_of(mapped(x, [m](double v) { return (v - m) * (v - m); }));
  };
  check([](const Expr& x) { return mean(x); }, grid(), {mean_of(all)});
  check([](const Expr& x) { return variance(x); }, grid(), {variance_of(all)});
  check([](const Expr& x) { return mean(x, {1}); }, grid(), by_row(grid(), [](const Numbers& r) { return Numbers{mean_of(r)}; }));
  check([](const Expr& x) { return mean(x, {0}); }, grid(), by_row(transposed(grid()), [](const Numbers& r) { return Numbers{mean_of(r)}; }));
  check([&](const Expr& x) { return variance(x, {-1}); }, grid(), by_row(grid(), [&](const Numbers& r) { return Numbers{variance_of(r)}; }));
  check([](const Expr& x) { return mean(x); }, Tensor(f64, {0, 3}), {NAN});
  check([](const Expr& x) { return mean(x); }, vector_of<int32_t>({1, 2}), {1.5});
  GraphScope scope;
  Variable x("x", f64, {"batch", 3});
  CHECK(variance(x, {0, 1}, true).shape() == Shape{1, 1});
  CHECK(mean(x, {-1}, true).shape() == Shape{"batch", 1});
}

TEST_CASE("a softmax divides once a row, in its gradient too", "[compositions]") {
  GraphScope scope;
  Variable x("x", f32, {4, 9}), g("g", f32, {4, 9});
  Expr y = softmax(x);
  Program program = program_of({y, gradients(sum(y * g), {x})[0]});
  int64_t divisions = 0;
  for (size_t i = 0; i < program.graph.size(); ++i)
    if (const Node& node = program.graph.node(NodeId(i)); node.op == Op::divide) {
      ++divisions;
      CHECK(node.type.shape == Shape{4, 1});
    }
  CHECK(divisions > 0);
}

TEST_CASE("softmax and its relatives", "[compositions]") {
  check([](const Expr& x) { return logsumexp(x); }, grid(), by_row(grid(), [](const Numbers& r) { return Numbers{log_sum_exp(r)}; }));
  check([](const Expr& x) { return logsumexp(x, 0); }, grid(), by_row(transposed(grid()), [](const Numbers& r) { return Numbers{log_sum_exp(r)}; }));
  auto soft = [](const Numbers& r) {
    double l = log_sum_exp(r);
    return mapped(r, [l](double v) { return std::exp(v - l); });
  };
  check([](const Expr& x) { return softmax(x); }, grid(), by_row(grid(), soft));
  check([](const Expr& x) { return log_softmax(x); }, grid(), mapped(by_row(grid(), soft), [](double v) { return std::log(v); }));
  check([](const Expr& x) { return transpose(softmax(x, 0)); }, grid(), by_row(transposed(grid()), soft));
  SECTION("without overflow") {
    Tensor far = tensor_of<double>({1000.0, 1001, -1000, -1001, 0, -inf}, {3, 2});
    double a = 1 / (1 + std::exp(1.0));
    check([](const Expr& x) { return softmax(x); }, far, {a, 1 - a, 1 - a, a, 1, 0});
    check([](const Expr& x) { return logsumexp(x); }, far, {1001 + std::log1p(std::exp(-1.0)), -1000 + std::log1p(std::exp(-1.0)), 0});
    check([](const Expr& x) { return log_softmax(x); }, far, {std::log(a), std::log(1 - a), std::log(1 - a), std::log(a), 0, -inf});
  }
  SECTION("of infinities") {
    Tensor edge = tensor_of<double>({-inf, -inf, inf, 0, NAN, 0}, {3, 2});
    check([](const Expr& x) { return logsumexp(x); }, edge, {-inf, inf, NAN});
    check([](const Expr& x) { return logsumexp(x, -1, true); }, edge, {-inf, inf, NAN});
  }
}

TEST_CASE("statistics of integers do not wrap around", "[compositions]") {
  GraphScope scope;
  auto of = [](const Tensor& t) { return Expr(Constant(t)); };
  auto found = [](const Expr& e) { return value_of(e).item(); };
  CHECK(found(mse(of(vector_of<uint8_t>({10, 200})), of(vector_of<uint8_t>({20, 100})))) == 5050);
  CHECK(found(mse(of(vector_of<int32_t>({100000, -100000})), of(vector_of<int32_t>({0, 0})))) == 1e10);
  CHECK(found(norm(of(vector_of<uint8_t>({100, 200})))) == Approx(std::sqrt(50000)));
  CHECK(found(norm(of(vector_of<int64_t>({4'000'000'000, 3'000'000'000})), {0})) == Approx(5e9));
  CHECK(found(variance(of(vector_of<int64_t>({3'000'000'000, 5'000'000'000})))) == Approx(1e18));
  const int64_t now = 1'700'000'000'000'000'000;
  CHECK(found(mean(of(vector_of<int64_t>({now, now, now, now, now, now, now})))) == Approx(static_cast<double>(now)));
  CHECK(found(mean(of(vector_of<int32_t>({1, 2})))) == 1.5);
}

TEST_CASE("exponentials and powers of integers do not wrap around", "[compositions]") {
  GraphScope scope;
  auto near = [](const Expr& e, const Numbers& expected) {
    const Tensor t = value_of(e);
    const Numbers got = numbers(value_of(convert(Constant(t), f64)));
    REQUIRE(got.size() == expected.size());
    for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(expected[i]).margin(1e-6));
  };
  const Constant bytes(vector_of<uint8_t>({250, 5})), words(vector_of<uint32_t>({3, 1, 2})), far(vector_of<int32_t>({INT32_MIN, 5}));
  near(softmax(bytes), {1, 0});
  near(log_softmax(bytes), {0, -245});
  near(logsumexp(bytes), {250});
  near(softmax(words), {0.66524096, 0.09003057, 0.24472847});
  near(logsumexp(words), {3.40760596});
  near(softmax(far), {0, 1});
  near(logsumexp(far), {5});
  near(gelu(Constant(vector_of<int32_t>({1290, 1291, 2000, -1291}))), {1290, 1291, 2000, 0});
  near(gelu(Constant(vector_of<int64_t>({2097152}))), {2097152});
  CHECK(softmax(bytes).dtype() == f32);
  CHECK(softmax(words).dtype() == f64);
}

TEST_CASE("a contraction of halves is one of f32, whoever spells it", "[compositions]") {
  GraphScope scope;
  const Expr v = convert(Constant(vector_of<float>({300, 301})), f16);
  CHECK(einsum("i,i->", {v, v}).dtype() == f32);
  CHECK(value_of(einsum("i,i->", {v, v})).item() == 180601);
  CHECK(value_of(matmul(v, v)).item() == 180601);
}

TEST_CASE("layer_norm and linear", "[compositions]") {
  Tensor gain = sample({5}, 1, 0.5, 2), bias = sample({5}, 2, -1, 1);
  auto oracle = [&](const Numbers& r) {
    double m = mean_of(r), v = mean_of(mapped(r, [m](double x) { return (x - m) * (x - m); }));
    Numbers y = mapped(r, [&](double x) { return (x - m) / std::sqrt(v + 1e-5); });
    for (size_t i = 0; i < y.size(); ++i) y[i] = y[i] * numbers(gain)[i] + numbers(bias)[i];
    return y;
  };
  check([&](const Expr& x) { return layer_norm(x, Constant(gain), Constant(bias)); }, grid(), by_row(grid(), oracle));
  GraphScope scope;
  Variable x("x", f64, {5, 4});
  Tensor across = transposed(grid());
  for (int64_t axis : {0, -2})
    check_close(numbers(value_of(transpose(layer_norm(x, Constant(gain), Constant(bias), axis)), {{"x", across}})), by_row(grid(), oracle));
  Variable h("h", f64, {"batch", 2});
  Expr y = linear(h, Constant(tensor_of<double>({1.0, 2, 3, 4}, {2, 2})), Constant(vector_of<double>({10.0, 20})));
  CHECK(numbers(value_of(y, {{"h", tensor_of<double>({1.0, 1, 0, 2}, {2, 2})}})) == Numbers{14, 26, 16, 28});
  CHECK(raised([&] { layer_norm(x, 1, 0, 2); }).message == "layer_norm: f64[5, 4] has no axis 2");
  CHECK(raised([&] { layer_norm(Variable("A"), 1, 0, 0); }).message.find("from the back") != std::string::npos);
}

TEST_CASE("mean squared error", "[compositions]") {
  check([](const Expr& x) { return mse(x, tanh(x)); }, grid(),
        {mean_of(mapped(numbers(grid()), [](double v) { return std::pow(v - std::tanh(v), 2); }))});
  GraphScope scope;
  Variable p("p", f32, {"batch", 1}), t("t", f32, {"batch"}), a("A");
  Raised e = raised([&] { mse(p, t); });
  CHECK(e.message == "mse: same_shape of f32[batch, 1], f32[batch]: takes two values of one shape");
  CHECK(e.where.line == Here::current().line() - 2);
  CHECK(mse(p, a).is_template());
}

TEST_CASE("cross entropy", "[compositions]") {
  Tensor logits = sample({6, 4}, 9, -3, 3);
  Numbers rows = numbers(logits);
  std::vector<int32_t> labels = {3, 0, 1, 1, 2, 0};
  Numbers losses, gradient(24);
  for (size_t r = 0; r < 6; ++r) {
    Numbers row(rows.begin() + static_cast<int64_t>(r * 4), rows.begin() + static_cast<int64_t>(r * 4 + 4));
    losses.push_back(log_sum_exp(row) - row[static_cast<size_t>(labels[r])]);
    for (size_t c = 0; c < 4; ++c) gradient[r * 4 + c] = (std::exp(row[c] - log_sum_exp(row)) - (c == static_cast<size_t>(labels[r]))) / 6;
  }
  for (DType dtype : {u8, i32, i64, u32, u64}) {
    GraphScope scope;
    Variable x("x", f64, {"batch", 4}), y("y", dtype, {"batch"});
    Tensor classes(dtype, {6});
    dispatch(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (size_t i = 0; i < 6; ++i) static_cast<T*>(classes.raw())[i] = static_cast<T>(labels[i]);
    });
    Expr loss = cross_entropy(x, y);
    auto values = values_of({loss, gradients(loss, {x})[0]}, {{"x", logits}, {"y", classes}});
    CHECK(values[0].item() == Approx(mean_of(losses)).epsilon(1e-12));
    check_close(numbers(values[1]), gradient);
  }
  SECTION("without overflow, and in f32") {
    GraphScope scope;
    Variable x("x", f32, {2, 2}), y("y", i64, {2});
    Expr loss = cross_entropy(x, y);
    CHECK(loss.dtype() == f32);
    auto values =
        values_of({loss, gradients(loss, {x})[0]}, {{"x", tensor_of<float>({1000, 0, 0, -INFINITY}, {2, 2})}, {"y", vector_of<int64_t>({1, 0})}});
    CHECK(values[0].item() == 500);
    CHECK(numbers(values[1]) == Numbers{0.5, -0.5, 0, 0});
  }
  SECTION("over more than one leading axis") {
    GraphScope scope;
    Variable x("x", f64, {2, "batch", 4}), y("y", i32, {2, "batch"});
    Tensor classes = Tensor::of<int32_t>(labels, {2, 3});
    CHECK(value_of(cross_entropy(x, y), {{"x", logits.reshaped({2, 3, 4})}, {"y", classes}}).item() == Approx(mean_of(losses)).epsilon(1e-12));
  }
  SECTION("what does not fit is refused at the user's line") {
    GraphScope scope;
    Variable x("x", f32, {"batch", 10}), y("y", i32, {10}), f("f", f32, {"batch"}), n("n", i32, {"batch", 10}), ok("ok", i32, {"batch"});
    Raised e = raised([&] { cross_entropy(x, y); });
    CHECK(e.message == "cross_entropy of f32[batch, 10], i32[10]: takes scores [..., classes] and a label for each row, [...]");
    CHECK(e.where.line == Here::current().line() - 2);
    CHECK(raised([&] { cross_entropy(x, f); }).message == "cross_entropy: labels are whole numbers of classes, not f32[batch]");
    CHECK(raised([&] { cross_entropy(n, ok); }).message == "cross_entropy: logits are floats, not i32[batch, 10]");
    CHECK(raised([&] { accuracy(x, y); }).where.line == Here::current().line());
    CHECK(raised([&] { cross_entropy(Variable("A"), ok); }).message.find("declared without a type") != std::string::npos);
  }
}

TEST_CASE("classes", "[compositions]") {
  GraphScope scope;
  Variable x("x", f32, {"batch", 4});
  Tensor at = tensor_of<float>({1, 3, 3, 0, -INFINITY, -INFINITY, -INFINITY, -INFINITY, 5, NAN, 1, NAN}, {3, 4});
  CHECK(numbers(value_of(argmax(x), {{"x", at}})) == Numbers{1, 0, 1});
  CHECK(argmax(x).dtype() == i64);
  CHECK(argmax(x, 1, i32).dtype() == i32);
  CHECK(argmax(x, 1, i32).shape() == Shape{"batch"});
  CHECK(numbers(value_of(argmax(x, 0), {{"x", at}})) == Numbers{2, 2, 0, 2});
  Variable n("n", u8, {3});
  CHECK(value_of(argmax(n), {{"n", vector_of<uint8_t>({7, 255, 255})}}).item() == 1);
  CHECK(raised([&] { argmax(x, 2); }).message == "argmax: f32[batch, 4] has no axis 2");
  CHECK(raised([&] { argmax(x, 1, f32); }).message == "argmax: positions are i32 or i64, not f32");
  CHECK(raised([&] { argmax(Variable("e", f32, {2, 0})); }).message.find("is empty") != std::string::npos);

  CHECK(numbers(value_of(one_hot(n, 3), {{"n", vector_of<uint8_t>({2, 0, 9})}})) == Numbers{0, 0, 1, 1, 0, 0, 0, 0, 0});
  CHECK(one_hot(n, "classes", boolean).type() == Type::of(boolean, {3, "classes"}));
  CHECK(numbers(value_of(sum(one_hot(n, 300)), {{"n", vector_of<uint8_t>({0, 1, 255})}})) == Numbers{3});
  CHECK(raised([&] { one_hot(x, 3); }).message == "one_hot: labels are whole numbers of classes, not f32[batch, 4]");

  Variable y("y", i64, {"batch"});
  Expr share = accuracy(x, y);
  CHECK(share.type() == Type::of(f32, {}));
  CHECK(value_of(share, {{"x", tensor_of<float>({1, 2, 0, 0, 4, 2, 0, 0, 0, 0, 0, 1}, {3, 4})}, {"y", vector_of<int64_t>({1, 1, 3})}}).item() ==
        Approx(2.0 / 3));
}

TEST_CASE("compositions keep f32, with a symbolic batch and without a type", "[compositions]") {
  std::vector<std::function<Expr(const Expr&)>> all = {
      [](const Expr& x) { return relu(x); },
      [](const Expr& x) { return leaky_relu(x); },
      [](const Expr& x) { return silu(x); },
      [](const Expr& x) { return softplus(x); },
      [](const Expr& x) { return gelu(x); },
      [](const Expr& x) { return gelu(x, Gelu::erf); },
      [](const Expr& x) { return mean(x); },
      [](const Expr& x) { return mean(x, {0}); },
      [](const Expr& x) { return variance(x); },
      [](const Expr& x) { return variance(x, {1}, true); },
      [](const Expr& x) { return logsumexp(x); },
      [](const Expr& x) { return softmax(x); },
      [](const Expr& x) { return log_softmax(x); },
      [](const Expr& x) { return layer_norm(x, 1, 0); },
      [](const Expr& x) { return mse(x, x * 2); },
      [](const Expr& x) { return sum(x) / size(x); },
      [](const Expr& x) { return x * size(x, {1}) + size(x) * 2; },
  };
  for (size_t i = 0; i < all.size(); ++i) {
    INFO("composition " << i);
    GraphScope scope;
    Expr y = all[i](Variable("x", f32, {"batch", 5}));
    CHECK(y.dtype() == f32);
    CHECK(!y.type().weak);
    if (is_float(y.dtype())) CHECK(gradients(sum(y), {Expr(y.graph(), y.graph()->named("x"))})[0].dtype() == f32);
    GraphScope another;
    Program program = specialize(program_of({all[i](Variable("x"))}), {{"x", Type::of(f32, {"n", 5})}});
    CHECK(program.graph.type(program.outputs[0]).dtype == f32);
  }
}

}  // namespace sinter
