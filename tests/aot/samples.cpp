#include "tests/aot/samples.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

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

// UserError where the operation does not take what was drawn, or takes it as another type.
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
  bool as_named = operands.empty() ? result.dtype() == dtype : std::any_of(operands.begin(), operands.end(), [&](const Expr& e) { return e.dtype() == dtype; });
  if (!as_named) throw UserError("of another type");
  if (sizes.count(result.shape()) > 5000) throw UserError("too large");
  return {std::string(row.name), {}, closed({result}), sizes.bindings.at(0)};
}

// The types that an operation takes no operand of, whatever its attributes, or, where it has no operands, does not give.
std::set<std::string> not_taken() {
  static const struct {
    std::vector<std::string> operations;
    std::vector<DType> dtypes;
  } rows[] = {
      {{"bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor"}, {f32, f64, f16, bf16}},
      {{"bitwise_count", "shift_left", "shift_right"}, {boolean, f32, f64, f16, bf16}},
      {{"logical_and", "logical_not", "logical_or"}, {u8, i32, u32, i64, u64, f32, f64, f16, bf16}},
      {{"contract", "matmul", "scatter_add", "iota"}, {boolean}},
      {{"iota"}, {f16, bf16}},
      {{"dimension"}, {boolean, u8, i32, u32, u64, f32, f64, f16, bf16}},
  };
  std::set<std::string> names;
  for (const auto& [operations, dtypes] : rows)
    for (const std::string& operation : operations)
      for (DType dtype : dtypes) names.insert(operation + " " + std::string(name(dtype)));
  return names;
}

}  // namespace

std::vector<Sample> samples() {
  std::vector<Sample> all;
  std::set<std::string> refused;
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
        std::string name = std::string(row.name) + " " + std::string(sinter::name(dtype));
        if (given) name += " to " + std::string(sinter::name(std::get<ConvertAttributes>(*given).dtype));
        std::optional<Sample> sample;
        for (uint64_t seed = 1; seed <= 60 && !sample; ++seed) try {
            sample = draw(row, dtype, given ? &*given : nullptr, seed);
          } catch (const UserError&) {
          }
        if (!sample) {
          refused.insert(name);
          continue;
        }
        sample->name = name;
        all.push_back(std::move(*sample));
      }
    }
  }
  if (!address_sanitized && !thread_sanitized) CHECK(refused == not_taken());
  return all;
}

}  // namespace sinter::aot
