// Random programs as a user would write them: operations and compositions of variables and parameters, losses, gradients, updates.
#pragma once
#include <cstdint>

#include "codegen/compile.h"
#include "graph/interpreter.h"

namespace sinter::test {

struct RandomProgram {
  Program program;
  // Inputs at these values of the symbols "n" and "m".
  NamedTensors inputs(int64_t n, int64_t m) const;
  uint64_t seed = 0;
  bool whole = false;  // small whole numbers and operations that keep them so: every sum is exact
};

// The same for the same seed, everywhere. `size`: how many operations are tried; those that do not fit are left out.
RandomProgram random_program(uint64_t seed, int size);

// Ways to compile it, in turn: threads, transactions, without the passes that only rewrite, for narrower CPUs that this machine can run.
CompileOptions random_options(const RandomProgram&);

}  // namespace sinter::test
