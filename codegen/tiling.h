// How a contraction is cut up: register tiles, blocks for the caches, tasks for the threads, and which operands are packed first.
#pragma once
#include <cstdint>
#include <optional>

#include "graph/dtype.h"

namespace sinter {

struct Target;

struct Tiling {                      // see ContractionKernel
  int64_t tile_m = 1, tile_n = 1;
  int64_t block_m = 1, block_n = 1;  // in tiles
  int64_t block_k = 1;
  bool pack_a = false, pack_b = false;
  int64_t grain = 1;                 // tasks a chunk
};

// A tiling for C[m, n] = A[m, k] * B[k, n] (`batch` of them), by a cost model of the target's registers and caches. It depends on shapes
// and target only, so the number of threads changes nothing. Sizes that are symbolic are nullopt. An operand is readable where it can be
// read where it lies (B: contiguous along n); one that is not is packed.
Tiling choose_tiling(const Target&, DType, std::optional<int64_t> m, std::optional<int64_t> n, std::optional<int64_t> k, bool a_readable,
                     bool b_readable, std::optional<int64_t> batch = 1);

}  // namespace sinter
