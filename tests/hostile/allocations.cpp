// An allocator that refuses the n-th request, for every n: an error comes out, or the right answer; nothing leaks, nothing ends the process,
// no parameter is torn without saying so, and all works the next time.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>
#include <fstream>
#include <functional>
#include <new>

#include <zlib.h>

#include "graph/builder.h"
#include "graph/safetensors.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "runtime/data/batches.h"
#include "runtime/data/idx.h"
#include "runtime/data/npy.h"
#include "runtime/thread_pool.h"
#include "sinter.h"
#include "tests/hostile/memory.h"
#include "tests/runtime/temporary_folder.h"

using namespace sinter;

namespace {

using memory::Watched;

// A sanitizer takes ten times as long, and keeps malloc to itself.
const int64_t most_requests = memory::watched == Watched::malloc ? INT64_MAX : memory::watched == Watched::operator_new ? 100 : 0;
int64_t at_least(int64_t errors) { return memory::watched == Watched::malloc ? errors : memory::watched == Watched::operator_new ? 1 : 0; }

struct Sweep {
  int64_t requests = 0, refused = 0, errors = 0;  // of one run; runs in which one was refused; those that ended in an error
};

struct Outcome {
  bool right = false;         // it ended, with the right answer
  std::string wrong;          // what came out that should not
};

// One run with one request refused.
Outcome run_refused(const std::function<bool()>& scenario, memory::Refusal& refusal) {
  Outcome outcome;
  try {
    outcome.right = scenario();
    refusal.end();
    if (!outcome.right) outcome.wrong = "a wrong answer";
  } catch (const std::bad_alloc&) {
    refusal.end();
  } catch (const SystemError&) {
    refusal.end();
  } catch (const std::exception& error) {
    refusal.end();
    outcome.wrong = error.what();  // a UserError would blame the user
  }
  return outcome;
}

// Runs `scenario`, which says whether its answer is right, with one request refused: each in turn up to `every`, from there on such that
// `sampled` runs more reach the end. `after` checks what each run leaves.
Sweep sweep(const std::function<bool()>& scenario, const std::function<void()>& after = [] {}, int64_t every = 2000, int64_t sampled = 100,
            memory::Refuse which = memory::Refuse::one) {
  every = std::min(every, most_requests);
  sampled = std::clamp<int64_t>(most_requests / 3, 1, sampled);
  Sweep found;
  for (int i = 0; i < 3; ++i) REQUIRE(scenario());  // what is made once in a process is made now
  {
    memory::Refusal counter(INT64_MAX);
    scenario();
    found.requests = counter.requests();
  }
  after();
  const int64_t steady = memory::blocks_held();  // an arena that was refused may be missing later, and come back
  int64_t stride = std::max<int64_t>(1, (found.requests - every) / sampled);
  for (int64_t number = 0; number < 2 * found.requests + 1000;) {
    int64_t refused = -1;
    bool leaks = false;
    {
      Outcome outcome;
      {
        memory::Refusal refusal(number, which);
        outcome = run_refused(scenario, refusal);
        refused = refusal.refused();
      }
      leaks = outcome.wrong.empty() && memory::blocks_held() > steady;
      if (leaks || !outcome.wrong.empty()) {
        INFO("with request " << refused << " of " << found.requests << " refused: " << outcome.wrong);
        CHECK_FALSE(leaks);
        CHECK(outcome.wrong == "");
      }
      found.errors += !outcome.right;
    }
    if (refused < 0) break;
    ++found.refused;
    after();
    number = refused + (refused < every ? 1 : stride);
  }
  CHECK(scenario());
  return found;
}

const char* training_text = R"(sinter 1
%x = variable : f32[batch, 4]  # model.cpp:1
%y = variable : f32[batch, 3]
%w = parameter : f32[4, 3]  # model.cpp:3
%"b b" = parameter : f32[3]
%4 = contract %x, %w {lhs_contracted=[1], rhs_contracted=[0]} : f32[batch, 3]  # model.cpp:5, other.cpp:6
%5 = broadcast %"b b" {shape=[batch, 3], axes=[1]} : f32[batch, 3]
%6 = add %4, %5 : f32[batch, 3]
%7 = constant [0x1p+0, -inf, nan] : f32[3]
%8 = sum %6 {axes=[0]} : f32[3]
update %w = %w
return %6, %8, %7
)";

// A step of Adam on a layer of four to three.
struct Model {
  Variable x{"x", f32, {"batch", 4}}, y{"y", f32, {"batch", 3}};
  Parameter w{"w", uniform({4, 3}, 1)}, b{"b", zeros({3})};
  Expr loss = mse(tanh(matmul(x, w) + b), y);
  Updates updates = adam(loss, {w, b});
  std::vector<std::pair<Parameter, Tensor>> initial = [&] {
    std::vector<std::pair<Parameter, Tensor>> all;
    for (const ParameterUpdate& u : updates) all.emplace_back(u.parameter, u.parameter.read());
    return all;
  }();
  void reset() const {
    for (const auto& [parameter, value] : initial) parameter.set(value);
  }
  std::vector<Tensor> values() const {
    std::vector<Tensor> all;
    for (const auto& [parameter, value] : initial) all.push_back(parameter.read());
    return all;
  }
};

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Tensor& x, const Tensor& y) { return same_bits(x, y); });
}

const NamedTensors& inputs() {
  static const NamedTensors all = {{"x", uniform({5, 4}, 3)}, {"y", uniform({5, 3}, 4)}};
  return all;
}

CompileOptions one_thread(bool transactional = false) {
  CompileOptions options;
  options.threads = 1;
  options.transactional = transactional;
  return options;
}

// Both ways of running out of memory, where LLVM has no part in it.
void sweep_both(const std::function<bool()>& scenario, int64_t least_errors, const std::function<void()>& after = [] {}, int64_t every = 1000) {
  for (auto which : {memory::Refuse::one, memory::Refuse::all_from_there_on}) {
    Sweep found = sweep(scenario, after, every, 100, which);
    CAPTURE(found.requests, found.refused, found.errors);
    CHECK(found.refused + 5 >= std::min({found.requests, every, most_requests}));  // an input's own growth comes and goes
    CHECK(found.errors >= at_least(least_errors));
  }
}

}  // namespace

TEST_CASE("what this test can refuse, it refuses", "[allocations]") {
  if (memory::watched == Watched::operator_new) WARN("under this sanitizer only operator new is refused memory, and at a few requests");
  if (memory::watched == Watched::nothing) WARN("under this sanitizer no memory is refused: the tests here run once, with all they ask for");
  bool is_refused = false;
  try {
    memory::Refusal refusal(0);
    Tensor t(f32, {3});
  } catch (const std::exception&) {
    is_refused = true;
  }
  CHECK(is_refused == (memory::watched != Watched::nothing));
}

TEST_CASE("memory runs out while a graph is parsed, verified and printed", "[allocations]") {
  sweep_both(
      [] {
        Program p = parse(training_text, "model.graph");
        verify(p);
        return print(p) == training_text;
      },
      100);
}

TEST_CASE("memory runs out while a graph is built, differentiated and trained", "[allocations]") {
  auto built = [] {
    GraphScope scope;
    Model model;
    std::vector<Expr> outputs = {model.loss};
    for (const ParameterUpdate& u : model.updates) outputs.push_back(u.value);
    return print(program_of(outputs, model.updates));
  };
  const std::string text = built();
  sweep_both([&] { return built() == text; }, 500);
}

TEST_CASE("a graph in which memory ran out can be built on", "[allocations]") {
  auto graph = std::make_shared<Graph>();
  GraphScope scope(graph);
  int attempt = 0, free = 0;  // the next try takes another variable, and the first parameter whose name is free
  auto x_name = [&] { return "x" + std::to_string(1'000'000 + attempt); };
  auto w_name = [&] { return "w" + std::to_string(1'000'000 + free); };
  auto build_one = [&] {
    Variable x(x_name(), f32, {"batch", 4});
    Parameter w(w_name(), full({4}, attempt % 7));
    return std::pair(program_of({sum(x * w + Constant(full({4}, attempt % 5))) * 2}), w);
  };
  auto is_right = [&](const std::pair<Program, Parameter>& made) {
    verify(made.first);
    double b = attempt % 7, c = attempt % 5;
    return made.first.graph.parameter(w_name()) == made.second.storage() && interpret(made.first, {{x_name(), ones({2, 4})}}).outputs[0].item() == 16 * (b + c);
  };
  auto next = [&] {
    ++attempt;
    if (NodeId left = graph->named(w_name()); left.valid()) {  // what was left is whole
      REQUIRE(left.index < graph->size());
      REQUIRE(graph->parameter(left)->value.size() == 4);
      ++free;
    }
  };
  for (auto which : {memory::Refuse::one, memory::Refuse::all_from_there_on})
    for (int64_t request = 0;; ++request) {
      bool refused = false;
      try {
        memory::Refusal refusal(request, which);
        build_one();
        refusal.end();
        refused = refusal.refused() >= 0;
      } catch (const std::bad_alloc&) {
        refused = true;
      } catch (const SystemError&) {
        refused = true;
      }
      CAPTURE(request);
      next();
      REQUIRE(is_right(build_one()));
      next();
      if (!refused) break;
    }
}

TEST_CASE("memory runs out in every stage before code is made", "[allocations]") {
  GraphScope scope;
  Model model;
  Program program = program_of({model.loss}, model.updates);
  size_t steps = stages_of(program).steps.size();
  Sweep found = sweep([&] { return stages_of(program).steps.size() == steps; }, [] {}, 400, 150);
  CAPTURE(found.requests, found.refused, found.errors);
  CHECK(found.errors >= at_least(400));
}

namespace {

// Of compile(), each request up to `every`, and some of the others.
void sweep_compile(unsigned threads, int64_t every, int64_t sampled) {
  GraphScope scope;
  Model model;
  Program program = program_of({model.loss}, model.updates);
  Tensor expected = compile(program, one_thread())(inputs());
  model.reset();
  CompileOptions options = one_thread();
  options.threads = threads;
  options.leaves_dump = false;
  auto scenario = [&] {
    Tensor loss = compile(program, options)(inputs());
    model.reset();
    return same_bits(loss, expected);
  };
  auto untorn = [&] {
    for (const auto& [parameter, value] : model.initial) REQUIRE_FALSE(parameter.storage()->torn);
    model.reset();
  };
  Sweep found = sweep(scenario, untorn, every, sampled);
  CAPTURE(found.requests, found.refused, found.errors);
  CHECK(found.errors >= at_least(10));
}

}  // namespace

TEST_CASE("memory runs out while code is made, but within LLVM", "[allocations]") {
  for (unsigned threads : {1u, 2u}) sweep_compile(threads, 0, 150);
}

TEST_CASE("memory runs out at every request while a small graph is compiled, but within LLVM", "[allocations]") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  Program program = program_of({x * 2 + 1});
  CompileOptions options = one_thread();
  options.leaves_dump = false;
  Sweep found = sweep([&] { return compile(program, options)({{"x", ones({3})}}).data<float>()[2] == 3; }, [] {}, INT64_MAX, 1);
  CAPTURE(found.requests, found.refused, found.errors);
  CHECK(found.errors >= at_least(1000));
}

TEST_CASE("memory runs out at every request while code is made, but within LLVM", "[allocations][exhaustive]") {
  sweep_compile(1, INT64_MAX, 1);
}

TEST_CASE("memory runs out in a call: parameters are as they were, or wholly updated", "[allocations]") {
  for (bool transactional : {false, true}) {
    GraphScope scope;
    Model model;
    Function train = compile(model.loss, model.updates, one_thread(transactional));
    const std::vector<Tensor> before = model.values();
    train(inputs());
    const std::vector<Tensor> updated = model.values();
    model.reset();
    REQUIRE_FALSE(same(before, updated));
    bool ended = false;
    int64_t rows = 5;
    auto after = [&] {
      std::vector<Tensor> now = model.values();  // refused where they are torn
      REQUIRE((same(now, before) || same(now, updated)));
      if (ended) REQUIRE(same(now, updated));
      model.reset();
      ended = false;
    };
    auto by_name = [&] {
      model.reset();
      ended = false;
      train(inputs());
      return ended = true;
    };
    sweep_both(by_name, 5, after);
    auto bound = [&] {
      model.reset();
      ended = false;
      BoundFunction call = train.bind(inputs());
      call();
      return ended = true;
    };
    sweep_both(bound, 5, after);
    auto profiled = [&] {
      model.reset();
      ended = false;
      train.profile(inputs());
      return ended = true;
    };
    sweep_both(profiled, 5, after);
    auto other_sizes = [&] {  // whose tables are made anew
      model.reset();
      ++rows;
      NamedTensors given = {{"x", zeros({rows, 4})}, {"y", zeros({rows, 3})}};
      return train(given).defined();
    };
    for (int i = 0; i < 100; ++i) other_sizes();  // as many as are remembered; each new one takes the place of an old one
    sweep_both(other_sizes, 5, [&] { model.values(); });
  }
}

TEST_CASE("memory runs out in a call of two threads, and in one of a custom operation", "[allocations]") {
  GraphScope scope;
  Variable x("x", f32, {"n", 512});
  Parameter w("w", full({512}, 1));
  CustomOperation turned({.name = "turned", .type = [](std::span<const Type> types) { return types[0]; }, .function = [](const sinter_custom_call* call) {
                            const auto* from = static_cast<const float*>(call->operands[0].data);
                            std::reverse_copy(from, from + call->result.sizes[0] * call->result.sizes[1], static_cast<float*>(call->result.data));
                            return 0;
                          }});
  const Tensor of_x = uniform({300, 512}, 5), before = w.read();
  CompileOptions two;
  two.threads = 2;
  struct Call {
    const char* name;
    Function function;
  };
  const Call calls[] = {
      {"two threads", compile(tanh(x) * w + sum(exp(x), {0}), {{w, w + mean(x, {0})}}, two)},
      {"a custom operation", compile(custom_call(turned, {tanh(x) * w}) + 1, {{w, w + mean(x, {0})}}, one_thread())},
      {"both", compile(custom_call(turned, {tanh(x) * w}) + sum(exp(x), {0}), {{w, w + mean(x, {0})}}, two)},
  };
  for (const auto& [name, function] : calls) {
    CAPTURE(name);
    const NamedTensors given = {{"x", of_x}};
    w.set(before);
    const Tensor expected = function(given), updated = w.read();
    auto scenario = [&] {
      w.set(before);
      return same_bits(function(given), expected);
    };
    auto after = [&] {
      REQUIRE((same_bits(w.read(), before) || same_bits(w.read(), updated)));
    };
    sweep_both(scenario, 3, after, INT64_MAX);
  }
}

TEST_CASE("memory runs out while a template is compiled at a call", "[allocations]") {
  GraphScope scope;
  Variable a("a"), b("b");
  CompileOptions options = one_thread();
  options.leaves_dump = false;
  Expr sum = a * b + 1;
  auto scenario = [&] {
    Function f = compile(sum, {}, options);
    return f({{"a", full({3}, 2)}, {"b", full({3}, 4)}}).data<float>()[2] == 9;
  };
  Sweep found = sweep(scenario, [] {}, 0, 50);
  CAPTURE(found.requests, found.refused, found.errors);
  CHECK(found.errors >= at_least(10));
  // One function, whose first calls fail.
  for (int64_t n = 0; n < 400; n += 9) {
    Function f = compile(sum, {}, options);
    NamedTensors given = {{"a", full({3}, 2)}, {"b", full({3}, 4)}};
    try {
      memory::Refusal refusal(n);
      f(given);
    } catch (const std::bad_alloc&) {
    } catch (const SystemError&) {
    }
    REQUIRE(f(given).data<float>()[2] == 9);
  }
}

TEST_CASE("memory runs out while a program is interpreted", "[allocations]") {
  Program program = parse(training_text, "model.graph");
  NamedTensors given = {{"x", ones({2, 4})}, {"y", ones({2, 3})}};
  Interpreted expected = interpret(program, given);
  sweep_both([&] { return same(interpret(program, given).outputs, expected.outputs); }, 20);
}

TEST_CASE("memory runs out while files are written and read", "[allocations]") {
  TemporaryFolder folder;
  Tensor value = uniform({20, 7}, 1), bytes = full({5, 3}, 7, u8);
  const std::string npy = folder.file("a.npy"), tensors = folder.file("a.safetensors"), graph = folder.file("a.graph"), idx = folder.file("a.idx.gz");
  gzFile zipped = gzopen(idx.c_str(), "wb");
  const std::string header("\0\0\x08\2\0\0\0\5\0\0\0\3", 12), data(15, '\7');
  gzwrite(zipped, (header + data).data(), 27);
  REQUIRE(gzclose(zipped) == Z_OK);
  Program program = parse("sinter 1\n%w = parameter : f32[20, 7]\n%1 = exp %w\nreturn %1\n", "a.graph");
  std::memcpy(program.graph.parameter("w")->value.raw(), value.raw(), value.bytes());

  sweep_both([&] { return write_npy(npy, value), true; }, 3);
  sweep_both([&] { return same_bits(read_npy(npy), value); }, 3);
  sweep_both([&] { return same_bits(read_idx(idx), bytes); }, 3);
  sweep_both([&] { return write_safetensors(tensors, {{"a", value}, {"b b", bytes}}), true; }, 20);
  sweep_both([&] { SafetensorsFile file(tensors); return same_bits(file.read("a"), value) && same_bits(file.read("b b"), bytes); }, 20);
  sweep_both([&] { return write_graph(program, graph), true; }, 20);
  sweep_both([&] { return same_bits(read_graph(graph).graph.parameter("w")->value, value); }, 20);
  sweep_both([&] {
    Batches batches({value}, {.size = 6});
    Epoch epoch = batches.epoch(1);
    return same_bits(epoch[3][0], gather_rows(value, epoch.rows(3)));
  }, 3);
}

TEST_CASE("a pool whose threads find no memory does all chunks all the same", "[allocations]") {
  auto scenario = [] {
    ThreadPool pool(3);
    std::atomic<int64_t> sum{0};
    ChunkBody body = [](void* to, int64_t chunk) noexcept { *static_cast<std::atomic<int64_t>*>(to) += chunk; };
    pool.parallel_for(body, &sum, 100);
    return sum == 4950;
  };
  sweep_both(scenario, 1);
}
