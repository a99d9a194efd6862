// Which CPU code is made for, from LLVM's own tables.
#include "codegen/llvm/target.h"

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include <llvm/ADT/STLExtras.h>
#include <llvm/ADT/StringMap.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/TargetParser/ARMTargetParser.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/TargetParser/RISCVISAInfo.h>
#include <llvm/TargetParser/Triple.h>
#include <fmt/format.h>
#include <unistd.h>

#include "graph/support/errors.h"

namespace sinter {
namespace {

// What a CPU has, by LLVM's names.
struct Cpu {
  const Target& target;
  const llvm::MCSubtargetInfo& features;
  bool has(const char* feature) const { return features.checkFeatures(feature); }
  void needs(const char* feature, const char* why) const {
    if (!has(feature)) refuse(feature, why, "it has to have");
  }
  void may_not_have(const char* feature, const char* why) const {
    if (has(feature)) refuse(feature, why, "it may not have");
  }
  [[noreturn]] void refuse(const char* feature, const char* why, const char* says) const {
    std::string called = target.cpu.empty() ? "" : " " + target.cpu;
    throw UserError(fmt::format("no code is made for {}{} {}: {} {}", target.triple, called, why, says, feature + 1));
  }
};

void describe_x86_64(Target& target, const Cpu& cpu) {
  cpu.needs("+64bit", "as a CPU of 64 bits"), cpu.needs("+sse2", "without vectors");
  for (const char* mode : {"+32bit-mode", "+16bit-mode"}) cpu.may_not_have(mode, "in a mode of fewer than 64 bits");
  cpu.needs("+64bit-mode", "in a mode of fewer than 64 bits");
  cpu.may_not_have("+soft-float", "without floating point");
  cpu.may_not_have("+retpoline-external-thunk", "with calls by way of a function that is elsewhere");
  bool avx512 = cpu.has("+avx512f") && cpu.has("+avx512dq") && cpu.has("+avx512bw") && cpu.has("+avx512vl");
  target.vector_bytes = avx512 ? 64 : cpu.has("+avx2") ? 32 : 16;
  target.vector_registers = avx512 ? 32 : 16;
  target.has_fma = cpu.has("+fma");
  target.has_masks = avx512;
  target.has_rounding = cpu.has("+sse4.1");
}

void describe_aarch64(Target& target, const Cpu& cpu) {
  cpu.needs("+neon", "without vectors"), cpu.needs("+fp-armv8", "without floating point");
  for (int x = 1; x <= 7; ++x) cpu.may_not_have(fmt::format("+reserve-x{}", x).c_str(), "without a register for arguments");
  target.vector_registers = 32;
  target.has_fma = target.has_rounding = true;
}

// Whether the ABI passes floats in the registers of a unit for them.
bool has_hard_floats(const llvm::Triple& triple) {
  using Environment = llvm::Triple::EnvironmentType;
  const Environment hard[] = {Environment::EABIHF, Environment::GNUEABIHF, Environment::GNUEABIHFT64, Environment::MuslEABIHF};
  return (triple.isARM() || triple.isThumb()) && llvm::is_contained(hard, triple.getEnvironment());
}

// ARM and Thumb. Their NEON takes denormals for zeros, so floats are VFP's, one at a time.
void describe_arm(Target& target, const Cpu& cpu) {
  cpu.needs("+v5t", "without an instruction that counts leading zeros");
  if (cpu.has("+noarm")) cpu.needs("+thumb-mode", "whose instructions are Thumb's");
  bool thumb = cpu.has("+thumb-mode");
  if (thumb) cpu.needs("+thumb2", "with Thumb's first instructions alone"), cpu.needs("+v6t2", "with Thumb's first instructions alone");
  if (cpu.has("+lob")) cpu.needs("+v8.1m.main", "with loops of its own before ARMv8.1-M");
  if (cpu.has("+fp64")) cpu.needs("+vfp2sp", "with floating point of 64 bits and none of 32");
  target.vector_bytes = 1;
  target.index_bits = 32;
  target.division_bits = cpu.has(thumb ? "+hwdiv" : "+hwdiv-arm") ? 32 : 0;
  target.has_wide_conversions = false;
  if (has_hard_floats(llvm::Triple(target.triple))) {
    cpu.needs("+vfp2sp", "whose ABI has floats in registers (name a --cpu that has a unit for them, such as cortex-m4 or cortex-a7)");
    cpu.may_not_have("+soft-float", "whose ABI has floats in registers");
  }
  bool soft = cpu.has("+soft-float") || !cpu.has("+fpregs") || !cpu.has("+vfp2sp");
  target.has_doubles = !soft && cpu.has("+fp64");
  target.has_square_root = !soft;
  target.has_fma = !soft && cpu.has("+vfp4d16sp");
}

// LLVM ends the process on extensions of RISC-V that do not go together, or without one that another needs.
void check_extensions(const Cpu& cpu, unsigned bits) {
  std::vector<std::string> extensions;
  for (const auto& feature : cpu.features.getAllProcessorFeatures())
    if (cpu.features.hasFeature(feature.Value) && llvm::RISCVISAInfo::isSupportedExtensionFeature(feature.Key)) extensions.push_back("+" + std::string(feature.Key));
  if (auto fit = llvm::RISCVISAInfo::parseFeatures(bits, extensions); !fit)
    throw UserError(fmt::format("no code is made for {} with these features: {}", cpu.target.triple, llvm::toString(fit.takeError())));
}

void describe_riscv(Target& target, const Cpu& cpu) {
  cpu.needs("+m", "without multiplication"), cpu.needs("+f", "without floating point"), cpu.needs("+d", "without floating point of 64 bits");
  bool wide = llvm::Triple(target.triple).isArch64Bit();
  cpu.needs(wide ? "+64bit" : "+32bit", "of another width"), cpu.may_not_have(wide ? "+32bit" : "+64bit", "of two widths");
  cpu.may_not_have(wide ? "+xcvalu" : "+xventanacondops", "of this width");  // which LLVM takes for instructions that there are
  cpu.may_not_have("+zfinx", "with floats in registers of integers"), cpu.may_not_have("+e", "with 16 registers");
  cpu.may_not_have("+save-restore", "that saves registers by calling the compiler's library");
  for (int x : {1, 2, 10, 11, 12, 13, 14, 15, 16, 17}) cpu.may_not_have(fmt::format("+reserve-x{}", x).c_str(), "without a register for calls");
  check_extensions(cpu, wide ? 64 : 32);
  target.index_bits = target.division_bits = wide ? 64 : 32;
  target.has_wide_conversions = wide;
  target.vector_bytes = !cpu.has("+v") ? 1 : cpu.has("+zvl512b") ? 64 : cpu.has("+zvl256b") ? 32 : 16;
  target.vector_registers = 32;
  target.has_fma = true;
  target.has_rounding = wide;
  target.has_masks = target.vector_bytes > 1;
}

void describe_webassembly(Target& target, const Cpu& cpu) {
  target.index_bits = llvm::Triple(target.triple).isArch64Bit() ? 64 : 32;
  target.vector_bytes = cpu.has("+simd128") ? 16 : 1;
  target.has_rounding = true;
}

// One of LLVM's code generators: the functions that make it known to LLVM.
struct Generator {
  void (*info)();
  void (*target)();
  void (*machine_code)();
  void (*printer)();
};
constexpr Generator x86 = {LLVMInitializeX86TargetInfo, LLVMInitializeX86Target, LLVMInitializeX86TargetMC, LLVMInitializeX86AsmPrinter};
constexpr Generator aarch64 = {LLVMInitializeAArch64TargetInfo, LLVMInitializeAArch64Target, LLVMInitializeAArch64TargetMC, LLVMInitializeAArch64AsmPrinter};
constexpr Generator arm = {LLVMInitializeARMTargetInfo, LLVMInitializeARMTarget, LLVMInitializeARMTargetMC, LLVMInitializeARMAsmPrinter};
constexpr Generator riscv = {LLVMInitializeRISCVTargetInfo, LLVMInitializeRISCVTarget, LLVMInitializeRISCVTargetMC, LLVMInitializeRISCVAsmPrinter};
constexpr Generator webassembly = {LLVMInitializeWebAssemblyTargetInfo, LLVMInitializeWebAssemblyTarget, LLVMInitializeWebAssemblyTargetMC,
                                   LLVMInitializeWebAssemblyAsmPrinter};

struct Architecture {
  llvm::Triple::ArchType type;
  Generator generator;
  void (*describe)(Target&, const Cpu&);
};
constexpr Architecture architectures[] = {
    {llvm::Triple::x86_64, x86, describe_x86_64},    {llvm::Triple::aarch64, aarch64, describe_aarch64},
    {llvm::Triple::arm, arm, describe_arm},          {llvm::Triple::thumb, arm, describe_arm},
    {llvm::Triple::riscv32, riscv, describe_riscv},  {llvm::Triple::riscv64, riscv, describe_riscv},
    {llvm::Triple::wasm32, webassembly, describe_webassembly}, {llvm::Triple::wasm64, webassembly, describe_webassembly},
};

// That of the target, made known to LLVM; so what is not asked for is neither run nor read.
const Architecture& architecture_of(const Target& target) {
  const llvm::Triple::ArchType type = llvm::Triple(target.triple).getArch();
  const auto* found = std::find_if(std::begin(architectures), std::end(architectures), [&](const Architecture& a) { return a.type == type; });
  if (found == std::end(architectures)) {
    std::string known;
    for (const Architecture& architecture : architectures) known += (known.empty() ? "" : ", ") + llvm::Triple::getArchTypeName(architecture.type).str();
    throw UserError(fmt::format("no code is made for {}: {} are what there is", target.triple, known));
  }
  // Once each: others may be compiling with what is known by then.
  static std::mutex mutex;
  static std::set<void (*)()> known;
  const Generator& generator = found->generator;
  const std::lock_guard lock(mutex);
  if (known.insert(generator.info).second) generator.info(), generator.target(), generator.machine_code(), generator.printer();
  return *found;
}

// LLVM crashes on some kinds of object files, and what it writes for Windows asks for symbols of a library's. Emission takes addresses for as wide
// as registers.
void check_format(const Target& target) {
  llvm::Triple triple(target.triple);
  bool written = triple.isWasm() ? triple.isOSBinFormatWasm() : triple.isOSBinFormatELF() || (triple.isOSBinFormatMachO() && !triple.isRISCV());
  if (!written)
    throw UserError(fmt::format("no code is made for {} as {}: objects are ELF, Mach-O or, for WebAssembly alone, its own", target.triple,
                                llvm::Triple::getObjectFormatTypeName(triple.getObjectFormat()).str()));
  if (triple.isX32() || triple.getEnvironment() == llvm::Triple::GNUILP32)
    throw UserError(fmt::format("no code is made for {}: its addresses have to be as wide as its registers", target.triple));
}

// Fills in what emission asks, from the CPU and the features.
void describe(const Architecture& architecture, Target& target, const llvm::MCSubtargetInfo& features) {
  check_format(target);
  architecture.describe(target, {target, features});
}

std::unique_ptr<llvm::MCSubtargetInfo> subtarget(const Target& target) {
  std::string error;
  const llvm::Target* found = llvm::TargetRegistry::lookupTarget(target.triple, error);
  ensure(found, "its architecture is known to LLVM: " + error);
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
  Target target;
  target.triple = llvm::sys::getProcessTriple();
  const Architecture& architecture = architecture_of(target);
  target.cpu = llvm::sys::getHostCPUName().str();
  std::map<std::string, bool> features;  // in a fixed order, so that equal machines have equal targets
  for (const auto& feature : llvm::sys::getHostCPUFeatures()) features[feature.getKey().str()] = feature.getValue();
  for (const auto& [name, on] : features) target.features += (target.features.empty() ? "" : ",") + std::string(on ? "+" : "-") + name;
  if (features["avx512f"]) target.features += ",-prefer-256-bit";
  describe(architecture, target, *subtarget(target));
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

Target plainest(Target target) {
  target.vector_bytes = 1;
  target.has_fma = target.has_masks = target.has_rounding = target.has_square_root = target.has_wide_conversions = target.has_doubles = false;
  target.division_bits = 0;
  target.index_bits = 32;
  return target;
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
  Target target;
  target.triple = llvm::Triple::normalize(triple);
  const Architecture& architecture = architecture_of(target);
  const llvm::Triple known(target.triple);
  // The CPU that clang takes such a triple for, which has a unit for floats where there is one.
  target.cpu = cpu.empty() && has_hard_floats(known) ? llvm::ARM::getARMCPUForArch(known).str() : cpu;
  auto plain = subtarget(target);
  check_features(features, *plain);
  target.features = features;
  // What a Linux for RISC-V takes for granted.
  if (known.isRISCV() && known.isOSLinux() && cpu.empty()) target.features = "+m,+a,+f,+d,+c" + (features.empty() ? "" : "," + features);
  if (known.isX86()) target.features += target.features.empty() ? "-prefer-256-bit" : ",-prefer-256-bit";
  describe(architecture, target, *subtarget(target));
  return target;
}

}  // namespace sinter
