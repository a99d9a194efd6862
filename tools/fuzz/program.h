// Random programs over the whole op table: a new row is drawn with no change here, a new struct of attributes asks for its maker.
#pragma once
#include "graph/interpreter.h"
#include "tools/fuzz/sizes.h"

namespace sinter::fuzz {

struct RandomProgram {
  Program program;
  uint64_t seed = 0;
  Values values = Values::plain;
  std::vector<Bindings> bindings;               // of its symbols, one a call
  NamedTensors inputs(const Bindings&) const;   // the same each time
};

// The same for the same seed, everywhere.
RandomProgram random_program(uint64_t seed);

// Values for the variables of any program.
NamedTensors random_inputs(const Program&, const Bindings&, Values, uint64_t seed);

}  // namespace sinter::fuzz
