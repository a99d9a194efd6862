// What any tiling must be, whatever the shape and the target; and what some should be.
#include <catch2/catch.hpp>

#include "codegen/llvm/target.h"
#include "codegen/tiling.h"

namespace sinter {
namespace {

Target target_like(unsigned bytes, unsigned registers, int64_t l1, int64_t l2) {
  Target target;
  target.vector_bytes = bytes, target.vector_registers = registers;
  target.has_fma = bytes > 16;
  target.l1_bytes = l1, target.l2_bytes = l2;
  return target;
}
const Target avx512 = target_like(64, 32, 48 << 10, 1 << 20), avx2 = target_like(32, 16, 32 << 10, 512 << 10);
const Target sse2 = target_like(16, 16, 32 << 10, 256 << 10);

TEST_CASE("tiling: fits the registers, the caches and the vectors", "[tiling]") {
  const std::optional<int64_t> sizes[] = {std::nullopt, 0, 1, 2, 7, 10, 32, 100, 1000, 4096, 1 << 20};
  for (const Target& target : {avx512, avx2, sse2})
    for (DType dtype : {f32, f64, u8})
      for (auto m : sizes)
        for (auto n : sizes)
          for (auto k : sizes) {
            const Tiling tiling = choose_tiling(target, dtype, m, n, k, true, {true, n});
            const auto width = static_cast<int64_t>(size_of(dtype));
            const int64_t lanes = target.lanes(size_of(dtype)), vectors = tiling.tile_n / lanes;
            CAPTURE(target.vector_bytes, name(dtype), m.value_or(-1), n.value_or(-1), k.value_or(-1));
            REQUIRE(tiling.tile_m >= 1);
            REQUIRE(vectors >= 1);
            REQUIRE(tiling.tile_n % lanes == 0);
            REQUIRE(tiling.tile_m * vectors + 2 <= target.vector_registers);
            REQUIRE(tiling.block_m >= 1);
            REQUIRE(tiling.block_n >= 1);
            REQUIRE(tiling.block_k >= 1);
            REQUIRE(tiling.grain >= 1);
            REQUIRE(tiling.block_k * tiling.tile_n * width <= std::max<int64_t>(target.l1_bytes, 64 * tiling.tile_n * width));
            REQUIRE_FALSE((tiling.pack_b && tiling.copy_b));
            REQUIRE(tiling.block_m * tiling.block_n * tiling.tile_m * tiling.tile_n * width <= target.l2_bytes / 2);
          }
}

TEST_CASE("tiling: no rows for a vector times a matrix, and no packing for few rows", "[tiling]") {
  REQUIRE(choose_tiling(avx512, f32, 1, 4096, 4096, true, {true, 4096}).tile_m == 1);
  REQUIRE(choose_tiling(avx512, f32, 1, 4096, 4096, true, {true, 4096}).tile_n == 128);
  REQUIRE_FALSE(choose_tiling(avx512, f32, 8, 4096, 4096, true, {true, 4096}).pack_b);
  REQUIRE(choose_tiling(avx512, f32, 8, 4096, 4096, true, false).pack_b);
  for (int64_t m : {1024, 4096}) REQUIRE(choose_tiling(avx512, f32, m, 4096, 4096, true, {true, 4096}).copy_b);
  REQUIRE(choose_tiling(avx2, f32, 4096, 4096, 4096, true, {true, 4096}).pack_b);
  REQUIRE(choose_tiling(avx2, f32, 128, 4096, 4096, true, {true, 4096}).copy_b);
  REQUIRE_FALSE(choose_tiling(avx2, f32, 128, 4096, 4096, true, {true, 4096}).pack_b);
  // Panels of a B that no cache holds are copied once for 256 rows; one that is near is copied for fewer.
  const auto rows = [](const Tiling& tiling) { return tiling.block_m * tiling.tile_m; };
  REQUIRE(rows(choose_tiling(avx2, f32, 256, 4096, 1024, true, {true, 4096})) == 256);
  REQUIRE(rows(choose_tiling(avx2, f32, 256, 1024, 1024, true, {true, 1024})) < 256);
  REQUIRE_FALSE(choose_tiling(avx512, f32, 1024, 1000, 4096, true, {true, 1000}).pack_b);
}

TEST_CASE("tiling: tasks for several threads where there is work for them", "[tiling]") {
  for (const Target& target : {avx512, avx2, sse2})
    for (int64_t size : {256, 512, 1024, 2048, 4096}) {
      const Tiling tiling = choose_tiling(target, f32, size, size, size, true, {true, size});
      const auto blocks = [&](int64_t tile, int64_t block) { return (size + tile * block - 1) / (tile * block); };
      const int64_t tasks = blocks(tiling.tile_m, tiling.block_m) * blocks(tiling.tile_n, tiling.block_n);
      CAPTURE(target.vector_bytes, size, tasks);
      REQUIRE(tiling.grain == 1);
      REQUIRE(tasks >= 8);
      REQUIRE(tasks <= size);
    }
  // A product that takes a microsecond is one task, and many of them share a chunk.
  const Tiling small = choose_tiling(avx512, f32, 32, 32, 32, true, {true, 32}, 1000);
  REQUIRE(small.block_m * small.tile_m >= 32);
  REQUIRE(small.block_n * small.tile_n >= 32);
  REQUIRE(small.grain >= 4);
}

}  // namespace
}  // namespace sinter
