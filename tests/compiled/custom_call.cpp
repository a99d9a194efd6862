// Operations of a user's own, compiled: their values, memory and failures.
#include <atomic>
#include <thread>

#include "tests/compiled/check.h"
#include "tests/raises.h"

using namespace sinter;
using namespace sinter::test;

namespace {

int64_t count_of(const sinter_array& a) {
  int64_t count = 1;
  for (int32_t i = 0; i < a.rank; ++i) count *= a.sizes[i];
  return count;
}

Type same_floats(std::span<const Type> operands) {
  for (const Type& t : operands)
    if (t.dtype != f32 || t.shape != operands[0].shape) throw UserError("takes f32 of one shape, not " + to_string(t));
  return operands[0];
}

// a * b + 1 of one operand twice or of two, elementwise, whatever lies where; counts how often it ran, and how often in place.
struct Counts {
  std::atomic<int> calls{0}, in_place{0};
};
int32_t multiply_add(const sinter_custom_call* call) {
  const auto* a = static_cast<const float*>(call->operands[0].data);
  const auto* b = static_cast<const float*>(call->operands[call->operand_count - 1].data);
  auto* to = static_cast<float*>(call->result.data);
  for (int64_t i = 0; i < count_of(call->result); ++i) to[i] = a[i] * b[i] + 1;
  if (auto* counts = static_cast<Counts*>(call->data)) ++counts->calls, counts->in_place += call->result.data == call->operands[0].data;
  return call->result.dtype == sinter_f32 && call->result.rank == call->operands[0].rank ? 0 : 1;
}
CustomOperation multiply_add_operation(Counts* counts = nullptr, std::optional<size_t> in_place_of = {}) {
  return CustomOperation({.name = "multiply add", .type = same_floats, .in_place_of = in_place_of, .function = multiply_add, .data = counts});
}

}  // namespace

TEST_CASE("a custom operation's result is the same compiled and interpreted, at any sizes and among any others") {
  GraphScope scope;
  CustomOperation op = multiply_add_operation();
  Variable x("x", f32, {"n", 3}), b("b", f32, {3});
  Expr inner = custom_call(op, {x * 2 + b, x});
  Expr outer = custom_call(op, {transpose(reshape(inner, {3, "n"})), broadcast_to(max(inner, {0}), {"n", 3})});
  Expr counted = custom_call(op, {convert(iota({"n", 3}, 1), f32)});
  Expr flat = custom_call(op, {reshape(x, {-1})}), scalar = custom_call(op, {Constant(Tensor::scalar(1.5f)), 2.5f * max(x)});
  for (unsigned threads : {1u, 3u}) {
    CompiledProgram c = compiled({inner, tanh(outer) * x, counted, flat, scalar, sum(inner * outer, {1}), reshape(inner, {3, "n"})}, {}, {.threads = threads});
    for (int64_t n : {5, 1, 0, 333}) check_call(c.program, c.function, {{"x", values({n, 3}, 1)}, {"b", values({3}, 2)}});
  }
}

TEST_CASE("a custom operation takes operands of every type, and none") {
  auto copied = [](const sinter_custom_call* call) -> int32_t {
    const size_t widths[] = {1, 1, 4, 8, 4, 8, 4, 8, 2, 2};
    std::memcpy(call->result.data, call->operands[0].data, static_cast<size_t>(count_of(call->result)) * widths[call->operands[0].dtype]);
    return 0;
  };
  auto three = [](const sinter_custom_call* call) -> int32_t {
    for (int i = 0; i < 3; ++i) static_cast<int64_t*>(call->result.data)[i] = 7 + i;
    return call->operand_count;
  };
  CustomOperation copy({.name = "copy", .type = [](std::span<const Type> types) { return types[0]; }, .function = copied});
  CustomOperation numbers({.name = "numbers", .type = [](std::span<const Type>) { return Type::of(i64, {3}); }, .function = three});
  for (DType type : all_dtypes) {
    GraphScope scope;
    Variable x("x", type, {2, "n"});
    CompiledProgram c = compiled({custom_call(copy, {transpose(x)}), custom_call(numbers, {}) * 2});
    std::vector<Tensor> got = check_call(c.program, c.function, {{"x", full({2, 3}, 1, type)}});
    CHECK(got[0].dtype() == type);
    CHECK(got[1].data<int64_t>()[2] == 18);
  }
}

TEST_CASE("a result lies in place of the operand that its operation names, where nothing else needs that") {
  auto in_place = [](auto make, std::optional<size_t> in_place_of) {
    GraphScope scope;
    Counts counts;
    Variable x("x", f32, {4, "n"});
    CompiledProgram c = compiled(make(multiply_add_operation(&counts, in_place_of), x));
    check_call(c.program, c.function, {{"x", values({4, 50}, 1)}});
    counts.in_place = 0;
    c.function({{"x", values({4, 50}, 1)}});
    return counts.in_place.load();
  };
  using Outputs = std::vector<Expr>;
  auto of_value = [](const CustomOperation& op, const Expr& x) { return Outputs{sum(custom_call(op, {tanh(x), x}))}; };
  CHECK(in_place(of_value, 0) == 1);
  CHECK(in_place(of_value, {}) == 0);
  auto of_input = [](const CustomOperation& op, const Expr& x) { return Outputs{custom_call(op, {x, tanh(x)})}; };
  CHECK(in_place(of_input, 0) == 0);
  auto read_twice = [](const CustomOperation& op, const Expr& x) {
    Expr t = tanh(x);
    return Outputs{sum(custom_call(op, {t, t}))};
  };
  CHECK(in_place(read_twice, 0) == 0);
  auto read_later = [](const CustomOperation& op, const Expr& x) {
    Expr t = exp(x), made = custom_call(op, {t, x});
    return Outputs{sum(matmul(transpose(t), custom_call(op, {made, x})))};
  };
  CHECK(in_place(read_later, 0) == 1);  // of its own result, not of t
  GraphScope scope;
  Variable x("x", f32, {4});
  CustomOperation beyond = multiply_add_operation(nullptr, 1);
  CHECK(raised([&] { custom_call(beyond, {x}); }).message.find("in place of operand 1") != std::string::npos);
}

TEST_CASE("parameters are updated by custom operations, in place where that is allowed") {
  for (bool transactional : {false, true}) {
    GraphScope scope;
    Counts counts;
    CustomOperation op = multiply_add_operation(&counts, 0);
    Variable x("x", f32, {3});
    Parameter w("w", values({3}, 3)), v("v", values({3}, 4));
    CompiledProgram c = compiled({sum(w)}, {{w, custom_call(op, {w, x})}, {v, v + custom_call(op, {w, v})}}, {.transactional = transactional});
    check_call(c.program, c.function, {{"x", values({3}, 1)}});
    check_call(c.program, c.function, {{"x", values({3}, 2)}});
  }
}

TEST_CASE("calls stand among any number of kernels") {
  for (int count : {3, 60}) {
    GraphScope scope;
    CustomOperation op = multiply_add_operation();
    Variable x("x", f32, {"n", 4});
    Expr at = x;
    for (int i = 0; i < count; ++i) at = i % 3 == 0 ? custom_call(op, {at, x}) : tanh(at * Constant(uniform({4}, static_cast<uint64_t>(i))));
    CompiledProgram c = compiled({at, custom_call(op, {at, x})});
    check_call(c.program, c.function, {{"x", values({9, 4}, 1)}});
    std::vector<StepTime> times = c.function.profile({{"x", values({9, 4}, 1)}});
    CHECK(times.size() == c.function.steps().size());
  }
}

TEST_CASE("a function of calls alone has no kernels") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  Expr result = custom_call(multiply_add_operation(), {x, x});
  Stages stages = stages_of(program_of({result}));
  CHECK(stages.kernels.empty());
  CHECK(stages.steps.size() == 1);
  CompiledProgram c = compiled({result}, {}, {});
  for (int64_t n : {7, 0}) check_call(c.program, c.function, {{"x", values({n}, 1)}});
  CHECK(compile(result).profile({{"x", values({7}, 1)}}).size() == 1);
}

TEST_CASE("equal calls are made once, those that nothing needs not at all, and none while compiling") {
  GraphScope scope;
  Counts counts;
  CustomOperation op = multiply_add_operation(&counts);
  Expr two = Constant(ones({4}));
  Expr a = custom_call(op, {two}), b = custom_call(op, {two}), unneeded = custom_call(op, {a * 2});
  Function f = compile(a + b);
  CHECK(counts.calls == 0);
  CHECK(f(NamedTensors()).data<float>()[3] == 4);
  CHECK(counts.calls == 1);
}

TEST_CASE("what fails in a custom operation reaches the caller, at the line that built it") {
  GraphScope scope;
  int32_t code = 0;
  bool throws = false;
  CustomOperation op({.name = "sensor", .type = same_floats, .function = [&](const sinter_custom_call* call) -> int32_t {
                        if (throws) throw std::out_of_range("no such sensor");
                        std::fill_n(static_cast<float*>(call->result.data), count_of(call->result), 2.f);
                        return code;
                      }});
  Variable x("x", f32, {3});
  Parameter w("w", zeros({3})), kept("kept", zeros({3}));
  const Location line = Here::current();
  Expr made = custom_call(op, {x});
  Expr later = w + tanh(made) * 0 + 1;
  Function step = compile(sum(made), {{w, later}}), careful = compile(sum(made), {{kept, kept + made}}, {.transactional = true});
  NamedTensors inputs = {{"x", ones({3})}};
  BoundFunction bound = step.bind(inputs);
  bound();
  CHECK(w.read().data<float>()[0] == 1);

  code = 7;
  for (auto run : std::vector<std::function<void()>>{[&] { bound(); }, [&] { w.set(zeros({3})), step(inputs); }, [&] { w.set(zeros({3})), step.profile(inputs); },
                                                     [&] { careful(inputs); }, [&] { interpret(program_of({made}), inputs); }}) {
    Raised error = raised(run);
    CHECK_THAT(error.message, Catch::StartsWith("custom_call: 'sensor' failed with the code 7"));
    CHECK(error.where == Location(line.file, line.line + 1));
  }
  code = 0;
  CHECK(raised([&] { step(inputs); }).message.find("'w'") != std::string::npos);  // torn, until it is set
  w.set(zeros({3}));
  step(inputs);
  careful(inputs);
  CHECK(kept.read().data<float>()[0] == 2);  // the failed call left it alone

  throws = true;
  try {
    step(inputs);
    FAIL("nothing was thrown");
  } catch (const UserError& error) {
    CHECK_THAT(error.message(), Catch::StartsWith("custom_call: 'sensor' failed: no such sensor (in the call at "));
    CHECK(error.where() == Location(line.file, line.line + 1));
    CHECK_THROWS_AS(std::rethrow_if_nested(error), std::out_of_range);
  }
  throws = false;
  w.set(zeros({3}));
  step(inputs);
}

TEST_CASE("a custom operation may call what reads the call's parameters, and is refused what would wait for the call") {
  GraphScope scope;
  Parameter w("w", zeros({3})), v("v", zeros({3})), u("u", zeros({3}));
  Variable x("x", f32, {3});
  Function reads = compile(w * 2), updates = compile({}, {{w, w + 1}});
  std::function<void()> within;
  CustomOperation op({.name = "calling", .type = same_floats, .function = [&](const sinter_custom_call* call) -> int32_t {
                        within();
                        return multiply_add(call);
                      }});
  Expr called = custom_call(op, {x});
  Function reader = compile(called + w + v), updater = compile(called, {{w, w + called}});
  NamedTensors inputs{{"x", zeros({3})}};
  auto refused_by = [&](Function& outer, std::function<void()> what) {
    within = std::move(what);
    return raised([&] { outer(inputs); }).message;
  };

  within = [&] { reads({}), w.read(), v.read(); };
  reader(inputs);
  CHECK_THAT(refused_by(reader, [&] { w.set(zeros({3})); }), Catch::Contains("the parameter 'w' is read by a call whose custom operation is running; that cannot set it"));
  CHECK_THAT(refused_by(reader, [&] { updates({}); }), Catch::Contains("'w' is read by a call"));
  CHECK_THAT(refused_by(updater, [&] { reads({}); }), Catch::Contains("the parameter 'w' is updated by a call whose custom operation is running; that can neither read nor set it"));
  w.set(zeros({3}));  // half-updated by the call that failed
  CHECK_THAT(refused_by(updater, [&] { w.read(); }), Catch::Contains("'w' is updated by a call"));

  // Two deep: the outermost call's locks count as well, and all are free again afterwards.
  w.set(zeros({3}));
  Variable y("y", f32, {3});
  Function outermost = compile(custom_call(CustomOperation({.name = "outermost", .type = same_floats, .function = [&](const sinter_custom_call* call) -> int32_t {
                                             reader(inputs);
                                             return multiply_add(call);
                                           }}), {y}) * u);
  within = [&] { u.set(zeros({3})); };
  CHECK_THAT(raised([&] { outermost({{"y", zeros({3})}}); }).message, Catch::Contains("'u' is read by a call"));
  within = [] {};
  std::thread([&] { w.set(zeros({3})), v.set(zeros({3})), u.set(zeros({3})), updater(inputs); }).join();
  CHECK(w.read().data<float>()[0] == 1);
}

TEST_CASE("a bound function is refused to its own custom operation, and to a second thread, until it has ended") {
  GraphScope scope;
  std::function<void()> within = [] {};
  CustomOperation op({.name = "calling", .type = same_floats, .function = [&](const sinter_custom_call* call) -> int32_t {
                        within();
                        return multiply_add(call);
                      }});
  Variable x("x", f32, {3});
  Function f = compile(tanh(custom_call(op, {x * 2})));
  BoundFunction call = f.bind({{"x", ones({3})}});
  const char* refusal = "this bound function is running already, and has one arena: bind another";
  within = [&] { call(); };
  CHECK_THAT(raised([&] { call(); }).message, Catch::Contains(refusal));
  std::string elsewhere;
  within = [&] { std::thread([&] { elsewhere = raised([&] { call(); }).message; }).join(); };
  call();
  CHECK_THAT(elsewhere, Catch::Contains(refusal));
  int depth = 0;
  within = [&] {
    if (++depth == 1) f({{"x", ones({3})}});  // a call by name has an arena of its own
  };
  call();
  CHECK(depth == 2);
  CHECK(call.outputs()[0].data<float>()[0] == std::tanh(5.0f));
}

TEST_CASE("a call that is stopped within a custom operation ends after it") {
  GraphScope scope;
  Function f;
  CustomOperation op({.name = "stopping", .type = same_floats, .function = [&](const sinter_custom_call* call) -> int32_t {
                        multiply_add(call);
                        f.stop();
                        return 0;
                      }});
  Variable x("x", f32, {"n"});
  f = compile(tanh(custom_call(op, {x})));
  CHECK_THROWS_AS(f({{"x", ones({3})}}), SystemError);
}

TEST_CASE("a custom operation runs in several calls at once") {
  GraphScope scope;
  Counts counts;
  Variable x("x", f32, {"n"});
  Function f = compile(tanh(custom_call(multiply_add_operation(&counts), {x * 2})));
  Tensor want = f({{"x", values({1000}, 1)}});
  std::atomic<bool> all_same{true};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i)
        if (!same_bits(f({{"x", values({1000}, 1)}}), want)) all_same = false;
    });
  for (std::thread& t : threads) t.join();
  CHECK(all_same);
  CHECK(counts.calls == 201);
}

TEST_CASE("a template calls custom operations at the types of each call") {
  GraphScope scope;
  Variable x("x");
  Function f = compile(custom_call(multiply_add_operation(), {x * x}) + 1);
  CHECK(f({{"x", full({2, 2}, 2)}}).data<float>()[3] == 18);
  CHECK(f({{"x", full({5}, 1)}}).data<float>()[4] == 3);
  CHECK(raised([&] { f({{"x", full({5}, 1, f64)}}); }).message.find("takes f32 of one shape") != std::string::npos);
}
