// Objects for every kind of target: what they define, what they ask for, and what is refused before LLVM sees it.
#include <catch2/catch.hpp>
#include <map>
#include <sstream>

#include "codegen/compile.h"
#include "graph/support/sanitizers.h"
#include "tests/aot/commands.h"
#include "tests/aot/samples.h"
#include "tools/fuzz/turned.h"

namespace sinter::aot {
namespace {

struct Kind {
  const char *triple, *cpu, *features;
  bool calls_for_floats = false;  // no arithmetic on floats, or none on f64: the functions of its ABI
};
const Kind kinds[] = {
    {"x86_64-pc-linux-gnu", "x86-64", ""},
    {"x86_64-pc-linux-gnu", "x86-64-v3", ""},
    {"x86_64-pc-linux-gnu", "x86-64-v4", ""},
    {"aarch64-linux-gnu", "", ""},
    {"riscv64-linux-gnu", "", ""},
    {"riscv64-linux-gnu", "", "+v"},
    {"riscv32-none-elf", "", "+m,+f,+d"},
    {"thumbv7em-none-eabi", "", "", true},
    {"thumbv7em-none-eabihf", "cortex-m4", "", true},
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
  return kind.calls_for_floats && name.starts_with("__aeabi_");
}

// What it asks for and may not, and what it defines besides its function.
std::string excess_of(const TemporaryFolder& folder, const std::vector<const Sample*>& samples, const Kind& kind, const Target& target) {
  std::string excess;
  for (const auto& [name, letter] : symbols_of(folder, object_of(samples, target)))
    if (letter == "U" ? !may_ask_for(kind, name) : letter == "T" && name != "all") excess += " " + letter + " " + name;
  return excess;
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
    INFO(kind.triple << " " << kind.cpu << " " << kind.features);
    const Target target = target_for(kind.triple, kind.cpu, kind.features);
    if (excess_of(folder, together, kind, target).empty()) continue;
    for (const auto& [operation, its] : by_operation) {  // which was it?
      INFO(operation);
      CHECK(excess_of(folder, its, kind, target) == "");
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
  refused("avr-none", "atmega328", "", "x86_64, aarch64, arm");
  refused("nvptx64-nvidia-cuda", "", "", "are what there is");
  refused("thumbv7em-none-eabi", "cortex-m99", "", "cortex-m99");

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
