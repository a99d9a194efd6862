// Exceptions out of what users hand in to be called: they come out at the caller, and all can be used as before.
#include <catch2/catch.hpp>
#include <thread>

#include "graph/text.h"
#include "graph/verify.h"
#include "sinter.h"
#include "tests/hostile/memory.h"
#include "tests/raises.h"

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

namespace {

int32_t square(const sinter_custom_call* call) {
  for (int64_t i = 0; i < call->result.sizes[0]; ++i) {
    float value = static_cast<float*>(call->operands[0].data)[i];
    static_cast<float*>(call->result.data)[i] = value * value;
  }
  return 0;
}

}  // namespace

TEST_CASE("an exception out of a custom operation's type rule comes out where it is asked, and the graph can be built on", "[callbacks]") {
  int thrown = 0, asked = 0;
  auto type = [&](std::span<const Type> types) { return ++asked, thrown ? throw Mine{thrown} : types[0]; };
  CustomOperation squared({.name = "squared", .type = type, .function = square});
  auto fails_while_built = [&] {
    GraphScope scope;
    Variable x("x", f32, {"n"});
    Expr sum = x + 1;
    thrown = 1;
    CHECK(caught([&] { custom_call(squared, {sum, sum}); }) == 1);
    thrown = 0;
    verify(program_of({custom_call(squared, {sum}) * 3}));
  };
  fails_while_built();
  const int64_t held = memory::blocks_held();
  for (int i = 0; i < 10; ++i) fails_while_built();
  CHECK(memory::blocks_held() == held);

  GraphScope scope;
  Variable x("x", f32, {"n"}), late("late");
  Expr sum = x + 1;
  thrown = 2;
  CHECK(caught([&] { custom_call(squared, {sum}); }) == 2);
  thrown = 0;
  Expr made = custom_call(squared, {sum}) * 3;
  CHECK(compile(made)({{"x", ones({2})}}).data<float>()[1] == 12);

  // Of a template it is asked at the call.
  Function f = compile(custom_call(squared, {late}) + 1);
  NamedTensors inputs = {{"late", full({2}, 3)}};
  thrown = 3;
  for (int i = 0; i < 2; ++i) CHECK(caught([&] { f(inputs); }) == 3);
  thrown = 0;
  CHECK(f(inputs).data<float>()[1] == 10);
  CHECK(asked > 20);
}

TEST_CASE("an exception out of a custom operation's gradient rule comes out of gradients(), and the graph can be built on", "[callbacks]") {
  int thrown = 0;
  auto gradient = [&](const GradientRule& r) {
    Expr begun = r.adjoint * 2;  // in the graph by the time that it throws
    return thrown ? throw Mine{thrown} : r.each([&] { return begun * r.inputs[0]; });
  };
  CustomOperation squared({.name = "squared", .type = [](std::span<const Type> types) { return types[0]; }, .gradient = gradient, .function = square});
  auto fails = [&] {
    GraphScope scope;
    Variable x("x", f32, {3});
    Parameter w("w", full({3}, 2));
    Expr loss = sum(custom_call(squared, {w}) * x);
    thrown = 1;
    CHECK(caught([&] { gradients(loss, w); }) == 1);
    thrown = 2;
    CHECK(caught([&] { sgd(loss, {w}); }) == 2);
    thrown = 0;
    verify(program_of({loss, gradients(loss, w)}));
  };
  fails();
  const int64_t held = memory::blocks_held();
  for (int i = 0; i < 10; ++i) fails();
  CHECK(memory::blocks_held() == held);

  GraphScope scope;
  Variable x("x", f32, {3});
  Parameter w("w", full({3}, 2));
  Expr loss = sum(custom_call(squared, {w}) * x);
  NamedTensors inputs = {{"x", full({3}, 5)}};
  thrown = 3;
  CHECK(caught([&] { gradients(loss, w); }) == 3);
  CHECK(compile(loss)(inputs).item() == 60);
  thrown = 0;
  CHECK(compile(gradients(loss, w))(inputs).data<float>()[2] == 20);
  compile(loss, sgd(loss, {w}, {.rate = 0.1}))(inputs);
  CHECK(w.read().data<float>()[0] == Approx(0).margin(1e-6));
}

TEST_CASE("a template that is called by what compiles it is refused, and not waited for", "[callbacks]") {
  GraphScope scope;
  Variable a("a");
  Function f;
  std::string within;
  CompileOptions options;
  options.passes.dump = [&](const PassDump&) {
    if (within.empty()) within = message_of([&] { f({{"a", ones({3})}}); });
  };
  f = compile(a + 1, {}, options);
  CHECK(f({{"a", ones({2})}}).data<float>()[1] == 2);
  CHECK(within.find("callbacks.cpp") != std::string::npos);
  CHECK(within.find("this function is called by what compiles it for another call") != std::string::npos);
  CHECK(f({{"a", ones({3})}}).data<float>()[2] == 2);
}

TEST_CASE("a gradient rule's expressions are of the graph they are asked for", "[callbacks]") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  CustomOperation op({.name = "elsewhere", .type = [](std::span<const Type> operands) { return operands[0]; }, .gradient = [](const GradientRule&) {
                        GraphScope other;
                        return std::vector<Expr>{Variable("q", f32, {"n"}) * 3};
                      }, .function = [](const sinter_custom_call*) -> int32_t { return 0; }});
  Expr loss = sum(custom_call(op, {x}));
  CHECK_THAT(message_of([&] { gradients(loss, x); }), Catch::Contains("'elsewhere' has a gradient rule that returns an expression of another graph for operand 0"));
}
