// What a CPU has no instruction for, and LLVM would call a library for, as integer arithmetic that every CPU has. Of scalars only: a CPU
// that has vectors has instructions for theirs.
#pragma once
#include "codegen/llvm/emit.h"

namespace sinter {

// Of unsigned integers; the divisor is not zero.
struct Division {
  llvm::Value *quotient = nullptr, *remainder = nullptr;
};
Division divide_by_steps(Emitter&, llvm::Value* number, llvm::Value* divisor);

// Correctly rounded (to nearest, to even at a tie), as the instruction is.
llvm::Value* square_root_by_steps(Emitter&, llvm::Value*);

// Between integers of 64 bits and f32 or f64. To a float: correctly rounded. To an integer: truncated; of what does not fit, any number.
llvm::Value* wide_to_float(Emitter&, llvm::Value*, bool is_signed, llvm::Type* to);
llvm::Value* float_to_wide(Emitter&, llvm::Value*);

}  // namespace sinter
