// In objects: the call of a custom operation's C function by its name, with the structs of graph/custom_call.h on the stack.
#include <algorithm>

#include <llvm/IR/IRBuilder.h>

#include "codegen/llvm/module.h"

namespace sinter {
namespace {

using llvm::Value;

struct Structs {
  llvm::StructType *array, *call, *all;  // sinter_array; sinter_custom_call; that one, and the operands behind it
};

Structs structs_of(llvm::LLVMContext& context, size_t operands) {
  llvm::Type *pointer = llvm::PointerType::getUnqual(context), *number = llvm::Type::getInt32Ty(context);
  Structs types;
  types.array = llvm::StructType::get(context, {pointer, pointer, number, number});
  types.call = llvm::StructType::get(context, {pointer, number, types.array, pointer});
  types.all = llvm::StructType::get(context, {types.call, llvm::ArrayType::get(types.array, operands)});
  return types;
}

}  // namespace

Value* linked_structs(llvm::IRBuilder<>& builder, std::span<const CallStep> steps) {
  size_t most = 0;
  for (const CallStep& step : steps)
    if (step.linked) most = std::max(most, step.linked->arrays.size());
  return most == 0 ? nullptr : builder.CreateAlloca(structs_of(builder.getContext(), most - 1).all);
}

Value* emit_linked_call(llvm::IRBuilder<>& builder, llvm::Module& module, const LinkedCall& linked, Value* structs, Value* arguments, Value* sizes) {
  const size_t operands = linked.arrays.size() - 1;
  const Structs types = structs_of(module.getContext(), operands);
  llvm::Type *pointer = builder.getPtrTy(), *wide = builder.getInt64Ty();
  Value *call = builder.CreateStructGEP(types.all, structs, 0), *first = builder.CreateStructGEP(types.all, structs, 1);
  auto set = [&](llvm::Type* type, Value* of, unsigned field, Value* value) { builder.CreateStore(value, builder.CreateStructGEP(type, of, field)); };

  uint64_t size = 0;
  for (size_t k = 0; k <= operands; ++k) {
    Value* array = k == operands ? builder.CreateStructGEP(types.call, call, 2) : builder.CreateConstInBoundsGEP1_64(types.array, first, k);
    set(types.array, array, 0, builder.CreateLoad(pointer, builder.CreateConstInBoundsGEP1_64(pointer, arguments, k)));
    set(types.array, array, 1, builder.CreateConstInBoundsGEP1_64(wide, sizes, size));
    set(types.array, array, 2, builder.getInt32(static_cast<uint32_t>(linked.arrays[k].rank)));
    set(types.array, array, 3, builder.getInt32(static_cast<uint32_t>(linked.arrays[k].dtype)));
    size += static_cast<uint64_t>(linked.arrays[k].rank);
  }
  set(types.call, call, 0, first);
  set(types.call, call, 1, builder.getInt32(static_cast<uint32_t>(operands)));
  set(types.call, call, 3, llvm::ConstantPointerNull::get(builder.getPtrTy()));
  auto* type = llvm::FunctionType::get(builder.getInt32Ty(), {pointer}, false);
  llvm::CallInst* code = builder.CreateCall(module.getOrInsertFunction(linked.symbol, type), {call});
  code->addFnAttr(llvm::Attribute::NoUnwind);
  return builder.CreateSelect(builder.CreateICmpEQ(code, builder.getInt32(0)), code, builder.getInt32(call_failed));
}

}  // namespace sinter
