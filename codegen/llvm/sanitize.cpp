// LLVM's passes, and for threads what they leave out.
#include "codegen/llvm/sanitize.h"

#include <vector>

#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Transforms/Instrumentation/AddressSanitizer.h>
#include <llvm/Transforms/Instrumentation/ThreadSanitizer.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>

#include "graph/support/errors.h"

namespace sinter {

using llvm::Value;

namespace {

llvm::AddressSanitizerOptions address_options() {
  llvm::AddressSanitizerOptions options;
  options.InstrumentationWithCallsThreshold = 0;  // always calls: they compile faster than checks in line, and see the middle of a vector too
  options.UseAfterReturn = llvm::AsanDetectStackUseAfterReturnMode::Never;  // nothing on the stack has an address
  return options;
}

// What is reported of memory access by access: where, how many bytes, and under which mask of lanes.
struct Access {
  llvm::Instruction* at;
  Value* pointer;          // of lanes one after another; a vector of pointers, one a lane, where `scattered`
  llvm::Type* type;
  bool writes;
  Value* mask = nullptr;
  bool scattered = false;
};

// What the pass for threads leaves out, which is most of what a kernel does: vectors of more than 16 bytes, and all that are masked.
std::vector<Access> unseen_accesses(llvm::Function& function) {
  std::vector<Access> all;
  auto wide = [](llvm::Type* type) { return type->isVectorTy() && type->getPrimitiveSizeInBits() > 128; };
  for (llvm::BasicBlock& block : function)
    for (llvm::Instruction& at : block) {
      if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&at); load && wide(load->getType())) all.push_back({load, load->getPointerOperand(), load->getType(), false});
      if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&at); store && wide(store->getValueOperand()->getType()))
        all.push_back({store, store->getPointerOperand(), store->getValueOperand()->getType(), true});
      auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&at);
      if (!call) continue;
      llvm::Intrinsic::ID id = call->getIntrinsicID();
      if (id == llvm::Intrinsic::masked_load || id == llvm::Intrinsic::masked_gather)
        all.push_back({call, call->getArgOperand(0), call->getType(), false, call->getArgOperand(2), id == llvm::Intrinsic::masked_gather});
      if (id == llvm::Intrinsic::masked_store || id == llvm::Intrinsic::masked_scatter)
        all.push_back({call, call->getArgOperand(1), call->getArgOperand(0)->getType(), true, call->getArgOperand(3), id == llvm::Intrinsic::masked_scatter});
    }
  return all;
}

void report(const Access& access) {
  llvm::IRBuilder<> builder(access.at);
  llvm::Type *i64 = builder.getInt64Ty(), *pointer_type = builder.getPtrTy();
  auto* type = llvm::FunctionType::get(builder.getVoidTy(), {pointer_type, i64}, false);
  llvm::FunctionCallee range = access.at->getModule()->getOrInsertFunction(access.writes ? "__tsan_write_range" : "__tsan_read_range", type);
  auto* vector = llvm::cast<llvm::FixedVectorType>(access.type);
  unsigned lanes = vector->getNumElements();
  Value* lane_bytes = builder.getInt64(vector->getScalarSizeInBits() / 8);
  if (access.scattered) {
    for (unsigned l = 0; l < lanes; ++l) {
      builder.SetInsertPoint(llvm::SplitBlockAndInsertIfThen(builder.CreateExtractElement(access.mask, l), access.at, false));
      builder.CreateCall(range, {builder.CreateExtractElement(access.pointer, l), lane_bytes});
      builder.SetInsertPoint(access.at);
    }
    return;
  }
  if (!access.mask) {
    builder.CreateCall(range, {access.pointer, builder.CreateMul(builder.getInt64(lanes), lane_bytes)});
    return;
  }
  // The lanes of a mask are one run, as the emitter makes them of bounds: from the first that is on to the last.
  Value* bits = builder.CreateZExt(builder.CreateBitCast(access.mask, builder.getIntNTy(lanes)), i64);
  builder.SetInsertPoint(llvm::SplitBlockAndInsertIfThen(builder.CreateIsNotNull(bits), access.at, false));
  Value* first = builder.CreateBinaryIntrinsic(llvm::Intrinsic::cttz, bits, builder.getTrue());
  Value* end = builder.CreateSub(builder.getInt64(64), builder.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, bits, builder.getTrue()));
  Value* from = builder.CreatePtrAdd(access.pointer, builder.CreateMul(first, lane_bytes));
  builder.CreateCall(range, {from, builder.CreateMul(builder.CreateSub(end, first), lane_bytes)});
}

void report_to_threads(llvm::Function& function) {
  // The stop count: `volatile` is how code that may call no library says what here can be said as it is.
  for (llvm::BasicBlock& block : function)
    for (llvm::Instruction& at : block)
      if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&at); load && load->isVolatile()) load->setAtomic(llvm::AtomicOrdering::Monotonic);
  for (const Access& access : unseen_accesses(function)) report(access);
}

// LLVM 19's quick selection of instructions, which instrumented code takes, makes one of a select and the load of its operand: `vblendvps`,
// which reads 16 bytes where the load read 4 or 8, and so past the end of a buffer. It leaves volatile loads as they are.
void keep_loads_from_selects(llvm::Function& function) {
  for (llvm::BasicBlock& block : function)
    for (llvm::Instruction& at : block)
      if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&at); load && load->hasOneUse() && llvm::isa<llvm::SelectInst>(load->user_back())) load->setVolatile(true);
}

}  // namespace

void instrument(llvm::Module& module, llvm::TargetMachine& machine) {
  if (!instruments) return;
  // No constructor of a module is run here, which would register its globals and check versions: so there is none.
  for (llvm::GlobalVariable& global : module.globals()) {
    llvm::GlobalValue::SanitizerMetadata unwatched;
    unwatched.NoAddress = true;
    global.setSanitizerMetadata(unwatched);
  }
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr(address_sanitized ? llvm::Attribute::SanitizeAddress : llvm::Attribute::SanitizeThread);
    if (thread_sanitized) report_to_threads(function);
  }
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::ModulePassManager passes;
  if (address_sanitized) passes.addPass(llvm::AddressSanitizerPass(address_options(), false, false, llvm::AsanDtorKind::None, llvm::AsanCtorKind::None));
  else passes.addPass(llvm::createModuleToFunctionPassAdaptor(llvm::ThreadSanitizerPass()));
  passes.run(module, modules);
  for (llvm::Function& function : module) keep_loads_from_selects(function);
}

bool is_sanitizers_own(llvm::StringRef symbol) {
  return (address_sanitized && symbol.starts_with("__asan_")) || (thread_sanitized && symbol.starts_with("__tsan_"));
}

}  // namespace sinter
