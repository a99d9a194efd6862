// Dead code elimination.
// May assume: nothing beside a verified program.
// Promises: only what outputs and updates reach is left, and the variables, which a caller may go on feeding; the rest keeps its order.
#pragma once
#include "passes/pass.h"

namespace sinter {
PassResult dce(const Program&);
}  // namespace sinter
