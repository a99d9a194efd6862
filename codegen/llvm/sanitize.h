// Kernels that the sanitizer watches which this library is built with: LLVM's own instrumentation, of what runs in this process alone.
#pragma once
#include <llvm/ADT/StringRef.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>

#include "graph/support/sanitizers.h"

namespace sinter {

inline constexpr bool instruments = address_sanitized || thread_sanitized;

// Has every access of the module's functions reported to the sanitizer. Does nothing in a build that has none.
void instrument(llvm::Module&, llvm::TargetMachine&);

// Whether instrumented code may call this function of the process.
bool is_sanitizers_own(llvm::StringRef symbol);

}  // namespace sinter
