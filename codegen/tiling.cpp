// The cost model behind choose_tiling. Its unit is the cycle of a core that starts two vector multiply-adds and two loads a cycle, with
// four cycles of latency, as x86 cores have since 2013 and AArch64 server cores about.
#include "codegen/tiling.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "codegen/llvm/target.h"

namespace sinter {
namespace {

using Size = std::optional<int64_t>;

constexpr double multiply_adds_a_cycle = 2, loads_a_cycle = 2, instructions_a_cycle = 5, latency = 4;
constexpr double hertz = 3e9;

int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Sizes that stand for one: itself where known, else what batches tend to be.
std::vector<int64_t> samples(Size size) { return size ? std::vector{std::max<int64_t>(*size, 1)} : std::vector<int64_t>{32, 64, 128}; }

struct Tile {
  int64_t rows = 1, vectors = 1;
  double cycles = 0;  // for all tiles, a k, an element of C
};

// Cycles that one tile takes for one k.
double tile_cycles(int64_t rows, int64_t vectors) {
  const auto sums = static_cast<double>(rows * vectors), loads = static_cast<double>(rows + vectors);
  const double multiply_adds = sums / multiply_adds_a_cycle;
  return std::max({multiply_adds, loads / loads_a_cycle, latency, (sums + loads + 3) / instructions_a_cycle}) + loads * 0.01;
}

Tile choose_tile(const Target& target, int64_t lanes, Size m, Size n, Size k) {
  const auto registers = static_cast<int64_t>(target.vector_registers);
  const double depth = static_cast<double>(std::max<int64_t>(k.value_or(256), 1));
  Tile best;
  for (int64_t rows = 1; rows <= 8; ++rows)
    for (int64_t vectors = 1; vectors <= 8; ++vectors) {
      // Beside the sums a row of B and an element of A; the product too where it is not fused.
      const int64_t row_of_b = rows == 1 ? 1 : vectors;
      if (rows * vectors + row_of_b + 1 + (target.has_fma ? 0 : 1) > registers) continue;
      // Every tile's sums are cleared, stored, and read by the epilogue.
      const double cycles = tile_cycles(rows, vectors) + (20 + 3 * static_cast<double>(rows * vectors)) / depth;
      double total = 0;
      for (int64_t m_size : samples(m))
        for (int64_t n_size : samples(n)) {
          const auto tiles = static_cast<double>(ceil_divide(m_size, rows) * ceil_divide(n_size, vectors * lanes));
          total += tiles * cycles / static_cast<double>(m_size * n_size);
        }
      if (best.cycles == 0 || total < best.cycles) best = {rows, vectors, total};
    }
  return best;
}

// `count` cut into pieces of at most `most`, as even as they come.
int64_t even(int64_t count, int64_t most) { return ceil_divide(count, ceil_divide(count, std::max<int64_t>(most, 1))); }

}  // namespace

Tiling choose_tiling(const Target& target, DType dtype, Size m, Size n, Size k, bool a_readable, bool b_readable, Size batch) {
  const auto width = static_cast<int64_t>(size_of(dtype));
  const int64_t lanes = target.lanes(size_of(dtype));
  const Tile tile = choose_tile(target, lanes, m, n, k);
  Tiling tiling;
  tiling.tile_m = tile.rows, tiling.tile_n = tile.vectors * lanes;

  // Packing reads and writes an operand once, and pays where it is then read by many tiles of the other dimension.
  const int64_t m_tiles = m ? ceil_divide(std::max<int64_t>(*m, 1), tiling.tile_m) : 16, n_tiles = n ? ceil_divide(std::max<int64_t>(*n, 1), tiling.tile_n) : 16;
  tiling.pack_a = !a_readable;
  tiling.pack_b = !b_readable || (m_tiles >= 16 && k.value_or(256) >= 64);

  // A panel of B stays in the first-level cache while A's panels go by, a block of A in the second.
  const int64_t panel_depth = std::clamp<int64_t>(target.l1_bytes * 3 / 4 / (tiling.tile_n * width), 64, 512);
  tiling.block_k = k ? even(std::max<int64_t>(*k, 1), panel_depth) : panel_depth;
  const int64_t most_m = std::clamp<int64_t>(target.l2_bytes * 3 / 8 / (tiling.block_k * width * tiling.tile_m), 1, 64);
  const int64_t most_n = std::clamp<int64_t>(target.l2_bytes / 4 / (most_m * tiling.tile_m * tiling.tile_n * width), 1, 16);

  // Tasks: about 128 of them, but none shorter than 50 microseconds where the problem allows.
  const double flops_a_tile = 2.0 * static_cast<double>(tiling.tile_m * tiling.tile_n * std::max<int64_t>(k.value_or(256), 1));
  const double flops_a_second = hertz * multiply_adds_a_cycle * 2 * static_cast<double>(lanes);
  const double tiles = static_cast<double>(m_tiles * n_tiles * std::max<int64_t>(batch.value_or(1), 1));
  const double shortest = 50e-6 * flops_a_second / flops_a_tile;  // in tiles
  const double wanted = std::max(shortest, tiles / 128);
  // As square as can be, for the least traffic.
  double rows = std::sqrt(wanted * static_cast<double>(tiling.tile_n) / static_cast<double>(tiling.tile_m));
  tiling.block_m = even(m_tiles, std::clamp<int64_t>(std::llround(rows), 1, std::min(most_m, m_tiles)));
  const double columns = wanted / static_cast<double>(tiling.block_m);
  tiling.block_n = even(n_tiles, std::clamp<int64_t>(std::llround(columns), 1, std::min(most_n, n_tiles)));
  tiling.block_m = even(m_tiles, std::clamp<int64_t>(std::llround(wanted / static_cast<double>(tiling.block_n)), 1, std::min(most_m, m_tiles)));
  tiling.grain = std::max<int64_t>(1, std::llround(shortest / static_cast<double>(tiling.block_m * tiling.block_n)));
  return tiling;
}

}  // namespace sinter
