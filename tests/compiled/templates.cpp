// Variables without a type: compiled for the types of each call, kept, and wrong at the line that wrote it.
#include "tests/compiled/check.h"
#include "tests/raises.h"

using namespace sinter;
using namespace sinter::test;

TEST_CASE("a template is compiled once for each shape") {
  GraphScope scope;
  Variable a("A"), b("B");
  Function f = compile(b * a + Constant(1));
  auto call = [&](const Tensor& x, const Tensor& y) {
    Tensor result = f({{"A", x}, {"B", y}});
    return std::pair(result, f.executable());
  };
  auto [ten, for_ten] = call(ones({10}), full({10}, 2));
  CHECK(same_bits(ten, full({10}, 3)));
  auto [three, for_three] = call(ones({3}), full({3}, 2));
  CHECK(same_bits(three, full({3}, 3)));
  CHECK(for_three != for_ten);
  CHECK(call(full({10}, 4), full({10}, 5)).second == for_ten);  // other values, the same shape
  auto [matrix, for_matrix] = call(ones({2, 1}), full({3}, 2));
  CHECK(same_bits(matrix, full({2, 3}, 3)));
  auto [whole, for_whole] = call(ones({10}, i32), full({10}, 2, i32));
  CHECK(same_bits(whole, full({10}, 3, i32)));
  CHECK(for_whole != for_ten);
  CHECK(call(ones({10}, i32), full({10}, 2)).first.dtype() == f32);
  CHECK(call(ones({10}), full({10}, 2)).second == for_ten);
}

TEST_CASE("templates of compositions") {
  GraphScope scope;
  Variable x("x"), w("w"), b("b");
  Parameter bias("bias", values({5}, 9));
  Expr h = relu(linear(x, w, b) + bias);
  Function f = compile({h, softmax(h), mean(h), layer_norm(h, 2, 1), sum(h, {-1}, true), logsumexp(h), variance(h)});
  for (int64_t n : {1, 7, 33}) {
    NamedTensors inputs = {{"x", values({n, 4}, 1)}, {"w", values({4, 5}, 2)}, {"b", values({5}, 3)}};
    std::vector<Tensor> got = f.all(inputs);
    GraphScope typed;
    Variable x2("x", f32, {"n", 4}), w2("w", f32, {4, 5}), b2("b", f32, {5});
    Parameter bias2("bias", values({5}, 9));
    Expr h2 = relu(linear(x2, w2, b2) + bias2);
    Tolerated want = interpret_with_radii(program_of({h2, softmax(h2), mean(h2), layer_norm(h2, 2, 1), sum(h2, {-1}, true), logsumexp(h2), variance(h2)}), inputs);
    REQUIRE(got.size() == want.outputs.size());
    for (size_t i = 0; i < got.size(); ++i) CHECK(compare(want.outputs[i], want.output_radii[i], got[i]) == "");
  }
}

TEST_CASE("a template may have typed variables, parameters and updates too") {
  GraphScope scope;
  Variable x("x"), y("y", f32, {4}), z("z", f32, {"n"});
  Parameter w("w", ones({3}));
  Function f = compile({x + y, z * 2}, {{w, w + sum(x)}});
  CHECK(same_bits(f.all({{"x", ones({4})}, {"y", ones({4})}, {"z", ones({9})}})[0], full({4}, 2)));
  auto compiled_for_vectors = f.executable();
  std::vector<Tensor> got = f.all({{"x", full({}, 2)}, {"y", ones({4})}, {"z", ones({5})}});
  CHECK(same_bits(got[0], full({4}, 3)));
  CHECK(same_bits(got[1], full({5}, 2)));
  CHECK(same_bits(w.read(), full({3}, 7)));
  f.all({{"x", ones({4})}, {"y", ones({4})}, {"z", ones({2})}});
  CHECK(f.executable() == compiled_for_vectors);  // the typed ones' symbols are no part of what is looked up
}

TEST_CASE("a template's shape errors name the line that wrote the operation") {
  GraphScope scope;
  Variable a("A"), b("B");
  Expr sum_of = a + b;
  uint32_t line = __LINE__ - 1;
  Function f = compile(tanh(sum_of));
  Raised error = raised([&] { f({{"A", ones({3})}, {"B", ones({4})}}); });
  CHECK(error.where.line == line);
  CHECK(error.where.file.ends_with("templates.cpp"));
  CHECK(error.message.find("[3]") != std::string::npos);
  CHECK(error.message.find("[4]") != std::string::npos);
  CHECK(same_bits(f({{"A", zeros({3})}, {"B", zeros({3})}}), zeros({3})));  // and it can be called right afterwards

  Variable x("x"), w("w");
  Function product = compile(sum(relu(matmul(x, w))));
  line = __LINE__ - 1;
  error = raised([&] { product({{"x", ones({2, 3})}, {"w", ones({4, 5})}}); });
  CHECK(error.where.line == line);
  CHECK(error.message.find("matmul") != std::string::npos);
}

TEST_CASE("inputs of templates are checked") {
  GraphScope scope;
  Variable a("A"), b("B", f32, {3});
  Function f = compile(a + b);
  CHECK(raised([&] { f.report(); }).message.find("first call") != std::string::npos);
  CHECK(raised([&] { f({{"A", ones({3})}}); }).message.find("'B'") != std::string::npos);
  CHECK(raised([&] { f({{"B", ones({3})}}); }).message.find("'A'") != std::string::npos);
  CHECK(raised([&] { f({{"A", ones({3})}, {"B", ones({3})}, {"C", ones({3})}}); }).message.find("'C'") != std::string::npos);
  CHECK(raised([&] { f({{"A", ones({3})}, {"B", ones({3}, i32)}}); }).message.find("'B'") != std::string::npos);
}
