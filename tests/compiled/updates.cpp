// What a step returns and what it replaces: leaves, duplicates, old values, parameters that trade places.
#include "tests/compiled/check.h"

using namespace sinter;
using namespace sinter::test;

TEST_CASE("outputs that are leaves, duplicates, or others moved") {
  GraphScope scope;
  Variable x("x", f32, {"n", 6});
  Parameter w("w", values({6, 4}, 1));
  Expr y = matmul(x, w), t = tanh(x);
  std::vector<Expr> outputs = {x, w, Constant(values({3}, 2)), Constant(7), y, y, transpose(y), reshape(y, {-1}), reshape(x, {-1, 3}), t, reshape(t, {-1}), transpose(t), t + 1, x,
                               slice(y, {0, 1}, {"n", 3}), dimension("n"), iota({"n"}), stop_gradient(t), sum(t), reshape(sum(t), {1, 1})};
  CompiledProgram c = compiled(outputs);
  for (int64_t n : {0, 1, 5, 64}) {
    Tensor given = values({n, 6}, 3);
    std::vector<Tensor> got = check_call(c.program, c.function, {{"x", given}});
    CHECK(same_bits(got[0], given));
    CHECK(same_bits(got[1], w.read()));
    CHECK(same_bits(got[4], got[5]));
    // Each output is a tensor of its own.
    if (n > 0) {
      CHECK(got[0].raw() != given.raw());
      CHECK(got[4].raw() != got[5].raw());
      CHECK(got[4].raw() != got[7].raw());
    }
  }
}

TEST_CASE("a program that computes nothing") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  CompiledProgram c = compiled({x});
  for (int64_t n : {0, 3}) check_call(c.program, c.function, {{"x", values({n}, 1)}});
  CompiledProgram constant = compiled({Constant(values({2, 3}, 1))});
  check_call(constant.program, constant.function, {});
}

TEST_CASE("an update without outputs") {
  GraphScope scope;
  Parameter w("w", values({5}, 1));
  CompiledProgram c = compiled({}, {{w, w * 2}});
  for (int i = 0; i < 3; ++i) check_call(c.program, c.function, {});
  CHECK_FALSE(c.function({}).defined());
}

TEST_CASE("parameters that trade places") {
  GraphScope scope;
  Parameter a("a", values({7, 3}, 1)), b("b", values({7, 3}, 2)), c("c", values({7, 3}, 3));
  Tensor first = a.read(), second = b.read(), third = c.read();
  CompiledProgram swap = compiled({a}, {{a, b}, {b, a}});
  std::vector<Tensor> got = check_call(swap.program, swap.function, {});
  CHECK(same_bits(got[0], first));
  CHECK(same_bits(a.read(), second));
  CHECK(same_bits(b.read(), first));
  check_call(swap.program, swap.function, {});
  CompiledProgram turn = compiled({}, {{a, b}, {b, c}, {c, a}});
  check_call(turn.program, turn.function, {});
  CHECK(same_bits(a.read(), second));
  CHECK(same_bits(b.read(), third));
  CHECK(same_bits(c.read(), first));
  CompiledProgram computed = compiled({a + b}, {{a, b + 1}, {b, a - 1}, {c, a * b}});
  for (int i = 0; i < 3; ++i) check_call(computed.program, computed.function, {});
}

TEST_CASE("parameters that trade places transposed") {
  GraphScope scope;
  Parameter a("a", values({5, 5}, 1)), b("b", values({5, 5}, 2));
  CompiledProgram turned = compiled({}, {{a, transpose(b)}, {b, transpose(a)}});
  for (int i = 0; i < 2; ++i) check_call(turned.program, turned.function, {});
  CompiledProgram itself = compiled({a}, {{a, transpose(a)}});
  for (int i = 0; i < 2; ++i) check_call(itself.program, itself.function, {});
  CompiledProgram shifted = compiled({}, {{a, pad(slice(a, {0, 1}, {5, 5}), 0, {0, 0}, {0, 1})}, {b, matmul(a, b)}});
  for (int i = 0; i < 2; ++i) check_call(shifted.program, shifted.function, {});
}

TEST_CASE("an output that is the old value of what is updated, or its new one") {
  GraphScope scope;
  Variable x("x", f32, {"n", 4});
  Parameter w("w", values({4, 3}, 1));
  Expr loss = mean(tanh(matmul(x, w)));
  Updates step = sgd(loss, {w}, {.rate = 0.5});
  CompiledProgram c = compiled({w, step[0].value, loss, transpose(w), w * 2, reshape(step[0].value, {-1})}, step);
  for (int64_t n : {1, 7}) {
    Tensor before = w.read();
    std::vector<Tensor> got = check_call(c.program, c.function, {{"x", values({n, 4}, 2)}});
    CHECK(same_bits(got[0], before));
    CHECK(same_bits(got[1], w.read()));
  }
}

TEST_CASE("updates that read several parameters, and one that several read") {
  GraphScope scope;
  Variable x("x", f32, {4});
  Parameter a("a", values({4}, 1)), b("b", values({4}, 2)), mean_of("mean", zeros({4})), count("count", Tensor::scalar<int64_t>(0));
  Expr next = count + 1;
  CompiledProgram c = compiled({a * b}, {{a, a + b * x}, {b, maximum(a, b)}, {mean_of, mean_of + (x - mean_of) / convert(next, f32)}, {count, next}});
  for (uint64_t i = 0; i < 4; ++i) check_call(c.program, c.function, {{"x", values({4}, 10 + i)}});
  CHECK(count.read().data<int64_t>()[0] == 4);
  CompiledProgram both = compiled({}, {{a, x}, {b, x}});  // an input is no parameter's storage
  Tensor given = values({4}, 20);
  check_call(both.program, both.function, {{"x", given}});
  CHECK(a.storage()->value.raw() != b.storage()->value.raw());
  CHECK(a.storage()->value.raw() != given.raw());
  CompiledProgram one = compiled({}, {{a, x + 1}, {b, x + 1}});
  check_call(one.program, one.function, {{"x", given}});
}

TEST_CASE("tied weights") {
  GraphScope scope;
  Variable x("x", f32, {"n", 9});
  Parameter w("w", values({9, 14}, 1)), b("b", values({9}, 2));
  // An autoencoder: the decoder is the encoder's transpose.
  Expr y = linear(tanh(matmul(x, w)), transpose(w), b), loss = mse(y, x);
  for (int which = 0; which < 3; ++which) {
    CompiledProgram step = which == 0 ? compiled({loss}, sgd(loss, {w, b})) : which == 1 ? compiled({loss, w}, adamw(loss, {w, b})) : compiled({loss}, momentum(loss, {w, b}, {.clip_norm = 1.0}));
    for (int64_t n : {1, 2, 7, 64, 129}) check_call(step.program, step.function, {{"x", values({n, 9}, 3)}});
  }
}

TEST_CASE("one weight used at every step of a recurrence") {
  GraphScope scope;
  Variable x("x", f32, {"n", 8});
  Parameter w("w", values({8, 8}, 1));
  Expr h = x;
  for (int i = 0; i < 4; ++i) h = tanh(matmul(h, w) * 0.5 + x);
  Expr loss = mean(h * h);
  CompiledProgram step = compiled({loss, h}, sgd(loss, {w}));
  for (int64_t n : {1, 7, 40}) check_call(step.program, step.function, {{"x", values({n, 8}, 2)}});
}

TEST_CASE("functions share parameters") {
  GraphScope scope;
  Variable x("x", f32, {3});
  Parameter w("w", ones({3}));
  Function step = compile(std::vector<Expr>{}, {{w, w + x}}), read = compile(w * 1), evaluate = compile(sum(w * x));
  NamedTensors inputs = {{"x", full({3}, 2)}};
  CHECK(evaluate(inputs).item() == 6);
  step(inputs);
  CHECK(evaluate(inputs).item() == 18);
  CHECK(read({}).data<float>()[0] == 3);
  w.set(full({3}, 5));
  CHECK(evaluate(inputs).item() == 30);
}
