// Algebra that keeps every bit.
// May assume: nothing beside a verified program.
// Promises: no rule of the tables in simplify_*.cpp applies any more. Each gives exactly the bits of what it replaces, on every input, any NaN
// counting as any other: so x + 0, x * 0 and x - x of floats stay, -0.0 and infinities being what they are. Nodes without a type are left alone.
#pragma once
#include "passes/pass.h"

namespace sinter {
PassResult simplify(const Program&);
}  // namespace sinter
