// The contract's check mode: a gather or scatter_add whose position lies outside of its axis is an error of the call, at the user's line,
// instead of reading the nearest element or dropping the update. It runs before the pipeline, and only where asked for.
// May assume: nothing beside a verified program.
// Promises: every value is what it was; each gather and scatter_add, templates' untyped ones excepted, reads its positions through a custom
// operation, which throws a UserError at that node's line for the first position outside: whether or not what is read there is used. Of several
// that read at the same positions of axes of one size it is the first one's line.
#pragma once
#include "graph/graph.h"

namespace sinter {
Program check_positions(const Program&);
}  // namespace sinter
