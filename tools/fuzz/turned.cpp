#include "tools/fuzz/turned.h"

#include <algorithm>

namespace sinter::fuzz {
namespace {

int32_t turn(const sinter_custom_call* call) {
  if (call->operand_count != 1 || call->result.dtype != call->operands[0].dtype) return 1;
  int64_t count = 1;
  for (int32_t a = 0; a < call->result.rank; ++a) count *= call->result.sizes[a];
  dispatch_stored(static_cast<DType>(call->result.dtype), [&](auto tag) {
    using T = typename decltype(tag)::type;
    auto *from = static_cast<T*>(call->operands[0].data), *to = static_cast<T*>(call->result.data);
    if (from == to) std::reverse(to, to + count);
    else std::reverse_copy(from, from + count, to);
  });
  return 0;
}

}  // namespace

const CustomOperation& turned() {
  static const CustomOperation operation({
      .name = "turned",
      .type = [](std::span<const Type> operands) { return operands[0]; },
      .gradient = [](const GradientRule& r) { return r.each([&] { return custom_call(turned(), {r.adjoint}); }); },
      .in_place_of = 0,
      .function = turn,
  });
  return operation;
}

}  // namespace sinter::fuzz
