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

constexpr double multiply_adds_a_cycle = 2, loads_a_cycle = 2, instructions_a_cycle = 5, hertz = 3e9;
constexpr double latency = 5.3;  // in effect: as many sums as hide four cycles to the last leave no room for a load that comes late
constexpr int64_t page = 4096;  // addresses that far apart meet in the same few places of a cache

int64_t ceil_divide(int64_t a, int64_t b) { return (a + b - 1) / b; }
int64_t nominal(Size size, int64_t otherwise) { return std::max<int64_t>(size.value_or(otherwise), 1); }

// `count` cut into pieces of at most `most`, as even as they come.
int64_t even(int64_t count, int64_t most) { return ceil_divide(count, ceil_divide(count, std::max<int64_t>(most, 1))); }

// Whether rows push each other out of the first-level cache, and are read from the second again for every tile: all meet in one place of it,
// or in two.
enum class Conflict { none, of_half_page, of_page };

struct Problem {
  const Target* target;
  Size m, n, k;
  int64_t width, lanes;  // bytes of an element, elements of a vector
  bool b_packed = false, b_copied = false;
  Conflict b_conflict = Conflict::none;  // of a B that is read where it lies

  // A panel of B stays in the first-level cache while A's panels go by.
  int64_t block_k(int64_t tile_n) const {
    const int64_t most = std::clamp<int64_t>(target->l1_bytes * 3 / 4 / (tile_n * width), 64, 512);
    return k ? ceil_divide(even(nominal(k, 1), most), most_turns_in_one) * most_turns_in_one : most;
  }
  // Tiles of a block of A that stays in the second-level cache, and apart from it the sums. Where each block copies panels that come from
  // memory, what of A is read from beyond that cache costs less than another block.
  int64_t most_block_m(int64_t tile_m, int64_t tile_n) const {
    const bool b_is_far = n && k && *n * *k > (8 << 20) / width;
    const int64_t bytes = b_copied && b_is_far ? target->l2_bytes : most_bytes();
    return std::max<int64_t>(1, std::min(bytes / block_k(tile_n), most_bytes() / tile_n) / (tile_m * width));
  }
  int64_t most_bytes() const { return target->l2_bytes * 3 / 8; }

  // Cycles for a row of a panel of B that lies a page from the one before, in the second-level cache: some 8, and one more a cache line.
  double row_apart(int64_t vectors) const { return 8 + std::ceil(static_cast<double>(vectors * lanes * width) / 64); }
  // To copy it.
  double row_copied(int64_t vectors) const { return row_apart(vectors) + static_cast<double>(vectors); }
};

// Cycles that one tile takes for one k.
double tile_cycles(const Problem& problem, int64_t rows, int64_t vectors) {
  const auto sums = static_cast<double>(rows * vectors), loads = static_cast<double>(rows + vectors);
  const double steady = std::max({sums / multiply_adds_a_cycle, loads / loads_a_cycle, latency, (sums + loads + 3) / instructions_a_cycle});
  // Loads find their data late now and then, the more of them the more often; and A's come from the second-level cache.
  const double stalls = loads * 0.03 + static_cast<double>(rows) * 0.08;
  // Each block of k begins with loading the sums and ends with storing them; the last with the epilogue.
  const auto block = static_cast<double>(problem.block_k(vectors * problem.lanes)), depth = static_cast<double>(nominal(problem.k, 256));
  const double ends = (20 + 2 * sums) / block + 3 * sums / depth;
  if (problem.b_conflict == Conflict::none) return steady + stalls + ends;
  if (problem.b_conflict == Conflict::of_half_page) return steady * 1.2 + stalls + ends;
  return std::max(steady, problem.row_apart(vectors)) * 1.08 + stalls + ends;
}

struct Tile {
  int64_t rows = 1, vectors = 1;
  double cycles = INFINITY;  // for a k and an element of C, packing included
};

Tile choose_tile(const Problem& problem) {
  // Sizes that stand for one: itself where known, else what batches tend to be.
  const auto samples = [](Size size) { return size ? std::vector{nominal(size, 1)} : std::vector<int64_t>{32, 64, 128}; };
  constexpr double cycles_to_pack_a_byte = 0.45;
  Tile best;
  for (int64_t rows = 1; rows <= 12; ++rows)
    for (int64_t vectors = 1; vectors <= 8; ++vectors) {
      // More rows would be more pointers than there are registers for them, but nothing else helps against latency in narrow matrices.
      if (rows > 8 && vectors > 1) continue;
      // Beside the sums a row of B and an element of A; the product too where it is not fused.
      const int64_t beside = (rows == 1 ? 1 : vectors) + 1 + (problem.target->has_fma ? 0 : 1);
      if (rows * vectors + beside > static_cast<int64_t>(problem.target->vector_registers)) continue;
      const double cycles = tile_cycles(problem, rows, vectors);
      // The last tile of a row is computed whole where B is packed or copied, else vector by vector; so counts one that is moved back, too, as
      // long as this makes too little of 4 x 24 sums (256³ on Zen 3, where they leave 8 columns to compute twice: 0.86 of 6 x 16's time).
      const auto columns = [&](int64_t n) {
        const int64_t tiles = n / (vectors * problem.lanes), rest = n % (vectors * problem.lanes);
        if (problem.b_packed || problem.b_copied) return cycles * static_cast<double>(tiles + (rest > 0 ? 1 : 0));
        return cycles * static_cast<double>(tiles) + tile_cycles(problem, rows, 1) * static_cast<double>(ceil_divide(rest, problem.lanes));
      };
      double total = 0;
      const int64_t most_m = problem.most_block_m(rows, vectors * problem.lanes);
      for (int64_t m : samples(problem.m))
        for (int64_t n : samples(problem.n)) {
          double taken = static_cast<double>(ceil_divide(m, rows)) * columns(n);
          if (problem.b_copied) taken += static_cast<double>(ceil_divide(ceil_divide(m, rows), most_m) * ceil_divide(n, vectors * problem.lanes)) * problem.row_copied(vectors);
          total += taken / static_cast<double>(m * n);
        }
      if (problem.b_packed) {
        const double packing = cycles_to_pack_a_byte * static_cast<double>(problem.width) * static_cast<double>(samples(problem.n).size());
        for (int64_t m : samples(problem.m)) total += packing / static_cast<double>(m);
      }
      if (total < best.cycles) best = {rows, vectors, total};
    }
  return best;
}

// All the block sizes that cut `tiles` evenly, up to `most`.
std::vector<int64_t> block_sizes(int64_t tiles, int64_t most) {
  std::vector<int64_t> sizes;
  for (int64_t blocks = tiles; blocks >= 1; --blocks) {
    const int64_t size = ceil_divide(tiles, blocks);
    if (size > most) break;
    if (sizes.empty() || size != sizes.back()) sizes.push_back(size);
    blocks = std::min(blocks, ceil_divide(tiles, size + 1) + 1);  // no need to walk through those that make the same size
  }
  return sizes;
}

// Blocks for the second-level cache, and tasks for threads: few, because each costs something to hand out and reads its operands again;
// and many, so that threads end together, whatever else the machine does. How many threads there are is not known: 1, 2 and 4 count alike.
void choose_blocks(const Problem& problem, Size batch, Tiling& tiling) {
  constexpr double handing_out = 2e-6 * hertz, jitter = 0.3, bytes_a_cycle = 32;
  const int64_t m_tiles = ceil_divide(nominal(problem.m, 128), tiling.tile_m), n_tiles = ceil_divide(nominal(problem.n, 128), tiling.tile_n);
  const auto depth = static_cast<double>(nominal(problem.k, 256)), width = static_cast<double>(problem.width);
  const double tile = tile_cycles(problem, tiling.tile_m, tiling.tile_n / problem.lanes) * depth;
  const double copying = problem.b_copied ? problem.row_copied(tiling.tile_n / problem.lanes) * depth : 0;  // of a panel
  double least = INFINITY, task = 0;
  for (int64_t block_m : block_sizes(m_tiles, problem.most_block_m(tiling.tile_m, tiling.tile_n)))
    for (int64_t block_n : block_sizes(n_tiles, std::max<int64_t>(1, problem.most_bytes() / (block_m * tiling.tile_m * tiling.tile_n * problem.width)))) {
      const auto tasks = static_cast<double>(ceil_divide(m_tiles, block_m) * ceil_divide(n_tiles, block_n) * nominal(batch, 1));
      const double traffic = static_cast<double>(block_m * tiling.tile_m + block_n * tiling.tile_n) * depth * width / bytes_a_cycle;
      const double cycles = tile * static_cast<double>(block_m * block_n) + copying * static_cast<double>(block_n) + traffic;
      double total = 0;
      for (double threads : {1., 2., 4.}) total += threads * ((cycles + handing_out) * std::ceil(tasks / threads) + jitter * cycles);
      if (total < least) least = total, tiling.block_m = block_m, tiling.block_n = block_n, task = cycles;
    }
  // A chunk of many small tasks is handed out as one.
  tiling.grain = std::max<int64_t>(1, std::llround(10e-6 * hertz / task));
}

}  // namespace

Tiling choose_tiling(const Target& target, DType dtype, Size m, Size n, Size k, OperandAccess a, OperandAccess b, Size batch) {
  const auto width = static_cast<int64_t>(size_of(dtype));
  Problem in_place{&target, m, n, k, width, target.lanes(size_of(dtype))};
  // An operand is packed where it must be, and where reading it in place is slow and what packing costs is spread over much arithmetic. On
  // Zen 5 reading in place costs nothing unless one k lies a multiple of a page from the next; then it is an eighth of the time for A, and
  // for B between a twelfth (AVX-512) and a third (AVX2). On Zen 3 half a page costs a sixth for B, and a quarter of a page nothing.
  const auto conflict = [&](const OperandAccess& operand) {
    const Size stride = operand.depth_stride;
    if (!operand.readable || !stride || *stride == 0 || nominal(k, 256) < 16) return Conflict::none;
    return *stride * width % page == 0 ? Conflict::of_page : *stride * width % (page / 2) == 0 ? Conflict::of_half_page : Conflict::none;
  };
  Tiling tiling;
  tiling.pack_a = !a.readable || (conflict(a) == Conflict::of_page && nominal(n, 64) >= 128);
  in_place.b_packed = !b.readable;
  if (nominal(m, 64) >= 16) in_place.b_conflict = conflict(b);
  Problem problem = in_place;
  Tile tile = choose_tile(problem);
  const auto consider = [&](bool packed) {
    Problem moved = in_place;
    moved.b_packed = packed, moved.b_copied = !packed, moved.b_conflict = Conflict::none;
    const Tile other = choose_tile(moved);
    if (other.cycles < tile.cycles) problem = moved, tile = other;
  };
  if (in_place.b_conflict != Conflict::none) consider(true), consider(false);
  tiling.pack_b = problem.b_packed, tiling.copy_b = problem.b_copied;
  tiling.tile_m = tile.rows, tiling.tile_n = tile.vectors * problem.lanes;
  tiling.block_k = problem.block_k(tiling.tile_n);
  choose_blocks(problem, batch, tiling);
  return tiling;
}

}  // namespace sinter
