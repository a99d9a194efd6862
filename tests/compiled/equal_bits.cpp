// What must not change a bit: threads, calling again, binding, compiling again; and what may change sums but nothing else: the passes.
#include <functional>
#include <thread>

#include "tests/compiled/check.h"

using namespace sinter;
using namespace sinter::test;

namespace {

// A program that builds the same graph, with parameters of the same values, each time.
struct Recipe {
  const char* name;
  std::function<CompiledProgram(const CompileOptions&)> make;
  NamedTensors inputs;
};

// Large enough for several chunks.
std::vector<Recipe> recipes() {
  return {
      {"elementwise",
       [](const CompileOptions& options) {
         GraphScope scope;
         Variable x("x", f32, {"n", 300}), y("y", f32, {300});
         return compiled({exp(x * y) / (1 + abs(x)), transpose(tanh(x)) + 1, x + y, sin(x) * cos(y)}, {}, options);
       },
       {{"x", values({513, 300}, 1)}, {"y", values({300}, 2)}}},
      {"rows",
       [](const CompileOptions& options) {
         GraphScope scope;
         Variable x("x", f32, {"n", 300});
         Expr y = layer_norm(softmax(x) * x, 2, 1);
         return compiled({y, sum(y), sum(y, {0}), gradients(mean(y * x), {x})[0], max(x, {0})}, {}, options);
       },
       {{"x", values({513, 300}, 1)}}},
      {"a long sum",
       [](const CompileOptions& options) {
         GraphScope scope;
         Variable x("x", f32, {"n"});
         return compiled({sum(x), mean(x * x), max(x), variance(x)}, {}, options);
       },
       {{"x", values({300007}, 1)}}},
      {"matrix products",
       [](const CompileOptions& options) {
         GraphScope scope;
         Variable a("a", f32, {"m", "k"}), b("b", f32, {"k", "n"});
         return compiled({matmul(a, b), relu(matmul(a, b) + 1), sum(matmul(a, b))}, {}, options);
       },
       {{"a", values({137, 530}, 1)}, {"b", values({530, 210}, 2)}}},
      {"training",
       [](const CompileOptions& options) {
         GraphScope scope;
         Variable x("x", f32, {"batch", 100}), y("y", i32, {"batch"});
         Parameter w1("w1", values({100, 300}, 1)), b1("b1", zeros({300})), w2("w2", values({300, 10}, 2));
         Expr loss = cross_entropy(matmul(relu(linear(x * 0.1, w1, b1)), w2), y);
         return compiled({loss}, adam(loss, {w1, b1, w2}, {.rate = 0.01}), options);
       },
       {{"x", values({129, 100}, 3)}, {"y", labels(129, 10, 4)}}},
  };
}

// Outputs of three calls, and the parameters after them.
std::vector<Tensor> results(const Recipe& recipe, const CompileOptions& options) {
  CompiledProgram c = recipe.make(options);
  std::vector<Tensor> all;
  for (int i = 0; i < 3; ++i)
    for (Tensor& t : c.function.all(recipe.inputs)) all.push_back(std::move(t));
  for (const Update& u : c.program.updates) all.push_back(c.program.graph.parameter(u.parameter)->value.clone());
  return all;
}

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_bits);
}

CompileOptions with_threads(unsigned threads) {
  CompileOptions options;
  options.threads = threads;
  return options;
}
CompileOptions without_passes() {
  CompileOptions options;
  options.passes.disabled = {"simplify", "fold", "cse"};
  return options;
}

}  // namespace

TEST_CASE("any number of threads, and compiling again, give the same bits") {
  for (const Recipe& recipe : recipes()) {
    INFO(recipe.name);
    std::vector<Tensor> one = results(recipe, with_threads(1));
    CHECK(same(results(recipe, with_threads(1)), one));
    for (unsigned threads : {2, 3, 0}) {
      INFO(threads << " threads");
      CHECK(same(results(recipe, with_threads(threads)), one));
    }
  }
}

TEST_CASE("calls without updates give the same bits again") {
  for (const Recipe& recipe : recipes()) {
    CompiledProgram c = recipe.make(with_threads(2));
    if (!c.program.updates.empty()) continue;
    INFO(recipe.name);
    std::vector<Tensor> first = c.function.all(recipe.inputs);
    for (int i = 0; i < 3; ++i) CHECK(same(c.function.all(recipe.inputs), first));
  }
}

TEST_CASE("programs of those sizes are the interpreter's, with the passes and without") {
  for (const Recipe& recipe : recipes())
    for (const CompileOptions& options : {CompileOptions(), without_passes()}) {
      INFO(recipe.name << (options.passes.disabled.empty() ? "" : " without passes"));
      CompiledProgram c = recipe.make(options);
      check_call(c.program, c.function, recipe.inputs);
    }
}

TEST_CASE("elementwise programs have the same bits with the passes and without") {
  GraphScope scope;
  Variable x("x", f32, {"n", 7}), y("y", f32, {7}), z("z", i32, {"n", 7});
  std::vector<Expr> outputs = {x + 0,       x * 1,          x - x,         x / x,           -(-x),        x * 2 * 3,       (x + y) + (x + y), exp(log(abs(x))), select(x > 0, x, x), maximum(x, x), pow(x, 2), pow(x, 0.5),
                               x * 0,       0 - x,          x + y * 0,     convert(convert(x, f64), f32), z * 0,        z / 1,           z - z,             z / 2 * 2,        abs(abs(z)),         !(x < y),      x == x,    (x != x) == (x != x)};
  Function optimised = compile(outputs), plain = compile(outputs, {}, without_passes());
  Tensor odd = values({9, 7}, 1), whole = Tensor::uninitialized(i32, {9, 7});
  const float special[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 1e-42f, 3.4e38f, 1, -1};
  for (size_t i = 0; i < 9; ++i) odd.data<float>()[i * 5] = special[i];
  for (size_t i = 0; i < 63; ++i) whole.data<int32_t>()[i] = static_cast<int32_t>(i * 0x9E3779B9u);
  NamedTensors inputs = {{"x", odd}, {"y", values({7}, 2)}, {"z", whole}};
  std::vector<Tensor> a = optimised.all(inputs), b = plain.all(inputs), c = interpret(program_of(outputs), inputs).outputs;
  for (size_t i = 0; i < a.size(); ++i) {
    INFO("output " << i);
    CHECK(same_bits(a[i], b[i]));
    CHECK(same_bits(a[i], c[i]));
  }
}

TEST_CASE("a bound call gives the bits of a call by name") {
  for (const Recipe& recipe : recipes()) {
    INFO(recipe.name);
    CompiledProgram named = recipe.make(with_threads(2)), other = recipe.make(with_threads(2));
    BoundFunction bound = other.function.bind(recipe.inputs);
    for (int i = 0; i < 3; ++i) {
      std::vector<Tensor> want = named.function.all(recipe.inputs);
      bound();
      CHECK(same(bound.outputs(), want));
    }
  }
}

TEST_CASE("running step by step gives the bits of a call, and takes the memory that was planned") {
  for (const Recipe& recipe : recipes()) {
    INFO(recipe.name);
    CompiledProgram whole = recipe.make(with_threads(1)), stepped = recipe.make(with_threads(1));
    for (int i = 0; i < 2; ++i) {
      whole.function.all(recipe.inputs);
      std::vector<StepTime> times = stepped.function.profile(recipe.inputs);
      CHECK(times.size() == stepped.function.steps().size());
      for (const Update& u : whole.program.updates) {
        const std::string& name = whole.program.graph.parameter(u.parameter)->name;
        CHECK(same_bits(whole.program.graph.parameter(name)->value, stepped.program.graph.parameter(name)->value));
      }
    }
    Memory memory = whole.function.memory();
    CHECK(memory.high_water == memory.planned);
    CHECK(memory.lower_bound <= memory.planned);
  }
}

TEST_CASE("a bound call writes where the caller says and reads what is there at the time") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  Function f = compile({x * 2, sum(x)});
  Tensor given = values({37}, 1), doubled(f32, {37}), total(f32, {});
  BoundFunction bound = f.bind({{"x", given}}, {doubled, total});
  for (uint64_t seed : {2, 3}) {
    Tensor next = values({37}, seed);
    std::copy(next.data<float>().begin(), next.data<float>().end(), given.data<float>().begin());
    bound();
    std::vector<Tensor> want = f.all({{"x", next}});
    CHECK(same_bits(doubled, want[0]));
    CHECK(same_bits(total, want[1]));
  }
  // The elements of a borrowed buffer need no more alignment than their type.
  std::vector<float> buffer(64);
  std::copy(given.data<float>().begin(), given.data<float>().end(), buffer.begin() + 1);
  CHECK(same(f.all({{"x", Tensor::borrow(buffer.data() + 1, f32, {37})}}), bound.outputs()));
}

TEST_CASE("many threads call one function at once") {
  for (const Recipe& recipe : recipes()) {
    CompiledProgram c = recipe.make(with_threads(2));
    if (!c.program.updates.empty()) continue;
    INFO(recipe.name);
    std::vector<Tensor> want = c.function.all(recipe.inputs);
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int t = 0; t < 4; ++t)
      callers.emplace_back([&] {
        for (int i = 0; i < 5; ++i) wrong += !same(c.function.all(recipe.inputs), want);
      });
    for (std::thread& t : callers) t.join();
    CHECK(wrong == 0);
  }
}

TEST_CASE("steps of several threads follow one another") {
  GraphScope scope;
  Variable x("x", f32, {});
  Parameter w("w", zeros({100000})), count("count", Tensor::scalar<int64_t>(0));
  Function step = compile(std::vector<Expr>{}, {{w, w + x}, {count, count + 1}}), look = compile({max(w) - min(w), max(w) - convert(count, f32)});
  std::atomic<int> torn{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        step({{"x", Tensor::scalar(1.0f)}});
        std::vector<Tensor> seen = look.all({});
        torn += seen[0].item() != 0 || seen[1].item() != 0;
      }
    });
  for (std::thread& t : threads) t.join();
  CHECK(torn == 0);
  CHECK(count.read().data<int64_t>()[0] == 100);
  CHECK(same_bits(w.read(), full({100000}, 100)));
}
