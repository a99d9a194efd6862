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
llvm::SmallVector<char, 0> generate(llvm::Module&, llvm::TargetMachine&, bool as_text = false);  // an object file, or assembly

// Writes the body of `int32_t graph(CallFrame*)`.
void emit_graph(llvm::Module&, std::span<const CallStep>, const Target&);

}  // namespace sinter
