// One LLVM module a kernel, and one for the function that calls them: built, verified, optimised and turned to code.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/llvm/jit.h"

namespace sinter {

std::unique_ptr<llvm::TargetMachine> machine_for(const Target&);  // InternalError where LLVM has none
std::string kernel_symbol(size_t number);                         // "kernel_3"
inline constexpr const char* graph_symbol = "graph";

// Both are verified: InternalError with LLVM's complaint and the kernel where something is wrong.
std::unique_ptr<llvm::Module> kernel_module(llvm::LLVMContext&, llvm::TargetMachine&, const Kernel&, const Target&, const std::string& symbol);
std::unique_ptr<llvm::Module> graph_module(llvm::LLVMContext&, llvm::TargetMachine&, std::span<const CallStep>, const Target&);

void optimize(llvm::Module&, llvm::TargetMachine&);

struct Generated {
  llvm::SmallVector<char, 0> bytes;  // an object file, or assembly
  bool fits_stack = true;            // no function's frame is larger than `stack_limit`
};
inline constexpr unsigned stack_limit = 4096;  // bytes a function of generated code may take of a thread's stack
Generated generate(llvm::Module&, llvm::TargetMachine&, bool as_text = false);

// Writes the body of `int32_t graph(CallFrame*)`.
void emit_graph(llvm::Module&, std::span<const CallStep>, const Target&);

}  // namespace sinter
