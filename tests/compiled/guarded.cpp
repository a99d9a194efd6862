// Compiled code reads and writes nothing beside its buffers: inputs, outputs and parameters lie at the edges of pages that cannot be touched.
#include "tests/compiled/guarded.h"

#include <algorithm>

#include "tests/compiled/check.h"
#include "tests/compiled/random_program.h"

using namespace sinter;
using namespace sinter::test;

namespace {

// A bound call with every buffer guarded, against a plain call. Parameters stay guarded only while this runs.
void check_guarded(const Program& program, const Function& f, const NamedTensors& inputs, Edge edge) {
  std::vector<std::shared_ptr<ParameterStorage>> parameters;
  std::vector<Tensor> before;
  for (size_t i = 0; i < program.graph.size(); ++i)
    if (program.graph.node(NodeId(i)).op == Op::parameter) parameters.push_back(program.graph.parameter(NodeId(i))), before.push_back(parameters.back()->value.clone());
  std::vector<Tensor> want = f.all(inputs), after;
  for (const auto& p : parameters) after.push_back(p->value);

  GuardedMemory memory;
  NamedTensors guarded_inputs;
  std::vector<Tensor> outputs;
  for (const auto& [name, tensor] : inputs) guarded_inputs.emplace(name, memory.copy(tensor, edge));
  for (const Tensor& t : want) outputs.push_back(memory.copy(t, edge));
  for (size_t i = 0; i < parameters.size(); ++i) parameters[i]->value = memory.copy(before[i], edge);
  if (outputs.empty()) f(guarded_inputs);
  else f.bind(guarded_inputs, outputs)();
  for (size_t i = 0; i < want.size(); ++i) CHECK(same_bits(outputs[i], want[i]));
  for (const auto& [name, tensor] : inputs) CHECK(same_bits(guarded_inputs.at(name), tensor));
  for (size_t i = 0; i < parameters.size(); ++i) {
    CHECK(same_bits(parameters[i]->value, after[i]));
    parameters[i]->value = after[i];
  }
}

void check_programs(uint64_t first, uint64_t last) {
  for (uint64_t seed = first; seed < last; ++seed) {
    RandomProgram random = random_program(seed, 4 + static_cast<int>(seed % 23));
    INFO("seed " << seed << "\n" << print(random.program));
    Function f = compile(random.program, random_options(random));
    for (Edge edge : {Edge::begin, Edge::end}) check_guarded(random.program, f, random.inputs(seed % 2 ? 3 : 33, seed % 3 ? 9 : 5), edge);
  }
}

}  // namespace

TEST_CASE("random programs touch nothing beside their buffers") { check_programs(501, 601); }

TEST_CASE("many random programs touch nothing beside their buffers", "[exhaustive]") { check_programs(100000, 105000); }

TEST_CASE("matrix products touch nothing beside their buffers") {
  for (DType type : {f32, f64}) {
    GraphScope scope;
    Variable a("a", type, {"m", "k"}), b("b", type, {"k", "n"}), c("c", type, {"n", "k"}), d("d", type, {"k", "m"}), bias("bias", type, {"n"});
    CompiledProgram products = compiled({matmul(a, b), matmul(a, transpose(c)), matmul(transpose(d), b), relu(matmul(transpose(d), transpose(c)) + bias), matmul(exp(a), b)});
    for (int64_t m : {1, 5, 17})
      for (int64_t k : {1, 7, 300})
        for (int64_t n : {1, 9, 33}) {
          INFO(m << " " << k << " " << n);
          NamedTensors inputs = {{"a", values({m, k}, 1, type)}, {"b", values({k, n}, 2, type)}, {"c", values({n, k}, 3, type)}, {"d", values({k, m}, 4, type)}, {"bias", values({n}, 5, type)}};
          for (Edge edge : {Edge::begin, Edge::end}) check_guarded(products.program, products.function, inputs, edge);
        }
  }
}

TEST_CASE("rows and loops of odd lengths touch nothing beside their buffers") {
  for (DType type : {u8, i32, f32, f64}) {
    GraphScope scope;
    Variable x("x", type, {"n", "m"}), y("y", type, {"m"});
    CompiledProgram c = compiled({x + y, sum(x, {1}), max(x, {0}), sum(x), transpose(x), pad(x, y.dtype() == u8 ? Expr(Constant(Tensor::scalar<uint8_t>(1))) : convert(Constant(1), type), {1, 0}, {0, 2}),
                                  slice(transpose(x), {0, 0}, {"m", "n"}) * 2, reshape(x, {-1}), x - min(x, {1}, true), convert(x, f64), broadcast(y, {"m", 3}, {0})});
    for (int64_t n : {1, 3, 8, 17})
      for (int64_t m : {1, 5, 16, 31, 67}) {
        Tensor a = ones({n, m}, type), b = ones({m}, type);
        for (Edge edge : {Edge::begin, Edge::end}) check_guarded(c.program, c.function, {{"x", a}, {"y", b}}, edge);
      }
  }
}

TEST_CASE("a training step touches nothing beside its buffers") {
  GraphScope scope;
  Variable x("x", f32, {"batch", 13}), y("y", i32, {"batch"});
  Parameter w1("w1", values({13, 37}, 1)), b1("b1", values({37}, 2)), w2("w2", values({37, 11}, 3));
  Expr loss = cross_entropy(matmul(relu(linear(x, w1, b1)), w2), y);
  CompiledProgram step = compiled({loss}, adam(loss, {w1, b1, w2}));
  for (int64_t batch : {1, 7, 33})
    for (Edge edge : {Edge::begin, Edge::end}) {
      Tensor images = values({batch, 13}, 4), classes = labels(batch, 11, 5);
      check_guarded(step.program, step.function, {{"x", images}, {"y", classes}}, edge);
    }
}
