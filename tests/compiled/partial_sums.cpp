// Sums that no one kernel finishes: of a few long rows, and over the rows of a kernel that reduces along them.
#include "tests/compiled/check.h"

using namespace sinter;
using namespace sinter::test;

namespace {

int64_t steps_of(const Function& f) { return static_cast<int64_t>(f.executable()->steps.size()); }

}  // namespace

TEST_CASE("many equal terms add up") {
  const int64_t n = 1'000'000;
  for (const Shape& shape : {Shape{"n"}, Shape{n}, Shape{"n", 3}, Shape{n, 3}}) {
    GraphScope scope;
    Variable x("x", f32, shape);
    std::vector<int64_t> sizes = evaluate(shape, {{"n", n}});
    INFO(to_string(shape));
    const Tensor got = compile(sum(x, {0}))({{"x", full(sizes, 0.1)}});
    const double expected = static_cast<double>(n) * static_cast<double>(0.1f);
    for (float sum : got.data<float>()) CHECK(std::abs(sum - expected) <= 2e-5 * expected);
  }
}

TEST_CASE("many equal terms add up whatever else is asked of them") {
  const int64_t n = 1'000'000;
  const double tenth = static_cast<double>(0.1f), expected = static_cast<double>(n) * tenth;
  Variable x("x", f32, {"n"}), y("y", f32, {"n", 3});
  const std::vector<Tensor> got = compile({sum(x), mean(x), variance(x), norm(x), max(softmax(x, 0))}).all({{"x", full({n}, 0.1)}});
  CHECK(std::abs(got[0].item() - expected) <= 2e-5 * expected);
  CHECK(std::abs(got[1].item() - tenth) <= 2e-5 * tenth);
  CHECK(got[2].item() <= 1e-11);
  CHECK(std::abs(got[3].item() - tenth * 1000) <= 2e-5 * tenth * 1000);
  CHECK(std::abs(got[4].item() * static_cast<double>(n) - 1) <= 2e-5);
  for (const Tensor& product : compile({matmul(x, y), matmul(transpose(y), y)}).all({{"x", full({n}, 0.1)}, {"y", full({n, 3}, 0.1)}}))
    for (float v : product.data<float>()) CHECK(std::abs(v - expected * tenth) <= 1e-4 * expected * tenth);
}

TEST_CASE("long rows are split over chunks, whatever else is done with their elements") {
  Counted counted;
  for (const Shape& shape : {Shape{"n"}, Shape{"n", 3}, Shape{3, "n"}, Shape{2, "n", 5}, Shape{70000}, Shape{70000, 2}}) {
    GraphScope scope;
    Variable x("x", f32, shape);
    Parameter p("p", values({}, 5));
    const int64_t along = shape.size() == 1 || shape[0].symbol() || shape[0] == Dim(70000) ? 0 : 1;
    Expr y = tanh(x) + p, total = sum(y * y, {along});
    const CompiledProgram c = compiled({y, total, max(x, {along}) + total, sqrt(sum(total)), min(y, {along}), sum(x > 0, {along})}, {{p, p * 0.5 + sum(x)}});
    for (int64_t n : {0, 1, 5, 64, 1000, 70001}) {
      INFO(to_string(shape) << " with n = " << n);
      check_call(c.program, c.function, {{"x", values(evaluate(shape, {{"n", n}}), static_cast<uint64_t>(n))}}, &counted);
      if (shape == Shape{70000} || shape == Shape{70000, 2}) break;
    }
  }
  CHECK(counted.known * 100 > counted.elements * 90);
}

TEST_CASE("columns and totals ride along with rows, and their updates with them") {
  Counted counted;
  for (const Shape& shape : {Shape{"n", 33}, Shape{"n", "m"}, Shape{5, "n", 33}, Shape{200, 100}, Shape{3000, 40}}) {
    GraphScope scope;
    Variable x("x", f32, shape);
    const int64_t rank = static_cast<int64_t>(shape.size());
    Axes rows;
    for (int64_t a = 0; a + 1 < rank; ++a) rows.push_back(a);
    Expr y = softmax(x * 0.25), z = layer_norm(y, 2, 1);
    Expr of_rows = max(x, {rank - 1});
    Parameter total("total", values({}, 7));
    CompiledProgram c = compiled({sum(y * z, rows), max(z, rows), min(y), sum(z * x), sum(of_rows), max(of_rows) + 1, of_rows},
                                 {{total, total * 0.5 + sum(y * x)}});
    for (int64_t n : {0, 1, 2, 17, 130}) {
      INFO(to_string(shape) << " with n = " << n);
      check_call(c.program, c.function, {{"x", values(evaluate(shape, {{"n", n}, {"m", 21}}), static_cast<uint64_t>(n))}}, &counted);
      if (shape[0] == Dim(200) || shape[0] == Dim(3000)) break;
    }
    CHECK(steps_of(c.function) <= 9);  // the rows once, and a short kernel each
  }
  CHECK(counted.known * 100 > counted.elements * 80);
}

TEST_CASE("what a rider reads when the rows are done is still there") {
  GraphScope scope;
  Variable x("x", f32, {40, 40});
  Parameter v("v", values({40}, 5));
  Expr top = max(x, {1}), y = exp(x - max(x, {1}, true));
  // The rows read v and have its new value before the columns, which read the old one.
  CompiledProgram c = compiled({sum(y, {0}) - v}, {{v, top + v}});
  for (int call = 0; call < 2; ++call) check_call(c.program, c.function, {{"x", values({40, 40}, static_cast<uint64_t>(call))}});
}

TEST_CASE("partial sums have the same bits at any number of threads") {
  std::vector<Tensor> first;
  for (unsigned threads : {1u, 2u, 3u, 5u}) {
    GraphScope scope;
    Variable x("x", f32, {"n", 40});
    Expr y = softmax(x);
    CompileOptions options;
    options.threads = threads;
    std::vector<Tensor> got = compiled({sum(y * x, {0}), sum(y * y), sum(x * x), sum(x, {0})}, {}, options).function.all({{"x", values({5000, 40}, 3)}});
    if (first.empty()) first = got;
    for (size_t i = 0; i < got.size(); ++i) CHECK(std::memcmp(got[i].raw(), first[i].raw(), got[i].bytes()) == 0);
  }
}
