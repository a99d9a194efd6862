// Modules: what is emitted, verified, optimised and turned to code.
#include "codegen/llvm/module.h"

#include <algorithm>

#include <llvm/Analysis/AliasAnalysis.h>
#include <llvm/Analysis/AssumptionCache.h>
#include <llvm/Analysis/BasicAliasAnalysis.h>
#include <llvm/Analysis/TargetLibraryInfo.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/PassManager.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/TargetParser/Triple.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>

#include "codegen/llvm/emit.h"

namespace sinter {
namespace {

void verify(llvm::Module& module, const std::string& symbol, const std::string& what) {
  std::string complaint;
  llvm::raw_string_ostream stream(complaint);
  if (llvm::verifyFunction(*module.getFunction(symbol), &stream)) throw InternalError("LLVM accepts what is emitted: " + complaint + "\nof " + what);
}

// LLVM's passes from its code to a machine's, without loop strength reduction, which emission does itself (Emitter::multiply) in much less time,
// nor what prepares for that, and without the second scheduling, by its name on x86, where a CPU orders instructions itself: kernels are no faster with it.
class CodePasses : public llvm::legacy::PassManager {
 public:
  explicit CodePasses(const llvm::TargetMachine& machine) : orders_itself_(machine.getMCSubtargetInfo()->getSchedModel().isOutOfOrder()) {}

  bool reduces_strength = true;
  void add(llvm::Pass* pass) override {
    const llvm::StringRef name = pass->getPassName();
    const bool reduces = name == "Loop Strength Reduction", schedules_again = name == "Post RA top-down list latency scheduler";
    const bool prepares = name == "Canonicalize Freeze Instructions in Loops";
    if (!reduces && !prepares && !(schedules_again && orders_itself_)) return llvm::legacy::PassManager::add(pass);
    if (reduces) reduces_strength = false;
    delete pass;
  }

 private:
  bool orders_itself_;
};

}  // namespace

std::unique_ptr<llvm::TargetMachine> machine_for(const Target& target) {
  std::string error;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(target.triple, error);
  ensure(found, "the target has been looked up before: " + error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;  // multiply-adds are fused where the kernel says so, and nowhere else
  // Where nothing loads a program but its own start, nothing fills in a table of addresses either.
  llvm::Triple triple(target.triple);
  if (triple.isRISCV()) options.MCOptions.ABIName = triple.isArch64Bit() ? "lp64d" : "ilp32d";  // floats of 64 bits are there: target.cpp
  auto relocation = triple.isWasm() || triple.isOSUnknown() ? llvm::Reloc::Static : llvm::Reloc::PIC_;
  std::unique_ptr<llvm::TargetMachine> machine(found->createTargetMachine(target.triple, target.cpu, target.features, options, relocation,
                                                                          llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
  ensure(machine != nullptr, "LLVM has a machine for " + target.triple);
  return machine;
}

std::string kernel_symbol(size_t number) { return kernel_prefix + std::to_string(number); }

std::unique_ptr<llvm::Module> empty_module(llvm::LLVMContext& context, llvm::TargetMachine& machine, const std::string& name) {
  auto module = std::make_unique<llvm::Module>(name, context);
  module->setTargetTriple(machine.getTargetTriple().str());
  module->setDataLayout(machine.createDataLayout());
  return module;
}

void add_kernel(llvm::Module& module, const Kernel& kernel, const Target& target, const std::string& symbol) {
  Emitter emitter(module, kernel, target, symbol);
  if (auto* loop = std::get_if<LoopKernel>(&kernel.body)) emit_loop(emitter, *loop);
  else if (auto* row = std::get_if<RowKernel>(&kernel.body)) emit_row(emitter, *row);
  else if (auto* pack = std::get_if<PackKernel>(&kernel.body)) emit_pack(emitter, *pack);
  else emit_contraction(emitter, std::get<ContractionKernel>(kernel.body));
  emitter.finish();
  verify(module, symbol, to_string(kernel));
}

void add_graph(llvm::Module& module, std::span<const CallStep> steps, const Target& target, const std::string& symbol) {
  emit_graph(module, steps, target, symbol);
  verify(module, symbol, "the graph's own function");
}

void check_steps(std::span<const CallStep> steps, size_t kernels) {
  for (const CallStep& step : steps) ensure(step.call || step.kernel < kernels, "a step calls a kernel that there is");
}

Generated make_within_stack(std::span<const size_t> kernels, const Target& target, const std::function<Generated(std::span<const Target>)>& make) {
  std::vector<Target> targets(kernels.size(), target);
  for (;;) {
    Generated made = make(targets);
    if (made.too_large.empty()) return made;
    for (const std::string& symbol : made.too_large) {
      auto kernel = std::find_if(kernels.begin(), kernels.end(), [&](size_t number) { return kernel_symbol(number) == symbol; });
      ensure(kernel != kernels.end(), "the graph's own function keeps nothing on the stack");
      Target& narrower = targets[static_cast<size_t>(kernel - kernels.begin())];
      ensure(narrower.vector_bytes > 1, "a kernel's stack frame is within its limit");
      narrower.vector_bytes = narrower.vector_bytes > 16 ? narrower.vector_bytes / 2 : 1;
    }
  }
}

void optimize(llvm::Module& module, llvm::TargetMachine& machine) {
  // Bodies are emitted hoisted and folded already. What is left is what two loads, or two bounds, have in common.
  llvm::FunctionAnalysisManager analyses;
  analyses.registerPass([] { return llvm::PassInstrumentationAnalysis(); });
  analyses.registerPass([&] { return machine.getTargetIRAnalysis(); });
  analyses.registerPass([&] { return llvm::TargetLibraryAnalysis(llvm::TargetLibraryInfoImpl(machine.getTargetTriple())); });
  analyses.registerPass([] { return llvm::AssumptionAnalysis(); });
  analyses.registerPass([] { return llvm::DominatorTreeAnalysis(); });
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::EarlyCSEPass());
  for (llvm::Function& function : module)
    if (!function.isDeclaration()) passes.run(function, analyses);
}

Generated generate(llvm::Module& module, llvm::TargetMachine& machine, bool as_text) {
  // LLVM would print what it has to say; frames that are too large are among it.
  struct Complaints {
    std::string errors;
    std::vector<std::string> too_large;
  } complaints;
  auto take = [](const llvm::DiagnosticInfo* info, void* to) {
    auto& all = *static_cast<Complaints*>(to);
    if (auto* limit = llvm::dyn_cast<llvm::DiagnosticInfoStackSize>(info)) all.too_large.push_back(limit->getFunction().getName().str());
    if (info->getSeverity() != llvm::DS_Error) return;
    llvm::raw_string_ostream stream(all.errors);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info->print(printer);
  };
  for (llvm::Function& function : module) function.addFnAttr("warn-stack-size", std::to_string(stack_limit));
  module.getContext().setDiagnosticHandlerCallBack(take, &complaints);

  Generated result;
  llvm::raw_svector_ostream stream(result.bytes);
  CodePasses passes(machine);
  auto type = as_text ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  bool refused = machine.addPassesToEmitFile(passes, stream, nullptr, type, /*DisableVerify=*/true);
  ensure(!refused, "LLVM writes objects and assembly for this target");
  ensure(!passes.reduces_strength || machine.getOptLevel() == llvm::CodeGenOptLevel::None, "LLVM's loop strength reduction is left out by its name");
  passes.run(module);
  module.getContext().setDiagnosticHandlerCallBack(nullptr);
  if (!complaints.errors.empty()) throw InternalError("LLVM makes code of what is emitted: " + complaints.errors);
  result.too_large = std::move(complaints.too_large);
  return result;
}

}  // namespace sinter
