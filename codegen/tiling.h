// How a contraction is cut up: register tiles, blocks for the caches, tasks for the threads, and which operands are packed first.
#pragma once
#include <cstdint>
#include <optional>

#include "graph/dtype.h"

namespace sinter {

struct Target;

// How an operand may be read: where it lies (B only where it is contiguous along n), or else only packed.
struct OperandAccess {
  OperandAccess(bool is_readable, std::optional<int64_t> stride = std::nullopt) : readable(is_readable), depth_stride(stride) {}
  bool readable = false;
  std::optional<int64_t> depth_stride;  // elements from one k to the next, where that is a number
};

// How many k the inner loop of a contraction may take in one turn; blocks of k are multiples of it.
constexpr int64_t most_turns_in_one = 4;

struct Tiling {                      // see ContractionKernel
  int64_t tile_m = 1, tile_n = 1;
  int64_t block_m = 1, block_n = 1;  // in tiles
  int64_t block_k = 1;
  bool pack_a = false, pack_b = false;
  bool copy_b = false;               // by panels, within the task; where it is not packed
  int64_t grain = 1;                 // tasks a chunk
};

// A tiling for C[m, n] = A[m, k] * B[k, n] (`batch` of them), by a cost model of the target's registers and caches. It depends on shapes
// and target only, so the number of threads changes nothing. Sizes that are symbolic are nullopt.
Tiling choose_tiling(const Target&, DType, std::optional<int64_t> m, std::optional<int64_t> n, std::optional<int64_t> k, OperandAccess a,
                     OperandAccess b, std::optional<int64_t> batch = 1);

}  // namespace sinter
