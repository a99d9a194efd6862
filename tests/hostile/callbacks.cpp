// Exceptions out of what users hand in to be called: they come out at the caller, and all can be used as before.
#include <catch2/catch.hpp>
#include <thread>

#include "graph/text.h"
#include "sinter.h"

using namespace sinter;

namespace {

struct Mine {  // of no std::exception's kind
  int number;
};

template <class F>
int caught(F f) {
  try {
    f();
  } catch (const Mine& mine) {
    return mine.number;
  }
  return -1;
}

}  // namespace

TEST_CASE("an exception out of the dump of any pass comes out of compile()", "[callbacks]") {
  GraphScope scope;
  Variable x("x", f32, {"n", 4});
  Parameter w("w", ones({4, 3}));
  Expr loss = sum(tanh(matmul(x, w)) * 1 + 0);
  Program program = program_of({loss}, sgd(loss, {w}));
  const std::string text = print(program);
  CompileOptions options;
  options.threads = 1;
  int dumps = 0;
  for (int at = 0;; ++at) {
    int number = 0;
    options.passes.dump = [&](const PassDump&) {
      if (number++ == at) throw Mine{at};
    };
    if (caught([&] { stages_of(program, options); }) != at) break;
    if (at % 5 == 0) CHECK(caught([&] { number = 0, compile(program, options); }) == at);
    ++dumps;
    REQUIRE(print(program) == text);
    REQUIRE_FALSE(w.storage()->torn);
  }
  CHECK(dumps > 5);
  options.passes.dump = nullptr;
  compile(program, options)({{"x", ones({2, 4})}});
  CHECK(w.read().data<float>()[0] < 1);
}

TEST_CASE("an exception out of a template's compilation comes out of the call", "[callbacks]") {
  GraphScope scope;
  Variable a("a"), b("b");
  Parameter w("w", ones({}));
  CompileOptions options;
  options.threads = 1;
  bool throws = true;
  options.passes.dump = [&](const PassDump&) {
    if (throws) throw Mine{7};
  };
  Function f = compile(a * b + w, {{w, w + 1}}, options);
  NamedTensors inputs = {{"a", full({3}, 2)}, {"b", full({3}, 4)}};
  CHECK(caught([&] { f(inputs); }) == 7);
  CHECK(caught([&] { f.all(inputs); }) == 7);
  CHECK(caught([&] { f.bind(inputs); }) == 7);
  CHECK(caught([&] { f.profile(inputs); }) == 7);
  CHECK(w.read().item() == 1);
  // Of ten threads that wait for one compilation, each gets its own exception and none waits for ever.
  std::atomic<int> thrown{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 10; ++t) threads.emplace_back([&] { thrown += caught([&] { f(inputs); }) == 7; });
  for (std::thread& each : threads) each.join();
  CHECK(thrown == 10);
  throws = false;
  CHECK(f(inputs).data<float>()[1] == 9);
  CHECK(w.read().item() == 2);
}

TEST_CASE("an exception out of a specializer comes out of the call", "[callbacks]") {
  int calls = 0;
  Function f({{"x", Type::unknown()}}, [&](const std::unordered_map<std::string, Type>& types, const Bindings&) -> std::shared_ptr<const Executable> {
    if (++calls < 3) throw Mine{calls};
    if (calls == 3) return nullptr;
    GraphScope scope;
    Variable x("x", types.at("x").dtype, types.at("x").shape);
    return executable_of(program_of({x + 1}));
  });
  NamedTensors inputs = {{"x", ones({2})}};
  CHECK(caught([&] { f(inputs); }) == 1);
  CHECK(caught([&] { f(inputs); }) == 2);
  CHECK_THROWS_AS(f(inputs), InternalError);  // it returned nothing
  CHECK(f(inputs).data<float>()[0] == 2);
  CHECK(f(inputs).data<float>()[0] == 2);
  CHECK(calls == 4);
}
