// What compiling makes and what runs it: native code, the buffers it works on, and what there is to show of it. No LLVM in sight.
#pragma once
#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/custom_operation.h"
#include "graph/dim.h"
#include "graph/parameter.h"
#include "graph/tensor.h"
#include "graph/type.h"

namespace sinter {

// A compiled kernel; see codegen/kernel.h.
using KernelFunction = void (*)(void* const* arguments, const int64_t* sizes, int64_t chunk, int64_t worker);

// How often the calls of a function were asked to stop. A call that finds another number than the one it began at stops as soon as it can.
using StopCount = std::atomic<uint32_t>;
static_assert(sizeof(StopCount) == 4 && StopCount::is_always_lock_free);  // native code reads its four bytes
constexpr int32_t call_stopped = 1;  // what a native function returns then
constexpr int32_t call_failed = 2;   // and where a custom operation failed

// What the native function of a whole graph is given. Its tables are made once a binding of the sizes.
struct CallFrame {
  void* const* arguments;   // all steps' kernel arguments, one after another
  const int64_t* sizes;     // all steps' sizes, one after another
  const int64_t* chunks;    // one a step
  // Runs kernel(arguments, sizes, 0 … chunks - 1) on the pool. Returns 0, or nonzero where the call was stopped.
  int32_t (*parallel)(CallFrame*, KernelFunction, void* const* arguments, const int64_t* sizes, int64_t chunks);
  void* host;               // the executor's own
  const StopCount* stops;   // never null; the native function compares it with `began` before each step but the first, `parallel` before each chunk
  uint32_t began;
  // Set by the native function of a transactional executable before the copies that end it (Step::commits). From there on nothing looks at
  // `stops`: they are made to the end.
  int32_t committing;
  // Calls the function of Executable::calls[call] on these arguments, and these sizes of them. Returns 0, or nonzero where it failed.
  int32_t (*call)(CallFrame*, int64_t call, void* const* arguments, const int64_t* sizes) = nullptr;
};
// 0, or nonzero where the call was stopped midway.
using GraphFunction = int32_t (*)(CallFrame*);

// Where a buffer's elements lie.
enum class Storage : uint8_t { input, parameter, constant, output, arena };

struct Buffer {
  Storage storage = Storage::arena;
  uint32_t index = 0;       // of the input, parameter, constant or output
  Type type;                // arena buffers used as scratch: u8[bytes]
  bool per_worker = false;  // scratch: one a worker, side by side; `type` is one worker's
  uint32_t first = 0, last = 0;  // arena: the steps between which it is live, inclusive
  std::string name;         // for pictures
};

// A custom operation as one step calls it.
struct CustomCall {
  CustomOperation operation;
  std::vector<Type> arrays;  // the operands, then the result
  Location where;            // the line that built it
};

// One kernel call of the native function, or the call of a custom operation.
struct Step {
  std::string name;         // kind, and what it computes
  std::vector<std::string> fused;   // operations in it, by name
  std::vector<uint32_t> buffers;    // of its kernel's arguments; of a custom call's arrays
  std::vector<uint32_t> stored = {};  // which of all buffers it leaves something in; where these are empty, and there are any, it has no chunks
  std::vector<Dim> sizes;           // of its kernel; of a custom call's arrays, one array after another
  Dim chunks = 1;                   // the native function calls the kernel once for each
  uint32_t kernel = 0;      // which of the distinct kernels
  std::vector<Location> origins;    // the user's lines
  bool commits = false;     // of a transactional executable: one of the copies that end it and alone write its parameters
  std::optional<uint32_t> call = {};  // of Executable::calls; it has no kernel then, and one chunk
};

struct Report {             // for people; filled by compile()
  size_t nodes_before = 0, nodes_after = 0, kernels = 0;
  double compile_seconds = 0;
};

// A value of the program as it was written, of symbolic sizes.
struct SizedValue {
  std::string name;
  Type type;
  Location where;
};

struct Executable {
  std::vector<NamedType> inputs;                               // in the order they are declared; a call must give all of them
  std::vector<std::shared_ptr<ParameterStorage>> parameters;   // all that are read or updated
  std::vector<bool> updated;                                   // by parameter
  bool transactional = false;                                  // steps that do not commit write no parameter
  std::vector<Tensor> constants;
  std::vector<Type> outputs;
  std::vector<SizedValue> values;                              // each shape once; a call where one has no size is refused, though no step need store it
  std::vector<Buffer> buffers;
  std::vector<Step> steps;
  std::vector<CustomCall> calls;                               // by Step::call
  std::vector<KernelFunction> kernels;                         // by Step::kernel, to run single steps; may be empty
  GraphFunction run = nullptr;
  std::shared_ptr<void> code;                                  // keeps `run` alive
  unsigned threads = 0;                                        // 0: the CPUs this process may use
  Report report;
};

}  // namespace sinter
