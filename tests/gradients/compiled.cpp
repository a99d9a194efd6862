// Derivatives compiled, against the interpreter's.
#include "tests/compiled/check.h"
#include "tests/gradients/check.h"

namespace sinter {
namespace {

// All of a table as the outputs of one function: compiling each on its own would take far longer, as second derivatives of all that is not
// elementwise do.
void check_compiled(const std::vector<Case>& cases, bool second) {
  GraphScope scope;
  std::vector<Expr> outputs;
  std::vector<std::string> names;
  NamedTensors inputs;
  for (size_t i = 0; i < cases.size(); ++i) {
    const Case& c = cases[i];
    Derivatives d = derivatives_of(c, points_of(c, 0), 0, "c" + std::to_string(i) + "_");
    for (const Expr& g : d.gradient) outputs.push_back(g), names.push_back("the gradient of " + label(c));
    outputs.push_back(d.forward), names.push_back("forward mode through " + label(c));
    if (second) outputs.push_back(d.second), names.push_back("the second derivative of " + label(c));
    inputs.insert(d.at.begin(), d.at.end());
  }
  test::CompiledProgram all = test::compiled(outputs);
  std::erase_if(inputs, [&](const auto& input) { return !all.program.graph.named(input.first).valid(); });
  test::Tolerated want = test::interpret_with_radii(all.program, inputs);
  std::vector<Tensor> got = all.function.all(inputs);
  REQUIRE(got.size() == want.outputs.size());
  int64_t elements = 0, known = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    INFO(names[i]);
    CHECK(test::compare(want.outputs[i], want.output_radii[i], got[i], &known) == "");
    elements += got[i].size();
  }
  INFO("of " << elements << " elements something was known of " << known);
  CHECK(known * 100 > elements * 95);
}

}  // namespace

TEST_CASE("the compiled derivatives of each elementwise row are the interpreter's", "[gradients]") { check_compiled(row_cases(), true); }
TEST_CASE("the compiled derivatives of each structural rule are the interpreter's", "[gradients]") { check_compiled(structural_cases(), false); }
TEST_CASE("the compiled derivatives of each composition are the interpreter's", "[gradients]") { check_compiled(composition_cases(), false); }

}  // namespace sinter
