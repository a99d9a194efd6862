#include "runtime/executor.h"

#include <catch2/catch.hpp>
#include <cfenv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "graph/support/sanitizers.h"
#include "runtime/cpu_count.h"
#include "tests/raises.h"
#include "tests/runtime/executor_fixture.h"

namespace sinter {
namespace {

using namespace by_hand;

std::atomic<Executor*> to_stop{nullptr};  // once

void stop_in_chunk_2(void* const* arguments, const int64_t* sizes, int64_t chunk, int64_t worker) {
  if (chunk == 2)
    if (Executor* f = to_stop.exchange(nullptr)) f->stop();
  add(arguments, sizes, chunk, worker);
}
void stop_and_copy(void* const* arguments, const int64_t* sizes, int64_t chunk, int64_t worker) {
  if (Executor* f = to_stop.exchange(nullptr)) f->stop();
  copy(arguments, sizes, chunk, worker);
}

}  // namespace

TEST_CASE("a call runs every step at the sizes of its inputs", "[executor]") {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    Executor f(two_steps(threads));
    CHECK(f.threads() == threads);
    for (int64_t n : {1, 15, 16, 17, 1000, 100, 0, 1000}) {
      auto out = f.call({{"x", full({n}, 3)}, {"y", full({n}, 1)}});
      REQUIRE(out.size() == 1);
      REQUIRE(out[0].sizes() == std::vector<int64_t>{n});
      REQUIRE(all_equal(out[0], 7));
    }
  }
  CHECK(Executor(two_steps(0)).threads() == available_cpus());
}

TEST_CASE("outputs of calls are their own", "[executor]") {
  Executor f(two_steps(2));
  Tensor x = ones({50}), y = zeros({50});
  Tensor first = f.call({{"x", x}, {"y", y}})[0];
  Tensor second = f.call({{"x", y}, {"y", y}})[0];
  CHECK(all_equal(first, 2));
  CHECK(all_equal(second, 0));
}

TEST_CASE("a bound call works on what its buffers hold, and writes where it was told", "[executor]") {
  Executor f(two_steps(2));
  Tensor x = full({50}, 1), y = full({50}, 2);
  std::vector<float> mine(51);
  Tensor out = Tensor::borrow(mine.data() + 1, f32, {50});  // aligned to an element only
  BoundFunction call = f.bind({{"x", x}, {"y", y}}, {out});
  BoundFunction fresh = f.bind({{"x", x}, {"y", y}});
  for (int i = 0; i < 10; ++i) {
    std::fill_n(x.data<float>().data(), 50, static_cast<float>(i));
    call();
    REQUIRE(all_equal(out, static_cast<float>(2 * i + 2)));
  }
  fresh();
  CHECK(all_equal(fresh.outputs().at(0), 20));
  BoundFunction moved = std::move(fresh);
  moved();
  CHECK_THROWS_AS(fresh(), UserError);
  CHECK_THROWS_AS(fresh.outputs(), UserError);
}

TEST_CASE("a bound call keeps what it needs alive", "[executor]") {
  auto storage = std::make_shared<ParameterStorage>("p", full({100}, 4));
  auto f = std::make_unique<Executor>(evaluation(storage, 2));
  BoundFunction call = f->bind({});
  f.reset();
  storage.reset();
  call();
  CHECK(all_equal(call.outputs()[0], 8));
}

TEST_CASE("inputs that do not fit are refused", "[executor]") {
  Executor f(two_steps(1));
  Tensor x = ones({5}), y = ones({6});
  CHECK(message_of([&] { f.call({{"x", x}}); }) == "the input 'y' (f32[n]) is missing");
  CHECK(message_of([&] { f.call({{"x", x}, {"y", Tensor()}}); }) == "the input 'y' (f32[n]) was given an empty Tensor");
  CHECK(message_of([&] { f.call({{"x", x}, {"y", y}}); }) == "the input 'y' is f32[n], not f32[6], where n = 5");
  CHECK(message_of([&] { f.call({{"x", x}, {"y", x}, {"z", x}}); }) == "there is no input 'z'; there is 'x', 'y'");
  CHECK(message_of([&] { f.call({{"x", x}, {"Y", x}}); }) == "there is no input 'Y'; there is 'x', 'y'");
  CHECK(message_of([&] { f.call({{"x", zeros({5}, i32)}, {"y", y}}); }) == "the input 'x' is f32[n], not i32[5]");
  CHECK(message_of([&] { f.call({{"x", zeros({5, 1})}, {"y", y}}); }) == "the input 'x' is f32[n], not f32[5, 1]");
  f.call({{"x", x}, {"y", x}});
  CHECK_THROWS_AS(f.call({{"x", x}, {"y", y}}), UserError);  // tables of x's size are there already
  CHECK_THROWS_AS(f.bind({{"x", x}, {"y", y}}), UserError);
}

TEST_CASE("output buffers that do not fit, or overlap, are refused", "[executor]") {
  Executor f(two_steps(1));
  Tensor x = ones({5}), y = ones({5});
  NamedTensors inputs = {{"x", x}, {"y", y}};
  CHECK(message_of([&] { f.bind(inputs, {x, y}); }) == "2 output buffers were given; the function has 1 outputs, and takes a buffer for each, or none for fresh ones");
  CHECK(message_of([&] { f.bind(inputs, {Tensor()}); }) == "output 0 was given an empty Tensor");
  CHECK(message_of([&] { f.bind(inputs, {zeros({6})}); }) == "output 0 is f32[5]; it was given a buffer of f32[6]");
  CHECK(message_of([&] { f.bind(inputs, {zeros({5}, i32)}); }) == "output 0 is f32[5]; it was given a buffer of i32[5]");
  CHECK(message_of([&] { f.bind(inputs, {x}); }) == "output 0 shares memory with the input 'x'; give it a buffer of its own");
  std::vector<float> memory(9);
  NamedTensors part = {{"x", Tensor::borrow(memory.data(), f32, {5})}, {"y", y}};
  CHECK_THROWS_AS(f.bind(part, {Tensor::borrow(memory.data() + 4, f32, {5})}), UserError);
  NamedTensors less = {{"x", Tensor::borrow(memory.data(), f32, {4})}, {"y", ones({4})}};
  CHECK_NOTHROW(f.bind(less, {Tensor::borrow(memory.data() + 4, f32, {4})}));  // side by side
  auto holding = two_steps(1);
  const Tensor constant = ones({5});
  holding->constants.push_back(constant);
  CHECK_THAT(message_of([&] { Executor(holding).bind(inputs, {constant}); }), Catch::Contains("output 0 shares memory with a constant"));

  auto storage = std::make_shared<ParameterStorage>("p", ones({100}));
  Executor g(evaluation(storage, 1)), h(update(storage, 1));
  CHECK_THROWS_AS(g.bind({}, {storage->value}), UserError);
  CHECK(message_of([&] { h.call({{"x", storage->value}}); }) == "the input 'x' shares memory with the parameter 'p', which this function updates; give it a copy");
  CHECK_THROWS_AS(h.bind({{"x", storage->value}}), UserError);
}

TEST_CASE("parameters are updated where they lie and shared by functions", "[executor]") {
  auto storage = std::make_shared<ParameterStorage>("p", ones({100}));
  Executor step(update(storage, 2)), read(evaluation(storage, 2));
  Tensor x = ones({100});
  CHECK(step.call({{"x", x}}).empty());
  CHECK(all_equal(storage->value, 2));
  BoundFunction bound = step.bind({{"x", x}});
  bound();
  CHECK(all_equal(read.call({})[0], 6));
}

TEST_CASE("a step that fails midway leaves its parameters marked", "[executor]") {
  auto storage = std::make_shared<ParameterStorage>("p", ones({100}));
  auto failing = update(storage, 2);
  failing->run = [](CallFrame* frame) {
    add(frame->arguments, frame->sizes, 0, 0);  // a part of it
    return int32_t{3};
  };
  Executor fails(failing), step(update(storage, 2)), read(evaluation(storage, 2));
  Tensor x = ones({100});
  BoundFunction bound = read.bind({});
  CHECK(message_of([&] { fails.call({{"x", x}}); }) == "the call was stopped midway (code 3)");
  const char* torn = "the parameter 'p' was left half-updated by a step that failed; set() it first";
  CHECK(message_of([&] { fails.call({{"x", x}}); }) == torn);
  CHECK(message_of([&] { step.call({{"x", x}}); }) == torn);
  CHECK(message_of([&] { read.call({}); }) == torn);
  CHECK(message_of([&] { bound(); }).ends_with(torn));
  {
    std::unique_lock lock(storage->lock, std::try_to_lock);  // nothing is left locked
    REQUIRE(lock.owns_lock());
    storage->torn = false;
  }
  CHECK_NOTHROW(bound());
  auto stops = evaluation(storage, 1);
  stops->run = [](CallFrame*) { return int32_t{1}; };
  CHECK_THROWS_AS(Executor(stops).call({}), SystemError);
  CHECK_NOTHROW(read.call({}));  // one that updates nothing tears nothing
}

TEST_CASE("a stopped call leaves parameters as they were where it is transactional, and marked where not", "[executor]") {
  for (unsigned threads : {1u, 2u, 4u})
    for (bool transactional : {false, true})
      for (bool bound : {false, true}) {
        CAPTURE(threads, transactional, bound);
        auto storage = std::make_shared<ParameterStorage>("p", ones({100}));
        Executor f(transactional ? transaction<stop_in_chunk_2>(storage, threads) : update<stop_in_chunk_2>(storage, threads));
        Tensor x = ones({100});
        BoundFunction call = f.bind({{"x", x}});
        auto run = [&] {
          if (bound) call();
          else f.call({{"x", x}});
        };
        f.stop();  // none runs
        run();
        REQUIRE(all_equal(storage->value, 2));
        to_stop = &f;
        std::string message = message_of(run);  // where other threads took all that was left already, it is whole
        to_stop = nullptr;
        if (threads == 1) REQUIRE(message.ends_with("the call was stopped"));
        if (message.empty()) continue;
        REQUIRE(message.ends_with("the call was stopped"));
        if (transactional) {
          CHECK(all_equal(storage->value, 2));
          CHECK_NOTHROW(run());
          CHECK(all_equal(storage->value, 3));
        } else {
          CHECK(message_of(run).ends_with("the parameter 'p' was left half-updated by a step that failed; set() it first"));
          storage->torn = false;  // as set() does
          CHECK_NOTHROW(run());
        }
      }
}

TEST_CASE("a stop that comes once a call commits does not stop it", "[executor]") {
  for (bool profiled : {false, true}) {
    auto storage = std::make_shared<ParameterStorage>("p", ones({100}));
    Executor f(transaction<add, stop_and_copy>(storage, 1));
    to_stop = &f;
    if (profiled) f.profile({{"x", ones({100})}});
    else f.call({{"x", ones({100})}});
    CHECK(all_equal(storage->value, 2));
  }
}

TEST_CASE("a call that waits for a parameter is stopped before it touches anything", "[executor]") {
  auto storage = std::make_shared<ParameterStorage>("p", ones({100}));
  Executor f(update(storage, 2));
  uint32_t began = f.stops();
  f.stop();
  CHECK(message_of([&] { f.call({{"x", ones({100})}}, began); }) == "the call was stopped");
  CHECK_FALSE(storage->torn);
  CHECK(all_equal(storage->value, 1));
  f.call({{"x", ones({100})}});
  CHECK(all_equal(storage->value, 2));
}

TEST_CASE("each worker has scratch of its own", "[executor]") {
  constexpr int64_t scratch_bytes = 96;
  static constexpr KernelFunction kernel = [](void* const* arguments, const int64_t* sizes, int64_t chunk, int64_t worker) {
    auto* scratch = reinterpret_cast<volatile float*>(static_cast<char*>(arguments[2]) + worker * scratch_bytes);
    each(sizes, chunk, [&](int64_t i) { scratch[i % grain] = floats(arguments[0])[i]; });
    std::this_thread::yield();
    each(sizes, chunk, [&](int64_t i) { floats(arguments[1])[i] = scratch[i % grain] + 1; });
  };
  for (unsigned threads : {1u, 2u, 4u}) {
    auto e = std::make_shared<Executable>();
    Type vector = Type::of(f32, {"n"});
    e->inputs = {{"x", vector}};
    e->outputs = {vector};
    Buffer scratch = arena(Type::of(u8, {scratch_bytes}), 0, 0);
    scratch.per_worker = true;
    e->buffers = {buffer(Storage::input, 0, vector), buffer(Storage::output, 0, vector), scratch};
    e->steps = {step(0, {0, 1, 2})};
    e->run = [](CallFrame* frame) {
      static constexpr Call calls[] = {{kernel, 3, 1}};
      return run_all(frame, calls);
    };
    e->threads = threads;
    Executor f(e);
    std::vector<float> values(5000);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    Tensor x = Tensor::of<float>(values, {5000});
    for (int i = 0; i < 20; ++i) {
      Tensor out = f.call({{"x", x}})[0];
      bool right = true;
      for (size_t k = 0; k < values.size(); ++k) right = right && out.data<float>()[k] == values[k] + 1;
      REQUIRE(right);
    }
    CHECK(f.memory().planned == placed(threads * scratch_bytes));
  }
}

TEST_CASE("memory is what the plan says, and no more than calls at once need", "[executor]") {
  Executor f(two_steps(1));
  auto call = [&](int64_t n) { f.call({{"x", ones({n})}, {"y", ones({n})}}); };
  CHECK(f.memory().high_water == 0);
  call(100);
  CHECK(f.memory().planned == placed(400));
  CHECK(f.memory().lower_bound == placed(400));
  CHECK(f.memory().high_water == placed(400));
  call(1000);
  CHECK(f.memory().planned == placed(4000));
  CHECK(f.memory().high_water == placed(4000));  // the smaller arena went first
  call(100);
  CHECK(f.memory().planned == placed(400));
  CHECK(f.memory().high_water == placed(4000));
  call(10000000);  // large enough for huge pages
  CHECK(f.memory().high_water == placed(40000000));
}

TEST_CASE("many sizes, again and again", "[executor]") {
  Executor f(two_steps(2));
  for (int round = 0; round < 3; ++round)
    for (int64_t n = 1; n < 200; ++n) REQUIRE(all_equal(f.call({{"x", full({n}, 2)}, {"y", full({n}, 1)}})[0], 5));
}

TEST_CASE("eight threads call, update and evaluate at once", "[executor]") {
  auto storage = std::make_shared<ParameterStorage>("p", zeros({100}));
  Executor step(update(storage, 3)), read(evaluation(storage, 3)), pure(two_steps(3));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      BoundFunction bound = read.bind({});
      Tensor one = ones({100});
      for (int i = 0; i < 100; ++i) {
        int64_t n = 10 + (t * 37 + i) % 5 * 100;
        switch ((t + i) % 4) {
          case 0: step.call({{"x", one}}); break;
          case 1: {
            Tensor out = read.call({})[0];
            wrong += !all_equal(out, out.data<float>()[0]);  // all of one step
            break;
          }
          case 2: bound(), wrong += !all_equal(bound.outputs()[0], bound.outputs()[0].data<float>()[0]); break;
          default: wrong += !all_equal(pure.call({{"x", full({n}, t)}, {"y", full({n}, i)}})[0], static_cast<float>(2 * t + i));
        }
      }
    });
  for (auto& each : threads) each.join();
  CHECK(wrong == 0);
  CHECK(all_equal(storage->value, 200));
}

TEST_CASE("rounding is set right for a call and put back", "[executor]") {
  static float third = 0;
  auto e = two_steps(1);
  e->run = [](CallFrame*) {
    volatile float one = 1, three = 3;
    third = one / three;
    return int32_t{0};
  };
  Executor f(e);
  Tensor x = ones({1});
  BoundFunction bound = f.bind({{"x", x}, {"y", x}});
  for (bool by_name : {true, false}) {
    third = 0;
    std::fesetround(FE_DOWNWARD);
    if (by_name) f.call({{"x", x}, {"y", x}});
    else bound();
    int after = std::fegetround();
    std::fesetround(FE_TONEAREST);
    CHECK(after == FE_DOWNWARD);
    CHECK(third == 0x1.555556p-2f);
  }
}

TEST_CASE("steps run one by one compute the same and are timed", "[executor]") {
  Executor f(two_steps(2));
  auto times = f.profile({{"x", ones({100})}, {"y", ones({100})}});
  REQUIRE(times.size() == 2);
  CHECK(times[1].step == 1);
  CHECK(times[0].chunks == 7);
  CHECK(times[0].seconds >= 0);
  auto storage = std::make_shared<ParameterStorage>("p", ones({100}));
  Executor(update(storage, 2)).profile({{"x", ones({100})}});
  CHECK(all_equal(storage->value, 2));
  auto bare = two_steps(1);
  bare->kernels.clear();
  CHECK_THROWS_AS(Executor(bare).profile({{"x", ones({1})}, {"y", ones({1})}}), UserError);
}

TEST_CASE("sizes that are negative or overflow are refused at the call", "[executor]") {
  auto e = two_steps(1);
  e->buffers[2].type.shape = {Dim("n") - Dim(10)};
  Executor shorter(e);
  CHECK_THROWS_AS(shorter.call({{"x", ones({5})}, {"y", ones({5})}}), UserError);
  e = two_steps(1);
  e->buffers[2].type.shape = {Dim("n"), int64_t{1} << 62};
  Executor larger(e);
  CHECK_THROWS_AS(larger.call({{"x", ones({5})}, {"y", ones({5})}}), UserError);
}

TEST_CASE("memory that the system refuses is an error of the call", "[executor]") {
  if (address_sanitized || thread_sanitized) {
    WARN("not here: a sanitizer's allocator ends the process instead");
    return;
  }
  auto e = two_steps(1);
  e->buffers[2].type.shape = {Dim("n"), int64_t{1} << 55};
  Executor f(e);
  CHECK_THROWS_AS(f.call({{"x", ones({5})}, {"y", ones({5})}}), SystemError);
  CHECK(f.memory().high_water == 0);
  CHECK_THROWS_AS(f.call({{"x", ones({5})}, {"y", ones({5})}}), SystemError);
}

TEST_CASE("an executable that is not well formed is refused", "[executor]") {
  auto broken = [](auto change) {
    auto e = two_steps(1);
    change(*e);
    CHECK_THROWS_AS(Executor(e), InternalError);
  };
  broken([](Executable& e) { e.run = nullptr; });
  broken([](Executable& e) { e.updated = {true}; });
  broken([](Executable& e) { e.buffers[1].index = 2; });
  broken([](Executable& e) { e.buffers[3].index = 1; });
  broken([](Executable& e) { e.buffers[1].storage = Storage::constant; });
  broken([](Executable& e) { e.buffers[0].per_worker = true; });
  broken([](Executable& e) { e.buffers[2].last = 0; });  // used by the second step
  broken([](Executable& e) { e.buffers[2].last = 2; });
  broken([](Executable& e) { e.buffers[2].first = 1; });
  broken([](Executable& e) { e.steps[0].buffers[0] = 4; });
  broken([](Executable& e) { e.steps[1].kernel = 2; });
  broken([](Executable& e) { e.inputs[0].type = Type::unknown(); });
  broken([](Executable& e) { e.steps[1].commits = true; });                          // though it is not transactional
  broken([](Executable& e) { e.transactional = e.steps[0].commits = true; });        // and the second computes
  CHECK_THROWS_AS(Executor(nullptr), InternalError);
}

TEST_CASE("what a bound call costs", "[executor][.overhead]") {
  auto time_of = [](const char* what, BoundFunction call) {
    double best = 1e9;
    for (int round = 0; round < 20; ++round) {
      auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < 100000; ++i) call();
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 100000);
    }
    std::printf("%-40s %.1f ns\n", what, best * 1e9);
  };
  auto nothing = [](CallFrame*) { return int32_t{0}; };
  auto e = two_steps(2);
  e->run = nothing;
  Tensor x = ones({10});
  time_of("no parameters", Executor(e).bind({{"x", x}, {"y", x}}));
  auto p = std::make_shared<ParameterStorage>("p", ones({100}));
  auto reads = evaluation(p, 2), updates = update(p, 2);
  reads->run = updates->run = nothing;
  time_of("one parameter read", Executor(reads).bind({}));
  time_of("one parameter updated", Executor(updates).bind({{"x", ones({100})}}));
  Executor named(e);
  NamedTensors inputs = {{"x", x}, {"y", x}};
  auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100000; ++i) named.call(inputs);
  std::printf("%-40s %.1f ns\n", "by name, two inputs", std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() * 1e4);
}

}  // namespace sinter
