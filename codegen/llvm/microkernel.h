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

  // A last tile that would end beyond the operands, where they are read as they lie, is moved back to end with them: what it shares with the
  // tile before is summed twice, and stored once. Else rows beyond the last are not used, and columns beyond it masked.
  bool moves_rows() const { return !whole_rows() && !contraction.a.packed && contraction.m.is_number() && contraction.m.number() >= contraction.tile_m; }
  bool moves_columns() const { return !whole_columns() && !contraction.b.packed && contraction.n.is_number() && contraction.n.number() >= contraction.tile_n; }

  // Whether a row ends with a whole vector, so that what a tile has of it needs no mask.
  bool whole_vectors() const { return lanes == 1 || (contraction.n.is_number() && contraction.n.number() % lanes == 0); }

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

// B's vectors of one k: vector v lies at pointer + k * stride + v * lanes.
struct Columns {
  llvm::Value *pointer = nullptr, *stride = nullptr;
  int64_t vectors = 1;
  llvm::Value* mask = nullptr;  // of the one vector there then is
};

// Where a tile lies.
struct TilePoint {
  llvm::Value *m_tile = nullptr, *m_in_block = nullptr;       // counted in tiles: from the first of all, and of its block
  llvm::Value *m0 = nullptr, *n0 = nullptr;                   // the first row and column that it stores
  llvm::Value *first_row = nullptr, *first_column = nullptr;  // that it sums: before these where it was moved back
  llvm::Value *k0 = nullptr, *depth = nullptr;                // this K block
  Columns b;                                                  // its panel of B
  Columns next_b;                                             // the panel that comes next in its task
  llvm::Value* rows_ahead = nullptr;                          // how many rows of that each tile asks for; null for none
  llvm::Value* sums = nullptr;                                // its tile_m*tile_n sums in the scratch
};

// The K block from k0 on of a panel of B: packed, or from `first_column` on where it lies.
Columns columns_of_b(Emitter&, const TaskPoint&, llvm::Value* n_tile, llvm::Value* first_column, llvm::Value* k0);

// How many of its `depth` rows each of `tiles` tiles asks for of the panel that comes next; null where B is at hand.
llvm::Value* rows_ahead(Emitter&, const TaskPoint&, llvm::Value* depth, llvm::Value* tiles);

// Copies the tile's panel of B to this worker's scratch. `masked` where some of its columns may be at or beyond n: those become 0.
void emit_panel_copy(Emitter&, const TaskPoint&, const TilePoint&, bool masked);

// Sums this K block's products, from zero, and adds what the scratch holds of the blocks before it; leaves the sums there.
// `masked` where columns at or beyond n may be part of the tile and B is read where it lies: they are not read, and their sums are 0.
void emit_tile_sums(Emitter&, const TaskPoint&, const TilePoint&, bool masked);

// Runs the epilogue over the tile's rows and columns that exist. `masked` where columns at or beyond n may be part of the tile.
void emit_tile_epilogue(Emitter&, const TaskPoint&, const TilePoint&, bool masked);

}  // namespace sinter
