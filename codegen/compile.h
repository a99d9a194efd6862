// compile(): from expressions to a function. Reads like the picture in the README: a line a stage.
#pragma once
#include <concepts>
#include <functional>
#include <string>
#include <vector>

#include "codegen/llvm/jit.h"
#include "codegen/llvm/target.h"
#include "codegen/lower.h"
#include "graph/expr.h"
#include "passes/manager.h"
#include "passes/memory_plan.h"
#include "passes/schedule.h"
#include "runtime/function.h"

namespace sinter {

struct CompileOptions {
  unsigned threads = 0;              // that a call may use, the caller included; 0: the CPUs this process may use
  PassOptions passes = {};
  const Target* target = nullptr;    // null: this machine
  // Whether a call that is stopped (Function::stop) leaves the parameters as they were. Each new value is then computed beside the old one,
  // which takes as much memory again, and copied at the end. Without it values are replaced in place, and a stopped call's parameters are
  // refused until set.
  bool transactional = false;
  // Whether a compile that fails by a fault of sinter's own leaves the program in a file (codegen/dump.h), which the error names. The values
  // of parameters are not in it; constants are.
  bool leaves_dump = true;
  // Whether a call whose gather or scatter_add (take, embedding, ...) is given a position outside of its axis is refused, with a UserError at
  // the line of that operation, instead of reading the nearest element or dropping the update. For finding a fault: each of them becomes the
  // call of a function on the thread that calls. Parameters that a refused call updates are then refused until set, unless transactional.
  bool checks_positions = false;
  bool fuses = true;  // whether one kernel may compute several nodes; without that a fault is easier to place
};

// What the function returns at each call, and what it updates after: a parameter's new value is computed from the old ones of all.
// UserError where the expressions belong to several graphs, an update does not fit its parameter, or no input gives a symbolic size its value.
Function compile(const std::vector<Expr>& outputs, const Updates& = {}, const CompileOptions& = {}, Here = Here::current());
Function compile(const Program&, const CompileOptions& = {}, Here = Here::current());
// Of one output. A template, so that compile({}, updates) means no output.
template <std::derived_from<Expr> T>
Function compile(const T& output, const Updates& updates = {}, const CompileOptions& options = {}, Here where = Here::current()) {
  return compile(std::vector<Expr>{output}, updates, options, where);
}

// Every stage between a typed program and native code, for looking at.
struct Stages {
  PassRun optimized;
  FusionPlan fusion;
  Schedule order;
  MemoryPlan memory;
  std::vector<Kernel> kernels;       // distinct ones
  std::vector<Buffer> buffers;       // of the executable: the memory plan's, and scratch
  std::vector<Step> steps;
  std::vector<CustomCall> calls;     // by Step::call
};
Stages stages_of(const Program&, const CompileOptions& = {});
std::vector<CallStep> calls_of(const std::vector<Step>&);
std::vector<CallStep> linked_calls_of(const Stages&);  // for an object, which calls custom operations' functions by their names
// What those stages make of the program, to be run by code that is made, or kept, elsewhere (emit_object).
Executable executable_without_code(const Program&, const Stages&);
std::shared_ptr<const Executable> executable_of(const Program&, const CompileOptions& = {});

}  // namespace sinter
