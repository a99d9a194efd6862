// The register tile: tile_m by tile_n sums as vectors that the loop over k carries, a multiply-add each for every k, in order. What is
// read of A is one element at a time, splatted; of B whole vectors.
#include "codegen/llvm/microkernel.h"

#include "codegen/tiling.h"

namespace sinter {
namespace {

// How many vectors of an epilogue's inputs are held for the columns of a tile at once.
constexpr int64_t most_values_at_hand = 48;

// How many k are one turn of the loop over k: where there is much to do, or may be, as many as pay for the time that their code takes to make.
int64_t unrolled_turns(const TaskPoint& task) {
  constexpr int64_t few = 1 << 20;
  const ContractionKernel& c = task.contraction;
  const Dim products = c.m * c.n * c.k;
  const bool is_little = c.batch.empty() && products.is_number() && products.number() < few;
  return task.lanes > 1 && !is_little ? most_turns_in_one : 1;
}

// A pointer that LLVM does not look behind: it computes the many places beside it from there, and spills fewer registers.
llvm::Value* opaque(Emitter& emitter, llvm::Value* pointer) { return emitter.builder.CreateFreeze(pointer); }

// A's elements of one k: element r lies at rows[r] + k * stride.
struct Rows {
  Values pointers;
  llvm::Value* stride = nullptr;
};

Rows rows_of_a(Emitter& emitter, const TaskPoint& task, const TilePoint& tile) {
  const ContractionKernel& contraction = task.contraction;
  const DType dtype = contraction.dtype;
  const int64_t count = contraction.tile_m;
  Rows rows;
  if (contraction.a.packed) {
    // [panel][k][tile_m]
    llvm::Value* first = emitter.add(emitter.multiply(tile.m_tile, task.k), tile.k0);
    llvm::Value* base = opaque(emitter, emitter.element(task.a_panels, dtype, emitter.multiply(first, emitter.number(count))));
    for (int64_t row = 0; row < count; ++row) rows.pointers.push_back(emitter.element(base, dtype, emitter.number(row)));
    rows.stride = emitter.number(count);
    return rows;
  }
  const Affine& position = contraction.a.position;
  const size_t row_loop = task.batch.size();
  Values indices = task.batch;
  indices.push_back(tile.first_row);
  indices.push_back(tile.k0);
  llvm::Value* base = opaque(emitter, emitter.element(emitter.argument(contraction.a.argument), dtype, emitter.affine(position, indices)));
  llvm::Value* row_stride = emitter.dim(position.strides[row_loop]);
  // Rows beyond the last read the last one again; their sums are never used.
  llvm::Value* last = emitter.number(count - 1);
  if (!task.whole_rows() && !task.moves_rows()) last = emitter.add(emitter.builder.CreateSub(task.m, tile.m0), emitter.number(-1));
  for (int64_t row = 0; row < count; ++row)
    rows.pointers.push_back(emitter.element(base, dtype, emitter.multiply(emitter.smaller(emitter.number(row), last), row_stride)));
  rows.stride = emitter.dim(position.strides[row_loop + 1]);
  return rows;
}

// The panel of B that comes next is asked for ahead, in turn by the tiles of this one, each some of its rows. Measured on Zen 5 with B beyond
// the second-level cache: 5 % with 256 rows of A, 30 % with 64. Asking for what lies past B's end does no harm.
void prefetch_next_panel(Emitter& emitter, const TaskPoint& task, const TilePoint& tile) {
  if (!tile.rows_ahead) return;
  const DType dtype = task.contraction.dtype;
  llvm::Value* first = emitter.multiply(tile.m_in_block, tile.rows_ahead);
  emitter.loop(first, emitter.smaller(emitter.add(first, tile.rows_ahead), tile.depth), 1, [&](llvm::Value* k) {
    llvm::Value* row = emitter.element(tile.next_b.pointer, dtype, emitter.multiply(k, tile.next_b.stride));
    for (int64_t column = 0; column < task.contraction.tile_n; column += line_bytes / static_cast<int64_t>(size_of(dtype)))
      emitter.prefetch(emitter.element(row, dtype, emitter.number(column)), 2);
  });
}

llvm::Value* multiply_add(Emitter& emitter, DType dtype, llvm::Value* a, llvm::Value* b, llvm::Value* sum) {
  if (is_float(dtype)) return emitter.fma(a, b, sum);
  return emitter.builder.CreateAdd(sum, emitter.builder.CreateMul(a, b));
}

llvm::Value* add(Emitter& emitter, DType dtype, llvm::Value* a, llvm::Value* b) {
  return is_float(dtype) ? emitter.builder.CreateFAdd(a, b) : emitter.builder.CreateAdd(a, b);
}

// The products of one k added to the sums.
Values summed(Emitter& emitter, const TaskPoint& task, const Rows& a, llvm::Value* a_k, const Columns& b, llvm::Value* b_k, Values sums) {
  const DType dtype = task.contraction.dtype;
  const auto element = [&](llvm::Value* pointer, llvm::Value* at) { return emitter.element(pointer, dtype, at); };
  Values columns;
  for (int64_t v = 0; v < b.vectors; ++v)
    columns.push_back(emitter.load(element(element(b.pointer, b_k), emitter.number(v * task.lanes)), dtype, task.lanes, b.mask));
  for (int64_t row = 0; row < task.contraction.tile_m; ++row) {
    llvm::Value* factor = emitter.widen(emitter.load(element(a.pointers[row], a_k), dtype), task.lanes);
    for (int64_t v = 0; v < b.vectors; ++v) {
      llvm::Value*& sum = sums[row * b.vectors + v];
      sum = multiply_add(emitter, dtype, factor, columns[v], sum);
    }
  }
  return sums;
}

// The sums of all rows and of the vectors of `b`; they lie from `pointer` on, in rows of tile_n. `unrolled` many k are one turn of the loop.
void emit_sums(Emitter& emitter, const TaskPoint& task, const TilePoint& tile, const Rows& a, const Columns& b, int64_t unrolled, llvm::Value* pointer) {
  const DType dtype = task.contraction.dtype;
  const int64_t rows = task.contraction.tile_m, vectors = b.vectors;
  const auto sum_pointer = [&](int64_t row, int64_t v) {
    return emitter.element(pointer, dtype, emitter.number(row * task.contraction.tile_n + v * task.lanes));
  };
  Values sums(rows * vectors, emitter.zero(dtype, task.lanes));
  const auto sum_up = [&](llvm::Value* begin, llvm::Value* end, int64_t step) {
    sums = emitter.loop(begin, end, step, sums, [&](llvm::Value* k, const Values& carried) {
      Values next = carried;
      llvm::Value *a_k = emitter.multiply(k, a.stride), *b_k = emitter.multiply(k, b.stride);
      for (int64_t i = 0; i < step; ++i) {
        next = summed(emitter, task, a, a_k, b, b_k, std::move(next));
        a_k = emitter.add(a_k, a.stride), b_k = emitter.add(b_k, b.stride);
      }
      return next;
    });
  };
  llvm::Value* whole = tile.depth;
  if (!task.whole_turns(unrolled)) whole = emitter.builder.CreateAnd(tile.depth, emitter.number(-unrolled));
  sum_up(emitter.number(0), whole, unrolled);
  if (!task.whole_turns(unrolled)) sum_up(whole, tile.depth, 1);

  // A block's sums are added to those before it whole: the error grows with the blocks and not with k.
  llvm::Value* later_block = emitter.builder.CreateICmpNE(tile.k0, emitter.number(0));
  sums = emitter.when(later_block, sums, [&] {
    Values total;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t v = 0; v < vectors; ++v)
        total.push_back(add(emitter, dtype, emitter.load(sum_pointer(row, v), dtype, task.lanes), sums[row * vectors + v]));
    return total;
  });
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t v = 0; v < vectors; ++v) emitter.store(sum_pointer(row, v), dtype, sums[row * vectors + v], task.lanes);
}

// The epilogue finds its inputs in the cache if they are asked for before the sums are made: a tile's rows of them lie apart, where no
// processor foresees them. In the second-level cache: in the first they would meet in few places. Asking for what lies past the last row does no
// harm.
void prefetch_epilogue(Emitter& emitter, const TaskPoint& task, const TilePoint& tile) {
  constexpr int64_t most_lines = 64;
  const ContractionKernel& contraction = task.contraction;
  const size_t m_loop = task.batch.size();
  if (contraction.rows.size() > 1) return;  // a row's indices would cost a division each
  std::vector<const LoadInput*> loads;
  int64_t lines = 0;
  for (const BodyInput& input : contraction.epilogue.inputs) {
    const auto* load = std::get_if<LoadInput>(&input);
    if (!load || !load->bounds.empty() || load->position.strides[m_loop].is(0) || !load->position.strides[m_loop + 1].is(1)) continue;
    lines += contraction.tile_m * (contraction.tile_n * static_cast<int64_t>(size_of(emitter.dtype_of(load->argument))) / line_bytes + 1);
    if (lines > most_lines) break;
    loads.push_back(load);
  }
  if (loads.empty()) return;
  emitter.loop(emitter.number(0), emitter.number(contraction.tile_m), 1, [&](llvm::Value* row) {
    for (const LoadInput* load : loads) {
      const DType dtype = emitter.dtype_of(load->argument);
      Values indices = task.batch;
      indices.push_back(emitter.add(tile.first_row, row));
      indices.push_back(tile.first_column);
      llvm::Value* first = emitter.element(emitter.argument(load->argument), dtype, emitter.affine(load->position, indices));
      for (int64_t column = 0; column < contraction.tile_n; column += line_bytes / static_cast<int64_t>(size_of(dtype)))
        emitter.prefetch(emitter.element(first, dtype, emitter.number(column)), 2);
    }
  });
}

}  // namespace

Columns columns_of_b(Emitter& emitter, const TaskPoint& task, llvm::Value* n_tile, llvm::Value* first_column, llvm::Value* k0) {
  const ContractionKernel& contraction = task.contraction;
  const DType dtype = contraction.dtype;
  if (contraction.b.packed) {
    // [panel][k][tile_n]
    llvm::Value* first = emitter.add(emitter.multiply(n_tile, task.k), k0);
    llvm::Value* pointer = emitter.element(task.b_panels, dtype, emitter.multiply(first, emitter.number(contraction.tile_n)));
    return {opaque(emitter, pointer), emitter.number(contraction.tile_n), task.vectors()};
  }
  const Affine& position = contraction.b.position;
  Values indices = task.batch;
  indices.push_back(first_column);
  indices.push_back(k0);
  llvm::Value* pointer = emitter.element(emitter.argument(contraction.b.argument), dtype, emitter.affine(position, indices));
  return {opaque(emitter, pointer), emitter.dim(position.strides[task.batch.size() + 1]), task.vectors()};
}

llvm::Value* rows_ahead(Emitter& emitter, const TaskPoint& task, llvm::Value* depth, llvm::Value* tiles) {
  const ContractionKernel& contraction = task.contraction;
  const Dim elements = contraction.n * contraction.k;
  const bool is_at_hand = elements.is_number() && elements.number() <= emitter.target.l2_bytes / 2 / static_cast<int64_t>(size_of(contraction.dtype));
  if (task.lanes == 1 || is_at_hand) return nullptr;  // without vectors there is more to compute than to wait for
  return emitter.divide(emitter.add(depth, emitter.add(tiles, emitter.number(-1))), tiles);
}

void emit_panel_copy(Emitter& emitter, const TaskPoint& task, const TilePoint& tile, bool masked) {
  const DType dtype = task.contraction.dtype;
  const Columns& from = tile.b;
  Values masks(from.vectors);
  llvm::Value* left = emitter.builder.CreateSub(task.n, tile.n0);
  for (int64_t v = 0; masked && v < from.vectors; ++v) masks[v] = emitter.lanes_below(emitter.add(left, emitter.number(-v * task.lanes)), task.lanes);
  emitter.loop(emitter.number(0), tile.depth, 1, [&](llvm::Value* k) {
    llvm::Value* row = emitter.element(from.pointer, dtype, emitter.multiply(k, from.stride));
    llvm::Value* to = emitter.element(task.copied, dtype, emitter.multiply(k, emitter.number(task.contraction.tile_n)));
    for (int64_t v = 0; v < from.vectors; ++v) {
      llvm::Value* column = emitter.number(v * task.lanes);
      emitter.store(emitter.element(to, dtype, column), dtype, emitter.load(emitter.element(row, dtype, column), dtype, task.lanes, masks[v]), task.lanes);
    }
  });
}

void emit_tile_sums(Emitter& emitter, const TaskPoint& task, const TilePoint& tile, bool masked) {
  prefetch_epilogue(emitter, task, tile);
  const DType dtype = task.contraction.dtype;
  const Rows a = rows_of_a(emitter, task, tile);
  const Columns& b = tile.b;
  if (!masked) {
    prefetch_next_panel(emitter, task, tile);
    const Columns copied{task.copied, emitter.number(task.contraction.tile_n), task.vectors()};
    return emit_sums(emitter, task, tile, a, task.contraction.copies_b ? copied : b, unrolled_turns(task), tile.sums);
  }
  // Vector by vector, so that those beyond n cost nothing, and neither does it much to compile.
  llvm::Value* left = emitter.builder.CreateSub(task.n, tile.n0);
  emitter.loop(emitter.number(0), emitter.smaller(left, emitter.number(task.contraction.tile_n)), task.lanes, [&](llvm::Value* column) {
    llvm::Value* mask = emitter.lanes_below(emitter.builder.CreateSub(left, column), task.lanes);
    const Columns one{emitter.element(b.pointer, dtype, column), b.stride, 1, mask};
    emit_sums(emitter, task, tile, a, one, 1, emitter.element(tile.sums, dtype, column));
  });
}

void emit_tile_epilogue(Emitter& emitter, const TaskPoint& task, const TilePoint& tile, bool masked) {
  const ContractionKernel& contraction = task.contraction;
  const DType dtype = contraction.dtype;
  const Body& body = contraction.epilogue;
  const size_t m_loop = task.batch.size(), row_loops = std::max<size_t>(contraction.rows.size(), 1), n_loop = m_loop + row_loops;
  Point point;
  point.indices = task.batch;
  point.indices.resize(n_loop + 1, nullptr);
  point.lanes = task.lanes;
  point.vector_loop = task.lanes == 1 ? -1 : static_cast<int>(n_loop);
  llvm::Value *first = emitter.number(0), *end = emitter.number(contraction.tile_m);
  if (task.moves_rows()) first = emitter.builder.CreateSub(tile.m0, tile.first_row);
  else if (!task.whole_rows()) end = emitter.smaller(end, emitter.builder.CreateSub(task.m, tile.m0));

  // What depends on the column alone (a bias) is read once for all rows.
  const auto vector_over_rows = [&](const std::vector<std::pair<Point, llvm::Value*>>& columns) {
    std::vector<BodyState> states(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) evaluate_body(emitter, body, columns[i].first, states[i]);
    emitter.loop(first, end, 1, [&](llvm::Value* row) {
      llvm::Value* m = emitter.add(tile.first_row, row);
      const Values indices = row_loops == 1 ? Values{m} : emitter.unflatten(m, contraction.rows);
      llvm::Value* row_sums = emitter.element(tile.sums, dtype, emitter.multiply(row, emitter.number(contraction.tile_n)));
      for (size_t i = 0; i < columns.size(); ++i) {
        Point at = columns[i].first;
        BodyState state = states[i];
        std::copy(indices.begin(), indices.end(), at.indices.begin() + static_cast<std::ptrdiff_t>(m_loop));
        at.accumulator = emitter.load(emitter.element(row_sums, dtype, columns[i].second), dtype, task.lanes);
        evaluate_body(emitter, body, at, state);
        store_outputs(emitter, body, at, state, outputs_of(body, state));
      }
    });
  };

  // Vectors side by side, each with what depends on its columns at hand; one after another where that is more than registers hold.
  const bool side_by_side = static_cast<int64_t>(body.inputs.size()) * task.vectors() <= most_values_at_hand;
  if (!masked && side_by_side) {
    std::vector<std::pair<Point, llvm::Value*>> columns;
    for (int64_t v = 0; v < task.vectors(); ++v) {
      Point at = point;
      at.indices[n_loop] = task.lanes == 1 ? emitter.add(tile.n0, emitter.number(v)) : tile.n0;
      if (task.lanes > 1) at.first_lane = v * task.lanes;
      columns.emplace_back(at, emitter.number(v * task.lanes));
    }
    vector_over_rows(columns);
    return;
  }
  // In the last tile of a row those beyond n are left out, or those before n0.
  const bool moved = masked && task.moves_columns();
  llvm::Value *begin = emitter.number(0), *width = emitter.number(contraction.tile_n);
  llvm::Value* others = !masked ? nullptr : moved ? emitter.builder.CreateSub(tile.n0, tile.first_column) : emitter.builder.CreateSub(task.n, tile.n0);
  if (moved) begin = emitter.builder.CreateAnd(others, emitter.number(-static_cast<int64_t>(task.lanes)));
  else if (masked) width = emitter.smaller(others, width);
  emitter.loop(begin, width, task.lanes, [&](llvm::Value* column) {
    Point at = point;
    at.indices[n_loop] = emitter.add(tile.first_column, column);
    if (masked && !task.whole_vectors()) at.mask = emitter.lanes_below(emitter.builder.CreateSub(others, column), task.lanes);
    if (moved && at.mask) at.mask = emitter.builder.CreateNot(at.mask);
    vector_over_rows({{at, column}});
  });
}

}  // namespace sinter
