// Rows side by side: what the two ways of emitting a row kernel share.
#pragma once
#include "codegen/llvm/emit.h"

namespace sinter {

// Sums, maxima and minima in progress: one vector (or scalar) a reduction of a stage.
llvm::Value* identity(Emitter&, Reduction, DType, unsigned lanes);
llvm::Value* combine(Emitter&, Reduction, DType, llvm::Value* a, llvm::Value* b);
DType reduction_type(const RowStage&, const RowReduction&);

// The steps that a chunk takes of inner loop number `loop`.
std::pair<llvm::Value*, llvm::Value*> inner_range(Emitter&, const RowKernel&, size_t loop);
// The indices of all loops, and the chunk's number where the kernel is numbered; `inner` (or null) for each inner one.
Values row_indices(Emitter&, const RowKernel&, const Values& outer, llvm::Value* inner);

// Vectors along the last inner loop: one row at a time.
void emit_row_stages(Emitter&, const RowKernel&, const std::vector<RowStage>&, const Values& outer);
// Vectors along the last outer loop: `vectors` vectors of rows from outer.back() on; `mask` (of one vector) where some do not exist.
void emit_row_vectors(Emitter&, const RowKernel&, const Values& outer, unsigned lanes, int64_t vectors, llvm::Value* mask);

}  // namespace sinter
