// Operations of the user's own.
#include <fmt/format.h>

#include "graph/expr.h"
#include "graph/ops/expand.h"

namespace sinter {
namespace {

const CustomOperation& operation_of(const Attributes& attributes) { return std::get<CustomCallAttributes>(attributes).operation; }

Type infer_custom(const Inference& in) {
  const CustomOperation& operation = operation_of(in.attributes);
  auto refuse = [&](std::string_view what) { throw UserError(fmt::format("'{}': {}", operation.name(), what)); };
  Type type;
  try {
    type = operation.rules().type(in.inputs);
  } catch (const UserError& error) {
    refuse(error.message());
  }
  if (!type.known || type.weak) refuse(fmt::format("its type rule gives {}, which is no type of a value", to_string(type)));
  if (auto k = operation.rules().in_place_of; k && *k >= in.inputs.size()) refuse(fmt::format("its result may lie in place of operand {}, and it has {}", *k, in.inputs.size()));
  return type;
}

// The operation's own rule, whose word is not taken for what it returns.
std::vector<Expr> custom_gradient(const GradientRule& r) {
  const CustomOperation& operation = operation_of(r.attributes);
  auto refuse = [&](const std::string& what) { throw UserError(fmt::format("custom_call: '{}' {}", operation.name(), what), line_at(Here::current())); };
  if (!operation.rules().gradient) refuse("has no gradient rule; give it one, or put stop_gradient() around it");
  std::vector<Expr> parts = operation.rules().gradient(r);
  if (parts.size() != r.inputs.size()) refuse(fmt::format("has {} operands, and its gradient rule returns {} expressions", r.inputs.size(), parts.size()));
  for (size_t k = 0; k < parts.size(); ++k) {
    if (!r.wanted[k] || !parts[k].defined()) continue;
    if (parts[k].graph() != r.inputs[k].graph()) refuse(fmt::format("has a gradient rule that returns an expression of another graph for operand {}", k));
    const Type &is = parts[k].type(), &expected = r.inputs[k].type();
    if (is.dtype != expected.dtype || is.shape != expected.shape) refuse(fmt::format("has a gradient rule that returns {} for operand {}, which is {}", to_string(is), k, to_string(expected)));
  }
  return parts;
}

}  // namespace

std::span<const OpInfo> custom_ops() {
  static const std::vector<OpInfo> rows = {
      {Op::custom_call, "custom_call", any_arity, Family::call, Promotion::none, false, infer_custom, "by the operation's own rule", nullptr, nullptr, custom_gradient,
       "by the operation's own rule", {}, "What a function of the user's makes of its operands.", "operands...", "custom_call(operation, {operands...})"},
  };
  return rows;
}

}  // namespace sinter
