// Brings what fusion does not take as it is into the forms it takes.
// May assume: a verified program whose types are known.
// Promises: each operand of a contraction has its batch axes, one free axis and one contracted axis; no pad has interior padding; a reduction
// has an axis; there is no gather and no scatter_add, which are reductions over all positions until kernels read where they are told (so a
// gather costs as much as its axis is long). Values do not change, nor does the order of a contraction's sum.
#pragma once
#include "passes/pass.h"

namespace sinter {
PassResult legalize(const Program&);
}  // namespace sinter
