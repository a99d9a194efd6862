// Small random programs over the op table, for tests that hold a pass against the interpreter.
#pragma once
#include <cstdint>

#include "graph/interpreter.h"

namespace sinter::test {

struct RandomProgram {
  Program program;
  NamedTensors inputs;  // of its variables, "n" being 3
};

// The same for the same seed, everywhere. `nodes`: how many operations are tried; those that cannot be are left out.
RandomProgram random_program(uint64_t seed, int nodes);

}  // namespace sinter::test
