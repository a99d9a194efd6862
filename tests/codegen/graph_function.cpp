// The native function of a graph: which kernels it calls, with what, in which order, and what a call costs.
#include <catch2/catch.hpp>
#include <algorithm>
#include <chrono>

#include "graph/support/sanitizers.h"
#include "tests/codegen/run_kernel.h"

namespace sinter {
namespace {

// arguments[0][i] = arguments[0][i] * 2 + add, of `n` elements, in chunks of 10.
Kernel doubling(double added) {
  using namespace scalar;
  ScalarBuilder builder;
  Scalar x = builder.input(0, f64);
  Scalar outputs[] = {x * 2 + added};
  LoopKernel loop;
  loop.extents = {Dim("n")};
  loop.body.inputs = {LoadInput{0, {0, {1}}, {}}};
  loop.body.expr = builder.finish(outputs);
  loop.body.stores = {{0, {0, {1}}, 0}};
  return {"doubling", {{f64, true}}, {Dim("n")}, 10, loop};
}

// A frame whose `parallel` notes its calls and runs the chunks, or stops the call at number `stop_at`.
struct Frame : CallFrame {
  std::vector<void*> table;
  std::vector<int64_t> size_table, chunk_table, parallel_chunks;
  int32_t stop_at = -1;
  StopCount stop_count{0};

  Frame() : CallFrame{} {
    stops = &stop_count;
    parallel = [](CallFrame* frame, KernelFunction kernel, void* const* kernel_arguments, const int64_t* kernel_sizes, int64_t count) -> int32_t {
      auto* self = static_cast<Frame*>(frame);
      if (self->stop_at == static_cast<int32_t>(self->parallel_chunks.size())) return 7;
      self->parallel_chunks.push_back(count);
      for (int64_t chunk = count; chunk-- > 0;) kernel(kernel_arguments, kernel_sizes, chunk, 1);
      return 0;
    };
  }
  int32_t run(const Compiled& compiled) {
    arguments = table.data();
    sizes = size_table.data();
    chunks = chunk_table.data();
    return compiled.run(this);
  }
};

// The same steps among so many that do nothing that the native function walks a table.
std::vector<CallStep> among_many(std::vector<CallStep> steps) {
  bool commits = steps.back().commits;
  steps.resize(steps.size() + 100, {0, 0, 0, 0, true, commits});
  return steps;
}

}  // namespace

TEST_CASE("steps run in order, with their own arguments, sizes and chunks") {
  std::vector<CallStep> steps = {{0, 0, 0, {}, true}, {1, 1, 1, {}, true}, {0, 2, 2, 3, true}, {0, 0, 0, {}, false}, {1, 0, 0, 0, true}, {0, 1, 1, 1, true}};
  bool many = GENERATE(false, true);
  Compiled compiled = jit_compile({doubling(1), doubling(100)}, many ? among_many(steps) : steps, host_target());
  REQUIRE(compiled.kernels.size() == 2);
  std::vector<double> a(25, 1), b(10, 2), c(30, 3);
  Frame frame;
  frame.table = {a.data(), b.data(), c.data()};
  frame.size_table = {25, 10, 30};
  frame.chunk_table = {3, 1, 99, 3, 99, 99};
  CHECK(frame.run(compiled) == 0);
  CHECK(frame.parallel_chunks == std::vector<int64_t>{3, 3});  // the first step and the third; a step of one chunk is called
  CHECK(a == std::vector<double>(25, (1 * 2 + 1) * 2 + 1));
  CHECK(b == std::vector<double>(10, (2 * 2 + 100) * 2 + 1));
  CHECK(c == std::vector<double>(30, 3 * 2 + 1));

  frame.chunk_table = {0, 0, 0, 0, 0, 0};
  std::vector<double> before = a;
  CHECK(frame.run(compiled) == 0);
  CHECK(a == before);
}

TEST_CASE("a stopped call hands its code on, and runs nothing more") {
  Compiled compiled = jit_compile({doubling(1)}, {{0, 0, 0, {}, true}, {0, 0, 0, 3, true}, {0, 0, 0, {}, true}}, host_target());
  std::vector<double> a(25, 1);
  Frame frame;
  frame.table = {a.data()};
  frame.size_table = {25};
  frame.chunk_table = {3, 3, 3};
  frame.stop_at = 1;
  CHECK(frame.run(compiled) == 7);
  CHECK(a == std::vector<double>(25, 3));
}

TEST_CASE("a call that is asked to stop ends before its next step or chunk, unless it commits") {
  static StopCount* count = nullptr;
  // A loop in parallel that looks at nothing, and after which somebody asks.
  auto asking = [](CallFrame* frame, KernelFunction kernel, void* const* arguments, const int64_t* sizes, int64_t chunks) -> int32_t {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) kernel(arguments, sizes, chunk, 0);
    if (frame->committing == 0) count->fetch_add(1);
    return 0;
  };
  bool many = GENERATE(false, true);
  auto run = [&](std::vector<CallStep> steps, int32_t expected) {
    if (many) steps = among_many(steps);
    Compiled compiled = jit_compile({doubling(0)}, steps, host_target());
    std::vector<double> a(25, 1);
    Frame frame;
    count = &frame.stop_count;
    frame.parallel = asking;
    frame.table = {a.data()};
    frame.size_table = {25};
    frame.chunk_table.assign(steps.size(), 3);
    CHECK(frame.run(compiled) == expected);
    return a;
  };
  std::vector<double> twice(25, 2), four_times(25, 4);
  if (!many) CHECK(run({{0, 0, 0, 3, true}}, 0) == twice);
  CHECK(run({{0, 0, 0, 3, true}, {0, 0, 0, 1, true}}, call_stopped) == twice);
  CHECK(run({{0, 0, 0, {}, true}, {0, 0, 0, {}, true}}, call_stopped) == twice);
  CHECK(run({{0, 0, 0, 3, true}, {0, 0, 0, 3, false}}, call_stopped) == twice);
  CHECK(run({{0, 0, 0, {}, true}, {0, 0, 0, {}, true, true}}, 0) == four_times);
  CHECK(run({{0, 0, 0, {}, true}, {0, 0, 0, 3, false, true}}, 0) == four_times);
  CHECK(run({{0, 0, 0, 3, true, true}, {0, 0, 0, {}, true, true}}, 0) == four_times);

  Compiled alone = jit_compile({doubling(0)}, {{0, 0, 0, 3, false}}, host_target());  // chunks in the caller: the first is done
  std::vector<double> a(25, 1);
  Frame frame;
  frame.table = {a.data()};
  frame.size_table = {25};
  frame.began = 1;
  CHECK(frame.run(alone) == call_stopped);
  CHECK(std::count(a.begin(), a.end(), 2) == 10);
}

TEST_CASE("the code of a graph's function does not grow with its steps") {
  auto lines_of = [](size_t steps) {
    std::string ir = emit_llvm({doubling(1)}, std::vector<CallStep>(steps, {0, 0, 0, {}, true}), host_target());
    return std::count(ir.begin(), ir.end(), '\n');
  };
  CHECK(lines_of(2000) == lines_of(100));
  CHECK(lines_of(2) > lines_of(1));  // but that of few steps needs no table
}

TEST_CASE("a graph without steps runs") {
  Compiled compiled = jit_compile({}, {}, host_target());
  Frame frame;
  CHECK(frame.run(compiled) == 0);
}

TEST_CASE("many kernels compile on several threads, and their code lives as long as it is held") {
  std::vector<Kernel> kernels;
  std::vector<CallStep> steps;
  for (uint32_t i = 0; i < 40; ++i) {
    kernels.push_back(doubling(i));
    steps.push_back({i, 0, 0, {}, true});
  }
  std::vector<double> expected(5, 1);
  for (int i = 0; i < 40; ++i)
    for (double& x : expected) x = x * 2 + i;
  for (unsigned threads : {1u, 2u, 0u}) {
    Compiled compiled = jit_compile(kernels, steps, host_target(), threads);
    Compiled copy = compiled;
    compiled = {};
    std::vector<double> a(5, 1);
    Frame frame;
    frame.table = {a.data()};
    frame.size_table = {5};
    frame.chunk_table.assign(40, 1);
    CHECK(frame.run(copy) == 0);
    CHECK(a == expected);
  }
}

TEST_CASE("what LLVM refuses is an error of ours") {
  Kernel wrong = doubling(1);
  wrong.sizes.clear();
  CHECK_THROWS_AS(jit_compile({wrong}, {}, host_target()), InternalError);
  CHECK_THROWS_AS(jit_compile({doubling(1)}, {{1, 0, 0, {}, true}}, host_target()), InternalError);
  // And one among many that are compiled in parallel.
  CHECK_THROWS_AS(jit_compile({doubling(1), doubling(2), wrong, doubling(3)}, {}, host_target()), InternalError);
}

TEST_CASE("more values than registers stay within the stack's limit") {
  // 120 values are read before the first is written, and each may be written over another.
  LoopKernel loop;
  loop.extents = {Dim("n")};
  ScalarBuilder builder;
  std::vector<Scalar> outputs;
  for (uint32_t k = 0; k < 120; ++k) {
    loop.body.inputs.push_back(LoadInput{0, {Dim("n") * int64_t{k}, {1}}, {}});
    outputs.push_back(builder.input(k, f32));
    loop.body.stores.push_back({0, {Dim("n") * int64_t{(k + 77) % 120}, {1}}, k});
  }
  loop.body.expr = builder.finish(outputs);
  Kernel kernel{"rotation", {{f32, true}}, {}, 1000, loop};
  for (uint32_t k = 1; k < 120; ++k) kernel.sizes.push_back(Dim("n") * int64_t{k});
  std::string assembly = emit_asm({kernel}, {}, host_target());
  if (host_target().vector_bytes == 64) CHECK(assembly.find("%zmm") == std::string::npos);
  CompiledKernel compiled(kernel);
  std::vector<float> values(120 * 37), expected(values.size());
  for (size_t k = 0; k < 120; ++k)
    for (size_t i = 0; i < 37; ++i) expected[(k + 77) % 120 * 37 + i] = values[k * 37 + i] = static_cast<float>(k * 100 + i);
  compiled.run({values.data()}, {{"n", 37}});
  CHECK(values == expected);
}

TEST_CASE("the text forms name the kernels") {
  std::string ir = emit_llvm({doubling(1)}, {{0, 0, 0, {}, true}}, host_target());
  CHECK(ir.find("define void @kernel_0(") != std::string::npos);
  CHECK(ir.find("define i32 @graph(") != std::string::npos);
  CHECK(ir.find(" fast ") == std::string::npos);
  std::string assembly = emit_asm({doubling(1)}, {{0, 0, 0, {}, true}}, host_target());
  CHECK(assembly.find("kernel_0:") != std::string::npos);
  CHECK(assembly.find("graph:") != std::string::npos);
}

TEST_CASE("looking at the stop count costs less than a nanosecond a step", "[.timing]") {
  if (address_sanitized || thread_sanitized) {
    WARN("not here: a sanitizer's checks cost more");
    return;
  }
  auto time_of = [](size_t count) {
    std::vector<CallStep> steps(count, {0, 0, 0, 1, true});
    Compiled compiled = jit_compile({doubling(1)}, steps, host_target());
    std::vector<CallStep> deaf_steps = steps;
    for (CallStep& s : deaf_steps) s.commits = true;
    Compiled deaf = jit_compile({doubling(1)}, deaf_steps, host_target());
    std::vector<double> a(1, 1);
    Frame frame;
    frame.table = {a.data()};
    frame.size_table = {1};
    frame.run(deaf);
    double best[2] = {1e9, 1e9};
    for (int repeat = 0; repeat < 40; ++repeat)
      for (int which : {0, 1}) {
        auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 2000; ++i) (which ? deaf : compiled).run(&frame);
        best[which] = std::min(best[which], std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 2000);
      }
    WARN(count << " steps: " << best[0] * 1e9 << " ns, without looking " << best[1] * 1e9 << " ns");
    return (best[0] - best[1]) / static_cast<double>(count);
  };
  time_of(1);
  CHECK(time_of(200) < 1e-9);
}

TEST_CASE("calling a graph of one small kernel costs nanoseconds", "[.timing]") {
  Compiled compiled = jit_compile({doubling(1)}, {{0, 0, 0, {}, true}}, host_target());
  std::vector<double> a(1, 1);
  Frame frame;
  frame.table = {a.data()};
  frame.size_table = {1};
  frame.chunk_table = {1};
  frame.run(compiled);
  double best = 1e9;
  for (int repeat = 0; repeat < 20; ++repeat) {
    auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 100000; ++i) compiled.run(&frame);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 100000);
  }
  WARN("a call takes " << best * 1e9 << " ns");
  CHECK(best < 100e-9);
}

}  // namespace sinter
