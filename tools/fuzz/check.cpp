#include "tools/fuzz/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/text.h"
#include "graph/verify.h"
#include "passes/structural_hash.h"
#include "tools/fuzz/check_passes.h"
#include "tools/fuzz/guarded.h"
#include "tools/fuzz/tolerance.h"
#include "tools/fuzz/turned.h"

namespace sinter::fuzz {
namespace {

std::string check_text(Subject& s) {
  const Program& program = s.given.program;
  verify(program);
  std::string text = print(program);
  ParseOptions options;
  options.operations = {turned()};
  Program parsed = parse(text, "printed.graph", options);
  if (print(parsed) != text) return "printed, read and printed again it is another text:\n" + print(parsed);
  return structural_hash(parsed) == structural_hash(program) ? "" : "printed and read it is another program";
}

// Outputs and parameters of a call against the interpreter.
std::string compare_call(Subject& s, const Function& f, const NamedTensors& inputs) {
  s.restore();
  Tolerated want;
  std::string refused;
  try {
    want = interpret_with_radii(s.given.program, inputs);
  } catch (const UserError& error) {
    refused = error.what();
  }
  Subject::Results got = s.run(f, inputs);
  if (refused.empty() != got.refused.empty()) return fmt::format("interpreted: '{}', compiled: '{}'", refused, got.refused);
  if (!refused.empty()) return "";
  if (got.outputs.size() != want.outputs.size()) return "another number of outputs";
  for (size_t i = 0; i < got.outputs.size(); ++i) {
    if (std::string wrong = compare(want.outputs[i], want.output_radii[i], got.outputs[i], &s.counts.known); !wrong.empty()) return fmt::format("output {}: {}", i, wrong);
    s.counts.elements += got.outputs[i].size();
  }
  for (size_t i = 0; i < want.updates.size(); ++i) {
    if (std::string wrong = compare(want.updates[i], want.update_radii[i], got.parameters[i], &s.counts.known); !wrong.empty())
      return fmt::format("the new value of {}: {}", s.given.program.graph.parameter(s.given.program.updates[i].parameter)->name, wrong);
    s.counts.elements += got.parameters[i].size();
  }
  return "";
}

std::string compare_calls(Subject& s, const Function& f) {
  for (size_t i = 0; i < s.given.calls.size(); ++i)
    if (std::string wrong = compare_call(s, f, s.given.calls[i]); !wrong.empty()) return fmt::format("call {}, {}", i, wrong);
  return "";
}

std::string different(const Subject::Results& a, const Subject::Results& b) {
  if (a.refused != b.refused) return fmt::format("'{}', and then '{}'", a.refused, b.refused);
  for (size_t i = 0; i < a.outputs.size(); ++i)
    if (!same_bits(a.outputs[i], b.outputs[i])) return fmt::format("output {} has other bits", i);
  for (size_t i = 0; i < a.parameters.size(); ++i)
    if (!same_bits(a.parameters[i], b.parameters[i])) return fmt::format("updated parameter {} has other bits", i);
  return "";
}

// The same bits as the function of one thread, at each call.
std::string same_calls(Subject& s, const Function& f) {
  for (size_t i = 0; i < s.given.calls.size(); ++i)
    if (std::string wrong = different(s.run(s.function(), s.given.calls[i]), s.run(f, s.given.calls[i])); !wrong.empty()) return fmt::format("call {}: {}", i, wrong);
  return "";
}

std::string check_compiled(Subject& s) { return compare_calls(s, s.function()); }
std::string check_again(Subject& s) { return same_calls(s, s.function()); }
std::string check_threads(Subject& s) {
  for (unsigned threads : {2, 3})
    if (std::string wrong = same_calls(s, s.with_threads(threads)); !wrong.empty()) return fmt::format("{} threads, {}", threads, wrong);
  return "";
}

std::string check_memory(Subject& s) {
  for (size_t call = 0; call < 2 * s.given.calls.size(); ++call) {
    const NamedTensors& inputs = s.given.calls[call / 2];
    Edge edge = call % 2 ? Edge::end : Edge::begin;
    Subject::Results want = s.run(s.function(), inputs), got;
    if (!want.refused.empty()) continue;
    s.restore();
    GuardedMemory memory;
    NamedTensors guarded;
    for (const auto& [name, tensor] : inputs) guarded.emplace(name, memory.copy(tensor, edge));
    for (size_t i = 0; i < s.parameters.size(); ++i) s.parameters[i]->value = memory.copy(s.before[i], edge);
    if (want.outputs.empty()) s.function()(guarded);
    else {
      for (const Tensor& t : want.outputs) got.outputs.push_back(memory.poisoned(t, edge));
      s.function().bind(guarded, got.outputs)();
    }
    for (const Update& u : s.given.program.updates) got.parameters.push_back(s.given.program.graph.parameter(u.parameter)->value.clone());
    s.restore();
    if (std::string wrong = different(want, got); !wrong.empty()) return fmt::format("call {}, in buffers that held something else: {}", call / 2, wrong);
    for (const auto& [name, tensor] : inputs)
      if (!same_bits(guarded.at(name), tensor)) return fmt::format("the input '{}' was written", name);
  }
  return "";
}

// One thread compiles twice the programs in a second that two do. The fuzzer writes files of its own, of what it has shrunk.
CompileOptions options_of_case() {
  CompileOptions options;
  options.threads = 1;
  options.leaves_dump = false;
  return options;
}

// Each of these compiles once more: one of them a case, and the dearest, which makes the most kernels, least often.
enum class Further : uint8_t { transactional, unoptimized, unfused, narrower, plainest };
constexpr Further further[variants] = {Further::transactional, Further::unoptimized, Further::narrower, Further::unfused,
                                       Further::transactional, Further::unoptimized, Further::narrower, Further::plainest};
bool chosen(const Subject& s, Further which) { return further[s.given.variant % variants] == which; }

std::string check_transactional(Subject& s) {
  if (!chosen(s, Further::transactional) || s.given.program.updates.empty()) return "";
  CompileOptions options = options_of_case();
  options.transactional = true;
  options.threads = 2;  // and so of several objects
  return same_calls(s, compile(s.given.program, options));
}
std::string check_unoptimized(Subject& s) {
  if (!chosen(s, Further::unoptimized)) return "";
  CompileOptions options = options_of_case();
  options.passes.disabled = {"simplify", "fold", "cse"};
  return compare_calls(s, compile(s.given.program, options));
}
std::string check_unfused(Subject& s) {
  if (!chosen(s, Further::unfused)) return "";
  CompileOptions options = options_of_case();
  options.fuses = false;
  return compare_calls(s, compile(s.given.program, options));
}
std::string check_narrower(Subject& s) {
  const Target& host = host_target();
  if ((!chosen(s, Further::narrower) && !chosen(s, Further::plainest)) || !host.triple.starts_with("x86_64")) return "";
  static const Target avx2 = target_for(host.triple, "x86-64-v3"), sse2 = target_for(host.triple, "x86-64"), plain = plainest(host);
  CompileOptions options = options_of_case();
  // Without fused multiply-add the elementary functions round elsewhere.
  if (s.given.whole) options.target = chosen(s, Further::plainest) ? &plain : &sse2;
  else if (host.has_fma && host.vector_bytes > 32) options.target = &avx2;
  else return "";
  return compare_calls(s, compile(s.given.program, options));
}

}  // namespace

Case case_of(const RandomProgram& random) {
  Case made{random.program, {}, random.seed, random.values == Values::whole};
  for (const Bindings& b : random.bindings) made.calls.push_back(random.inputs(b));
  return made;
}

Subject::Subject(const Case& of) : given(of) {
  const Graph& graph = given.program.graph;
  for (size_t i = 0; i < graph.size(); ++i)
    if (graph.node(NodeId(i)).op == Op::parameter) parameters.push_back(graph.parameter(NodeId(i))), before.push_back(parameters.back()->value.clone());
}

void Subject::restore() const {
  for (size_t i = 0; i < parameters.size(); ++i) parameters[i]->value = before[i].clone(), parameters[i]->torn = false;
}

const Function& Subject::function() {
  if (!executable_) {
    CompileOptions options = options_of_case();
    executable_ = executable_of(given.program, options);
    function_ = Function(executable_);
  }
  return function_;
}

Function Subject::with_threads(unsigned threads) {
  function();
  auto other = std::make_shared<Executable>(*executable_);
  other->threads = threads;
  return Function(std::move(other));
}

Subject::Results Subject::run(const Function& f, const NamedTensors& inputs) const {
  restore();
  Results results;
  try {
    results.outputs = f.all(inputs);
  } catch (const UserError& error) {
    results.refused = error.what();
  }
  for (const Update& u : given.program.updates) results.parameters.push_back(given.program.graph.parameter(u.parameter)->value.clone());
  return results;
}

std::span<const Check> checks() {
  static const Check all[] = {
      {"text", "it is printed and read back", check_text},
      {"passes", "each pass keeps every bit and is idempotent", check_passes},
      {"compiled", "compiled it is the interpreter's, within the bound", check_compiled},
      {"again", "called twice it gives the same bits", check_again},
      {"threads", "any number of threads gives the same bits", check_threads},
      {"memory", "nothing beside its buffers is touched, nothing but its inputs is read", check_memory},
      {"transactional", "a transactional function gives the same bits", check_transactional},
      {"unoptimized", "without the passes it is the interpreter's, within the bound", check_unoptimized},
      {"unfused", "with a kernel for each node it is the interpreter's, within the bound", check_unfused},
      {"narrower", "for a narrower CPU it is the interpreter's, within the bound", check_narrower},
  };
  return all;
}

std::optional<Failure> failure_of(const Case& given, std::span<const std::string_view> only, Counts* counts) {
  Subject subject(given);
  for (const Check& check : checks()) {
    if (!only.empty() && std::find(only.begin(), only.end(), check.name) == only.end()) continue;
    try {
      if (std::string what = check.run(subject); !what.empty()) return Failure{std::string(check.name), what};
    } catch (const std::exception& error) {
      return Failure{std::string(check.name), fmt::format("threw '{}'", error.what())};
    }
  }
  if (counts) counts->elements += subject.counts.elements, counts->known += subject.counts.known;
  return std::nullopt;
}

}  // namespace sinter::fuzz
