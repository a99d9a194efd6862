// Graphs that are tens of thousands of nodes deep, on a stack that has no room for a frame a node: nothing recurses over a graph.
#include <pthread.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <ctime>
#include <exception>
#include <functional>

#include "graph/builder.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "sinter.h"
#include "tests/hostile/memory.h"

using namespace sinter;

namespace {

// A frame a node would not fit: the shallowest of these graphs has thousands. What one kernel computes, two hundred nodes at most, is walked by
// recursion. A sanitizer's frames are many times as large.
const size_t small_stack = memory::watched == memory::Watched::malloc ? 192 << 10 : 1 << 20;

// Runs `work` on a thread with that much stack, and throws what it throws.
void on_stack(size_t bytes, const std::function<void()>& work) {
  struct Run {
    const std::function<void()>& work;
    std::exception_ptr thrown;
    static void* start(void* run) {
      try {
        static_cast<Run*>(run)->work();
      } catch (...) {
        static_cast<Run*>(run)->thrown = std::current_exception();
      }
      return nullptr;
    }
  } run{work, {}};
  pthread_attr_t attributes;
  REQUIRE(pthread_attr_init(&attributes) == 0);
  REQUIRE(pthread_attr_setstacksize(&attributes, bytes) == 0);
  pthread_t thread;
  int refused = pthread_create(&thread, &attributes, &Run::start, &run);
  if (!refused) pthread_join(thread, nullptr);  // before any assertion: the thread makes its own
  pthread_attr_destroy(&attributes);
  REQUIRE(refused == 0);
  if (run.thrown) std::rethrow_exception(run.thrown);
}

// y = sin(y) + x, `depth` times, as text.
std::string chain(int depth) {
  std::string text = "sinter 1\n%x = variable : f64[n]\n%1 = sin %x : f64[n]\n";
  auto value = [](int i) { return "%" + std::to_string(i); };
  for (int i = 2; i < depth; i += 2) text += value(i) + " = add " + value(i - 1) + ", %x : f64[n]\n" + value(i + 1) + " = sin " + value(i) + " : f64[n]\n";
  return text + "return %" + std::to_string(depth - 1) + "\n";
}
double value_of(int depth, double x) {
  double y = std::sin(x);
  for (int i = 2; i < depth; i += 2) y = std::sin(y + x);
  return y;
}

// One value of a chain, made of the one before and, it may be, of weights and of positions.
using Link = std::function<Expr(Expr y, Expr weights, Expr positions)>;
enum class Asked : uint8_t { value, gradient };

// Seconds of the CPU that it takes to plan and lower a chain of so many links, or its gradient by the weights.
double seconds_of_chain(const Shape& shape, const Link& link, Asked asked, int links) {
  GraphScope scope;
  Variable first("first", f32, shape), weights("weights", f32, {16, 16}), positions("positions", i32, {16});
  Expr y = first;
  for (int i = 0; i < links; ++i) y = link(y, weights, positions);
  const Program p = program_of({asked == Asked::value ? y : gradients(sum(y), weights)});
  const std::clock_t begin = std::clock();
  on_stack(small_stack, [&] { stages_of(p); });
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// Four times as many links take about four times as long: what takes more than eight times as long, again and again, is not linear. At least
// `links` of them.
void check_linear(const std::string& name, const Shape& shape, const Link& link, Asked asked = Asked::value, int links = 50) {
  while (seconds_of_chain(shape, link, asked, links) < 0.05) links *= 2;
  double once = 0, four_times = 1;
  for (int attempt = 0; attempt < 4 && four_times > 8 * once; ++attempt) {
    once = seconds_of_chain(shape, link, asked, links);
    four_times = seconds_of_chain(shape, link, asked, 4 * links);
  }
  INFO(name << ": " << links << " links take " << once << " s, four times as many " << four_times << " s");
  CHECK(four_times <= 8 * once);
}

}  // namespace

TEST_CASE("a deep graph is parsed, verified, printed, interpreted and destroyed without recursion", "[deep]") {
  for (int depth : {20'000, 60'000})
    on_stack(small_stack, [&] {
      const std::string text = chain(depth);
      Program p = parse(text, "deep.graph");
      CHECK(print(p) == text);
      CHECK(reachable(p).size() == static_cast<size_t>(depth));
      if (depth > 20'000) return;
      verify(p);
      Tensor y = interpret(p, {{"x", full({2}, 0.5, f64)}}).outputs[0];
      CHECK(y.data<double>()[1] == Approx(value_of(depth, 0.5)).epsilon(1e-12));
      Program copy = extract(p.graph, p.outputs, {});
      CHECK(print(copy) == text);
    });
}

TEST_CASE("a deep graph goes through the passes and the plans without recursion", "[deep]") {
  on_stack(small_stack, [] {
    Stages stages = stages_of(parse(chain(10'000), "deep.graph"));
    CHECK(stages.fusion.groups.size() > 10);
    CHECK(stages.steps.size() == stages.fusion.groups.size());
  });
}

TEST_CASE("a deep graph is built, differentiated and destroyed without recursion", "[deep]") {
  on_stack(small_stack, [] {
    const int depth = 20'000;
    GraphScope scope;
    Variable x("x", f64, {});
    Expr y = x;
    for (int i = 0; i < depth / 2; ++i) y = sin(y + x);
    Expr slope = gradients(y, x);
    Program p = program_of({y, slope});
    verify(p);
    std::vector<Tensor> values = interpret(p, {{"x", Tensor::scalar(0.5)}}).outputs;
    double v = 0.5, derivative = 1;
    for (int i = 0; i < depth / 2; ++i) derivative = std::cos(v + 0.5) * (derivative + 1), v = std::sin(v + 0.5);
    CHECK(values[0].item() == Approx(v).epsilon(1e-12));
    CHECK(values[1].item() == Approx(derivative).epsilon(1e-9));
  });
}

TEST_CASE("deep graphs of other forms are planned without recursion", "[deep]") {
  on_stack(small_stack, [] {
    GraphScope scope;
    Variable x("x", f32, {"n", 4}), w("w", f32, {4, 4});
    Expr views = x, sums = x;
    for (int i = 0; i < 1500; ++i) views = i % 2 ? transpose(views) : reshape(transpose(views) + 1, {4, "n"});  // what is moved and what is computed
    stages_of(program_of({views}));
    for (int i = 0; i < 200; ++i) sums = softmax(sums);  // a row kernel each
    stages_of(program_of({sums}));
    Expr product = x;
    for (int i = 0; i < 600; ++i) product = tanh(matmul(product, w));  // a contraction each
    stages_of(program_of({product}));
    Expr wide = x;  // each reads all that its neighbours do
    std::vector<Expr> outputs;
    for (int i = 0; i < 700; ++i) outputs.push_back(wide = wide * x + outputs.size());
    stages_of(program_of(outputs));
  });
}

TEST_CASE("a long chain of movements is planned and compiled without recursion", "[deep]") {
  GraphScope scope;
  Variable x("x", f32, {300}), square("square", f32, {4, 4});
  Expr shifted = x, turned = square, filling = Constant(0.f);
  for (int i = 0; i < 200; ++i) shifted = slice(pad(shifted, 0, {1}, {0}), {0}, {300});
  Program shift = program_of({shifted});
  for (int i = 0; i < 1500; ++i) turned = flip(transpose(turned), {1});
  for (int i = 0; i < 1000; ++i) filling = reshape(slice(pad(x, filling, {1}, {0}), {0}, {1}), {});
  on_stack(small_stack, [&] {
    stages_of(program_of({turned}));
    stages_of(program_of({filling}));
    stages_of(shift);
  });
  on_stack(size_t{1} << 20, [&] {
    Tensor values(f32, {300});
    for (size_t i = 0; i < 300; ++i) values.data<float>()[i] = static_cast<float>(i + 1);
    Tensor y = compile(shift)({{"x", values}});
    for (size_t i = 0; i < 300; ++i) CHECK(y.data<float>()[i] == (i < 200 ? 0 : static_cast<float>(i - 199)));
  });
}

TEST_CASE("the time to plan a chain grows no faster than its length", "[deep]") {
  auto layer = [](Expr y, Expr weights, Expr) { return y + tanh(matmul(tanh(matmul(y, weights)), weights)); };
  check_linear("elementwise", {"n"}, [](Expr y, Expr, Expr) { return sin(y) + y; });
  check_linear("transposed and reshaped", {4, 8}, [](Expr y, Expr, Expr) { return reshape(transpose(y), {4, 8}); });
  check_linear("transposed, reshaped, computed", {4, 8}, [](Expr y, Expr, Expr) { return -reshape(transpose(y), {4, 8}); });
  // So many that walks to the beginning of the chain would outweigh the rest.
  check_linear("padded and cut", {300}, [](Expr y, Expr, Expr) { return slice(pad(y, 0, {1}, {0}), {0}, {300}); }, Asked::value, 1600);
  check_linear("padded", {"n"}, [](Expr y, Expr, Expr) { return pad(y, 0, {1}, {0}); });
  check_linear("broadcast and cut", {300}, [](Expr y, Expr, Expr) { return reshape(slice(broadcast_to(y, {2, 300}), {1, 0}, {2, 300}), {300}); });
  check_linear("gathered", {16}, [](Expr y, Expr, Expr positions) { return gather(y, positions); });
  check_linear("scattered", {16}, [](Expr y, Expr, Expr positions) { return scatter_add(positions, y, 16); });
  check_linear("concatenated", {16}, [](Expr y, Expr, Expr) { return sin(slice(concatenate({y, y}), {8}, {24})); });
  check_linear("softmax", {"n", 16}, [](Expr y, Expr, Expr) { return softmax(y); });
  check_linear("products", {"n", 16}, [](Expr y, Expr weights, Expr) { return tanh(matmul(y, weights)); });
  check_linear("residual layers", {"n", 16}, layer);
  check_linear("residual layers' gradient", {"n", 16}, layer, Asked::gradient);
}

TEST_CASE("a deep graph is compiled and called", "[deep]") {
  const int depth = 20'000;
  Program p = parse(chain(depth), "deep.graph");
  CompileOptions options;
  options.threads = 1;
  // LLVM's own passes take more stack than ours.
  on_stack(size_t{1} << 20, [&] {
    Function f = compile(p, options);
    Tensor y = f({{"x", full({3}, 0.5, f64)}});
    CHECK(y.data<double>()[2] == Approx(value_of(depth, 0.5)).epsilon(1e-9));
  });
}
