#include "runtime/function.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "tests/raises.h"
#include "tests/runtime/executor_fixture.h"

namespace sinter {
namespace {

using namespace by_hand;

std::string here(int line) { return to_string(Location(Here::current().file(), static_cast<uint32_t>(line))); }

// two_steps at these types.
std::shared_ptr<const Executable> sized(const std::unordered_map<std::string, Type>& types) {
  auto e = two_steps(2);
  for (NamedType& input : e->inputs) input.type = types.at(input.name);
  for (Buffer& b : e->buffers) b.type = types.at("x");
  e->outputs[0] = types.at("x");
  for (Step& s : e->steps) s.sizes = {types.at("x").shape[0]}, s.chunks = ceil_divide(types.at("x").shape[0], grain);
  e->report.nodes_before = static_cast<size_t>(types.at("x").shape[0].number());
  return e;
}

// "x" and "y" without types; compiled for vectors of one size.
Function vectors(std::atomic<int>& compiled) {
  return Function({{"x", Type::unknown(), {"program.cpp", 7}}, {"y", Type::unknown(), {"program.cpp", 8}}}, [&compiled](const auto& types, const Bindings&) {
    ++compiled;
    if (types.at("x").shape != types.at("y").shape) throw UserError("add of two shapes", Location("program.cpp", 9));
    return sized(types);
  });
}

std::atomic<int> slow_chunks{0};
void slow(void* const*, const int64_t*, int64_t, int64_t) {
  ++slow_chunks;
  std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

}  // namespace

TEST_CASE("a function is called by name", "[function]") {
  Function f(two_steps(2));
  Tensor d = f({{"x", ones({10})}, {"y", full({10}, 2)}});
  CHECK(all_equal(d, 4));
  CHECK(f.all({{"x", ones({10})}, {"y", full({10}, 2)}}).size() == 1);
  Function copy = f;
  CHECK(all_equal(copy({{"x", ones({3})}, {"y", full({3}, 1)}}), 3));
  BoundFunction call = f.bind({{"x", d}, {"y", ones({10})}});
  call();
  CHECK(all_equal(call.outputs()[0], 9));
  CHECK(f.steps().size() == 2);
  CHECK(f.memory().planned == placed(40));
  CHECK(f.executable() == copy.executable());
  CHECK(f.profile({{"x", d}, {"y", d}}).size() == 2);
}

TEST_CASE("a function is stopped from another thread", "[function]") {
  auto storage = std::make_shared<ParameterStorage>("p", ones({100}));
  for (bool transactional : {false, true}) {
    auto e = transactional ? transaction<slow>(storage, 2) : update<slow>(storage, 2);
    e->steps[0].chunks = 100000;  // 50 s of two threads
    Function f(e);
    slow_chunks = 0;
    std::vector<std::string> messages(3);
    std::vector<std::thread> callers;
    auto start = std::chrono::steady_clock::now();
    for (std::string& message : messages) callers.emplace_back([&] { message = message_of([&] { f({{"x", ones({100})}}); }); });  // one runs, two wait
    while (slow_chunks < 5) std::this_thread::yield();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Function(f).stop();  // copies are one function
    for (auto& each : callers) each.join();
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
    const std::string torn = "the parameter 'p' was left half-updated by a step that failed; set() it first";
    const auto stopped = [](const std::string& m) { return m.find("function.cpp:") != std::string::npos && m.ends_with(": the call was stopped"); };
    CHECK(std::any_of(messages.begin(), messages.end(), stopped));
    for (const std::string& m : messages) CHECK((stopped(m) || (!transactional && m.ends_with(torn))));
    CHECK(storage->torn == !transactional);
    CHECK(all_equal(storage->value, 1));
    storage->torn = false;
  }
  CHECK_THROWS_AS(Function().stop(), UserError);
}

TEST_CASE("a call that compiles when it is stopped does not go on", "[function]") {
  Function* self = nullptr;
  bool stop = true;
  Function f({{"x", Type::unknown()}, {"y", Type::unknown()}}, [&](const auto& types, const Bindings&) {
    if (stop) self->stop();
    return sized(types);
  });
  self = &f;
  NamedTensors inputs = {{"x", ones({10})}, {"y", ones({10})}};
  auto call = [&] { return message_of([&] { f(inputs); }); };
  CHECK(call().ends_with("the call was stopped"));
  stop = false;
  CHECK(call().empty());
}

TEST_CASE("a function that only updates returns nothing", "[function]") {
  auto storage = std::make_shared<ParameterStorage>("p", ones({100}));
  Function f(update(storage, 1));
  CHECK(!f({{"x", ones({100})}}).defined());
  CHECK(all_equal(storage->value, 2));
}

TEST_CASE("a function of several outputs is asked for all", "[function]") {
  auto e = two_steps(1);
  e->outputs.push_back(e->outputs[0]);
  Function f(e);
  NamedTensors inputs = {{"x", ones({1})}, {"y", ones({1})}};
  CHECK(message_of([&] { f(inputs); }).ends_with(": this function has 2 outputs; call all() for them"));
  CHECK(f.all(inputs).size() == 2);
}

TEST_CASE("a function of nothing", "[function]") {
  Function f;
  CHECK_THROWS_AS(f({}), UserError);
  CHECK_THROWS_AS(f.report(), UserError);
  CHECK_THROWS_AS(f.bind({}), UserError);
}

TEST_CASE("a template is compiled at the types of each call, once each", "[function]") {
  std::atomic<int> compiled{0};
  Function f = vectors(compiled);
  CHECK(message_of([&] { f.report(); }).ends_with(": this function has variables without types: it is compiled at its first call, and there was none yet"));
  CHECK(all_equal(f({{"x", ones({10})}, {"y", full({10}, 2)}}), 4));
  CHECK(all_equal(f({{"x", ones({10})}, {"y", full({10}, 3)}}), 5));
  CHECK(compiled == 1);
  CHECK(f.report().nodes_before == 10);
  CHECK(all_equal(f({{"x", ones({5})}, {"y", full({5}, 2)}}), 4));
  CHECK(compiled == 2);
  CHECK(f.report().nodes_before == 5);
  CHECK(message_of([&] { f({{"x", ones({5})}, {"y", ones({6})}}); }) == "program.cpp:9: add of two shapes (in the call at " + here(__LINE__) + ")");
  CHECK(message_of([&] { f({{"x", ones({5})}}); }) == "program.cpp:8: the input 'y' is missing (in the call at " + here(__LINE__) + ")");
  CHECK(message_of([&] { f({{"x", ones({5})}, {"z", ones({5})}}); }).ends_with(": there is no input 'z'; there is 'x', 'y'"));
  CHECK(all_equal(f({{"x", ones({10})}, {"y", full({10}, 2)}}), 4));
  CHECK(f.report().nodes_before == 10);
  for (int64_t n = 1; n < 600; ++n) REQUIRE(all_equal(f({{"x", ones({n})}, {"y", ones({n})}}), 3));
}

TEST_CASE("threads that need one shape wait for one compilation", "[function]") {
  std::atomic<int> compiled{0}, wrong{0};
  Function f = vectors(compiled);
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      for (int64_t n = 1; n < 30; ++n) wrong += !all_equal(f({{"x", ones({n})}, {"y", ones({n})}}), 3);
    });
  for (auto& each : threads) each.join();
  CHECK(wrong == 0);
  CHECK(compiled == 29);
}

}  // namespace sinter
