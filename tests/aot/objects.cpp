// Objects for every kind of target: what they define, what they ask for, and what is refused before LLVM sees it.
#include <catch2/catch.hpp>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

#include "codegen/compile.h"
#include "graph/support/sanitizers.h"
#include "tests/aot/commands.h"
#include "tests/aot/samples.h"
#include "tools/fuzz/child.h"
#include "tools/fuzz/turned.h"

namespace sinter::aot {
namespace {

// The functions of ARM's ABI that code calls where there is no arithmetic on f64, or on floats at all.
const std::set<std::string> for_doubles = {"__aeabi_dadd",   "__aeabi_dsub",   "__aeabi_dmul",   "__aeabi_ddiv",   "__aeabi_dcmpeq", "__aeabi_dcmplt", "__aeabi_dcmple", "__aeabi_dcmpge",
                                           "__aeabi_dcmpgt", "__aeabi_dcmpun", "__aeabi_d2f",    "__aeabi_f2d",    "__aeabi_d2iz",   "__aeabi_d2uiz",  "__aeabi_i2d",    "__aeabi_ui2d"};
const std::set<std::string> for_floats = [] {
  std::set<std::string> all = {"__aeabi_fadd",   "__aeabi_fsub",   "__aeabi_fmul",   "__aeabi_fdiv",   "__aeabi_fcmpeq", "__aeabi_fcmplt", "__aeabi_fcmple",
                               "__aeabi_fcmpge", "__aeabi_fcmpgt", "__aeabi_fcmpun", "__aeabi_f2iz",   "__aeabi_f2uiz",  "__aeabi_i2f",    "__aeabi_ui2f"};
  all.insert(for_doubles.begin(), for_doubles.end());
  return all;
}();

struct Kind {
  const char *triple, *cpu, *features;
  std::set<std::string> calls = {};  // of its ABI's functions, those that it may
};
const Kind kinds[] = {
    {"x86_64-pc-linux-gnu", "x86-64", ""},
    {"x86_64-pc-linux-gnu", "x86-64-v3", ""},
    {"x86_64-pc-linux-gnu", "x86-64-v4", ""},
    {"aarch64-linux-gnu", "", ""},
    {"riscv64-linux-gnu", "", ""},
    {"riscv64-linux-gnu", "", "+v"},
    {"riscv32-none-elf", "", "+m,+f,+d"},
    {"riscv32-none-elf", "", "+m,+f,+d,+v"},
    {"thumbv7em-none-eabi", "", "", for_floats},
    {"thumbv7em-none-eabihf", "cortex-m4", "", for_doubles},
    {"armv5te-none-eabi", "", "", for_floats},
    {"thumbv7em-none-eabihf", "cortex-m7", ""},
    {"armv7a-none-eabihf", "cortex-a5", ""},
    {"wasm32-unknown-unknown", "", ""},
    {"wasm32-unknown-unknown", "", "+simd128"},
};

// One object of several programs: their kernels, and a function that calls them all.
std::string object_of(const std::vector<const Sample*>& samples, const Target& target) {
  std::vector<Kernel> kernels;
  std::vector<CallStep> steps;
  CompileOptions options;
  options.target = &target;
  for (const Sample* sample : samples) {
    Stages stages = stages_of(sample->program, options);
    for (CallStep step : linked_calls_of(stages)) {
      step.kernel += static_cast<uint32_t>(kernels.size());
      steps.push_back(step);
    }
    kernels.insert(kernels.end(), stages.kernels.begin(), stages.kernels.end());
  }
  return emit_object(kernels, steps, target, "all");
}

// By llvm-nm: the letter of each symbol.
std::map<std::string, std::string> symbols_of(const TemporaryFolder& folder, const std::string& object) {
  folder.write("one.o", object);
  std::istringstream lines(output_of(folder, std::string(LLVM_NM) + " --format=posix " + folder.file("one.o")));
  std::map<std::string, std::string> symbols;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, letter;
    words >> name >> letter;
    symbols[name] = letter;
  }
  return symbols;
}

CustomOperation operation_named(const std::string& name) {
  return CustomOperation({.name = name, .type = [](std::span<const Type> operands) { return operands[0]; }, .function = [](const sinter_custom_call*) { return 0; }});
}

bool may_ask_for(const Kind& kind, const std::string& name) {
  if (name == "memcpy" || name == "memmove" || name == "memset") return true;
  if (name == fuzz::turned().name()) return true;  // the custom operation among the samples
  // The table that every call through a pointer uses there, and where the stack is; the linker makes both.
  if (std::string_view(kind.triple).starts_with("wasm") && (name == "__indirect_function_table" || name == "__stack_pointer")) return true;
  return kind.calls.contains(name);
}

// What it asks for and may not, and what it defines besides its function.
std::string excess_of(const TemporaryFolder& folder, const std::vector<const Sample*>& samples, const Kind& kind, const Target& target) {
  std::string excess;
  for (const auto& [name, letter] : symbols_of(folder, object_of(samples, target)))
    if (letter == "U" ? !may_ask_for(kind, name) : letter == "T" && name != "all") excess += " " + letter + " " + name;
  return excess;
}

std::string called(const Kind& kind) { return std::string(kind.triple) + " " + kind.cpu + " " + kind.features; }

// A CPU, or a feature with its sign, beside what a kind has.
struct Change {
  std::string cpu, feature;
};
// All that LLVM knows for the triple.
std::vector<Change> changes_of(const TemporaryFolder& folder, const Kind& kind) {
  std::istringstream lines(output_of(folder, "(" + std::string(LLC) + " -mtriple=" + kind.triple + " -mattr=help < /dev/null 2>&1)"));
  std::vector<Change> changes;
  bool features = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("Available features")) features = true;
    std::istringstream words(line);
    std::string name, dash;
    if (!line.starts_with("  ") || !(words >> name >> dash) || dash != "-") continue;
    if (!features) changes.push_back({name, ""});
    else changes.push_back({"", "+" + name}), changes.push_back({"", "-" + name});
  }
  return changes;
}

// What is wrong where the kind is changed so; it may be refused.
std::string wrong_with(const TemporaryFolder& folder, const std::vector<const Sample*>& samples, const Kind& kind, const Change& change) {
  Target target;
  try {
    const std::string features = std::string(kind.features) + (*kind.features ? "," : "") + change.feature;
    target = target_for(kind.triple, change.cpu.empty() ? kind.cpu : change.cpu, change.feature.empty() ? kind.features : features);
  } catch (const UserError&) {
    return "";
  }
  Kind changed = kind;
  changed.calls = for_floats;  // which it may have no unit for any more
  return excess_of(folder, samples, changed, target) + bytes_of(folder.file("said"));
}

}  // namespace

TEST_CASE("every operation at every type becomes an object that asks for no library", "[aot]") {
  const std::vector<Sample> all = samples();
  std::map<std::string, std::vector<const Sample*>> by_operation;
  std::vector<const Sample*> together;
  for (const Sample& sample : all) by_operation[sample.operation].push_back(&sample), together.push_back(&sample);
  if (!address_sanitized && !thread_sanitized) CHECK(by_operation.size() == op_table().size() - 3);  // all but variables, parameters and constants
  TemporaryFolder folder;
  for (const Kind& kind : kinds) {
    INFO(called(kind));
    const Target target = target_for(kind.triple, kind.cpu, kind.features);
    if (excess_of(folder, together, kind, target).empty()) continue;
    for (const auto& [operation, its] : by_operation) {  // which was it?
      INFO(operation);
      CHECK(excess_of(folder, its, kind, target) == "");
    }
  }
}

// In a process of its own, which LLVM ends where it gives up.
TEST_CASE("every CPU, and every feature turned on or off, is taken or refused by us", "[aot][exhaustive]") {
  const std::vector<Sample> all = samples();
  std::vector<const Sample*> some;
  for (const Sample& sample : all)
    for (const char* name : {"divide", "remainder", "floor", "sqrt", "sum", "contract", "bitwise_count"})
      for (const char* type : {" f32", " f64", " i64"})
        if (sample.name == name + std::string(type)) some.push_back(&sample);
  TemporaryFolder folder;
  for (const Kind& kind : kinds) DYNAMIC_SECTION(called(kind)) {
      const std::vector<Change> changes = changes_of(folder, kind);
      CHECK(changes.size() > 20);
      for (size_t next = 0; next < changes.size();) {
        fuzz::ChildResult result = fuzz::in_child([&](fuzz::Progress& progress) -> std::string {
          if (!std::freopen(folder.file("said").c_str(), "w", stderr)) return "nothing can be written";
          for (progress.at = next; progress.at < changes.size(); ++progress.at)
            if (std::string wrong = wrong_with(folder, some, kind, changes[progress.at]); !wrong.empty()) return wrong;
          return "";
        }, 60);
        next = result.progress.at + 1;
        if (next > changes.size()) break;
        INFO("with " << changes[next - 1].cpu << changes[next - 1].feature);
        CHECK(result.text == "");
      }
    }
}

TEST_CASE("what a target cannot do is refused before LLVM sees it", "[aot]") {
  auto refused = [](const char* triple, const char* cpu, const char* features, const std::string& says) {
    INFO(triple << " " << cpu << " " << features);
    CHECK_THROWS_WITH(target_for(triple, cpu, features), Catch::Contains(says));
    CHECK_THROWS_AS(target_for(triple, cpu, features), UserError);
  };
  refused("riscv64-none-elf", "", "", "it has to have m");
  refused("riscv64-linux-gnu", "", "-d", "it has to have d");
  refused("thumbv6m-none-eabi", "cortex-m0", "", "it has to have thumb2");
  refused("x86_64-linux-gnu", "", "+soft-float", "it may not have soft-float");
  refused("x86_64-linux-gnu", "", "-64bit-mode", "it has to have 64bit-mode");
  refused("x86_64-linux-gnu", "", "-64bit-mode,+32bit-mode", "it may not have 32bit-mode");
  refused("x86_64-linux-gnu", "", "+16bit-mode", "it may not have 16bit-mode");
  refused("x86_64-linux-gnu", "", "+retpoline-external-thunk", "it may not have retpoline-external-thunk");
  refused("x86_64-linux-gnux32", "", "", "as wide as its registers");
  for (const char* triple : {"x86_64-pc-windows-msvc", "arm64ec-pc-windows-msvc", "aarch64-pc-windows-gnu", "x86_64-linux-gnu-wasm", "riscv64-linux-gnu-macho", "wasm32-unknown-unknown-elf"})
    refused(triple, "", "", "objects are ELF, Mach-O");
  refused("aarch64-linux-gnu", "", "+reserve-x1,+reserve-x2,+reserve-x3", "it may not have reserve-x1");
  refused("aarch64-linux-gnu", "", "+reserve-x7", "it may not have reserve-x7");
  refused("aarch64-linux-gnu_ilp32", "", "", "as wide as its registers");
  for (const char* floats : {"+zfinx", "+zdinx", "+zhinx", "+zhinxmin"}) refused("riscv64-linux-gnu", "", floats, "it may not have zfinx");
  refused("riscv64-linux-gnu", "", "+32bit", "it may not have 32bit");
  refused("riscv64-linux-gnu", "", "-64bit", "it has to have 64bit");
  refused("riscv64-linux-gnu", "", "+e", "it may not have e");
  refused("riscv64-linux-gnu", "", "+save-restore", "it may not have save-restore");
  refused("riscv64-linux-gnu", "", "+reserve-x10", "it may not have reserve-x10");
  refused("riscv64-linux-gnu", "", "+zvl128b", "requires 'v'");
  refused("riscv64-linux-gnu", "", "+zcmp", "incompatible with 'c'");
  refused("riscv64-linux-gnu", "", "+xcvalu", "it may not have xcvalu");
  refused("riscv32-none-elf", "", "+m,+f,+d,+xventanacondops", "it may not have xventanacondops");
  refused("riscv32-none-elf", "", "+m,+f,+d,+64bit", "it may not have 64bit");
  refused("riscv32-none-elf", "", "+m,+f,+d,+e", "it may not have e");
  refused("thumbv7em-none-eabi", "", "-thumb-mode", "it has to have thumb-mode");
  refused("thumbv7em-none-eabi", "", "-v6", "it has to have v6t2");
  refused("thumbv7em-none-eabi", "", "+lob", "it has to have v8.1m.main");
  refused("thumbv7em-none-eabi", "", "+fp64", "it has to have vfp2sp");
  refused("thumbv7em-none-eabihf", "cortex-m3", "", "it has to have vfp2sp");
  refused("armv7r-none-eabihf", "", "", "name a --cpu that has a unit");
  refused("thumbv7em-none-eabihf", "cortex-m4", "+soft-float", "it may not have soft-float");
  refused("armv4t-none-eabi", "", "", "it has to have v5t");
  refused("avr-none", "atmega328", "", "x86_64, aarch64, arm");
  refused("nvptx64-nvidia-cuda", "", "", "are what there is");
  refused("thumbv7em-none-eabi", "cortex-m99", "", "cortex-m99");

  CHECK(target_for("thumbv7em-none-eabihf", "").cpu == "cortex-m4");  // as clang has it
  CHECK_NOTHROW(target_for("aarch64-linux-gnu", "", "+reserve-x18"));
  CHECK_NOTHROW(target_for("thumbv7em-none-eabi", "", "+soft-float"));

  // Addresses too narrow for a size that is known.
  GraphScope scope;
  Variable x("x", f32, {Dim(int64_t{3} << 30)});
  Stages stages = stages_of(program_of({x + 1}, {}));
  const Target narrow = target_for("wasm32-unknown-unknown", "");
  CHECK_THROWS_WITH(emit_object(stages.kernels, calls_of(stages.steps), narrow, "graph"), Catch::Contains("addresses of 32 bits"));
  for (const char* symbol : {"", "a b", "7up", "kernel_0", "naïve"})
    CHECK_THROWS_AS(emit_object({}, {}, narrow, symbol), UserError);

  // Custom operations are called by their names.
  auto emit = [&](const std::string& operation, const std::string& symbol) {
    Stages called = stages_of(program_of({custom_call(operation_named(operation), {Variable("y of " + operation + symbol, f32, {3})})}, {}));
    return emit_object(called.kernels, linked_calls_of(called), narrow, symbol);
  };
  CHECK_THROWS_WITH(emit("a b", "step"), Catch::Contains("'a b'"));
  CHECK_THROWS_WITH(emit("step", "step"), Catch::Contains("the name of the custom operation 'step'"));
  CHECK_FALSE(emit("servo", "step").empty());
  CHECK_THROWS_WITH(emit("memcpy", "step"), Catch::Contains("the C library's"));
  CHECK_THROWS_WITH(emit("servo", "__aeabi_fadd"), Catch::Contains("the compiler's"));

  Variable y("y", f32, {3});
  Stages twins = stages_of(program_of({custom_call(operation_named("servo"), {y}), custom_call(operation_named("servo"), {y + 1})}, {}));
  CHECK_THROWS_WITH(linked_calls_of(twins), Catch::Contains("two custom operations are called 'servo'"));
}

// Whose parts have names of their own, in the same object.
TEST_CASE("a custom operation may be called what a kernel calls its zeros or the graph its table of steps", "[aot]") {
  for (const char* symbol : {"zeros", "steps"}) {
    GraphScope scope;
    Variable x("x", f32, {"n"});
    std::vector<Expr> outputs = {sqrt(pad(x, 1.f, {Dim(2)}, {Dim(1)}))};
    for (int i = 0; i < 40; ++i) outputs.push_back(exp(x * static_cast<float>(i)) + sum(x));
    outputs.push_back(custom_call(operation_named(symbol), {x}));
    Stages stages = stages_of(program_of(outputs));
    TemporaryFolder folder;
    CHECK(symbols_of(folder, emit_object(stages.kernels, linked_calls_of(stages), host_target(), "graph"))[symbol] == "U");
  }
}

}  // namespace sinter::aot
