// A contraction's loops around its register tiles: tasks of this chunk; in a task K blocks outermost, then B's panels, then A's, so that a
// block of A stays in the second-level cache and a panel of B in the first while A's panels go by.
#include "codegen/llvm/emit.h"
#include "codegen/llvm/microkernel.h"

namespace sinter {
namespace {

void check(const Emitter& emitter, const ContractionKernel& contraction) {
  const unsigned lanes = emitter.target.lanes(size_of(contraction.dtype));
  ensure(contraction.dtype != boolean, "a contraction is of numbers");
  ensure(contraction.tile_m >= 1 && contraction.tile_n >= 1 && contraction.tile_n % lanes == 0, "a tile's row is whole vectors");
  ensure(contraction.block_m >= 1 && contraction.block_n >= 1 && contraction.block_k >= 1, "blocks are not empty");
  const size_t loops = contraction.batch.size() + 2;
  for (const ContractionOperand* operand : {&contraction.a, &contraction.b}) {
    ensure(emitter.dtype_of(operand->argument) == contraction.dtype, "operands have the contraction's type");
    ensure(operand->packed || operand->position.strides.size() == loops, "an operand's position has a stride a loop");
  }
  ensure(contraction.b.packed || contraction.n.is(1) || contraction.b.position.strides[loops - 2].is(1), "an unpacked B is contiguous along n");
  ensure(!contraction.copies_b || !contraction.b.packed, "what is packed is not copied besides");
}

// The packed panels of the batch numbered `batch`.
llvm::Value* panels(Emitter& emitter, const ContractionKernel& contraction, const ContractionOperand& operand, llvm::Value* batch,
                    llvm::Value* tiles, int64_t width) {
  if (!operand.packed) return nullptr;
  llvm::Value* elements = emitter.multiply(emitter.multiply(tiles, emitter.dim(contraction.k)), emitter.number(width));
  return emitter.element(emitter.argument(operand.argument), contraction.dtype, emitter.multiply(batch, elements));
}

// number = quotient * divisor + remainder, of what is not negative.
std::pair<llvm::Value*, llvm::Value*> divide(Emitter& emitter, llvm::Value* number, llvm::Value* divisor) {
  if (divisor == emitter.number(1)) return {number, emitter.number(0)};
  return {emitter.divide(number, divisor), emitter.modulo(number, divisor)};
}

// All tiles of a task in one K block.
void emit_tiles(Emitter& emitter, const TaskPoint& task, std::pair<llvm::Value*, llvm::Value*> m_tiles,
                std::pair<llvm::Value*, llvm::Value*> n_tiles, llvm::Value* k0, llvm::Value* depth, bool one_block) {
  const ContractionKernel& contraction = task.contraction;
  const auto first_column = [&](llvm::Value* n_tile) {
    llvm::Value* column = emitter.multiply(n_tile, emitter.number(contraction.tile_n));
    return task.moves_columns() ? emitter.smaller(column, emitter.number(contraction.n.number() - contraction.tile_n)) : column;
  };
  llvm::Value* rows = rows_ahead(emitter, task, depth, emitter.builder.CreateSub(m_tiles.second, m_tiles.first));
  emitter.loop(n_tiles.first, n_tiles.second, 1, [&](llvm::Value* n_tile) {
    TilePoint tile;
    tile.k0 = k0, tile.depth = depth;
    tile.n0 = emitter.multiply(n_tile, emitter.number(contraction.tile_n));
    tile.first_column = first_column(n_tile);
    tile.b = columns_of_b(emitter, task, n_tile, tile.first_column, k0);
    tile.rows_ahead = rows;
    if (rows) {
      llvm::Value* after = emitter.add(n_tile, emitter.number(1));
      llvm::Value* is_last = emitter.builder.CreateICmpEQ(after, n_tiles.second);
      llvm::Value* next = emitter.builder.CreateSelect(is_last, n_tiles.first, after);
      tile.next_b = columns_of_b(emitter, task, next, first_column(next), emitter.builder.CreateSelect(is_last, emitter.add(k0, depth), k0));
    }
    llvm::Value* whole = emitter.builder.CreateICmpSLE(emitter.add(tile.n0, emitter.number(contraction.tile_n)), task.n);
    if (contraction.copies_b) {
      const auto copy = [&](bool masked) { emit_panel_copy(emitter, task, tile, masked); };
      if (task.whole_columns() || task.moves_columns()) copy(false);
      else emitter.when(whole, [&] { copy(false); }, [&] { copy(true); });
    }
    emitter.loop(m_tiles.first, m_tiles.second, 1, [&](llvm::Value* m_tile) {
      tile.m_in_block = emitter.builder.CreateSub(m_tile, m_tiles.first);
      tile.m_tile = m_tile;
      tile.m0 = emitter.multiply(m_tile, emitter.number(contraction.tile_m));
      tile.first_row = task.moves_rows() ? emitter.smaller(tile.m0, emitter.number(contraction.m.number() - contraction.tile_m)) : tile.m0;
      // Sums that no later block takes up again all use the scratch's first tile, which so stays in the cache.
      llvm::Value* number = emitter.number(0);
      if (!one_block) {
        number = emitter.add(emitter.multiply(emitter.builder.CreateSub(n_tile, n_tiles.first), emitter.number(contraction.block_m)),
                             tile.m_in_block);
      }
      llvm::Value* elements = emitter.multiply(number, emitter.number(contraction.tile_m * contraction.tile_n));
      tile.sums = emitter.builder.CreateFreeze(emitter.element(task.scratch, contraction.dtype, elements));

      llvm::Value* last_block = emitter.builder.CreateICmpSGE(emitter.add(k0, depth), task.k);
      const auto finish = [&](bool masked) { emitter.when(last_block, [&] { emit_tile_epilogue(emitter, task, tile, masked); }); };
      const auto both = [&](bool masked) {
        emit_tile_sums(emitter, task, tile, masked);
        finish(masked);
      };
      if (task.whole_columns()) {
        both(false);
      } else if (contraction.b.packed || contraction.copies_b || task.moves_columns()) {
        emit_tile_sums(emitter, task, tile, false);
        emitter.when(whole, [&] { finish(false); }, [&] { finish(true); });
      } else {
        emitter.when(whole, [&] { both(false); }, [&] { both(true); });
      }
    });
  });
}

}  // namespace

void emit_contraction(Emitter& emitter, const ContractionKernel& contraction) {
  check(emitter, contraction);
  llvm::IRBuilder<>& builder = emitter.builder;
  TaskPoint task(contraction);
  task.m = emitter.dim(contraction.m), task.n = emitter.dim(contraction.n), task.k = emitter.dim(contraction.k);
  task.lanes = emitter.target.lanes(size_of(contraction.dtype));
  llvm::Value* m_tiles = emitter.ceil_divide(task.m, contraction.tile_m);
  llvm::Value* n_tiles = emitter.ceil_divide(task.n, contraction.tile_n);
  llvm::Value* m_blocks = emitter.ceil_divide(m_tiles, contraction.block_m);
  llvm::Value* n_blocks = emitter.ceil_divide(n_tiles, contraction.block_n);
  llvm::Value* tasks = emitter.multiply(m_blocks, n_blocks);
  for (const Dim& extent : contraction.batch) tasks = emitter.multiply(tasks, emitter.dim(extent));
  task.scratch = emitter.argument(contraction.scratch);
  task.copied = emitter.element(task.scratch, contraction.dtype, emitter.number(sums_in_scratch(contraction)));

  const auto [begin, end] = emitter.chunk_range(tasks);
  emitter.loop(begin, end, 1, [&](llvm::Value* number) {
    const auto [rest, n_block] = divide(emitter, number, n_blocks);
    const auto [over, m_block] = contraction.batch.empty() ? std::pair{emitter.number(0), rest} : divide(emitter, rest, m_blocks);
    llvm::Value* batch = over;
    task.batch = emitter.unflatten(batch, contraction.batch);
    task.a_panels = panels(emitter, contraction, contraction.a, batch, m_tiles, contraction.tile_m);
    task.b_panels = panels(emitter, contraction, contraction.b, batch, n_tiles, contraction.tile_n);

    const auto range = [&](llvm::Value* block, int64_t size, llvm::Value* count) {
      llvm::Value* first = emitter.multiply(block, emitter.number(size));
      return std::pair{first, emitter.smaller(emitter.add(first, emitter.number(size)), count)};
    };
    const auto m_range = range(m_block, contraction.block_m, m_tiles), n_range = range(n_block, contraction.block_n, n_tiles);
    if (contraction.k.is_number() && contraction.k.number() <= contraction.block_k) {
      emit_tiles(emitter, task, m_range, n_range, emitter.number(0), task.k, true);
      return;
    }
    // With nothing to sum there is still one block, an empty one, so that the epilogue sees zeros.
    llvm::Value* k_end = builder.CreateSelect(builder.CreateICmpSGT(task.k, emitter.number(1)), task.k, emitter.number(1));
    emitter.loop(emitter.number(0), k_end, contraction.block_k, [&](llvm::Value* k0) {
      llvm::Value* depth = emitter.smaller(builder.CreateSub(task.k, k0), emitter.number(contraction.block_k));
      emit_tiles(emitter, task, m_range, n_range, k0, depth, false);
    });
  });
}

}  // namespace sinter
