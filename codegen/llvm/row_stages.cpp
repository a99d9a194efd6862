// One row: its stages in order, each along the inner loops, the last of which is the vector loop.
//
// A reduction has four vectors of partial results, taken in turn, so that the latency of an addition is hidden; which of them a vector
// of elements goes to, and the order in which they are combined in the end, depend on the extents alone. They are carried from vector to
// vector as a ring, of which the first is next: the ring then need not be unrolled, and after a remainder of any length the pairs
// (0, 2) and (1, 3) are still the pairs they were.
#include <algorithm>

#include "codegen/llvm/row.h"

namespace sinter {

using llvm::Value;

namespace {

constexpr int64_t ring = 4;
// Bodies with more operations than this are not unrolled: they have enough to do on their own.
constexpr size_t unrolled_operations = 40;

// Of each vector of elements at `point`, what lies there in the next row is asked for: once a cache line where vectors go four by four. Asking for
// what lies past the last row does no harm.
void prefetch_next_row(Emitter& emitter, const RowKernel& row, const std::vector<LoadInput>& loads, const Point& point) {
  for (const LoadInput& load : loads) {
    const DType dtype = emitter.dtype_of(load.argument);
    if (point.lanes == 1 || point.first_lane * static_cast<int64_t>(size_of(dtype)) % line_bytes != 0) continue;
    Values indices = point.indices;
    Value*& index = indices[row.outer.size() - 1];
    index = emitter.add(index, emitter.number(1));
    Value* element = emitter.add(emitter.affine(load.position, indices), emitter.number(point.first_lane));
    emitter.prefetch(emitter.element(emitter.argument(load.argument), dtype, element), 2);
  }
}

bool is_known_within(const Dim& size, int64_t most) { return size.is_number() && size.number() <= most; }

// What is read of each row, of its own and along it, from beyond the second-level cache, which the next row must fit in beside this one. None where one
// stage reads it all: it has nothing to do meanwhile, and processors foresee a single stream. None of rows of a few lines.
std::vector<LoadInput> streams_of(const Emitter& emitter, const RowKernel& row, const std::vector<RowStage>& stages) {
  const size_t last = row.outer.size() - 1, along = row.outer.size();
  const int64_t most = emitter.target.l2_bytes / 2;
  const auto passes = std::count_if(stages.begin(), stages.end(), [](const RowStage& stage) { return stage.inner; });
  if (row.inner.size() != 1 || row.split || passes < 2) return {};
  std::vector<LoadInput> streams;
  Dim together = 0;
  for (const RowStage& stage : stages)
    for (const BodyInput& input : stage.body.inputs) {
      const auto* load = std::get_if<LoadInput>(&input);
      if (!stage.inner || !load || !load->bounds.empty() || emitter.kernel.arguments[load->argument].written) continue;
      if (load->position.strides[last].is(0) || !load->position.strides[along].is(1)) continue;
      const Dim of_row = row.inner[0] * Dim(static_cast<int64_t>(size_of(emitter.dtype_of(load->argument))));
      Dim all = of_row;
      for (size_t l = 0; l < row.outer.size(); ++l)
        if (!load->position.strides[l].is(0)) all = all * row.outer[l];
      if (is_known_within(all, most) || is_known_within(of_row, 4 * line_bytes) || std::find(streams.begin(), streams.end(), *load) != streams.end()) continue;
      streams.push_back(*load);
      together = together + of_row;
    }
  return !together.is_number() || together.number() <= most ? streams : std::vector<LoadInput>();
}

struct Stage {
  Emitter& emitter;
  const RowKernel& row;
  const RowStage& stage;
  unsigned lanes;
  const std::vector<LoadInput>& streams;  // of the next row, to be asked for meanwhile

  size_t reductions() const { return stage.reductions.size(); }
  DType type(size_t i) const { return reduction_type(stage, stage.reductions[i]); }

  // All rings, reduction by reduction.
  Values identities() const {
    Values partials;
    for (size_t i = 0; i < reductions(); ++i) partials.resize(partials.size() + ring, identity(emitter, stage.reductions[i].kind, type(i), lanes));
    return partials;
  }

  // One vector of elements at `point`, into the partial results that are next; the ring moves on.
  Values step(const Point& point, BodyState state, const Values& partials) const {
    evaluate_body(emitter, stage.body, point, state);
    prefetch_next_row(emitter, row, streams, point);
    const Values outputs = outputs_of(stage.body, state);
    store_outputs(emitter, stage.body, point, state, outputs);
    Values next = partials;
    for (size_t i = 0; i < reductions(); ++i) {
      const auto first = next.begin() + static_cast<int64_t>(i) * ring;
      Value* element = emitter.widen(outputs[stage.reductions[i].output], lanes);
      Value* combined = combine(emitter, stage.reductions[i].kind, type(i), *first, element);
      *first = point.mask ? emitter.builder.CreateSelect(point.mask, combined, *first) : combined;
      std::rotate(first, first + 1, first + ring);
    }
    return next;
  }

  // The vector loop.
  Values vectors(const Point& at, const BodyState& state, Values partials) const {
    const auto [first, extent] = inner_range(emitter, row, row.inner.size() - 1);
    const auto loop = static_cast<size_t>(at.vector_loop);
    const auto point_at = [&](Value* index, int64_t first_lane) {
      Point point = at;
      point.indices[loop] = lanes == 1 && first_lane ? emitter.add(index, emitter.number(first_lane)) : index;
      point.first_lane = lanes == 1 ? 0 : first_lane;
      if (lanes == 1) point.vector_loop = -1;
      return point;
    };
    const auto run = [&](Value* begin, Value* end, int64_t count) {
      const int64_t step_by = count * lanes;
      partials = emitter.loop(begin, end, step_by, partials, [&](Value* index, const Values& carried) {
        Values next = carried;
        for (int64_t i = 0; i < count; ++i) next = step(point_at(index, i * lanes), state, next);
        return next;
      });
    };
    const auto whole = [&](int64_t step_by) {
      Value* count = emitter.divide(emitter.builder.CreateSub(extent, first), emitter.number(step_by));
      return emitter.add(first, emitter.multiply(count, emitter.number(step_by)));
    };
    Value* done = first;
    if (stage.body.expr.ops.size() <= unrolled_operations) {
      Value* end = whole(ring * lanes);
      run(done, end, ring);
      done = end;
    }
    Value* end = whole(lanes);
    run(done, end, 1);
    if (lanes == 1) return partials;
    return emitter.when(emitter.builder.CreateICmpSLT(end, extent), partials, [&] {
      Point point = point_at(end, 0);
      point.mask = emitter.lanes_below(emitter.builder.CreateSub(extent, end), lanes);
      return step(point, state, partials);
    });
  }

  // The inner loops from number `inner` on.
  Values loops(size_t inner, const Point& at, BodyState state, const Values& partials) const {
    evaluate_body(emitter, stage.body, at, state);
    if (inner + 1 == row.inner.size()) return vectors(at, state, partials);
    const auto [first, end] = inner_range(emitter, row, inner);
    return emitter.loop(first, end, 1, partials, [&](Value* index, const Values& carried) {
      Point point = at;
      point.indices[row.outer.size() + inner] = index;
      return loops(inner + 1, point, state, carried);
    });
  }

  // The ring and then the lanes, pairwise.
  Value* finish(size_t i, const Values& partials) const {
    const Reduction kind = stage.reductions[i].kind;
    const auto first = partials.begin() + static_cast<int64_t>(i) * ring;
    // A short row never comes to some of them. (One that is another constant did: its elements were known when this was compiled.)
    Value* const none = identity(emitter, kind, type(i), lanes);
    const auto pair = [&](Value* a, Value* b) { return b == none ? a : a == none ? b : combine(emitter, kind, type(i), a, b); };
    Value* vector = pair(pair(first[0], first[2]), pair(first[1], first[3]));
    for (unsigned half = lanes / 2; half > 0; half /= 2) {
      std::vector<int> low(half), high(half);
      for (unsigned l = 0; l < half; ++l) low[l] = static_cast<int>(l), high[l] = static_cast<int>(l + half);
      vector = combine(emitter, kind, type(i), emitter.builder.CreateShuffleVector(vector, low), emitter.builder.CreateShuffleVector(vector, high));
    }
    return lanes == 1 ? vector : emitter.builder.CreateExtractElement(vector, uint64_t{0});
  }
};

}  // namespace

void emit_row_stages(Emitter& emitter, const RowKernel& row, const std::vector<RowStage>& stages, const Values& outer) {
  Values slots(row.slots.size(), nullptr);
  Value* elements = emitter.number(1);
  for (const Dim& extent : row.inner) elements = emitter.multiply(elements, emitter.dim(extent));
  // The stage that computes most has the most time for it.
  const std::vector<LoadInput> streams = streams_of(emitter, row, stages), nothing;
  const auto work = [](const RowStage& stage) { return stage.inner ? stage.body.expr.ops.size() : 0; };
  const auto longest = std::max_element(stages.begin(), stages.end(), [&](const RowStage& a, const RowStage& b) { return work(a) < work(b); });
  for (const RowStage& stage : stages) {
    Point point;
    point.indices = row_indices(emitter, row, outer, stage.inner ? nullptr : emitter.number(0));
    point.rows = slots;
    if (!stage.inner) {
      BodyState state;
      evaluate_body(emitter, stage.body, point, state);
      const Values outputs = outputs_of(stage.body, state);
      store_outputs(emitter, stage.body, point, state, outputs);
      for (const RowValue& value : stage.values) slots[value.slot] = outputs[value.output];
      continue;
    }
    point.lanes = lanes_for(emitter.target, stage.body, emitter.kernel.arguments);
    point.vector_loop = static_cast<int>(outer.size() + row.inner.size()) - 1;
    const Stage reduced{emitter, row, stage, point.lanes, &stage == &*longest ? streams : nothing};
    // Nothing is read ahead of loops that do not run.
    const Values none = reduced.identities();
    const Values partials = emitter.when(emitter.builder.CreateICmpSGT(elements, emitter.number(0)), none,
                                         [&] { return reduced.loops(0, point, BodyState(), none); });
    for (size_t i = 0; i < stage.reductions.size(); ++i) slots[stage.reductions[i].slot] = reduced.finish(i, partials);
  }
}

}  // namespace sinter
