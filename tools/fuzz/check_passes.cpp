#include "tools/fuzz/check_passes.h"

#include <fmt/format.h>

#include "graph/text.h"
#include "graph/verify.h"
#include "passes/pipeline.h"
#include "passes/structural_hash.h"

namespace sinter::fuzz {
namespace {

std::string different(const Interpreted& want, const Interpreted& got) {
  if (want.outputs.size() != got.outputs.size() || want.updates.size() != got.updates.size()) return "another number of results";
  for (size_t i = 0; i < want.outputs.size(); ++i)
    if (!same_bits(want.outputs[i], got.outputs[i])) return fmt::format("output {} has other bits", i);
  for (size_t i = 0; i < want.updates.size(); ++i)
    if (!same_bits(want.updates[i], got.updates[i])) return fmt::format("update {} has other bits", i);
  return "";
}

// At the first call that the interpreter does not refuse.
struct Expected {
  NamedTensors inputs;
  Interpreted values;
};
std::optional<Expected> expected(const Program& program, const std::vector<NamedTensors>& calls) {
  for (const NamedTensors& inputs : calls) try {
      return Expected{inputs, interpret(program, inputs)};
    } catch (const UserError&) {
    }
  return std::nullopt;
}

// The interpreter takes symbols from the variables that a program reaches, and passes may leave none: so they are returned, too.
Program returning_variables(Program program) {
  for (size_t i = 0; i < program.graph.size(); ++i)
    if (program.graph.node(NodeId(i)).op == Op::variable) program.outputs.push_back(NodeId(i));
  return program;
}

std::string check_pass(const Pass& pass, const Program& program, const std::optional<Expected>& want) {
  PassResult once = pass.run(program);
  verify(once.program);
  uint64_t hash = structural_hash(once.program);
  if (!once.changed && hash != structural_hash(program)) return "says that it changed nothing, but did";
  if (want)
    if (std::string wrong = different(want->values, interpret(once.program, want->inputs)); !wrong.empty()) return wrong + " after it gave\n" + print(once.program);
  PassResult twice = pass.run(once.program);
  if (twice.changed || structural_hash(twice.program) != hash) return "is not idempotent:\n" + print(once.program) + "becomes\n" + print(twice.program);
  return "";
}

std::string check_each(const Program& program, const std::optional<Expected>& want) {
  for (const PipelineRow& row : pipeline())
    if (std::string wrong = check_pass(row.pass, program, want); !wrong.empty()) return fmt::format("{} {}", row.pass.name, wrong);
  return "";
}

}  // namespace

std::string check_passes(Subject& s) {
  s.restore();
  const Program program = returning_variables(s.given.program);
  std::optional<Expected> want = expected(program, s.given.calls);
  if (std::string wrong = check_each(program, want); !wrong.empty()) return wrong;
  PassRun all = optimize(program);
  if (want)
    if (std::string wrong = different(want->values, interpret(all.program, want->inputs)); !wrong.empty()) return wrong + " after all passes gave\n" + print(all.program);
  for (const PassTiming& t : all.timings)
    if (t.runs >= 16) return "the passes do not come to an end";
  if (std::string wrong = check_each(all.program, want); !wrong.empty()) return "of what all passes left, " + wrong;
  // The rewrites settle. (What legalize makes, they would take up again.)
  PassOptions plain;
  plain.disabled = {"legalize"};
  PassRun settled = optimize(program, plain), again = optimize(settled.program, plain);
  if (structural_hash(again.program) != structural_hash(settled.program)) return "the passes find more to do in what they made:\n" + print(settled.program) + "becomes\n" + print(again.program);
  return "";
}

}  // namespace sinter::fuzz
