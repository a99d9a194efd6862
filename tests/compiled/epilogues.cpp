// What is computed of a contraction's result while that is in registers.
#include "tests/compiled/check.h"

using namespace sinter;
using namespace sinter::test;

TEST_CASE("epilogues that see a product's rows as several axes") {
  Variable x("x", f32, {"a", "b", "c", 24}), y("y", f32, {"a", "b", "c", 40});
  Variable w("w", f32, {24, 40}), bias("bias", f32, {40}), of_c("of_c", f32, {"c", 40}), of_b("of_b", f32, {"b", 1, 1}), of_a("of_a", f32, {"a", 1, 1, 40});
  Expr product = matmul(x, w);
  const std::pair<const char*, Expr> cases[] = {
      {"what is the same in all rows", relu(product + bias)},
      {"what is another in each", tanh(product) * y + bias},
      {"the innermost axis of the rows", product + of_c},
      {"the middle one", product * of_b},
      {"the outermost", product - of_a},
      {"all of them", (product * of_b - of_a) + of_c},
      {"an index", product + convert(iota({Dim("a"), Dim("b"), Dim("c"), Dim(40)}, 1), f32)},
      {"both sides of a reshape", reshape(relu(product + of_c), {-1, 40}) + bias},
      {"a gradient", gradients(sum(tanh(product * of_b + of_c)), {x})[0]},
  };
  for (const auto& [what, e] : cases) {
    CompiledProgram c = compiled({e});
    for (auto [a, b, n] : {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1}, {2, 3, 5}, {7, 1, 3}, {1, 16, 9}, {0, 2, 2}}) {
      INFO(what << " at " << a << ", " << b << ", " << n);
      NamedTensors inputs = {{"x", eighths({a, b, n, 24}, 1)}, {"y", values({a, b, n, 40}, 2)}, {"w", eighths({24, 40}, 3)}, {"bias", values({40}, 4)},
                             {"of_c", values({n, 40}, 5)}, {"of_b", values({b, 1, 1}, 6)}, {"of_a", values({a, 1, 1, 40}, 7)}};
      std::erase_if(inputs, [&](const auto& input) { return !c.program.graph.named(input.first).valid() || !reachable(c.program)[c.program.graph.named(input.first).index]; });
      check_call(c.program, c.function, inputs);
    }
    size_t contractions = 0;
    for (const Step& step : c.function.steps()) contractions += step.name == "contraction" && step.fused.size() > 1;
    INFO(what);
    CHECK(contractions > 0);
  }
}

TEST_CASE("what takes a product's batches or columns apart reads it where it is stored") {
  Variable x("x", f32, {6, "m", 8}), w("w", f32, {6, 8, 12}), y("y", f32, {2, 3, "m", 12});
  Expr product = matmul(x, w);
  for (const Expr& e : {reshape(product, {2, 3, Dim("m"), 12}) + y, reshape(product, {6, Dim("m"), 3, 4}) * reshape(y, {6, Dim("m"), 3, 4})}) {
    CompiledProgram c = compiled({e});
    for (int64_t m : {1, 5, 6, 33}) {
      INFO("m = " << m);
      check_call(c.program, c.function, {{"x", eighths({6, m, 8}, 1)}, {"w", eighths({6, 8, 12}, 2)}, {"y", values({2, 3, m, 12}, 3)}});
    }
  }
}
