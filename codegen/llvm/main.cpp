// The native function of a whole graph: its kernels called in order, at fixed offsets in the frame's tables, with a look at the stop count
// between them. A few steps are code one after another; many are rows of a constant table that one loop walks, as code for each takes 0.3 ms
// to compile.
#include <algorithm>
#include <cstddef>

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>

#include "codegen/llvm/module.h"

namespace sinter {

using llvm::Value;

namespace {

constexpr size_t most_in_line = 32;  // steps that are code each: from the table a step takes up to 10 ns more, as its kernel is not foreseen

class Calls {
 public:
  Calls(llvm::Module& module, const Target& target, const std::string& symbol) : builder_(module.getContext()), module_(module) {
    llvm::Type *pointer = builder_.getPtrTy(), *i32 = builder_.getInt32Ty();
    frame_type_ = llvm::StructType::get(module.getContext(), {pointer, pointer, pointer, pointer, pointer, pointer, i32, i32, pointer});
    check_frame();
    kernel_type_ = llvm::FunctionType::get(builder_.getVoidTy(), {pointer, pointer, builder_.getInt64Ty(), builder_.getInt64Ty()}, false);
    function_ = llvm::Function::Create(llvm::FunctionType::get(builder_.getInt32Ty(), {pointer}, false), llvm::Function::ExternalLinkage,
                                       symbol, module);
    function_->addFnAttr("target-cpu", target.cpu);
    function_->addFnAttr("target-features", target.features);
    function_->addFnAttr(llvm::Attribute::NoUnwind);
    frame_ = function_->getArg(0);
    builder_.SetInsertPoint(block("entry"));
    arguments_ = field(Field::arguments);
    sizes_ = field(Field::sizes);
    chunks_ = field(Field::chunks);
    stopped_ = block("stopped");
  }

  void emit(std::span<const CallStep> steps) {
    structs_ = linked_structs(builder_, steps);
    auto first = std::find_if(steps.begin(), steps.end(), [](const CallStep& s) { return s.commits; });
    auto begin = static_cast<size_t>(first - steps.begin());
    run(steps, 0, begin);
    if (begin < steps.size()) {
      commit();
      run(steps, begin, steps.size());
    }
    builder_.CreateRet(builder_.getInt32(0));
    // Where a call was stopped its code is handed on.
    llvm::IRBuilder<> at(stopped_);
    auto* code = at.CreatePHI(at.getInt32Ty(), static_cast<unsigned>(stops_.size()));
    for (auto& [value, from] : stops_) code->addIncoming(value, from);
    if (stops_.empty()) {
      stopped_->eraseFromParent();
    } else {
      at.CreateRet(code);
      stopped_->moveAfter(&function_->back());
    }
  }

 private:
  // CallFrame's, in its order.
  enum class Field : unsigned { arguments, sizes, chunks, parallel, host, stops, began, committing, call };

  // In this process the frame is what the C++ compiler laid out.
  void check_frame() {
    const llvm::DataLayout& layout = module_.getDataLayout();
    if (layout.getPointerSize() != sizeof(void*)) return;
    const size_t offsets[] = {offsetof(CallFrame, arguments), offsetof(CallFrame, sizes), offsetof(CallFrame, chunks), offsetof(CallFrame, parallel),
                              offsetof(CallFrame, host), offsetof(CallFrame, stops), offsetof(CallFrame, began), offsetof(CallFrame, committing),
                              offsetof(CallFrame, call)};
    for (unsigned k = 0; k < std::size(offsets); ++k)
      ensure(layout.getStructLayout(frame_type_)->getElementOffset(k).getFixedValue() == offsets[k], "generated code knows where the frame's fields are");
  }

  // Kernels in line or from a table, calls of custom operations between them.
  void run(std::span<const CallStep> steps, size_t begin, size_t end) {
    while (begin < end) {
      size_t next = begin;
      while (next < end && !steps[next].call) ++next;
      steps.size() <= most_in_line ? in_turn(steps, begin, next) : from_table(steps, begin, next);
      if (next < end) custom(steps[next], next);
      begin = next + 1;
    }
  }

  void custom(const CallStep& step, size_t number) {
    if (number > 0) look_at_stops();
    llvm::Type *pointer = builder_.getPtrTy(), *i64 = builder_.getInt64Ty();
    Value *arguments = entry(pointer, arguments_, step.arguments), *sizes = entry(i64, sizes_, step.sizes);
    if (step.linked) return hand_on(emit_linked_call(builder_, module_, *step.linked, structs_, arguments, sizes));
    auto* type = llvm::FunctionType::get(builder_.getInt32Ty(), {pointer, i64, pointer, pointer}, false);
    hand_on(builder_.CreateCall(type, field(Field::call), {frame_, builder_.getInt64(*step.call), arguments, sizes}));
  }

  // Ends the call with this code where it is not 0.
  void hand_on(Value* code) {
    llvm::BasicBlock* next = block("next");
    stops_.push_back({code, builder_.GetInsertBlock()});
    builder_.CreateCondBr(builder_.CreateICmpNE(code, builder_.getInt32(0)), stopped_, next);
    builder_.SetInsertPoint(next);
  }

  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(module_.getContext(), name, function_); }
  Value* address(Field field) { return builder_.CreateStructGEP(frame_type_, frame_, static_cast<unsigned>(field)); }
  Value* field(Field field) { return builder_.CreateLoad(frame_type_->getElementType(static_cast<unsigned>(field)), address(field)); }
  Value* entry(llvm::Type* type, Value* table, size_t number) { return builder_.CreateConstInBoundsGEP1_64(type, table, number); }

  void commit() {
    committing_ = true;
    builder_.CreateStore(builder_.getInt32(1), address(Field::committing));
  }

  // Volatile, as some targets make a library call of an atomic load; on all of them four aligned bytes are loaded at once.
  void look_at_stops() {
    if (committing_) return;
    llvm::BasicBlock *here = builder_.GetInsertBlock(), *on = block("on");
    llvm::Type* i32 = builder_.getInt32Ty();
    Value* now = builder_.CreateAlignedLoad(i32, field(Field::stops), llvm::Align(4), /*isVolatile=*/true);
    Value* began = field(Field::began);
    stops_.push_back({builder_.getInt32(call_stopped), here});
    builder_.CreateCondBr(builder_.CreateICmpNE(now, began), stopped_, on, llvm::MDBuilder(module_.getContext()).createBranchWeights(1, 1 << 20));
    builder_.SetInsertPoint(on);
  }

  struct Call {
    Value *kernel, *arguments, *sizes;
  };

  llvm::Function* kernel(size_t number) {
    auto* function = llvm::cast<llvm::Function>(module_.getOrInsertFunction(kernel_symbol(number), kernel_type_).getCallee());
    function->addFnAttr(llvm::Attribute::NoUnwind);
    return function;
  }
  Value* count(Value* number) {  // a step's chunks, where they are known at the call alone
    return builder_.CreateLoad(builder_.getInt64Ty(), builder_.CreateInBoundsGEP(builder_.getInt64Ty(), chunks_, number));
  }

  void in_turn(std::span<const CallStep> steps, size_t begin, size_t end) {
    for (size_t number = begin; number < end; ++number) {
      const CallStep& step = steps[number];
      if (step.chunks && *step.chunks <= 0) continue;
      // What runs in parallel looks before each chunk; the executor looks before the first step.
      if (number > 0 && !(step.parallel && step.chunks && *step.chunks > 1)) look_at_stops();
      Call call{kernel(step.kernel), entry(builder_.getPtrTy(), arguments_, step.arguments), entry(builder_.getInt64Ty(), sizes_, step.sizes)};
      if (step.chunks == 1) once(call, builder_.getInt64(0));
      else if (!step.chunks) any(call, count(builder_.getInt64(number)), step.parallel);
      else if (step.parallel) in_parallel(call, builder_.getInt64(static_cast<uint64_t>(*step.chunks)));
      else one_by_one(call, builder_.getInt64(static_cast<uint64_t>(*step.chunks)));
    }
  }

  // A row: the kernel; where its arguments and its sizes begin; its chunks, or the complement of where they are found; whether in parallel.
  void from_table(std::span<const CallStep> steps, size_t begin, size_t end) {
    if (begin == end) return;
    if (begin > 0) look_at_stops();
    llvm::Type *i32 = builder_.getInt32Ty(), *i64 = builder_.getInt64Ty(), *pointer = builder_.getPtrTy();
    auto* type = llvm::StructType::get(module_.getContext(), {pointer, i32, i32, i64, i64});
    std::vector<llvm::Constant*> rows;
    bool all_parallel = true;
    for (size_t number = begin; number < end; ++number) {
      const CallStep& step = steps[number];
      all_parallel = all_parallel && step.parallel;
      rows.push_back(llvm::ConstantStruct::get(type, {kernel(step.kernel), builder_.getInt32(step.arguments), builder_.getInt32(step.sizes),
                                                      builder_.getInt64(step.chunks ? static_cast<uint64_t>(std::max<int64_t>(*step.chunks, 0)) : ~uint64_t{number}), builder_.getInt64(step.parallel)}));
    }
    auto* table_type = llvm::ArrayType::get(type, rows.size());
    auto* table = new llvm::GlobalVariable(module_, table_type, true, llvm::GlobalValue::PrivateLinkage, llvm::ConstantArray::get(table_type, rows), std::string(kernel_prefix) + "steps");
    llvm::BasicBlock *before = builder_.GetInsertBlock(), *turn = block("step"), *next = block("next"), *more = block("more"), *done = block("done");
    builder_.CreateBr(turn);
    builder_.SetInsertPoint(turn);
    llvm::PHINode* row = builder_.CreatePHI(pointer, 2);
    row->addIncoming(table, before);
    auto load = [&](unsigned k) { return builder_.CreateLoad(type->getElementType(k), builder_.CreateStructGEP(type, row, k)); };
    auto at = [&](llvm::Type* of, Value* start, unsigned k) { return builder_.CreateInBoundsGEP(of, start, builder_.CreateZExt(load(k), i64)); };
    Call call{load(0), at(pointer, arguments_, 1), at(i64, sizes_, 2)};
    Value* known = load(3);
    llvm::BasicBlock *unknown = block("unknown"), *counted = block("counted");
    builder_.CreateCondBr(builder_.CreateICmpSLT(known, builder_.getInt64(0)), unknown, counted);
    builder_.SetInsertPoint(unknown);
    Value* found = count(builder_.CreateNot(known));
    builder_.CreateBr(counted);
    builder_.SetInsertPoint(counted);
    llvm::PHINode* chunks = builder_.CreatePHI(i64, 2);
    chunks->addIncoming(known, turn), chunks->addIncoming(found, unknown);
    if (!all_parallel) {
      llvm::BasicBlock *serial = block("serial"), *parallel = block("parallel");
      builder_.CreateCondBr(builder_.CreateICmpEQ(load(4), builder_.getInt64(0)), serial, parallel);
      builder_.SetInsertPoint(serial);
      any(call, chunks, false);
      builder_.CreateBr(next);
      builder_.SetInsertPoint(parallel);
    }
    any(call, chunks, true);
    builder_.CreateBr(next);
    builder_.SetInsertPoint(next);
    Value* following = builder_.CreateConstInBoundsGEP1_64(type, row, 1);
    builder_.CreateCondBr(builder_.CreateICmpEQ(following, builder_.CreateConstInBoundsGEP1_64(type, table, rows.size())), done, more);
    builder_.SetInsertPoint(more);
    look_at_stops();
    row->addIncoming(following, builder_.GetInsertBlock());
    builder_.CreateBr(turn);
    builder_.SetInsertPoint(done);
  }

  void once(const Call& call, Value* chunk) {
    builder_.CreateCall(kernel_type_, call.kernel, {call.arguments, call.sizes, chunk, builder_.getInt64(0)})->addFnAttr(llvm::Attribute::NoUnwind);
  }

  // Any number of chunks, none included.
  void any(const Call& call, Value* chunks, bool parallel) {
    llvm::BasicBlock *many = block("many"), *few = block("few"), *one = block("one"), *next = block("next");
    builder_.CreateCondBr(builder_.CreateICmpSGT(chunks, builder_.getInt64(1)), many, few);
    builder_.SetInsertPoint(few);
    builder_.CreateCondBr(builder_.CreateICmpEQ(chunks, builder_.getInt64(1)), one, next);
    builder_.SetInsertPoint(one);
    once(call, builder_.getInt64(0));
    builder_.CreateBr(next);
    builder_.SetInsertPoint(many);
    parallel ? in_parallel(call, chunks) : one_by_one(call, chunks);
    builder_.CreateBr(next);
    builder_.SetInsertPoint(next);
  }

  // `chunks` is more than one.
  void in_parallel(const Call& call, Value* chunks) {
    llvm::Type* pointer = builder_.getPtrTy();
    auto* type = llvm::FunctionType::get(builder_.getInt32Ty(), {pointer, pointer, pointer, pointer, builder_.getInt64Ty()}, false);
    hand_on(builder_.CreateCall(type, field(Field::parallel), {frame_, call.kernel, call.arguments, call.sizes, chunks}));
  }
  void one_by_one(const Call& call, Value* chunks) {
    llvm::BasicBlock *before = builder_.GetInsertBlock(), *turn = block("chunk"), *more = block("more"), *next = block("next");
    builder_.CreateBr(turn);
    builder_.SetInsertPoint(turn);
    llvm::PHINode* chunk = builder_.CreatePHI(builder_.getInt64Ty(), 2);
    chunk->addIncoming(builder_.getInt64(0), before);
    once(call, chunk);
    Value* following = builder_.CreateNSWAdd(chunk, builder_.getInt64(1));
    builder_.CreateCondBr(builder_.CreateICmpSLT(following, chunks), more, next);
    builder_.SetInsertPoint(more);
    look_at_stops();
    chunk->addIncoming(following, builder_.GetInsertBlock());
    builder_.CreateBr(turn);
    builder_.SetInsertPoint(next);
  }

  llvm::IRBuilder<> builder_;
  llvm::Module& module_;
  llvm::FunctionType* kernel_type_ = nullptr;
  llvm::StructType* frame_type_ = nullptr;
  llvm::Function* function_ = nullptr;
  Value *frame_ = nullptr, *arguments_ = nullptr, *sizes_ = nullptr, *chunks_ = nullptr, *structs_ = nullptr;
  llvm::BasicBlock* stopped_ = nullptr;
  bool committing_ = false;
  std::vector<std::pair<Value*, llvm::BasicBlock*>> stops_;
};

}  // namespace

void emit_graph(llvm::Module& module, std::span<const CallStep> steps, const Target& target, const std::string& symbol) {
  Calls(module, target, symbol).emit(steps);
}

}  // namespace sinter
