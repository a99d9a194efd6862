// A row kernel's outer loops, and what one point of them is: a row, or vectors of rows.
#include "codegen/llvm/row.h"

#include <algorithm>

namespace sinter {

using llvm::Value;

namespace {

void check(const RowKernel& row) {
  ensure(!row.outer.empty() && !row.inner.empty(), "a row kernel has outer and inner loops");
  ensure(row.before.empty() || !row.vector_outer, "what goes before a chunk's rows is emitted a row at a time");
  for (const RowStage& stage : row.stages) {
    ensure(stage.inner || stage.reductions.empty(), "only a stage with inner loops reduces");
    ensure(!stage.inner || stage.values.empty(), "only a stage without inner loops has values");
    for (const RowReduction& reduction : stage.reductions) {
      ensure(reduction.slot < row.slots.size() && reduction.output < stage.body.expr.outputs.size(), "a reduction has a slot and an output");
      ensure(reduction_type(stage, reduction) == row.slots[reduction.slot], "a slot has its reduction's type");
    }
    for (const RowValue& value : stage.values)
      ensure(value.slot < row.slots.size() && value.output < stage.body.expr.outputs.size(), "a row value has a slot and an output");
  }
}

// The smallest value of a type, or the largest.
Value* lowest(Emitter& emitter, DType dtype, bool highest_instead) {
  llvm::Type* type = emitter.type(dtype);
  if (is_float(dtype)) return llvm::ConstantFP::getInfinity(type, !highest_instead);
  const unsigned bits = type->getIntegerBitWidth();
  const auto least = is_signed(dtype) ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt::getMinValue(bits);
  return llvm::ConstantInt::get(type, highest_instead ? ~least : least);
}

// As many vectors of columns at a time as keep their partial sums in half of the registers.
int64_t vectors_at_once(const Emitter& emitter, const RowKernel& row) {
  size_t reductions = 1, operations = 1;
  for (const RowStage& stage : row.stages) {
    reductions = std::max(reductions, stage.reductions.size());
    operations = std::max(operations, stage.body.expr.ops.size());
  }
  if (reductions * 8 > emitter.target.vector_registers || operations > 64) return 1;
  return 4;
}

}  // namespace

DType reduction_type(const RowStage& stage, const RowReduction& reduction) {
  return stage.body.expr.ops[stage.body.expr.outputs[reduction.output]].type;
}

Value* identity(Emitter& emitter, Reduction kind, DType dtype, unsigned lanes) {
  if (kind == Reduction::sum) return emitter.zero(dtype, lanes);
  if (kind == Reduction::product) {
    llvm::Type* type = emitter.type(dtype, lanes);
    return is_float(dtype) ? llvm::ConstantFP::get(type, 1.0) : llvm::ConstantInt::get(type, 1);
  }
  return emitter.widen(lowest(emitter, dtype, kind == Reduction::min), lanes);
}

Value* combine(Emitter& emitter, Reduction kind, DType dtype, Value* a, Value* b) {
  if (kind == Reduction::max) return emitter.maximum(dtype, a, b);
  if (kind == Reduction::min) return emitter.minimum(dtype, a, b);
  if (kind == Reduction::product) return is_float(dtype) ? emitter.builder.CreateFMul(a, b) : emitter.builder.CreateMul(a, b);
  if (dtype == boolean) return emitter.builder.CreateOr(a, b);
  return is_float(dtype) ? emitter.builder.CreateFAdd(a, b) : emitter.builder.CreateAdd(a, b);
}

namespace {

// That of one loop of a nest: none where a loop within it has none, as going round over nothing takes as long.
Value* extent_of(Emitter& emitter, const std::vector<Dim>& nest, size_t loop) {
  Value* extent = emitter.dim(nest[loop]);
  for (size_t within = loop + 1; within < nest.size(); ++within)
    extent = emitter.builder.CreateSelect(emitter.builder.CreateICmpEQ(emitter.dim(nest[within]), emitter.number(0)), emitter.number(0), extent);
  return extent;
}

// Whether a row of no elements leaves nothing behind.
bool stores_elements_alone(const RowKernel& row) {
  return row.before.empty() && std::all_of(row.stages.begin(), row.stages.end(), [](const RowStage& stage) { return stage.inner || stage.body.stores.empty(); });
}

}  // namespace

std::pair<Value*, Value*> inner_range(Emitter& emitter, const RowKernel& row, size_t loop) {
  Value* extent = extent_of(emitter, row.inner, loop);
  return row.split && loop == 0 ? emitter.chunk_range(extent) : std::pair{emitter.number(0), extent};
}

Values row_indices(Emitter& emitter, const RowKernel& row, const Values& outer, Value* inner) {
  Values indices = outer;
  indices.resize(outer.size() + row.inner.size(), inner);
  if (row.numbered) indices.push_back(emitter.chunk());
  return indices;
}

void emit_row(Emitter& emitter, const RowKernel& row) {
  check(row);
  const size_t outer_loops = row.outer.size();
  unsigned lanes = emitter.target.vector_bytes;
  for (const RowStage& stage : row.stages) lanes = std::min(lanes, lanes_for(emitter.target, stage.body, emitter.kernel.arguments));
  const int64_t vectors = vectors_at_once(emitter, row);

  // The last outer loop from `begin` to `end`.
  const auto rows = [&](Values outer, Value* begin, Value* end) {
    if (!row.vector_outer) {
      emitter.loop(begin, end, 1, [&](Value* index) {
        outer.back() = index;
        emit_row_stages(emitter, row, row.stages, outer);
      });
      return;
    }
    Value* whole = begin;
    if (vectors > 1) {
      Value* count = emitter.builder.CreateSub(end, begin);
      const int64_t step = vectors * lanes;
      whole = emitter.add(begin, emitter.multiply(emitter.divide(count, emitter.number(step)), emitter.number(step)));
      emitter.loop(begin, whole, step, [&](Value* index) {
        outer.back() = index;
        emit_row_vectors(emitter, row, outer, lanes, vectors, nullptr);
      });
    }
    emitter.loop(whole, end, lanes, [&](Value* index) {
      outer.back() = index;
      Value* mask = lanes == 1 ? nullptr : emitter.lanes_below(emitter.builder.CreateSub(end, index), lanes);
      emit_row_vectors(emitter, row, outer, lanes, 1, mask);
    });
  };

  const std::function<void(Values)> nest = [&](Values outer) {
    const size_t loop = outer.size();
    const auto [begin, end] = loop == 0 && !row.split ? emitter.chunk_range(extent_of(emitter, row.outer, 0)) : std::pair{emitter.number(0), extent_of(emitter, row.outer, loop)};
    outer.push_back(nullptr);
    if (loop + 1 == outer_loops) return rows(outer, begin, end);
    emitter.loop(begin, end, 1, [&](Value* index) {
      outer.back() = index;
      nest(outer);
    });
  };
  if (!row.before.empty()) emit_row_stages(emitter, row, row.before, Values(outer_loops, emitter.number(0)));
  if (!stores_elements_alone(row)) return nest({});
  emitter.when(emitter.builder.CreateICmpNE(extent_of(emitter, row.inner, 0), emitter.number(0)), [&] { nest({}); });
}

}  // namespace sinter
