// LLVM modules of kernels, and of the function that calls them: built, verified, optimised and turned to code.
#pragma once
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include "codegen/llvm/jit.h"

namespace sinter {

std::unique_ptr<llvm::TargetMachine> machine_for(const Target&);  // InternalError where LLVM has none
inline constexpr const char* kernel_prefix = "kernel_";
std::string kernel_symbol(size_t number);                         // "kernel_3"
inline constexpr const char* graph_symbol = "graph";

std::unique_ptr<llvm::Module> empty_module(llvm::LLVMContext&, llvm::TargetMachine&, const std::string& name);
// These add a function. It is verified: InternalError with LLVM's complaint, and the kernel, where something is wrong.
void add_kernel(llvm::Module&, const Kernel&, const Target&, const std::string& symbol);
void add_graph(llvm::Module&, std::span<const CallStep>, const Target&, const std::string& symbol);

void check_steps(std::span<const CallStep>, size_t kernels);  // InternalError where one calls a kernel that is not there

void optimize(llvm::Module&, llvm::TargetMachine&);

struct Generated {
  llvm::SmallVector<char, 0> bytes;    // an object file, or assembly
  std::vector<std::string> too_large;  // the functions whose frames are larger than `stack_limit`
};
inline constexpr unsigned stack_limit = 4096;  // bytes a function of generated code may take of a thread's stack
Generated generate(llvm::Module&, llvm::TargetMachine&, bool as_text = false);

// What `make` makes of the kernels of these numbers, given a target for each. A kernel whose frame is too large has too many live values for
// the registers: it is made again with narrower vectors, which take less stack. InternalError where they are as narrow as they get.
Generated make_within_stack(std::span<const size_t> kernels, const Target&, const std::function<Generated(std::span<const Target>)>& make);

// Room on the stack for what the functions of these steps' custom operations are given, one at a time; null where none is called by its name.
llvm::Value* linked_structs(llvm::IRBuilder<>&, std::span<const CallStep>);
// Calls one by its name, given that room and where its arguments and sizes begin. Its result is 0 or `call_failed`.
llvm::Value* emit_linked_call(llvm::IRBuilder<>&, llvm::Module&, const LinkedCall&, llvm::Value* structs, llvm::Value* arguments, llvm::Value* sizes);

// Writes the body of `int32_t symbol(CallFrame*)`.
void emit_graph(llvm::Module&, std::span<const CallStep>, const Target&, const std::string& symbol);

}  // namespace sinter
