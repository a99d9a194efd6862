// Every operation on constants is folded, to what the interpreter makes of it.
#include <catch2/catch.hpp>

#include "graph/builder.h"
#include "graph/interpreter.h"
#include "graph/text.h"
#include "passes/fold.h"
#include "tools/fuzz/attributes.h"

using namespace sinter;

namespace {

// The operation on constants of few elements; UserError where it does not take what was drawn.
Program on_constants(const OpInfo& row, fuzz::Random& random) {
  GraphScope scope;
  const fuzz::Sizes sizes{.dims = {1, 2, 3, 5}, .bindings = {{}}, .elements = 200, .products = 2000};
  const Shape shape = sizes.shape(random);
  const DType dtype = fuzz::random_dtype(random);
  std::vector<Expr> operands;
  for (int i = 0; i < (row.arity == any_arity ? 1 : row.arity); ++i) {
    const DType type = row.promotion == Promotion::select && i == 0 ? boolean : dtype;
    operands.push_back(Constant(fuzz::random_tensor(random, type, sizes.numbers(shape, 1), fuzz::Values::plain)));
  }
  const Attributes attributes = fuzz::random_attributes(random, sizes, row.op, operands, fuzz::Values::plain);
  std::vector<NodeId> inputs;
  for (const Expr& e : operands) inputs.push_back(e.id());
  return program_of({Expr(current_graph(), build(*current_graph(), row.op, inputs, attributes))});
}

bool is_folded(const Program& program) {
  const Node& result = program.graph.node(program.outputs[0]);
  return result.op == Op::constant || (result.op == Op::broadcast && program.graph.node(program.graph.inputs(program.outputs[0])[0]).op == Op::constant);
}

// Any NaN has the bits of any other, so that one says little of what was folded.
bool has_nan(const Tensor& t) {
  if (is_stored_only(t.dtype())) return false;
  return dispatch(t.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const auto values = t.data<T>();
    return std::any_of(values.begin(), values.end(), [](T v) { return v != v; });
  });
}

}  // namespace

TEST_CASE("every operation on constants is folded to the interpreter's bits") {
  for (const OpInfo& row : op_table()) {
    // A broadcast stays an index map; custom operations are called at each call.
    if (row.family == Family::leaf || row.family == Family::sugar || row.family == Family::call || row.op == Op::broadcast) continue;
    INFO(row.name);
    int folded = 0;
    for (uint64_t seed = 1; seed < 4000 && folded < 5; ++seed) {
      fuzz::Random random(seed);
      try {
        const Program program = on_constants(row, random);
        const PassResult result = fold(program);
        if (!is_folded(result.program)) continue;
        const Tensor expected = interpret(program, {}).outputs[0];
        folded += !has_nan(expected) && expected.bytes() > 0;
        INFO(print(program) << "\n" << print(result.program));
        CHECK(result.changed);
        CHECK(same_bits(expected, interpret(result.program, {}).outputs[0]));
      } catch (const UserError&) {
      }
    }
    CHECK(folded == 5);
  }
}
