// compile() with `transactional`: stopped calls of real functions, and what they leave.
#include <catch2/catch.hpp>
#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include "codegen/compile.h"
#include "graph/text.h"

namespace sinter {
namespace {

// Long enough to be stopped: a few products and an update of two parameters, of which %v takes %w's old value.
const char* program_text = R"(sinter 1
%x = variable : f32[1024, 1024]
%w = parameter : f32[1024, 1024]
%v = parameter : f32[1024, 1024]
%3 = contract %x, %w {lhs_contracted=[1], rhs_contracted=[0]} : f32[1024, 1024]
%4 = tanh %3 : f32[1024, 1024]
%5 = contract %4, %w {lhs_contracted=[1], rhs_contracted=[0]} : f32[1024, 1024]
%6 = tanh %5 : f32[1024, 1024]
%7 = add %w, %6 : f32[1024, 1024]
%8 = sum %7 {axes=[0, 1]} : f32[]
update %w = %7
update %v = %w
return %8
)";

bool same_bytes(const Tensor& a, const Tensor& b) { return a.bytes() == b.bytes() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0; }

}  // namespace

TEST_CASE("transactional and in place compute the same", "[stop]") {
  for (unsigned threads : {1u, 2u}) {
    Tensor results[2][3];
    for (bool transactional : {false, true}) {
      Program program = parse(program_text, "test");
      CompileOptions options;
      options.threads = threads;
      options.transactional = transactional;
      auto executable = executable_of(program, options);
      CHECK(executable->transactional == transactional);
      CHECK(std::any_of(executable->steps.begin(), executable->steps.end(), [](const Step& s) { return s.commits; }) == transactional);
      for (auto& p : executable->parameters) p->value = uniform({1024, 1024}, p->name == "w" ? 1 : 2);
      Function f(executable);
      Tensor x = uniform({1024, 1024}, 3);
      f({{"x", x}});
      results[transactional][0] = f({{"x", x}});
      for (auto& p : executable->parameters) results[transactional][p->name == "w" ? 1 : 2] = p->value.clone();
    }
    for (int i = 0; i < 3; ++i) CHECK(same_bytes(results[0][i], results[1][i]));
  }
}

TEST_CASE("a stopped call leaves the parameters of a transactional function bit for bit", "[stop]") {
  for (unsigned threads : {1u, 2u}) {
    CompileOptions options;
    options.threads = threads;
    options.transactional = true;
    auto executable = executable_of(parse(program_text, "test"), options);
    for (auto& p : executable->parameters) p->value = uniform({1024, 1024}, p->name == "w" ? 1 : 2);
    Function f(executable);
    NamedTensors inputs = {{"x", uniform({1024, 1024}, 3)}};
    BoundFunction call = f.bind(inputs);
    int stopped = 0, whole = 0;
    for (int delay = 0; delay < 40; ++delay) {
      std::vector<Tensor> before;
      for (auto& p : executable->parameters) before.push_back(p->value.clone());
      std::atomic<bool> begun{false};
      std::thread stopper([&] {
        while (!begun) std::this_thread::yield();
        std::this_thread::sleep_for(std::chrono::microseconds(delay * delay * 30));
        f.stop();
      });
      bool was_stopped = false;
      begun = true;
      try {
        call();
      } catch (const SystemError&) {
        was_stopped = true;
      }
      stopper.join();
      (was_stopped ? stopped : whole)++;
      for (size_t i = 0; i < before.size(); ++i) {
        CHECK_FALSE(executable->parameters[i]->torn);
        CHECK(same_bytes(before[i], executable->parameters[i]->value) == was_stopped);
      }
    }
    CAPTURE(stopped, whole);
    CHECK(stopped > 0);
    f(inputs);
  }
}

}  // namespace sinter
