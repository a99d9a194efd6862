// Sizes of nothing, in every dimension of every kind of kernel: what the interpreter makes of them, symbolic or not.
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "graph/support/sanitizers.h"
#include "tests/compiled/check.h"

using namespace sinter;
using namespace sinter::test;

namespace {

// Programs over f32[a, b], f32[b, c], f32[c] and i32[a] that come to loops, rows, contractions of every layout, packing and partial sums.
std::vector<Expr> outputs_of(const Expr& ab, const Expr& bc, const Expr& c, const Expr& rows) {
  Expr product = matmul(ab, bc), left = transpose(ab), right = transpose(bc);
  std::vector<Expr> outputs = {
      ab * 2 + 1,
      product,
      tanh(product + c) * 3,
      contract(left, bc, ContractionAttributes{{}, {}, {0}, {0}}),
      contract(ab, right, ContractionAttributes{{}, {}, {1}, {1}}),
      softmax(product),
      softmax(product, 0),
      sum(ab),
      sum(ab, {0}),
      sum(ab, {1}),
      prod(ab, {0}),
      max(product, {1}),
      min(product, {0}),
      mean(exp(bc), {0}),
      sum(product * product, {1}, true) + product,
      concatenate({bc, bc + 1}, 0),
      pad(ab, 7.0f, {1, 0}, {0, 2}),
      flip(transpose(product), {0}),
      sum(select(product > 0, product, 0.0f) * c),
  };
  if (!ab.shape()[0].is(0)) outputs.push_back(gather(ab, rows));  // nothing is at a position in nothing
  return outputs;
}

// At every size of 0, 1 and `large`.
template <class F>
void at_all_sizes(int64_t large, F f) {
  for (int64_t a : {int64_t{0}, int64_t{1}, large})
    for (int64_t b : {int64_t{0}, int64_t{1}, large})
      for (int64_t c : {int64_t{0}, int64_t{1}, large}) {
        CAPTURE(a, b, c);
        f(a, b, c);
      }
}

// What a call of `f` failed with, "" where it did not. It is stopped where it takes longer.
std::string within(const Function& f, std::chrono::seconds most, const std::function<void()>& call) {
  std::mutex mutex;
  std::condition_variable ended;
  bool is_done = false;
  std::thread watch([&] {
    std::unique_lock lock(mutex);
    if (!ended.wait_for(lock, most, [&] { return is_done; })) f.stop();
  });
  std::string failed;
  try {
    call();
  } catch (const SystemError& error) {
    failed = error.message();
  }
  {
    std::lock_guard lock(mutex);
    is_done = true;
  }
  ended.notify_one();
  watch.join();
  return failed;
}

NamedTensors inputs_of(int64_t a, int64_t b, int64_t c) {
  return {{"ab", values({a, b}, 1)}, {"bc", values({b, c}, 2)}, {"c", values({c}, 3)}, {"rows", a > 0 ? labels(a, a, 4) : zeros({a}, i32)}};
}

}  // namespace

TEST_CASE("symbolic sizes of nothing", "[zero_sizes]") {
  GraphScope scope;
  Variable ab("ab", f32, {"a", "b"}), bc("bc", f32, {"b", "c"}), c_("c", f32, {"c"}), rows("rows", i32, {"a"});
  CompiledProgram made = compiled(outputs_of(ab, bc, c_, rows));
  for (int64_t large : {3, 70}) at_all_sizes(large, [&](int64_t a, int64_t b, int64_t c) { check_call(made.program, made.function, inputs_of(a, b, c)); });
}

TEST_CASE("numbers of nothing", "[zero_sizes]") {
  at_all_sizes(20, [&](int64_t a, int64_t b, int64_t c) {
    if (a != 0 && b != 0 && c != 0) return;
    GraphScope scope;
    Variable ab("ab", f32, {a, b}), bc("bc", f32, {b, c}), c_("c", f32, {c}), rows("rows", i32, {a});
    CompiledProgram made = compiled(outputs_of(ab, bc, c_, rows));
    NamedTensors inputs = inputs_of(a, b, c);
    if (a == 0) inputs.erase("rows");  // nothing reads it
    check_call(made.program, made.function, inputs);
  });
}

TEST_CASE("training on a batch of nothing updates by nothing, or by what the interpreter says", "[zero_sizes]") {
  for (bool transactional : {false, true}) {
    GraphScope scope;
    Variable x("x", f32, {"batch", 4}), y("y", f32, {"batch", 3});
    Parameter w("w", values({4, 3}, 1)), nothing("nothing", zeros({0, 3}));
    Expr loss = sum((matmul(x, w) - y) * (matmul(x, w) - y)) + sum(nothing);
    CompileOptions options;
    options.transactional = transactional;
    CompiledProgram made = compiled({loss}, sgd(loss, {w, nothing}), options);
    for (int64_t batch : {0, 1, 0, 5}) check_call(made.program, made.function, {{"x", values({batch, 4}, 2)}, {"y", values({batch, 3}, 3)}});
  }
}

// Millions of millions of rows of nothing: going round over each would take hours. What has no room in memory is an error.
TEST_CASE("a huge size beside one of nothing takes no time", "[zero_sizes]") {
  if (address_sanitized || thread_sanitized) {
    WARN("left out under this sanitizer, which ends the process where memory is refused");
    return;
  }
  const int64_t huge = 4'000'000'000'000;
  using Rows = std::vector<std::vector<int64_t>>;
  for (const std::vector<int64_t>& sizes : Rows{{huge, 0}, {0, huge}, {huge, 0, 3}, {4, huge, 0}})
    for (bool symbolic : {true, false}) {
      GraphScope scope;
      Shape shape;
      for (size_t i = 0; i < sizes.size(); ++i) shape.push_back(symbolic ? Dim(std::string(1, static_cast<char>('a' + i))) : Dim(sizes[i]));
      Variable x("x", f32, shape);
      Shape row = shape;
      row[0] = 1;
      const Expr column = reshape(sum(x, {0}), row);
      const int64_t last = static_cast<int64_t>(sizes.size()) - 1;
      const std::vector<std::pair<Expr, float>> cases = {  // what each of the result's elements is
          {x * 2 + 1, 0}, {transpose(x) * 2, 0}, {softmax(x, last), 0}, {softmax(x, 0), 0}, {concatenate({x, x}, 0), 0}, {flip(x, {0}), 0}, {sum(x * x), 0}, {prod(x + 1), 1},
          {sum(tanh(x), {0}), 0}, {prod(x + 1, {last}), 1}, {sum(x, {0, 1}), 0}, {sum(x * column), 0}, {sum(x * column, {0, last}), 0}};
      for (size_t k = 0; k < cases.size(); ++k) {
        CAPTURE(sizes, symbolic, k);
        Function f = compile(cases[k].first);
        Tensor got;
        std::string failed = within(f, std::chrono::seconds(10), [&] { got = f({{"x", Tensor::uninitialized(f32, sizes)}}); });
        CHECK((failed.empty() || failed.starts_with("out of memory")));
        if (!failed.empty()) continue;
        const auto elements = got.data<float>();
        CHECK(std::all_of(elements.begin(), elements.end(), [&](float v) { return v == cases[k].second; }));
      }
    }
}
