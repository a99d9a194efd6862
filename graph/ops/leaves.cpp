// Leaves: what has no operands. Their types are given when they are declared, but for dimension and iota.
#include <fmt/format.h>

#include "graph/ops/expand.h"

namespace sinter {
namespace {

// Weak, as the literal that it is at the call: a sum of f32 divided by a size is f32.
Type infer_dimension(const Inference&) {
  Type type = Type::of(i64, {});
  type.weak = true;
  return type;
}

Type infer_iota(const Inference& in) {
  const auto& a = std::get<IotaAttributes>(in.attributes);
  if (a.dtype == boolean) throw UserError("counts in a number type, not in bool");
  for (const Dim& d : a.shape)
    if (d.is_number() && d.number() < 0) throw UserError("a size in " + to_string(a.shape) + " is negative");
  const Dim& count = a.shape[static_cast<size_t>(a.axis)];
  const uint64_t most = UINT64_MAX >> (64 - 8 * size_of(a.dtype) + (is_signed(a.dtype) ? 1 : 0));
  if (is_integer(a.dtype) && count.is_number() && count.number() > 0 && static_cast<uint64_t>(count.number()) - 1 > most)
    throw UserError(fmt::format("{} does not hold numbers up to {}", name(a.dtype), count.number() - 1));
  return Type::of(a.dtype, a.shape);
}

OpInfo leaf(Op op, std::string_view name, Type (*infer)(const Inference&), std::string_view shape, std::string_view doc) {
  return {op, name, 0, Family::leaf, Promotion::none, false, infer, shape, nullptr, nullptr, nullptr, "", {}, doc};
}

}  // namespace

std::span<const OpInfo> leaf_ops() {
  static const std::vector<OpInfo> rows = {
      written("Variable(name, dtype, shape)", leaf(Op::variable, "variable", infer_never, "as declared", "A value fed at each call.")),
      written("Parameter(name, tensor)", leaf(Op::parameter, "parameter", infer_never, "its tensor's", "A value that functions share and training steps update.")),
      written("Constant(value)", leaf(Op::constant, "constant", infer_never, "its value's", "A value known when the graph is built.")),
      leaf(Op::dimension, "dimension", infer_dimension, "[]", "A size, known at the call: an i64 scalar that takes the type of what it meets."),
      leaf(Op::iota, "iota", infer_iota, "the attribute `shape`", "0, 1, 2 ... along one axis of a shape."),
  };
  return rows;
}

}  // namespace sinter
