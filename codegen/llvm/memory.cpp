// Types, vectors, and how they come from and go to memory.
#include "codegen/llvm/emit.h"
#include "codegen/llvm/module.h"

namespace sinter {

using llvm::Value;

namespace {

llvm::Type* widened(llvm::Type* element, unsigned lanes) { return lanes == 1 ? element : llvm::FixedVectorType::get(element, lanes); }

llvm::Align align_of(DType type) { return llvm::Align(size_of(type)); }

}  // namespace

llvm::Type* Emitter::type(DType dtype, unsigned lanes) {
  if (dtype == boolean) return widened(builder.getInt1Ty(), lanes);
  return memory_type(dtype, lanes);
}

llvm::Type* Emitter::memory_type(DType dtype, unsigned lanes) {
  if (dtype == f32) return widened(builder.getFloatTy(), lanes);
  if (dtype == f64) return widened(builder.getDoubleTy(), lanes);
  return widened(builder.getIntNTy(static_cast<unsigned>(size_of(dtype) * 8)), lanes);
}

Value* Emitter::zero(DType dtype, unsigned lanes) { return llvm::Constant::getNullValue(type(dtype, lanes)); }

unsigned Emitter::lanes_of(Value* value) {
  auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(value->getType());
  return vector ? vector->getNumElements() : 1;
}

Value* Emitter::widen(Value* value, unsigned lanes) {
  if (lanes_of(value) == lanes) return value;
  ensure(lanes_of(value) == 1, "only a uniform value is widened");
  return builder.CreateVectorSplat(lanes, value);
}

Value* Emitter::lane_numbers(unsigned lanes) {
  if (lanes == 1) return number(0);
  std::vector<llvm::Constant*> numbers(lanes);
  for (unsigned l = 0; l < lanes; ++l) numbers[l] = llvm::ConstantInt::get(index_type(), l);
  return llvm::ConstantVector::get(numbers);
}

Value* Emitter::lanes_below(Value* count, unsigned lanes) {
  if (lanes == 1) return builder.CreateICmpSLT(number(0), count);
  // In the narrowest type that fills a register, so that it is one comparison.
  unsigned bits = std::clamp(target.vector_bytes * 8 / lanes, 8u, 32u);
  llvm::Type* narrow = builder.getIntNTy(bits);
  Value* clamped = smaller(builder.CreateBinaryIntrinsic(llvm::Intrinsic::smax, count, number(0)), number(lanes));
  Value* numbers = builder.CreateTrunc(lane_numbers(lanes), widened(narrow, lanes));
  return builder.CreateICmpULT(numbers, widen(builder.CreateTrunc(clamped, narrow), lanes));
}

Value* Emitter::element(Value* pointer, DType dtype, Value* index) {
  if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(index); known && known->isZero()) return pointer;
  return builder.CreateGEP(memory_type(dtype), pointer, index);
}

Value* Emitter::zeros(size_t bytes) {
  llvm::Module& module = *function->getParent();
  const std::string name = std::string(kernel_prefix) + "zeros";  // no symbol of a user's
  if (auto* known = module.getNamedGlobal(name); known && known->getValueType()->getArrayNumElements() >= bytes) return known;
  auto* type = llvm::ArrayType::get(builder.getInt8Ty(), std::max<size_t>(bytes, 512));
  auto* global = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::PrivateLinkage, llvm::ConstantAggregateZero::get(type), name);
  global->setAlignment(llvm::Align(64));
  return global;
}

Value* Emitter::load(Value* pointer, DType dtype, unsigned lanes, Value* mask) {
  llvm::Type* stored = memory_type(dtype, lanes);
  Value* value = nullptr;
  if (!mask) value = builder.CreateAlignedLoad(stored, pointer, align_of(dtype));
  else if (lanes == 1)
    value = when(mask, {llvm::Constant::getNullValue(stored)},
                 [&]() -> Values { return {builder.CreateAlignedLoad(stored, pointer, align_of(dtype))}; })[0];
  else value = builder.CreateMaskedLoad(stored, pointer, align_of(dtype), widen(mask, lanes), llvm::Constant::getNullValue(stored));
  return dtype == boolean ? builder.CreateICmpNE(value, llvm::Constant::getNullValue(stored)) : value;
}

Value* Emitter::load_strided(Value* pointer, DType dtype, Value* stride, unsigned lanes, Value* mask) {
  auto* known = llvm::dyn_cast<llvm::ConstantInt>(stride);
  if (lanes == 1 || (known && known->isOne())) return load(pointer, dtype, lanes, mask);
  llvm::Type* stored = memory_type(dtype, lanes);
  Value* value = nullptr;
  if (mask) {
    Value* pointers = builder.CreateGEP(memory_type(dtype), pointer, builder.CreateMul(lane_numbers(lanes), widen(stride, lanes)));
    value = builder.CreateMaskedGather(stored, pointers, align_of(dtype), widen(mask, lanes), llvm::Constant::getNullValue(stored));
  } else {
    // One by one: with constant strides the addresses cost nothing, and gather instructions are no faster.
    value = llvm::PoisonValue::get(stored);
    for (unsigned l = 0; l < lanes; ++l) {
      Value* one = builder.CreateAlignedLoad(memory_type(dtype), element(pointer, dtype, multiply(stride, number(l))), align_of(dtype));
      value = builder.CreateInsertElement(value, one, l);
    }
  }
  return dtype == boolean ? builder.CreateICmpNE(value, llvm::Constant::getNullValue(stored)) : value;
}

void Emitter::store(Value* pointer, DType dtype, Value* value, unsigned lanes, Value* mask, bool streaming) {
  value = widen(value, lanes);
  if (dtype == boolean) value = builder.CreateZExt(value, memory_type(dtype, lanes));
  if (mask && lanes == 1) {
    when(mask, [&] { builder.CreateAlignedStore(value, pointer, align_of(dtype)); });
  } else if (mask) {
    builder.CreateMaskedStore(value, pointer, align_of(dtype), widen(mask, lanes));
  } else {
    llvm::Align align = streaming ? llvm::Align(size_of(dtype) * lanes) : align_of(dtype);
    auto* store = builder.CreateAlignedStore(value, pointer, align);
    if (streaming) {
      llvm::Metadata* one = llvm::ConstantAsMetadata::get(builder.getInt32(1));
      store->setMetadata(llvm::LLVMContext::MD_nontemporal, llvm::MDNode::get(function->getContext(), one));
    }
  }
}

void Emitter::prefetch(Value* pointer, uint32_t level) {
  Value *read = builder.getInt32(0), *locality = builder.getInt32(4 - level), *data = builder.getInt32(1);
  builder.CreateIntrinsic(llvm::Intrinsic::prefetch, {pointer->getType()}, {pointer, read, locality, data});
}

void Emitter::store_strided(Value* pointer, DType dtype, Value* value, Value* stride, unsigned lanes, Value* mask) {
  auto* known = llvm::dyn_cast<llvm::ConstantInt>(stride);
  if (lanes == 1 || (known && known->isOne())) return store(pointer, dtype, value, lanes, mask);
  value = widen(value, lanes);
  if (dtype == boolean) value = builder.CreateZExt(value, memory_type(dtype, lanes));
  if (mask) {
    Value* pointers = builder.CreateGEP(memory_type(dtype), pointer, builder.CreateMul(lane_numbers(lanes), widen(stride, lanes)));
    builder.CreateMaskedScatter(value, pointers, align_of(dtype), widen(mask, lanes));
    return;
  }
  for (unsigned l = 0; l < lanes; ++l)
    builder.CreateAlignedStore(builder.CreateExtractElement(value, l), element(pointer, dtype, multiply(stride, number(l))), align_of(dtype));
}

}  // namespace sinter
