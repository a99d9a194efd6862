// Computes what is known before the call.
// May assume: nothing beside a verified program.
// Promises: a node whose operands are constants is one, with the interpreter's bits, unless it is a broadcast or an iota, which index maps do
// without memory, or makes more elements than it reads, beyond a few, or reads more than fold_limit. Elementwise nodes of broadcast
// scalars become a broadcast scalar, whatever their size.
#pragma once
#include "passes/pass.h"

namespace sinter {
inline constexpr int64_t fold_limit = 65536;
PassResult fold(const Program&);
}  // namespace sinter
