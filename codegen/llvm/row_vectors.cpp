// Vectors of rows: every lane is a row of its own, the inner loops are plain ones, and several vectors go side by side, so that what is
// read of a row of memory is a few cache lines together and one sum's latency is another's time.
#include "codegen/llvm/row.h"

namespace sinter {

using llvm::Value;

namespace {

struct Group {
  Emitter& emitter;
  const RowKernel& row;
  const RowStage& stage;

  // One element of each vector's rows. `partials` are those of the first vector, then of the second, …
  Values step(const std::vector<Point>& points, const std::vector<BodyState>& states, const Values& partials) const {
    Values next = partials;
    for (size_t vector = 0; vector < points.size(); ++vector) {
      const Values outputs = outputs_of(stage.body, states[vector]);
      BodyState state = states[vector];
      store_outputs(emitter, stage.body, points[vector], state, outputs);
      for (size_t i = 0; i < stage.reductions.size(); ++i) {
        const RowReduction& reduction = stage.reductions[i];
        Value*& partial = next[vector * stage.reductions.size() + i];
        Value* element = emitter.widen(outputs[reduction.output], points[vector].lanes);
        partial = combine(emitter, reduction.kind, reduction_type(stage, reduction), partial, element);
      }
    }
    return next;
  }

  // The inner loops from number `inner` on.
  Values loops(size_t inner, const std::vector<Point>& points, std::vector<BodyState> states, const Values& partials) const {
    for (size_t vector = 0; vector < points.size(); ++vector) evaluate_body(emitter, stage.body, points[vector], states[vector]);
    if (inner == row.inner.size()) return step(points, states, partials);
    const auto [first, end] = inner_range(emitter, row, inner);
    return emitter.loop(first, end, 1, partials, [&](Value* index, const Values& carried) {
      std::vector<Point> at = points;
      for (Point& point : at) point.indices[row.outer.size() + inner] = index;
      return loops(inner + 1, at, states, carried);
    });
  }
};

}  // namespace

void emit_row_vectors(Emitter& emitter, const RowKernel& row, const Values& outer, unsigned lanes, int64_t vectors, Value* mask) {
  const auto count = static_cast<size_t>(vectors);
  std::vector<Values> slots(count, Values(row.slots.size(), nullptr));
  Value* elements = emitter.number(1);
  for (const Dim& extent : row.inner) elements = emitter.multiply(elements, emitter.dim(extent));
  for (const RowStage& stage : row.stages) {
    std::vector<Point> points(count);
    for (size_t vector = 0; vector < count; ++vector) {
      Point& point = points[vector];
      point.indices = row_indices(emitter, row, outer, stage.inner ? nullptr : emitter.number(0));
      if (lanes == 1) {
        point.indices[outer.size() - 1] = emitter.add(outer.back(), emitter.number(static_cast<int64_t>(vector)));
      } else {
        point.lanes = lanes;
        point.vector_loop = static_cast<int>(outer.size()) - 1;
        point.first_lane = static_cast<int64_t>(vector) * lanes;
        point.mask = mask;
      }
      point.rows = slots[vector];
    }
    std::vector<BodyState> states(count);
    if (!stage.inner) {
      for (size_t vector = 0; vector < count; ++vector) {
        evaluate_body(emitter, stage.body, points[vector], states[vector]);
        const Values outputs = outputs_of(stage.body, states[vector]);
        store_outputs(emitter, stage.body, points[vector], states[vector], outputs);
        for (const RowValue& value : stage.values) slots[vector][value.slot] = outputs[value.output];
      }
      continue;
    }
    Values none;
    for (size_t vector = 0; vector < count; ++vector)
      for (const RowReduction& reduction : stage.reductions)
        none.push_back(identity(emitter, reduction.kind, reduction_type(stage, reduction), lanes));
    // Nothing is read ahead of loops that do not run.
    const Group group{emitter, row, stage};
    const Values partials = emitter.when(emitter.builder.CreateICmpSGT(elements, emitter.number(0)), none,
                                         [&] { return group.loops(0, points, states, none); });
    for (size_t vector = 0; vector < count; ++vector)
      for (size_t i = 0; i < stage.reductions.size(); ++i)
        slots[vector][stage.reductions[i].slot] = partials[vector * stage.reductions.size() + i];
  }
}

}  // namespace sinter
