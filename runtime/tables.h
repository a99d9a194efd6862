// The tables that an executable's native function reads, at one binding of its symbolic sizes.
#pragma once
#include <span>
#include <vector>

#include "graph/interpreter.h"
#include "runtime/arena.h"
#include "runtime/executable.h"

namespace sinter {

// Throws InternalError where an index is out of range, a step uses an arena buffer outside of its life, or a number makes no sense.
void check(const Executable&);

struct Tables {
  std::vector<std::vector<int64_t>> input_sizes, output_sizes;
  std::vector<int64_t> sizes;      // CallFrame::sizes
  std::vector<int64_t> chunks;     // CallFrame::chunks
  std::vector<ArenaPlace> places;  // by buffer, of those in the arena
  int64_t arena_bytes = 0;
  int64_t lower_bound = 0;         // no layout takes less
};

// UserError where a size is negative or overflows. `threads` sizes the buffers that are one a worker.
Tables make_tables(const Executable&, const Bindings&, unsigned threads);

// Where each argument of all steps points: CallFrame::arguments by the storage of its buffer, the same at any sizes.
struct Arguments {
  struct Place {
    uint32_t argument;  // into CallFrame::arguments
    uint32_t index;     // of the input, parameter, constant or output; of the buffer in the arena
  };
  std::vector<Place> inputs, parameters, constants, outputs, arena;
  size_t count = 0;
};
Arguments arguments_of(const Executable&);

}  // namespace sinter
