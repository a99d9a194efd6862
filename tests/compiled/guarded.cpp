// Compiled code reads and writes nothing beside its buffers: inputs, outputs and parameters lie at the edges of pages that cannot be touched.
#include "tests/compiled/check.h"
#include "tools/fuzz/check.h"

using namespace sinter;
using namespace sinter::test;

namespace {

// Each call with every buffer guarded, against a plain one.
void check_guarded(const std::vector<Expr>& outputs, const Updates& updates, const std::vector<NamedTensors>& calls) {
  static const std::string_view only[] = {"memory"};
  if (auto failure = fuzz::failure_of({program_of(outputs, updates), calls}, only)) FAIL_CHECK(failure->what);
}

}  // namespace

TEST_CASE("matrix products touch nothing beside their buffers") {
  for (DType type : {f32, f64}) {
    GraphScope scope;
    Variable a("a", type, {"m", "k"}), b("b", type, {"k", "n"}), c("c", type, {"n", "k"}), d("d", type, {"k", "m"}), bias("bias", type, {"n"});
    std::vector<Expr> products = {matmul(a, b), matmul(a, transpose(c)), matmul(transpose(d), b), relu(matmul(transpose(d), transpose(c)) + bias), matmul(exp(a), b)};
    std::vector<NamedTensors> calls;
    for (int64_t m : {1, 5, 17})
      for (int64_t k : {1, 7, 300})
        for (int64_t n : {1, 9, 33})
          calls.push_back({{"a", values({m, k}, 1, type)}, {"b", values({k, n}, 2, type)}, {"c", values({n, k}, 3, type)}, {"d", values({k, m}, 4, type)}, {"bias", values({n}, 5, type)}});
    check_guarded(products, {}, calls);
  }
}

TEST_CASE("rows and loops of odd lengths touch nothing beside their buffers") {
  for (DType type : {u8, i32, f32, f64}) {
    GraphScope scope;
    Variable x("x", type, {"n", "m"}), y("y", type, {"m"});
    std::vector<Expr> outputs = {x + y, sum(x, {1}), max(x, {0}), sum(x), transpose(x), pad(x, y.dtype() == u8 ? Expr(Constant(Tensor::scalar<uint8_t>(1))) : convert(Constant(1), type), {1, 0}, {0, 2}),
                                  slice(transpose(x), {0, 0}, {"m", "n"}) * 2, reshape(x, {-1}), x - min(x, {1}, true), convert(x, f64), broadcast(y, {"m", 3}, {0})};
    std::vector<NamedTensors> calls;
    for (int64_t n : {1, 3, 8, 17})
      for (int64_t m : {1, 5, 16, 31, 67}) calls.push_back({{"x", ones({n, m}, type)}, {"y", ones({m}, type)}});
    check_guarded(outputs, {}, calls);
  }
}

TEST_CASE("a training step touches nothing beside its buffers") {
  GraphScope scope;
  Variable x("x", f32, {"batch", 13}), y("y", i32, {"batch"});
  Parameter w1("w1", values({13, 37}, 1)), b1("b1", values({37}, 2)), w2("w2", values({37, 11}, 3));
  Expr loss = cross_entropy(matmul(relu(linear(x, w1, b1)), w2), y);
  std::vector<NamedTensors> calls;
  for (int64_t batch : {1, 7, 33}) calls.push_back({{"x", values({batch, 13}, 4)}, {"y", labels(batch, 11, 5)}});
  check_guarded({loss}, adam(loss, {w1, b1, w2}), calls);
}
