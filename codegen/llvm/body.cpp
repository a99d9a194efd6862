// A body at a point of its loops: loads, the expression, stores, each as far out of the loops as its indices let it.
#include <algorithm>

#include "codegen/llvm/emit.h"

namespace sinter {

using llvm::Value;

namespace {

template <class... F>
struct Match : F... {
  using F::operator()...;
};
template <class... F>
Match(F...) -> Match<F...>;

// One evaluation: the body, where it is, and what is known.
class Evaluation {
 public:
  Evaluation(Emitter& emitter, const Body& body, const Point& point, BodyState& state) : e(emitter), body_(body), point_(point), state_(state) {}

  void prepare() {
    size_t loops = point_.indices.size();
    if (state_.advanced.empty()) {
      state_.advanced.resize(loops);
      state_.inputs.resize(body_.inputs.size());
      state_.ops.resize(body_.expr.ops.size());
      for (const BodyInput& input : body_.inputs) {
        auto* load = std::get_if<LoadInput>(&input);
        state_.load_pointers.push_back(load ? start(load->argument, load->position) : nullptr);
      }
      for (const Store& store : body_.stores) state_.store_pointers.push_back(start(store.argument, store.position));
    }
    for (size_t i = 0; i < loops; ++i) {
      if (state_.advanced[i] || !point_.indices[i]) continue;
      state_.advanced[i] = true;
      for (size_t k = 0; k < body_.inputs.size(); ++k)
        if (auto* load = std::get_if<LoadInput>(&body_.inputs[k])) advance(state_.load_pointers[k], load->argument, load->position, i);
      for (size_t k = 0; k < body_.stores.size(); ++k) advance(state_.store_pointers[k], body_.stores[k].argument, body_.stores[k].position, i);
    }
  }

  void evaluate() {
    const auto& ops = body_.expr.ops;
    for (size_t i = 0; i < ops.size(); ++i) {
      if (state_.ops[i]) continue;
      if (ops[i].code == ScalarCode::input) {
        Value*& value = state_.inputs[ops[i].bits];
        if (!value) value = input(body_.inputs[ops[i].bits]);
        state_.ops[i] = value;
      } else if (ops[i].code == ScalarCode::constant) {
        state_.ops[i] = constant(ops[i]);
      } else {
        Values operands;
        for (int k = 0; k < operand_count(ops[i].code); ++k) operands.push_back(state_.ops[ops[i].operands[static_cast<size_t>(k)]]);
        if (std::find(operands.begin(), operands.end(), nullptr) == operands.end())
          state_.ops[i] = e.scalar(ops[i], ops[ops[i].operands[0]].type, operands);
      }
    }
  }

  void store(const Values& outputs, bool streaming) {
    for (size_t k = 0; k < body_.stores.size(); ++k) {
      const Store& to = body_.stores[k];
      DType dtype = e.dtype_of(to.argument);
      ensure(known(to.position), "a store happens where all indices it uses are known");
      ensure(to.output < outputs.size() && outputs[to.output], "what is stored is known");
      Value* value = outputs[to.output];
      Value* pointer = at_first_lane(state_.store_pointers[k], dtype, to.position);
      Dim stride = vector_stride(to.position);
      if (point_.lanes == 1) {
        e.store(pointer, dtype, value, 1, point_.mask);
      } else if (stride.is(0)) {  // points are independent, so there is only the one lane
        e.store(pointer, dtype, Emitter::lanes_of(value) == 1 ? value : e.builder.CreateExtractElement(value, uint64_t{0}));
      } else if (stride.is(1)) {
        e.store(pointer, dtype, value, point_.lanes, point_.mask, streaming && !point_.mask);
      } else {
        e.store_strided(pointer, dtype, value, e.dim(stride), point_.lanes, point_.mask);
      }
    }
  }

 private:
  Value* start(uint32_t argument, const Affine& position) { return e.element(e.argument(argument), e.dtype_of(argument), e.dim(position.offset)); }

  void advance(Value*& pointer, uint32_t argument, const Affine& position, size_t loop) {
    ensure(loop < position.strides.size(), "an affine function has one stride a loop");
    if (!position.strides[loop].is(0))
      pointer = e.element(pointer, e.dtype_of(argument), e.multiply(point_.indices[loop], e.dim(position.strides[loop])));
  }

  // The stride along the vector loop: 0 where there is none.
  Dim vector_stride(const Affine& f) const { return point_.vector_loop < 0 ? Dim(0) : f.strides.at(static_cast<size_t>(point_.vector_loop)); }

  Value* at_first_lane(Value* pointer, DType dtype, const Affine& position) {
    Dim stride = vector_stride(position);
    return stride.is(0) ? pointer : e.element(pointer, dtype, e.multiply(e.number(point_.first_lane), e.dim(stride)));
  }

  bool known(const Affine& f) const {
    for (size_t i = 0; i < f.strides.size(); ++i)
      if (!f.strides[i].is(0) && (i >= point_.indices.size() || !point_.indices[i])) return false;
    return true;
  }
  bool known(const std::vector<Bound>& bounds) const {
    return std::all_of(bounds.begin(), bounds.end(), [&](const Bound& bound) { return known(bound.index); });
  }

  // An affine function at the first lane, and at all of them: uniform where it does not move along the vector loop.
  Value* first(const Affine& f) {
    Value* value = e.affine(f, point_.indices);
    Dim stride = vector_stride(f);
    return stride.is(0) ? value : e.add(value, e.multiply(e.number(point_.first_lane), e.dim(stride)));
  }
  Value* index(const Affine& f) {
    Value* value = first(f);
    Dim stride = vector_stride(f);
    if (point_.lanes == 1 || stride.is(0)) return value;
    return e.builder.CreateAdd(e.widen(value, point_.lanes), e.builder.CreateMul(e.lane_numbers(point_.lanes), e.widen(e.dim(stride), point_.lanes)));
  }

  // Whether all bounds hold; null where there are none. `varying` takes those that move along the vector loop, `uniform` the others.
  void inside(const std::vector<Bound>& bounds, Value*& uniform, Value*& varying) {
    for (const Bound& bound : bounds) {
      Value* at = index(bound.index);
      unsigned lanes = Emitter::lanes_of(at);
      Value* holds = e.builder.CreateICmpULT(at, e.widen(e.dim(bound.size), lanes));  // negative ones are large, unsigned
      Value*& all = lanes == 1 ? uniform : varying;
      all = all ? e.builder.CreateAnd(all, holds) : holds;
    }
  }

  Value* load(const LoadInput& from, Value* pointer) {
    DType dtype = e.dtype_of(from.argument);
    Dim stride = vector_stride(from.position);
    Value *uniform = nullptr, *varying = nullptr;
    inside(from.bounds, uniform, varying);
    bool moves = point_.lanes > 1 && !stride.is(0);
    unsigned lanes = moves ? point_.lanes : 1;
    pointer = at_first_lane(pointer, dtype, from.position);
    Value* mask = moves || point_.lanes == 1 ? point_.mask : nullptr;
    if (moves && varying) mask = mask ? e.builder.CreateAnd(e.widen(mask, lanes), varying) : varying;
    Value* step = moves ? e.dim(stride) : e.number(0);
    if (uniform) {
      // Outside, zeros are read instead: cheaper than a branch, and the block goes on.
      Value* zeros = e.zeros(lanes * size_of(dtype));
      pointer = e.builder.CreateSelect(uniform, pointer, zeros);
      if (moves && !stride.is(1)) step = e.builder.CreateSelect(uniform, step, e.number(0));
    }
    Value* value = moves ? e.load_strided(pointer, dtype, step, lanes, mask) : e.load(pointer, dtype, 1, mask);
    // One element for all lanes, but some of them are outside.
    if (!moves && varying) value = e.builder.CreateSelect(varying, e.widen(value, point_.lanes), e.zero(dtype, point_.lanes));
    return value;
  }

  Value* constant(const ScalarOp& op) {
    llvm::Type* type = e.type(op.type);
    if (op.type == boolean) return e.builder.getInt1(op.bits != 0);
    if (!is_float(op.type) || is_stored_only(op.type)) return llvm::ConstantInt::get(type, op.bits);
    auto bits = llvm::APInt(static_cast<unsigned>(size_of(op.type) * 8), op.bits);
    return llvm::ConstantFP::get(type, llvm::APFloat(type->getFltSemantics(), bits));
  }

  // The value of an input; null where it is not known yet.
  Value* input(const BodyInput& from) {
    size_t k = static_cast<size_t>(&from - body_.inputs.data());
    return std::visit(Match{
        [&](const LoadInput& f) -> Value* { return known(f.position) && known(f.bounds) ? load(f, state_.load_pointers[k]) : nullptr; },
        [&](const IndexInput& f) -> Value* { return known(f.index) ? converted_index(f) : nullptr; },
        [&](const InsideInput& f) -> Value* {
          if (!known(f.bounds)) return nullptr;
          Value *uniform = nullptr, *varying = nullptr;
          inside(f.bounds, uniform, varying);
          if (!uniform && !varying) return e.builder.getTrue();
          if (!uniform || !varying) return uniform ? uniform : varying;
          return e.builder.CreateAnd(e.widen(uniform, point_.lanes), varying);
        },
        [&](const SizeInput& f) -> Value* { return e.size_value(f.value); },
        [&](const RowInput& f) -> Value* { return f.slot < point_.rows.size() ? point_.rows[f.slot] : nullptr; },
        [&](const AccumulatorInput&) -> Value* { return point_.accumulator; },
    }, from);
  }

  Value* converted_index(const IndexInput& from) {
    if (is_integer(from.dtype)) {  // wrapping is the same before the sum and after it, and narrow lanes are more
      llvm::Type* type = e.type(from.dtype);
      Value* value = e.builder.CreateSExtOrTrunc(first(from.index), type);
      Dim stride = vector_stride(from.index);
      if (point_.lanes == 1 || stride.is(0)) return value;
      Value* lanes = e.builder.CreateSExtOrTrunc(e.lane_numbers(point_.lanes), e.type(from.dtype, point_.lanes));
      Value* step = e.widen(e.builder.CreateSExtOrTrunc(e.dim(stride), type), point_.lanes);
      return e.builder.CreateAdd(e.widen(value, point_.lanes), e.builder.CreateMul(lanes, step));
    }
    ScalarOp op{ScalarCode::convert, from.dtype, {}, 0};
    return e.scalar(op, e.index_dtype(), {index(from.index)});
  }

  Emitter& e;
  const Body& body_;
  const Point& point_;
  BodyState& state_;
};

}  // namespace

void evaluate_body(Emitter& emitter, const Body& body, const Point& point, BodyState& state) {
  Evaluation evaluation(emitter, body, point, state);
  evaluation.prepare();
  evaluation.evaluate();
}

Values outputs_of(const Body& body, const BodyState& state) {
  Values outputs;
  for (uint32_t output : body.expr.outputs) {
    ensure(output < state.ops.size() && state.ops[output], "a body's outputs are known once all its indices are");
    outputs.push_back(state.ops[output]);
  }
  return outputs;
}

void store_outputs(Emitter& emitter, const Body& body, const Point& point, BodyState& state, const Values& outputs, bool streaming) {
  Evaluation evaluation(emitter, body, point, state);
  evaluation.prepare();
  evaluation.store(outputs, streaming);
}

unsigned lanes_for(const Target& target, const Body& body, const std::vector<KernelArgument>& arguments) {
  size_t widest = 1;
  for (const ScalarOp& op : body.expr.ops) widest = std::max(widest, size_of(op.type));
  for (const Store& store : body.stores) widest = std::max(widest, size_of(arguments.at(store.argument).dtype));
  return target.lanes(widest);
}

}  // namespace sinter
