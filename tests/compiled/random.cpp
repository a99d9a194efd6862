// Random programs: compiled code against the interpreter. stages_of() runs every plan's checker on the way.
#include <catch2/catch.hpp>

#include "codegen/compile.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "tests/compiled/random_program.h"
#include "tests/compiled/tolerance.h"

using namespace sinter;
using namespace sinter::test;

namespace {

struct Counts {
  int64_t elements = 0, known = 0;
};

void check_call(const RandomProgram& random, const Function& f, int64_t n, int64_t m, Counts& counts) {
  INFO("n = " << n << ", m = " << m);
  NamedTensors inputs = random.inputs(n, m);
  Tolerated want = interpret_with_radii(random.program, inputs);
  std::vector<Tensor> got = f.all(inputs);
  REQUIRE(got.size() == want.outputs.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("output " << i);
    REQUIRE(compare(want.outputs[i], want.output_radii[i], got[i], &counts.known) == "");
    counts.elements += got[i].size();
  }
  for (size_t i = 0; i < want.updates.size(); ++i) {
    const ParameterStorage& p = *random.program.graph.parameter(random.program.updates[i].parameter);
    INFO("update of " << p.name);
    REQUIRE(compare(want.updates[i], want.update_radii[i], p.value, &counts.known) == "");
    counts.elements += p.value.size();
  }
}

void check_program(uint64_t seed, Counts& counts) {
  RandomProgram random = random_program(seed, 4 + static_cast<int>(seed % 23));
  INFO("seed " << seed << "\n" << print(random.program));
  REQUIRE_NOTHROW(verify(random.program));
  Function f = compile(random.program, random_options(random));
  check_call(random, f, 3, 5, counts);
  check_call(random, f, seed % 7 == 0 ? 0 : 1, 2, counts);
  check_call(random, f, 33, 9, counts);
}

void check_programs(uint64_t first, uint64_t last) {
  Counts counts;
  for (uint64_t seed = first; seed < last; ++seed) check_program(seed, counts);
  // Most of what is compared must be of use.
  CHECK(counts.known * 10 > counts.elements * 8);
}

}  // namespace

TEST_CASE("random programs compiled and interpreted") { check_programs(1, 301); }

TEST_CASE("many random programs compiled and interpreted", "[exhaustive]") { check_programs(1000, 21000); }
