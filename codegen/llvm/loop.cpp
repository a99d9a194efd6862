// Loop kernels: elementwise work over a nest, the last loop in vectors.
#include <llvm/IR/IntrinsicsX86.h>
#include <llvm/TargetParser/Triple.h>

#include "codegen/llvm/emit.h"

namespace sinter {

using llvm::Value;

namespace {

class Loops {
 public:
  Loops(Emitter& emitter, const LoopKernel& kernel)
      : e(emitter), kernel_(kernel), last_(kernel.extents.size() - 1), lanes_(lanes_for(e.target, kernel.body, e.kernel.arguments)) {
    for (const Store& store : kernel.body.stores) streaming_ |= kernel.streaming && store.position.strides.at(last_).is(1);
    unroll_ = unrolled();
  }

  void emit() {
    // The guard lets loads be hoisted out of loops: each loop inside runs at least once.
    Value* some = e.builder.getTrue();
    for (size_t i = 1; i < kernel_.extents.size(); ++i) {
      Value* positive = e.builder.CreateICmpSGT(e.dim(kernel_.extents[i]), e.number(0));
      some = e.builder.CreateAnd(some, positive);
    }
    e.when(some, [&] { level(0, Values(kernel_.extents.size()), BodyState()); });
    if (streaming_) fence();
  }

 private:
  // How many vectors a turn of the vector loop takes: several where the body is too small to pay for the loop's own work.
  int64_t unrolled() const {
    size_t work = kernel_.body.inputs.size() + kernel_.body.stores.size();
    for (const ScalarOp& op : kernel_.body.expr.ops) work += operand_count(op.code) > 0;
    int64_t most = work <= 8 ? 4 : work <= 24 ? 2 : 1;
    const Dim& extent = kernel_.extents[last_];
    while (most > 1 && extent.is_number() && extent.number() < most * lanes_) most /= 2;
    return most;
  }

  Point point(const Values& indices) const {
    Point at;
    at.indices = indices;
    at.lanes = static_cast<unsigned>(lanes_);
    at.vector_loop = lanes_ > 1 ? static_cast<int>(last_) : -1;
    return at;
  }

  void level(size_t depth, Values indices, BodyState state) {
    evaluate_body(e, kernel_.body, point(indices), state);
    Value* extent = e.dim(kernel_.extents[depth]);
    auto [begin, end] = depth == 0 ? e.chunk_range(extent) : std::pair<Value*, Value*>{e.number(0), extent};
    if (depth == last_) return vectors(begin, end, indices, state);
    e.loop(begin, end, 1, [&](Value* index) {
      indices[depth] = index;
      level(depth + 1, indices, state);
    });
  }

  void vectors(Value* begin, Value* end, const Values& indices, const BodyState& state) {
    if (!streaming_) return range(begin, end, indices, state, false);
    Value* aligned = e.builder.getTrue();
    for (size_t k = 0; k < kernel_.body.stores.size(); ++k) {
      const Store& store = kernel_.body.stores[k];
      if (!store.position.strides[last_].is(1)) continue;
      size_t bytes = size_of(e.dtype_of(store.argument));
      Value* address = e.builder.CreatePtrToInt(e.element(state.store_pointers[k], e.dtype_of(store.argument), begin), e.index_type());
      Value* beyond = e.builder.CreateAnd(address, e.number(static_cast<int64_t>(bytes * lanes_ - 1)));
      aligned = e.builder.CreateAnd(aligned, e.builder.CreateICmpEQ(beyond, e.number(0)));
    }
    e.when(aligned, [&] { range(begin, end, indices, state, true); }, [&] { range(begin, end, indices, state, false); });
  }

  // [begin, end): several vectors a turn, then one, then what is left.
  void range(Value* begin, Value* end, const Values& indices, const BodyState& state, bool streaming) {
    for (int64_t count = unroll_; count >= 1; count = count > 1 ? 1 : 0) {
      if (lanes_ == 1 && count == 1) break;
      Value* whole = e.builder.CreateAnd(e.builder.CreateSub(end, begin), e.number(-count * lanes_));
      Value* stop = e.add(begin, whole);
      e.loop(begin, stop, count * lanes_, [&](Value* index) { turn(index, count, indices, state, streaming); });
      begin = stop;
    }
    if (lanes_ > 1 && e.target.has_masks) {
      e.when(e.builder.CreateICmpSLT(begin, end), [&] {
        Point at = point(indices);
        at.indices[last_] = begin;
        at.mask = e.lanes_below(e.builder.CreateSub(end, begin), at.lanes);
        finish(at, state);
      });
    } else {
      e.loop(begin, end, 1, [&](Value* index) {
        Point at = point(indices);
        at.indices[last_] = index;
        at.lanes = 1;
        at.vector_loop = -1;
        finish(at, state);
      });
    }
  }

  void turn(Value* index, int64_t count, const Values& indices, const BodyState& state, bool streaming) {
    std::vector<Point> points;
    std::vector<BodyState> states;
    for (int64_t i = 0; i < count; ++i) {
      points.push_back(point(indices));
      points.back().indices[last_] = lanes_ > 1 ? index : e.add(index, e.number(i));
      points.back().first_lane = lanes_ > 1 ? i * lanes_ : 0;
      states.push_back(state);
      evaluate_body(e, kernel_.body, points.back(), states.back());
    }
    for (size_t i = 0; i < points.size(); ++i)
      store_outputs(e, kernel_.body, points[i], states[i], outputs_of(kernel_.body, states[i]), streaming);
  }

  void finish(const Point& at, BodyState state) {
    evaluate_body(e, kernel_.body, at, state);
    store_outputs(e, kernel_.body, at, state, outputs_of(kernel_.body, state));
  }

  // Streaming stores are not ordered with those that tell other threads that this chunk is done.
  void fence() {
    if (llvm::Triple(e.target.triple).isX86()) e.builder.CreateIntrinsic(llvm::Intrinsic::x86_sse_sfence, {}, {});
    else e.builder.CreateFence(llvm::AtomicOrdering::Release);
  }

  Emitter& e;
  const LoopKernel& kernel_;
  size_t last_;
  int64_t lanes_ = 1, unroll_ = 1;
  bool streaming_ = false;
};

}  // namespace

void emit_loop(Emitter& emitter, const LoopKernel& kernel) {
  ensure(!kernel.extents.empty(), "a loop kernel has a loop");
  Loops(emitter, kernel).emit();
}

}  // namespace sinter
