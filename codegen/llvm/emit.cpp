// The frame of a kernel's function: its arguments and sizes, numbers, loops and branches.
#include "codegen/llvm/emit.h"

#include <fmt/format.h>

#include "codegen/llvm/by_steps.h"

namespace sinter {

using llvm::Value;

namespace {

const llvm::ConstantInt* constant(const Value* value) { return llvm::dyn_cast<llvm::ConstantInt>(value); }
bool is_constant(const Value* value, int64_t number) {
  auto* known = constant(value);
  return known && known->getSExtValue() == number;
}

Value* of_dim(const std::vector<Dim>& dims, const Values& values, const Dim& wanted) {
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i] == wanted) return values[i];
  throw InternalError("a kernel lists every size it uses: " + to_string(wanted) + " is missing");
}

// Blocks that come after others are the function's from the beginning, lest they leak where emission fails, and take their place here.
void move_to_end(llvm::BasicBlock* block) {
  llvm::Function* function = block->getParent();
  function->splice(function->end(), function, block->getIterator());
}

}  // namespace

Emitter::Emitter(llvm::Module& module, const Kernel& kernel_in, const Target& target_in, const std::string& name)
    : builder(module.getContext()), kernel(kernel_in), target(target_in) {
  llvm::LLVMContext& context = module.getContext();
  llvm::Type *pointer = builder.getPtrTy(), *i64_type = builder.getInt64Ty();
  auto* function_type = llvm::FunctionType::get(builder.getVoidTy(), {pointer, pointer, i64_type, i64_type}, false);
  function = llvm::Function::Create(function_type, llvm::Function::ExternalLinkage, name, module);
  function->addFnAttr("target-cpu", target.cpu);
  function->addFnAttr("target-features", target.features);
  // Without these the x86 backend halves 64-byte vectors on CPUs tuned for 32.
  std::string bits = std::to_string(target.vector_bytes * 8);
  function->addFnAttr("prefer-vector-width", bits);
  function->addFnAttr("min-legal-vector-width", bits);
  function->addFnAttr(llvm::Attribute::NoUnwind);
  llvm::Value *arguments = function->getArg(0), *sizes = function->getArg(1);
  arguments->setName("arguments");
  sizes->setName("sizes");
  function->getArg(2)->setName("chunk");
  function->getArg(3)->setName("worker");
  for (unsigned i = 0; i < 2; ++i) function->addParamAttr(i, llvm::Attribute::NoAlias);

  builder.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  auto* invariant = llvm::MDNode::get(context, {});
  chunk_ = builder.CreateTrunc(function->getArg(2), index_type());
  worker_ = builder.CreateTrunc(function->getArg(3), index_type());
  auto table_entry = [&](llvm::Type* type, Value* table, size_t i, const std::string& label) {
    auto* load = builder.CreateAlignedLoad(type, builder.CreateConstInBoundsGEP1_64(type, table, i), module.getDataLayout().getABITypeAlign(type), label);
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, invariant);
    return load;
  };
  for (size_t i = 0; i < kernel.arguments.size(); ++i) arguments_.push_back(table_entry(pointer, arguments, i, "argument" + std::to_string(i)));
  for (size_t i = 0; i < kernel.sizes.size(); ++i) {
    size_values_.push_back(table_entry(i64_type, sizes, i, to_string(kernel.sizes[i])));
    sizes_.push_back(builder.CreateTrunc(size_values_.back(), index_type()));
  }
  for (size_t i = 0; i < kernel.arguments.size(); ++i)
    if (const Dim& stride = kernel.arguments[i].worker_stride; !stride.is(0))
      arguments_[i] = element(arguments_[i], kernel.arguments[i].dtype, multiply(worker_, dim(stride)));
}

void Emitter::finish() { builder.CreateRetVoid(); }

Value* Emitter::chunk() const { return chunk_; }
Value* Emitter::worker() const { return worker_; }
Value* Emitter::argument(uint32_t number) const {
  ensure(number < arguments_.size(), "a kernel's body names an argument that it has");
  return arguments_[number];
}

// --- numbers ---------------------------------------------------------------------------------------------------------------------

llvm::Type* Emitter::index_type() const { return llvm::Type::getIntNTy(function->getContext(), target.index_bits); }
DType Emitter::index_dtype() const { return target.index_bits == 32 ? i32 : i64; }

Value* Emitter::number(int64_t value) const {
  if (!llvm::isIntN(target.index_bits, value))
    throw UserError(fmt::format("{} has addresses of {} bits, too few for a size or an offset of {}", target.triple, target.index_bits, value));
  return llvm::ConstantInt::getSigned(index_type(), value);
}

Value* Emitter::dim(const Dim& value) const { return value.is_number() ? number(value.number()) : of_dim(kernel.sizes, sizes_, value); }

Value* Emitter::size_value(const Dim& value) const {
  if (value.is_number()) return llvm::ConstantInt::getSigned(llvm::Type::getInt64Ty(function->getContext()), value.number());
  return of_dim(kernel.sizes, size_values_, value);
}

Value* Emitter::add(Value* a, Value* b) {
  if (is_constant(a, 0)) return b;
  if (is_constant(b, 0)) return a;
  return builder.CreateNSWAdd(a, b);
}

Value* Emitter::multiply(Value* a, Value* b) {
  if (is_constant(a, 0) || is_constant(b, 0)) return number(0);
  if (is_constant(a, 1)) return b;
  if (is_constant(b, 1)) return a;
  if (constant(a)) std::swap(a, b);
  if (auto* factor = constant(b)) {
    const int64_t by = factor->getSExtValue();
    if (Value* carried = product(a, by)) return carried;
    // (x + index) * by
    if (auto* sum = llvm::dyn_cast<llvm::BinaryOperator>(a); sum && sum->getOpcode() == llvm::Instruction::Add)
      for (unsigned i = 0; i < 2; ++i)
        if (Value* carried = product(sum->getOperand(i), by)) return add(multiply(sum->getOperand(1 - i), b), carried);
  }
  return builder.CreateNSWMul(a, b);
}

// Strength reduction: Allen, Cocke and Kennedy, "Reduction of operator strength", in Program Flow Analysis, 1981.
Value* Emitter::product(Value* index, int64_t factor) {
  auto open = std::find_if(open_.begin(), open_.end(), [&](const OpenLoop& loop) { return loop.index == index; });
  if (open == open_.end() || !llvm::isInt<31>(factor) || !llvm::isIntN(target.index_bits, factor * open->step)) return nullptr;
  for (const auto& [known, phi] : open->products)
    if (known == factor) return phi;
  const llvm::IRBuilderBase::InsertPointGuard guard(builder);
  llvm::BasicBlock* before = open->index->getIncomingBlock(0);
  builder.SetInsertPoint(before->getTerminator());
  Value* first = builder.CreateNSWMul(open->begin, number(factor));
  builder.SetInsertPoint(open->index);
  llvm::PHINode* phi = builder.CreatePHI(open->index->getType(), 2);
  phi->addIncoming(first, before);
  open->products.emplace_back(factor, phi);
  return phi;
}

Value* Emitter::divide(Value* value, Value* divisor) {
  if (target.division_bits < target.index_bits) return divide_by_steps(*this, value, divisor).quotient;
  return builder.CreateUDiv(value, divisor);
}

Value* Emitter::modulo(Value* value, Value* divisor) {
  if (target.division_bits < target.index_bits) return divide_by_steps(*this, value, divisor).remainder;
  return builder.CreateURem(value, divisor);
}

Value* Emitter::ceil_divide(Value* value, int64_t divisor) {
  if (divisor == 1) return value;
  return divide(add(value, number(divisor - 1)), number(divisor));
}

Value* Emitter::smaller(Value* a, Value* b) {
  auto *x = constant(a), *y = constant(b);
  if (x && y) return x->getSExtValue() < y->getSExtValue() ? a : b;
  return builder.CreateBinaryIntrinsic(llvm::Intrinsic::smin, a, b);
}

Value* Emitter::affine(const Affine& function_of, const Values& indices) {
  Value* sum = dim(function_of.offset);
  for (size_t i = 0; i < function_of.strides.size() && i < indices.size(); ++i)
    if (indices[i] && !function_of.strides[i].is(0)) sum = add(sum, multiply(indices[i], dim(function_of.strides[i])));
  return sum;
}

Values Emitter::unflatten(Value* flat, const std::vector<Dim>& extents) {
  Values indices(extents.size());
  for (size_t i = extents.size(); i-- > 0;) {
    if (i == 0) {
      indices[i] = flat;
    } else {
      Value* extent = dim(extents[i]);
      indices[i] = modulo(flat, extent);
      flat = divide(flat, extent);
    }
  }
  return indices;
}

std::pair<Value*, Value*> Emitter::chunk_range(Value* extent) {
  auto* known = constant(extent);
  if (known && known->getSExtValue() <= kernel.grain) return {number(0), extent};
  Value* begin = multiply(chunk_, number(kernel.grain));
  return {begin, smaller(extent, add(begin, number(kernel.grain)))};
}

// --- control ---------------------------------------------------------------------------------------------------------------------

void Emitter::loop(Value* begin, Value* end, int64_t step, const std::function<void(Value*)>& body) {
  loop(begin, end, step, {}, [&](Value* index, const Values&) {
    body(index);
    return Values();
  });
}

Values Emitter::loop(Value* begin, Value* end, int64_t step, const Values& initial, const std::function<Values(Value*, const Values&)>& body) {
  auto *first = constant(begin), *last = constant(end);
  bool runs = first && last && first->getSExtValue() < last->getSExtValue();
  if (begin == end || (first && last && !runs)) return initial;
  if (runs && last->getSExtValue() - first->getSExtValue() <= step) return body(begin, initial);

  llvm::LLVMContext& context = function->getContext();
  llvm::BasicBlock* before = builder.GetInsertBlock();
  auto* header = llvm::BasicBlock::Create(context, "loop", function);
  auto* exit = llvm::BasicBlock::Create(context, "done", function);
  if (runs) builder.CreateBr(header);
  else builder.CreateCondBr(builder.CreateICmpSLT(begin, end), header, exit);

  builder.SetInsertPoint(header);
  llvm::PHINode* index = builder.CreatePHI(begin->getType(), 2, "index");
  index->addIncoming(begin, before);
  Values carried;
  for (Value* value : initial) {
    llvm::PHINode* phi = builder.CreatePHI(value->getType(), 2);
    phi->addIncoming(value, before);
    carried.push_back(phi);
  }
  open_.push_back({index, begin, step, {}});
  Values next = body(index, carried);
  const OpenLoop closed = std::move(open_.back());
  open_.pop_back();
  ensure(next.size() == initial.size(), "a loop hands on as many values as it takes");
  Value* following = builder.CreateNSWAdd(index, number(step));
  llvm::BasicBlock* latch = builder.GetInsertBlock();
  index->addIncoming(following, latch);
  for (const auto& [factor, phi] : closed.products) phi->addIncoming(builder.CreateNSWAdd(phi, number(factor * step)), latch);
  for (size_t i = 0; i < next.size(); ++i) llvm::cast<llvm::PHINode>(carried[i])->addIncoming(next[i], latch);
  builder.CreateCondBr(builder.CreateICmpSLT(following, end), header, exit);

  move_to_end(exit);
  builder.SetInsertPoint(exit);
  if (runs) return next;
  for (size_t i = 0; i < next.size(); ++i) {
    llvm::PHINode* phi = builder.CreatePHI(next[i]->getType(), 2);
    phi->addIncoming(initial[i], before);
    phi->addIncoming(next[i], latch);
    next[i] = phi;
  }
  return next;
}

void Emitter::when(Value* condition, const std::function<void()>& then, const std::function<void()>& otherwise) {
  if (auto* known = constant(condition)) {
    if (known->isOne()) then();
    else if (otherwise) otherwise();
    return;
  }
  llvm::LLVMContext& context = function->getContext();
  auto* yes = llvm::BasicBlock::Create(context, "then", function);
  auto* no = otherwise ? llvm::BasicBlock::Create(context, "else", function) : nullptr;
  auto* after = llvm::BasicBlock::Create(context, "after", function);
  builder.CreateCondBr(condition, yes, no ? no : after);
  builder.SetInsertPoint(yes);
  then();
  builder.CreateBr(after);
  if (no) {
    move_to_end(no);
    builder.SetInsertPoint(no);
    otherwise();
    builder.CreateBr(after);
  }
  move_to_end(after);
  builder.SetInsertPoint(after);
}

Values Emitter::when(Value* condition, const Values& otherwise, const std::function<Values()>& then) {
  if (auto* known = constant(condition)) return known->isOne() ? then() : otherwise;
  llvm::BasicBlock *before = builder.GetInsertBlock(), *last = nullptr;
  Values values;
  when(condition, [&] {
    values = then();
    last = builder.GetInsertBlock();
  });
  ensure(values.size() == otherwise.size(), "both sides of a branch make as many values");
  for (size_t i = 0; i < values.size(); ++i) {
    llvm::PHINode* phi = builder.CreatePHI(values[i]->getType(), 2);
    phi->addIncoming(values[i], last);
    phi->addIncoming(otherwise[i], before);
    values[i] = phi;
  }
  return values;
}

}  // namespace sinter
