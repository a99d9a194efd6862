// From kernels to native code in this process. No LLVM type here.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/llvm/fatal.h"
#include "codegen/llvm/target.h"
#include "runtime/executable.h"

namespace sinter {

// A custom operation's function as objects call it: by its name.
struct LinkedCall {
  struct Array {
    size_t rank = 0;
    DType dtype = f32;
  };
  std::string symbol;
  std::vector<Array> arrays;  // the operands, then the result
};

// A kernel call as the native function of a graph makes it.
struct CallStep {
  uint32_t kernel = 0;            // which of the kernels
  uint32_t arguments = 0;         // where its arguments begin in CallFrame::arguments
  uint32_t sizes = 0;             // where its sizes begin in CallFrame::sizes
  std::optional<int64_t> chunks;  // where it is known; else CallFrame::chunks[number of the step] is read at the call
  bool parallel = true;           // false: the chunks run one after another in the caller, whatever their number
  bool commits = false;           // Step::commits: nothing stops the call from here on
  std::optional<uint32_t> call = {};  // Step::call: CallFrame::call is called with it, and no kernel
  std::optional<LinkedCall> linked = {};  // in its stead
};

struct CompileTimes {             // seconds: the first three added up over all kernels (whatever the threads), the last two once
  double emit = 0, optimize = 0, generate = 0, link = 0, total = 0;
};

struct Compiled {
  GraphFunction run = nullptr;           // calls the steps in order
  std::vector<KernelFunction> kernels;   // by number
  std::shared_ptr<void> code;            // keeps all of these alive
  CompileTimes times;
};

// Compiles the kernels (they should be distinct), several a module, on that many threads (0: as many as this process has CPUs), and the
// function that calls them. UserError where this machine cannot run the target's code; InternalError where LLVM refuses what was
// emitted; SystemError where there is no memory for code.
// LLVM itself ends the process on its own fatal errors (codegen/llvm/fatal.h), of which `on_fatal` hears before, on whichever thread it is: every
// module is verified first.
Compiled jit_compile(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target, unsigned threads = 0,
                     const FatalReport& on_fatal = {});

// What jit_compile would make of them, as text: LLVM's IR after optimisation, or assembly.
std::string emit_llvm(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target);
std::string emit_asm(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target);

// An object file for the target, which may be any: the function of the whole graph, called `symbol`, and the kernels, which nothing else sees. It
// refers to nothing but what C compilers take for given as well: memcpy, memmove, memset, and where the target has no arithmetic on floats the
// functions of its ABI for that (__aeabi_…), and the functions of its custom operations, by their names. UserError where its addresses are too narrow for
// the sizes, or a custom operation's name is no name in C.
std::string emit_object(const std::vector<Kernel>& kernels, const std::vector<CallStep>& steps, const Target& target, const std::string& symbol);

}  // namespace sinter
