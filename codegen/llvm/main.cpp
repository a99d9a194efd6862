// The native function of a whole graph: its kernels called in order, at fixed offsets in the frame's tables, with a look at the stop count
// between them.
#include <cstddef>

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>

#include "codegen/llvm/module.h"

namespace sinter {

using llvm::Value;

namespace {

class Calls {
 public:
  Calls(llvm::Module& module, const Target& target) : builder_(module.getContext()), module_(module) {
    llvm::Type* pointer = builder_.getPtrTy();
    kernel_type_ = llvm::FunctionType::get(builder_.getVoidTy(), {pointer, pointer, builder_.getInt64Ty(), builder_.getInt64Ty()}, false);
    function_ = llvm::Function::Create(llvm::FunctionType::get(builder_.getInt32Ty(), {pointer}, false), llvm::Function::ExternalLinkage,
                                       graph_symbol, module);
    function_->addFnAttr("target-cpu", target.cpu);
    function_->addFnAttr("target-features", target.features);
    function_->addFnAttr(llvm::Attribute::NoUnwind);
    frame_ = function_->getArg(0);
    builder_.SetInsertPoint(block("entry"));
    arguments_ = field(offsetof(CallFrame, arguments));
    sizes_ = field(offsetof(CallFrame, sizes));
    chunks_ = field(offsetof(CallFrame, chunks));
    stopped_ = block("stopped");
  }

  void emit(std::span<const CallStep> steps) {
    for (size_t i = 0; i < steps.size(); ++i) {
      if (steps[i].commits && !committing_) commit();
      step(steps[i], i);
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
  llvm::BasicBlock* block(const char* name) { return llvm::BasicBlock::Create(module_.getContext(), name, function_); }
  Value* address(size_t offset) { return builder_.CreateConstInBoundsGEP1_64(builder_.getInt8Ty(), frame_, offset); }
  Value* field(size_t offset) { return builder_.CreateAlignedLoad(builder_.getPtrTy(), address(offset), llvm::Align(8)); }
  Value* entry(Value* table, size_t number) { return builder_.CreateConstInBoundsGEP1_64(builder_.getInt64Ty(), table, number); }

  void commit() {
    committing_ = true;
    builder_.CreateAlignedStore(builder_.getInt32(1), address(offsetof(CallFrame, committing)), llvm::Align(4));
  }

  // Volatile, as some targets make a library call of an atomic load; on all of them four aligned bytes are loaded at once.
  void look_at_stops() {
    if (committing_) return;
    llvm::BasicBlock *here = builder_.GetInsertBlock(), *on = block("on");
    llvm::Type* i32 = builder_.getInt32Ty();
    Value* now = builder_.CreateAlignedLoad(i32, field(offsetof(CallFrame, stops)), llvm::Align(4), /*isVolatile=*/true);
    Value* began = builder_.CreateAlignedLoad(i32, address(offsetof(CallFrame, began)), llvm::Align(4));
    stops_.push_back({builder_.getInt32(call_stopped), here});
    builder_.CreateCondBr(builder_.CreateICmpNE(now, began), stopped_, on, llvm::MDBuilder(module_.getContext()).createBranchWeights(1, 1 << 20));
    builder_.SetInsertPoint(on);
  }

  void step(const CallStep& step, size_t number) {
    auto kernel = module_.getOrInsertFunction(kernel_symbol(step.kernel), kernel_type_);
    llvm::cast<llvm::Function>(kernel.getCallee())->addFnAttr(llvm::Attribute::NoUnwind);
    Value *arguments = entry(arguments_, step.arguments), *sizes = entry(sizes_, step.sizes), *zero = builder_.getInt64(0);
    auto call = [&](Value* chunk) { builder_.CreateCall(kernel, {arguments, sizes, chunk, zero}); };
    if (step.chunks && *step.chunks <= 0) return;
    // What runs in parallel looks before each chunk; the executor looks before the first step.
    if (number > 0 && !(step.parallel && step.chunks && *step.chunks > 1)) look_at_stops();
    if (step.chunks == 1) return call(zero);
    Value* chunks = step.chunks ? static_cast<Value*>(builder_.getInt64(static_cast<uint64_t>(*step.chunks)))
                                : builder_.CreateAlignedLoad(builder_.getInt64Ty(), entry(chunks_, number), llvm::Align(8));
    if (!step.parallel) return each(chunks, step.chunks.has_value(), call);

    llvm::BasicBlock *many = block("many"), *next = block("next");
    if (step.chunks) {
      builder_.CreateBr(many);
    } else {
      llvm::BasicBlock *few = block("few"), *one = block("one");
      builder_.CreateCondBr(builder_.CreateICmpSGT(chunks, builder_.getInt64(1)), many, few);
      builder_.SetInsertPoint(few);
      builder_.CreateCondBr(builder_.CreateICmpEQ(chunks, builder_.getInt64(1)), one, next);
      builder_.SetInsertPoint(one);
      call(zero);
      builder_.CreateBr(next);
    }
    builder_.SetInsertPoint(many);
    llvm::Type* pointer = builder_.getPtrTy();
    auto* type = llvm::FunctionType::get(builder_.getInt32Ty(), {pointer, pointer, pointer, pointer, builder_.getInt64Ty()}, false);
    auto* code = builder_.CreateCall(type, field(offsetof(CallFrame, parallel)), {frame_, kernel.getCallee(), arguments, sizes, chunks});
    code->addFnAttr(llvm::Attribute::NoUnwind);
    stops_.push_back({code, many});
    builder_.CreateCondBr(builder_.CreateICmpNE(code, builder_.getInt32(0)), stopped_, next);
    builder_.SetInsertPoint(next);
  }

  template <class Call>
  void each(Value* chunks, bool some, const Call& call) {
    llvm::BasicBlock *before = builder_.GetInsertBlock(), *turn = block("chunk"), *next = block("next");
    if (some) builder_.CreateBr(turn);
    else builder_.CreateCondBr(builder_.CreateICmpSGT(chunks, builder_.getInt64(0)), turn, next);
    builder_.SetInsertPoint(turn);
    llvm::PHINode* chunk = builder_.CreatePHI(builder_.getInt64Ty(), 2);
    chunk->addIncoming(builder_.getInt64(0), before);
    call(chunk);
    Value* following = builder_.CreateNSWAdd(chunk, builder_.getInt64(1));
    llvm::BasicBlock* more = block("more");
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
  llvm::Function* function_ = nullptr;
  Value *frame_ = nullptr, *arguments_ = nullptr, *sizes_ = nullptr, *chunks_ = nullptr;
  llvm::BasicBlock* stopped_ = nullptr;
  bool committing_ = false;
  std::vector<std::pair<Value*, llvm::BasicBlock*>> stops_;
};

}  // namespace

void emit_graph(llvm::Module& module, std::span<const CallStep> steps, const Target& target) { Calls(module, target).emit(steps); }

}  // namespace sinter
