#include "tests/aot/samples.h"

#include "graph/builder.h"
#include "graph/expr.h"
#include "graph/support/sanitizers.h"
#include "tools/fuzz/attributes.h"

namespace sinter::aot {
namespace {

// What gives a size to symbols that no operand has.
Program closed(std::vector<Expr> outputs) {
  Program program = program_of(outputs, {});
  try {
    refuse_unbound(program);
    return program;
  } catch (const UserError&) {
    for (const char* symbol : {"n", "m"}) outputs.push_back(Variable(std::string("of ") + symbol, u8, {symbol}));
    return program_of(outputs, {});
  }
}

// UserError where the operation does not take what was drawn.
Sample draw(const OpInfo& row, DType dtype, Attributes* given, uint64_t seed) {
  fuzz::Random random(seed);
  GraphScope scope;
  fuzz::Sizes sizes = fuzz::random_sizes(random);
  Shape shape = sizes.shape(random);
  std::vector<Expr> operands;
  for (int i = 0; i < (row.arity == any_arity ? 1 : row.arity); ++i) {
    DType type = row.promotion == Promotion::select && i == 0 ? boolean : dtype;
    operands.push_back(Variable("x" + std::to_string(i), type, i == 0 || random.chance(2) ? shape : sizes.shape(random)));
  }
  Attributes attributes = given ? *given : fuzz::random_attributes(random, sizes, row.op, operands, fuzz::Values::plain);
  std::vector<NodeId> inputs;
  for (const Expr& e : operands) inputs.push_back(e.id());
  Expr result(current_graph(), build(*current_graph(), row.op, inputs, attributes));
  if (sizes.count(result.shape()) > 5000) throw UserError("too large");
  std::string name = std::string(row.name) + " " + std::string(sinter::name(dtype));
  return {std::string(row.name), name, closed({result}), sizes.bindings.at(0)};
}

}  // namespace

std::vector<Sample> samples() {
  std::vector<Sample> all;
  size_t number = 0;
  for (const OpInfo& row : op_table()) {
    if (row.op == Op::variable || row.op == Op::parameter || row.op == Op::constant) continue;
    for (DType dtype : all_dtypes) {
      std::vector<std::optional<Attributes>> kinds(1);
      if (row.op == Op::convert) {
        kinds.clear();
        for (DType to : all_dtypes) kinds.push_back(ConvertAttributes{to});
      }
      for (auto& given : kinds) {
        if ((address_sanitized || thread_sanitized) && ++number % 8 != 0) continue;
        for (uint64_t seed = 1; seed <= 60; ++seed) try {
            all.push_back(draw(row, dtype, given ? &*given : nullptr, seed));
            break;
          } catch (const UserError&) {
          }
      }
    }
  }
  return all;
}

}  // namespace sinter::aot
