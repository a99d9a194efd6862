// Pack kernels: an operand of a contraction copied into panels, transposed on the way where it lies along k.
#include <bit>

#include "codegen/llvm/emit.h"

namespace sinter {

using llvm::Value;

namespace {

// One step of a transposition: of each `span` lanes the even (or odd) units of `a`, then those of `b`.
Value* every_other(Emitter& e, Value* a, Value* b, unsigned unit, unsigned span, bool odd) {
  unsigned lanes = Emitter::lanes_of(a);
  std::vector<int> from;
  for (unsigned start = 0; start < lanes; start += span)
    for (unsigned side = 0; side < 2; ++side)
      for (unsigned at = odd ? unit : 0; at < span; at += 2 * unit)
        for (unsigned l = 0; l < unit; ++l) from.push_back(static_cast<int>(side * lanes + start + at + l));
  return e.builder.CreateShuffleVector(a, b, from);
}

// `group` rows at a time: afterwards row j of a group holds, from each span, unit j of each of the group's rows.
void transpose_groups(Emitter& e, Values& rows, unsigned first, unsigned stride, unsigned group, unsigned unit, unsigned span) {
  for (unsigned step = 1; step < group; step *= 2) {
    Values next(group);
    for (unsigned k = 0; k < group / 2; ++k) {
      Value *a = rows[first + 2 * k * stride], *b = rows[first + (2 * k + 1) * stride];
      next[k] = every_other(e, a, b, unit, span, false);
      next[group / 2 + k] = every_other(e, a, b, unit, span, true);
    }
    for (unsigned k = 0; k < group; ++k) rows[first + k * stride] = next[k];
  }
}

// As many rows as lanes, a power of two. First within 16 bytes, then 16 bytes at a time: shuffles that are one cheap instruction each.
void transpose(Emitter& e, Values& rows, size_t element_bytes) {
  unsigned lanes = static_cast<unsigned>(rows.size()), within = std::min(lanes, static_cast<unsigned>(16 / element_bytes));
  for (unsigned first = 0; first < lanes; first += within) transpose_groups(e, rows, first, 1, within, 1, within);
  for (unsigned j = 0; j < within; ++j) transpose_groups(e, rows, j, within, lanes / within, within, lanes);
}

class Pack {
 public:
  Pack(Emitter& emitter, const PackKernel& kernel)
      : e(emitter), kernel_(kernel), row_loop_(kernel.batch.size()), dtype_(e.dtype_of(kernel.packed)), panel_(kernel.panel) {
    lanes_ = std::min(lanes_for(e.target, kernel.body, e.kernel.arguments), e.target.lanes(size_of(dtype_)));
  }

  void emit() {
    Value* panels = e.ceil_divide(e.dim(kernel_.rows), panel_);
    Value* count = panels;
    for (const Dim& extent : kernel_.batch) count = e.multiply(count, e.dim(extent));
    auto [begin, end] = e.chunk_range(count);
    e.loop(begin, end, 1, [&](Value* flat) {
      Values indices = kernel_.batch.empty() ? Values() : e.unflatten(e.divide(flat, panels), kernel_.batch);
      Value* panel = kernel_.batch.empty() ? flat : e.modulo(flat, panels);
      indices.resize(row_loop_ + 2);
      first_row_ = e.multiply(panel, e.number(panel_));
      left_ = e.builder.CreateNSWSub(e.dim(kernel_.rows), first_row_);
      Value* elements = e.multiply(e.dim(kernel_.depth), e.number(panel_));
      out_ = e.element(e.argument(kernel_.packed), dtype_, e.multiply(flat, elements));
      // Loads may be hoisted out of the loops over k, so these must run.
      e.when(e.builder.CreateICmpSGT(e.dim(kernel_.depth), e.number(0)), [&] { one_panel(indices); });
    });
  }

 private:
  void one_panel(const Values& indices) {
    Value* depth = e.dim(kernel_.depth);
    auto rows_at_a_time = [&] {
      e.when(e.builder.CreateICmpSGE(left_, e.number(panel_)), [&] { by_rows(indices, false); }, [&] { by_rows(indices, true); });
    };
    if (!lies_along_k()) return has_edge() ? rows_at_a_time() : by_rows(indices, false);
    e.when(e.builder.CreateICmpSGE(depth, e.number(lanes_)), [&] {
      int64_t whole = panel_ - panel_ % lanes_;
      e.loop(e.number(0), e.number(whole), lanes_, [&](Value* row) { transposed(row, lanes_, indices); });
      if (whole < panel_) transposed(e.number(whole), static_cast<unsigned>(panel_ - whole), indices);
    }, rows_at_a_time);
  }

  // Whether the last panel may have rows past the end.
  bool has_edge() const { return !kernel_.rows.divided_by(Dim(panel_)); }

  // Whether more of the operand is contiguous along k than along the rows.
  bool lies_along_k() const {
    if (lanes_ < 2 || size_of(dtype_) < 4) return false;
    int votes = 0;
    for (const BodyInput& input : kernel_.body.inputs)
      if (auto* load = std::get_if<LoadInput>(&input))
        votes += load->position.strides.at(row_loop_ + 1).is(1) - load->position.strides.at(row_loop_).is(1);
    return votes > 0;
  }

  BodyState known_so_far(const Point& at) {
    BodyState state;
    evaluate_body(e, kernel_.body, at, state);
    return state;
  }
  Value* output(const Point& at, BodyState state) {
    evaluate_body(e, kernel_.body, at, state);
    return outputs_of(kernel_.body, state).at(0);
  }
  Value* place(Value* k, Value* row) { return e.element(e.element(out_, dtype_, e.multiply(k, e.number(panel_))), dtype_, row); }

  // `rows` (at most as many as lanes) from `row` of the panel on, for all k, a square block at a time.
  void transposed(Value* row, unsigned rows, const Values& indices) {
    std::vector<Point> points(rows);
    std::vector<BodyState> states;
    Values inside(rows);
    Value* last = e.builder.CreateNSWSub(e.dim(kernel_.rows), e.number(1));
    for (unsigned i = 0; i < rows; ++i) {
      Value* at = e.add(row, e.number(i));
      points[i].indices = indices;
      points[i].lanes = lanes_;
      points[i].vector_loop = static_cast<int>(row_loop_ + 1);
      // Rows past the end are read as the last one, and then put to 0.
      points[i].indices[row_loop_] = e.smaller(e.add(first_row_, at), last);
      inside[i] = e.widen(e.builder.CreateICmpSLT(at, left_), lanes_);
      states.push_back(known_so_far(points[i]));
    }
    // The last block may begin within the one before, so that there is no rest.
    Value *depth = e.dim(kernel_.depth), *final = e.builder.CreateNSWSub(depth, e.number(lanes_));
    e.loop(e.number(0), depth, lanes_, [&](Value* step) {
      Value* k = e.smaller(step, final);
      Values block;
      for (unsigned i = 0; i < rows; ++i) {
        points[i].indices[row_loop_ + 1] = k;
        Value* value = e.widen(output(points[i], states[i]), lanes_);
        block.push_back(e.builder.CreateSelect(inside[i], value, e.zero(dtype_, lanes_)));
      }
      block.resize(lanes_, llvm::PoisonValue::get(e.type(dtype_, lanes_)));
      transpose(e, block, size_of(dtype_));
      for (unsigned i = 0; i < lanes_; ++i) store_row(place(e.add(k, e.number(i)), row), block[i], rows);
    });
  }

  // The first `rows` lanes.
  void store_row(Value* to, Value* value, unsigned rows) {
    if (rows < lanes_ && e.target.has_masks) return e.store(to, dtype_, value, lanes_, e.lanes_below(e.number(rows), lanes_));
    for (unsigned at = 0; at < rows;) {
      unsigned width = std::bit_floor(std::min(rows - at, lanes_));
      std::vector<int> from(width);
      for (unsigned l = 0; l < width; ++l) from[l] = static_cast<int>(at + l);
      Value* part = width == lanes_ ? value : width == 1 ? e.builder.CreateExtractElement(value, at) : e.builder.CreateShuffleVector(value, from);
      e.store(e.element(to, dtype_, e.number(at)), dtype_, part, width);
      at += width;
    }
  }

  // The whole panel, vectors along its rows. `edge`: some rows are past the end.
  void by_rows(const Values& indices, bool edge) {
    Point at;
    at.indices = indices;
    at.indices[row_loop_] = first_row_;
    std::vector<unsigned> widths;
    for (int64_t row = 0; row < panel_; row += widths.back())
      widths.push_back(std::bit_floor(static_cast<unsigned>(std::min<int64_t>(panel_ - row, lanes_))));
    if (edge && !e.target.has_masks) return by_elements(indices);
    at.vector_loop = static_cast<int>(row_loop_);
    Values masks(widths.size());
    int64_t row = 0;
    for (size_t i = 0; edge && i < widths.size(); row += widths[i++])
      masks[i] = e.lanes_below(e.builder.CreateNSWSub(left_, e.number(row)), widths[i]);
    e.loop(e.number(0), e.dim(kernel_.depth), 1, [&](Value* k) {
      prefetch(at, k);
      at.indices[row_loop_ + 1] = k;
      at.first_lane = 0;
      for (size_t i = 0; i < widths.size(); at.first_lane += widths[i++]) {
        at.lanes = widths[i];
        at.mask = masks[i];
        Value* value = e.widen(output(at, {}), at.lanes);
        if (edge) value = e.builder.CreateSelect(at.mask, value, e.zero(dtype_, at.lanes));
        e.store(place(k, e.number(at.first_lane)), dtype_, value, at.lanes);
      }
    });
  }

  // Rows that lie apart are asked for ahead, as processors do not foresee a column of lines.
  void prefetch(Point at, Value* k) {
    constexpr int64_t rows_ahead = 16;
    for (const BodyInput& input : kernel_.body.inputs) {
      const auto* load = std::get_if<LoadInput>(&input);
      if (!load || !load->bounds.empty() || !load->position.strides[row_loop_].is(1) || load->position.strides[row_loop_ + 1].is(0)) continue;
      const DType dtype = e.dtype_of(load->argument);
      const auto width = static_cast<int64_t>(size_of(dtype));
      at.indices[row_loop_ + 1] = e.add(k, e.number(rows_ahead));
      Value* first = e.element(e.argument(load->argument), dtype, e.affine(load->position, at.indices));
      for (int64_t row = 0; row < panel_; row += line_bytes / width) e.prefetch(e.element(first, dtype, e.number(row)), 1);
    }
  }

  // One by one: the edge where there are no masks.
  void by_elements(const Values& indices) {
    e.loop(e.number(0), e.dim(kernel_.depth), 1, [&](Value* k) {
      e.loop(e.number(0), e.number(panel_), 1, [&](Value* row) {
        Point at;
        at.indices = indices;
        at.indices[row_loop_] = e.add(first_row_, row);
        at.indices[row_loop_ + 1] = k;
        Value* value = e.when(e.builder.CreateICmpSLT(row, left_), {e.zero(dtype_)}, [&] { return Values{output(at, {})}; })[0];
        e.store(place(k, row), dtype_, value);
      });
    });
  }

  Emitter& e;
  const PackKernel& kernel_;
  size_t row_loop_;
  DType dtype_;
  int64_t panel_;
  unsigned lanes_ = 1;
  Value *first_row_ = nullptr, *left_ = nullptr, *out_ = nullptr;  // of the panel being packed
};

}  // namespace

void emit_pack(Emitter& emitter, const PackKernel& kernel) {
  ensure(kernel.panel > 0 && kernel.body.stores.empty(), "a pack kernel has a panel, and stores nothing by itself");
  Pack(emitter, kernel).emit();
}

}  // namespace sinter
