// A call as an image of memory, for code that runs in another process, or on another machine: see runner.c, which reads it.
#pragma once
#include <string>
#include <string_view>

#include "graph/interpreter.h"
#include "runtime/executable.h"

namespace sinter::aot {

struct Image {
  std::string bytes;       // what the runner reads
  size_t memory = 0;       // of them, those that are memory: what comes back is these, after the result
  std::vector<size_t> inputs, parameters, outputs;  // where each begins in the memory
  std::vector<std::vector<int64_t>> output_sizes;
};
// The arena is full of what is no result, and so is a gap around everything. `workers` have scratch.
Image image_of(size_t function, const Executable&, const NamedTensors& inputs, unsigned workers);

struct Outcome {
  int64_t result = 0;                       // of the function
  std::vector<Tensor> outputs, parameters;  // all parameters, in the executable's order
};
// From what the runner wrote for it; the test fails where a gap was written, or something that is only read.
Outcome outcome_of(const Image&, const Executable&, std::string_view came_back);

}  // namespace sinter::aot
