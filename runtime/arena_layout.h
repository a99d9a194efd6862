// Where each buffer of an arena begins, so that those live at one time do not overlap.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "graph/support/aligned_memory.h"

namespace sinter {

constexpr int64_t arena_alignment = memory_alignment;

struct ArenaRequest {
  int64_t bytes = 0;
  uint32_t first = 0, last = 0;  // the steps between which it is live, inclusive
};

struct ArenaLayout {
  std::vector<int64_t> offsets;  // by request, multiples of arena_alignment
  int64_t bytes = 0;             // of the whole arena
  int64_t lower_bound = 0;       // the most bytes live at one step: no layout is smaller
};

// Places the largest first, each in the tightest gap left by what is live with it (greedy by size: Pisarchyk and Lee, "Efficient memory
// management for deep neural net inference", 2020, section 5.3), and tries other orders while the lower bound is not met.
// UserError where the bytes overflow 63 bits.
ArenaLayout layout_arena(std::span<const ArenaRequest>);

// Throws InternalError where an offset is misaligned or outside the arena, or two that are live at one step overlap.
void check(std::span<const ArenaRequest>, const ArenaLayout&);

}  // namespace sinter
