// One tile of a contraction, from its operands to its stored results.
#pragma once
#include "codegen/llvm/emit.h"

namespace sinter {

// What all tiles of one task share.
struct TaskPoint {
  explicit TaskPoint(const ContractionKernel& of) : contraction(of) {}
  int64_t vectors() const { return contraction.tile_n / lanes; } // in a row of a tile
  // Whether all tiles lie inside.
  bool whole_rows() const { return contraction.m.is_number() && contraction.m.number() % contraction.tile_m == 0; }
  bool whole_columns() const { return contraction.n.is_number() && contraction.n.number() % contraction.tile_n == 0; }

  // Whether every K block is a multiple of `turns` deep.
  bool whole_turns(int64_t turns) const {
    const bool whole_k = contraction.k.is_number() && contraction.k.number() % turns == 0;
    return turns == 1 || (whole_k && (contraction.block_k % turns == 0 || contraction.k.number() <= contraction.block_k));
  }

  const ContractionKernel& contraction;
  llvm::Value *m = nullptr, *n = nullptr, *k = nullptr;          // the extents
  Values batch;                                                  // indices of the batch loops
  llvm::Value *a_panels = nullptr, *b_panels = nullptr;          // this batch's packed panels; null where not packed
  llvm::Value *scratch = nullptr, *copied = nullptr;             // this worker's sums, and its copy of a panel of B
  unsigned lanes = 1;                                            // of a vector of sums
};

// Where a tile lies.
struct TilePoint {
  llvm::Value *m_tile = nullptr, *n_tile = nullptr;  // counted in tiles
  llvm::Value *m_in_block = nullptr, *m_count = nullptr;  // m_tile, from the block's first on, of so many
  llvm::Value *m0 = nullptr, *n0 = nullptr;          // its first row and column
  llvm::Value *k0 = nullptr, *depth = nullptr;       // this K block
  llvm::Value *next_n_tile = nullptr, *next_k0 = nullptr;  // of the panel of B that comes next in its task
  llvm::Value* sums = nullptr;                       // its tile_m*tile_n sums in the scratch
};

// Copies the panel of B at the tile's n0 and k0 to this worker's scratch. `masked` where some of its columns may be at or beyond n: those become 0.
void emit_panel_copy(Emitter&, const TaskPoint&, const TilePoint&, bool masked);

// Sums this K block's products, from zero, and adds what the scratch holds of the blocks before it; leaves the sums there.
// `masked` where columns at or beyond n may be part of the tile and B is read where it lies: they are not read, and their sums are 0.
void emit_tile_sums(Emitter&, const TaskPoint&, const TilePoint&, bool masked);

// Runs the epilogue over the tile's rows and columns that exist. `masked` where columns at or beyond n may be part of the tile.
void emit_tile_epilogue(Emitter&, const TaskPoint&, const TilePoint&, bool masked);

}  // namespace sinter
