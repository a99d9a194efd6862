// Objects linked into a program of C and run: on this machine, where they must give the JIT's bits, and on others under qemu, where they must be as
// near to the interpreter as compiled code here.
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <functional>

#include "codegen/compile.h"
#include "graph/interpreter.h"
#include "graph/support/sanitizers.h"
#include "graph/text.h"
#include "tests/aot/commands.h"
#include "tests/aot/image.h"
#include "tests/aot/samples.h"
#include "tests/conformance/arrays.h"
#include "tests/conformance/elementwise_oracles.h"
#include "tools/fuzz/program.h"
#include "tools/fuzz/tolerance.h"

namespace sinter::aot {
namespace {

constexpr unsigned workers = 2;  // as runner.c has

struct Call {
  std::string name;
  Program program;
  NamedTensors inputs;
  const OpInfo* elementwise = nullptr;  // the row that the program is
};

// Operations alone, each at some types, the elementwise ones of infinities, NaN, denormals and the like as well; and random programs: with symbolic
// sizes, gradients and updates.
std::vector<Call> calls() {
  std::vector<Call> made;
  size_t number = 0;
  for (Sample& sample : samples())
    if (++number % 3 == 0) {
      const OpInfo* row = op_named(sample.operation);
      if (row->family != Family::elementwise) row = nullptr;
      NamedTensors inputs = fuzz::random_inputs(sample.program, sample.bindings, row ? fuzz::Values::special : fuzz::Values::plain, number);
      made.push_back({sample.name, std::move(sample.program), std::move(inputs), row});
    }
  {
    // Panels of five rows, which are no multiple of a vector, turned on the way: they lie along k.
    GraphScope scope;
    Variable x("x", f32, {5, 7}), y("y", f32, {7, 9});
    made.push_back({"a packed operand's last rows", program_of({matmul(abs(x), y)}), {{"x", uniform({5, 7}, 1, 1, f32)}, {"y", uniform({7, 9}, 2, 1, f32)}}, nullptr});
  }
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    fuzz::RandomProgram random = fuzz::random_program(seed);
    NamedTensors inputs = random.inputs(random.bindings.at(0));
    made.push_back({"seed " + std::to_string(seed), std::move(random.program), std::move(inputs), nullptr});
  }
  return made;
}

struct Made {
  Stages stages;
  Executable executable;
};
Made make(const Call& call, const Target& target) {
  CompileOptions options;
  options.target = &target;
  Stages stages = stages_of(call.program, options);
  Executable executable = executable_without_code(call.program, stages);
  return {std::move(stages), std::move(executable)};
}

// A program of runner.c and one object a call. `compiler` makes and links code for the target.
std::string link(const TemporaryFolder& folder, const Target& target, const std::string& compiler, const std::vector<Made>& all) {
  std::string objects, declarations, table;
  for (size_t i = 0; i < all.size(); ++i) {
    const std::string symbol = "call_" + std::to_string(i);
    objects += " " + folder.write(symbol + ".o", emit_object(all[i].stages.kernels, linked_calls_of(all[i].stages), target, symbol));
    declarations += "extern int " + symbol + "(struct frame*);\n";
    table += symbol + ", ";
  }
  std::string source = folder.write("table.c", "struct frame;\n" + declarations + "int (*const functions[])(struct frame*) = {" + table + "};\n");
  folder.write("arguments", "-O1 -static -fuse-ld=lld -I. -o " + folder.file("run") + " tests/aot/runner.c " + source + objects);
  output_of(folder, compiler + " @" + folder.file("arguments"));
  return folder.file("run");
}

// Of each call, by one run of the program. The functions have to return `result`.
std::vector<Outcome> run(const TemporaryFolder& folder, const std::string& program, const std::vector<Call>& calls, const std::vector<Made>& all, int64_t result = 0) {
  std::vector<Image> images;
  {
    std::ofstream file(folder.file("images"), std::ios::binary);
    for (size_t i = 0; i < all.size(); ++i) {
      images.push_back(image_of(i, all[i].executable, calls[i].inputs, workers));
      file << images.back().bytes;
    }
  }
  const std::string came_back = output_of(folder, program + " < " + folder.file("images"));
  std::vector<Outcome> outcomes;
  size_t at = 0;
  for (size_t i = 0; i < images.size(); ++i) {
    INFO(calls[i].name);
    const size_t bytes = images[i].memory + sizeof(int64_t);
    REQUIRE(at + bytes <= came_back.size());
    outcomes.push_back(outcome_of(images[i], all[i].executable, std::string_view(came_back).substr(at, bytes)));
    CHECK(outcomes.back().result == result);
    at += bytes;
  }
  return outcomes;
}

std::vector<Tensor> values_of(const Program& program) {
  std::vector<Tensor> values;
  for (const Update& u : program.updates) values.push_back(program.graph.parameter(u.parameter)->value);
  return values;
}

// The new values of the updated parameters, in the order of the program's updates. What is replaced by itself no code knows of.
std::vector<Tensor> updates_of(const Program& program, const Executable& e, const Outcome& outcome) {
  std::vector<Tensor> values = values_of(program);
  for (size_t k = 0; k < values.size(); ++k) {
    auto found = std::find(e.parameters.begin(), e.parameters.end(), program.graph.parameter(program.updates[k].parameter));
    values[k] = found == e.parameters.end() ? values[k].clone() : outcome.parameters[static_cast<size_t>(found - e.parameters.begin())];
  }
  return values;
}

// What the conformance oracle says of an elementwise row's result. It knows no type that is only stored: operands are taken to f32 for it, and a
// result is left to the interpreter.
std::string wrong_by_oracle(const Call& call, const Tensor& result) {
  if (is_stored_only(result.dtype())) return "";
  std::vector<Tensor> operands;
  for (int i = 0; i < call.elementwise->arity; ++i) {
    const Tensor& given = call.inputs.at("x" + std::to_string(i));
    operands.push_back(conformance::broadcast_array(evaluate_elementwise(Op::convert, computing(given.dtype()), std::span(&given, 1), given.sizes()), result.sizes()));
  }
  return conformance::elementwise_oracles().find(call.elementwise->name)->second(operands, result);
}

// Those for which `takes` holds of the target's assembly: so many.
void compare_with_interpreter(const Target& target, const std::string& compiler, const std::string& emulator, size_t count,
                              const std::function<bool(const std::string& assembly)>& takes = {}) {
  std::vector<Call> compared;
  std::vector<Made> all;
  for (Call& call : calls()) {
    Made made = make(call, target);
    if (takes && !takes(emit_asm(made.stages.kernels, {}, target))) continue;
    compared.push_back(std::move(call)), all.push_back(std::move(made));
  }
  if (!address_sanitized && !thread_sanitized) CHECK(compared.size() == count);
  TemporaryFolder folder;
  const std::string program = link(folder, target, compiler, all);
  const std::vector<Outcome> outcomes = run(folder, emulator + " " + program, compared, all);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Call& call = compared[i];
    INFO(call.name << "\n" << print(call.program));
    const fuzz::Tolerated want = fuzz::interpret_with_radii(call.program, call.inputs);
    for (size_t k = 0; k < want.outputs.size(); ++k) CHECK(fuzz::compare(want.outputs[k], want.output_radii[k], outcomes[i].outputs[k]) == "");
    const std::vector<Tensor> updates = updates_of(call.program, all[i].executable, outcomes[i]);
    for (size_t k = 0; k < want.updates.size(); ++k) CHECK(fuzz::compare(want.updates[k], want.update_radii[k], updates[k]) == "");
    if (call.elementwise) CHECK(wrong_by_oracle(call, outcomes[i].outputs[0]) == "");
  }
}

}  // namespace

TEST_CASE("ahead of time and just in time give the same bits", "[aot]") {
  const std::vector<Call> all_calls = calls();
  std::vector<Made> all;
  for (const Call& call : all_calls) all.push_back(make(call, host_target()));
  TemporaryFolder folder;
  const std::vector<Outcome> outcomes = run(folder, link(folder, host_target(), CLANG, all), all_calls, all);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const Call& call = all_calls[i];
    INFO(call.name << "\n" << print(call.program));
    const std::vector<Tensor> updates = updates_of(call.program, all[i].executable, outcomes[i]);
    const std::vector<Tensor> outputs = compile(call.program).all(call.inputs), after = values_of(call.program);
    for (size_t k = 0; k < outputs.size(); ++k) CHECK(same_bits(outputs[k], outcomes[i].outputs[k]));
    for (size_t k = 0; k < after.size(); ++k) CHECK(same_bits(after[k], updates[k]));
  }
}

TEST_CASE("what a custom operation returns beside 0 ends an object's function, too", "[aot]") {
  GraphScope scope;
  Variable x("x", f32, {3});
  const CustomOperation failing({.name = "failing", .type = [](std::span<const Type> operands) { return operands[0]; }, .function = [](const sinter_custom_call*) { return 7; }});
  std::vector<Call> calls(1);
  calls[0] = {"failing", program_of({custom_call(failing, {x}) + 1}), {{"x", ones({3})}}};
  std::vector<Made> all;
  all.push_back(make(calls[0], host_target()));
  TemporaryFolder folder;
  run(folder, link(folder, host_target(), CLANG, all), calls, all, call_failed);
}

TEST_CASE("objects for AArch64 compute what the interpreter does", "[aot]") {
  compare_with_interpreter(target_for("aarch64-linux-gnu", ""), std::string(CLANG) + " --target=aarch64-linux-gnu", QEMU_AARCH64, 317);
}

TEST_CASE("objects for RISC-V compute what the interpreter does", "[aot]") {
  compare_with_interpreter(target_for("riscv64-linux-gnu", ""), std::string(CLANG) + " --target=riscv64-linux-gnu", QEMU_RISCV64, 317);
}

TEST_CASE("objects for RISC-V with vectors compute what the interpreter does", "[aot]") {
  // qemu 7.2 ends itself on conversions that name their rounding (https://gitlab.com/qemu-project/qemu/-/issues/1441).
  auto runs = [](const std::string& assembly) { return assembly.find("cvt.rtz.") == std::string::npos && assembly.find("cvt.rod.") == std::string::npos; };
  compare_with_interpreter(target_for("riscv64-linux-gnu", "", "+v"), std::string(CLANG) + " --target=riscv64-linux-gnu",
                           std::string(QEMU_RISCV64) + " -cpu rv64,v=true,vlen=128,vext_spec=v1.0", 306, runs);
}

}  // namespace sinter::aot
