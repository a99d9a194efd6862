// Which CPU code is made for, from LLVM's own tables.
#include "codegen/llvm/target.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include <llvm/ADT/STLExtras.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/Triple.h>
#include <fmt/format.h>
#include <unistd.h>

#include "graph/support/errors.h"

namespace sinter {
namespace {

// Fills in what emission asks, from the CPU and the features.
void describe(Target& target, const llvm::MCSubtargetInfo& cpu) {
  llvm::Triple triple(target.triple);
  auto has = [&](const char* feature) { return cpu.checkFeatures(feature); };
  auto needs = [&](const char* feature, const char* why) {
    if (!has(feature)) throw UserError(fmt::format("no code is made for {} {} {}: it has to have {}", target.triple, target.cpu, why, feature + 1));
  };
  if (triple.getArch() == llvm::Triple::x86_64) {
    needs("+64bit", "as a CPU of 64 bits"), needs("+sse2", "without vectors");
    bool avx512 = has("+avx512f") && has("+avx512dq") && has("+avx512bw") && has("+avx512vl");
    target.vector_bytes = avx512 ? 64 : has("+avx2") ? 32 : 16;
    target.vector_registers = avx512 ? 32 : 16;
    target.has_fma = has("+fma");
    target.has_masks = avx512;
    target.has_rounding = has("+sse4.1");
  } else if (triple.getArch() == llvm::Triple::aarch64) {
    needs("+neon", "without vectors"), needs("+fp-armv8", "without floating point");
    target.vector_bytes = 16;
    target.vector_registers = 32;
    target.has_fma = target.has_rounding = true;
  } else {
    throw UserError("no code is made for " + target.triple + " yet: x86-64 and AArch64 are what there is");
  }
}

std::unique_ptr<llvm::MCSubtargetInfo> subtarget(const Target& target) {
  std::string error;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(target.triple, error);
  if (!found) throw UserError(error);
  std::unique_ptr<llvm::MCSubtargetInfo> cpu(found->createMCSubtargetInfo(target.triple, "", ""));
  if (!cpu) throw UserError("LLVM describes no CPU for " + target.triple);
  // LLVM prints a warning on a name that it does not know, and goes on; so they are looked up first.
  if (!target.cpu.empty() && !cpu->isCPUStringValid(target.cpu)) throw UserError("no CPU of " + target.triple + " is called '" + target.cpu + "'");
  return std::unique_ptr<llvm::MCSubtargetInfo>(found->createMCSubtargetInfo(target.triple, target.cpu, target.features));
}

void check_features(const std::string& features, const llvm::MCSubtargetInfo& cpu) {
  llvm::SmallVector<llvm::StringRef, 8> names;
  llvm::StringRef(features).split(names, ',', -1, false);
  for (llvm::StringRef name : names) {
    bool known = name.size() > 1 && (name[0] == '+' || name[0] == '-') &&
                 llvm::any_of(cpu.getAllProcessorFeatures(), [&](const auto& feature) { return name.drop_front() == feature.Key; });
    if (!known) throw UserError("'" + name.str() + "' is no CPU feature; write them as +avx2,-fma");
  }
}

int64_t cache_bytes(int name, int64_t otherwise) {
  long bytes = sysconf(name);
  return bytes > 0 ? bytes : otherwise;
}

Target make_host() {
  if (llvm::InitializeNativeTarget() || llvm::InitializeNativeTargetAsmPrinter()) throw SystemError("this LLVM makes no code for this machine");
  Target target;
  target.triple = llvm::sys::getProcessTriple();
  target.cpu = llvm::sys::getHostCPUName().str();
  std::map<std::string, bool> features;  // in a fixed order, so that equal machines have equal targets
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) features[feature.getKey().str()] = feature.getValue();
  for (const auto& [name, on] : features) target.features += (target.features.empty() ? "" : ",") + std::string(on ? "+" : "-") + name;
  if (features["avx512f"]) target.features += ",-prefer-256-bit";
  describe(target, *subtarget(target));
#ifdef _SC_LEVEL1_DCACHE_SIZE
  target.l1_bytes = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, target.l1_bytes);
  target.l2_bytes = cache_bytes(_SC_LEVEL2_CACHE_SIZE, target.l2_bytes);
#endif
  return target;
}

}  // namespace

const Target& host_target() {
  static const Target host = make_host();
  return host;
}

void check_runs_here(const Target& target) {
  const Target& host = host_target();
  if (target == host) return;
  llvm::Triple of(target.triple), here(host.triple);
  if (of.getArch() != here.getArch() || of.getOS() != here.getOS() || of.getEnvironment() != here.getEnvironment())
    throw UserError(fmt::format("code for {} does not run on this machine, which is {}", target.triple, host.triple));
  auto cpu = subtarget(target);
  std::string missing;
  for (const auto& feature : llvm::sys::getHostCPUFeatures())
    if (std::string name = feature.getKey().str(); !feature.getValue() && cpu->checkFeatures("+" + name)) missing += (missing.empty() ? "" : ", ") + name;
  if (!missing.empty()) throw UserError(fmt::format("code for {} does not run on this machine, which has no {}", target.cpu, missing));
}

Target target_for(const std::string& triple, const std::string& cpu, const std::string& features) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
  });
  Target target;
  target.triple = llvm::Triple::normalize(triple);
  target.cpu = cpu;
  auto plain = subtarget(target);
  check_features(features, *plain);
  target.features = features;
  if (llvm::Triple(target.triple).isX86()) target.features += target.features.empty() ? "-prefer-256-bit" : ",-prefer-256-bit";
  describe(target, *subtarget(target));
  return target;
}

}  // namespace sinter
