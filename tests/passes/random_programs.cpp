// Random programs: what holds of every pass, and of the text form.
#include <catch2/catch.hpp>

#include "graph/text.h"
#include "graph/verify.h"
#include "passes/pipeline.h"
#include "passes/structural_hash.h"
#include "tests/passes/random_program.h"

using namespace sinter;

namespace {

bool same_values(const Interpreted& a, const Interpreted& b) {
  if (a.outputs.size() != b.outputs.size() || a.updates.size() != b.updates.size()) return false;
  for (size_t i = 0; i < a.outputs.size(); ++i)
    if (!same_bits(a.outputs[i], b.outputs[i])) return false;
  for (size_t i = 0; i < a.updates.size(); ++i)
    if (!same_bits(a.updates[i], b.updates[i])) return false;
  return true;
}

void check_program(uint64_t seed, int nodes) {
  test::RandomProgram random = test::random_program(seed, nodes);
  INFO("seed " << seed << "\n" << print(random.program));
  REQUIRE_NOTHROW(verify(random.program));
  std::string text = print(random.program);
  Program parsed = parse(text, "random.graph");
  CHECK(print(parsed) == text);
  CHECK(structural_hash(parsed) == structural_hash(random.program));
  Interpreted expected = interpret(random.program, random.inputs);
  for (const PipelineRow& row : pipeline()) {
    INFO("pass " << row.pass.name);
    PassResult once = row.pass.run(random.program);
    INFO("gives\n" << print(once.program));
    REQUIRE_NOTHROW(verify(once.program));
    REQUIRE(same_values(interpret(once.program, random.inputs), expected));
    PassResult twice = row.pass.run(once.program);
    CHECK_FALSE(twice.changed);
    CHECK(structural_hash(twice.program) == structural_hash(once.program));
  }
  PassRun all = optimize(random.program);
  INFO("optimized to\n" << print(all.program));
  REQUIRE(same_values(interpret(all.program, random.inputs), expected));
  for (const PassTiming& t : all.timings) CHECK(t.runs < 16);
  // The rewrites settle. (What legalize makes, they would take up again.)
  PassOptions plain;
  plain.disabled = {"legalize"};
  PassRun settled = optimize(random.program, plain), again = optimize(settled.program, plain);
  CHECK(structural_hash(again.program) == structural_hash(settled.program));
}

}  // namespace

TEST_CASE("passes keep the interpreter's bits on random programs, and are idempotent") {
  for (uint64_t seed = 1; seed <= 400; ++seed) check_program(seed, 10 + static_cast<int>(seed % 50));
}

TEST_CASE("passes keep the interpreter's bits on many random programs", "[exhaustive]") {
  for (uint64_t seed = 1000; seed < 40000; ++seed) check_program(seed, 10 + static_cast<int>(seed % 60));
}
