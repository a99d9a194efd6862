// The elementary functions compiled, against the interpreter on the same expressions: bit for bit.
#include <catch2/catch.hpp>

#include "graph/scalar_math.h"
#include "tests/codegen/reference.h"

namespace sinter {

TEST_CASE("the elementary functions are compiled as the interpreter computes them") {
  using namespace scalar;
  struct Function {
    const char* name;
    std::function<Scalar(Scalar, Scalar)> make;
  };
  const Function functions[] = {
      {"exp", [](Scalar x, Scalar) { return exp(x); }},         {"expm1", [](Scalar x, Scalar) { return expm1(x); }},
      {"log", [](Scalar x, Scalar) { return log(x); }},         {"log1p", [](Scalar x, Scalar) { return log1p(x); }},
      {"tanh", [](Scalar x, Scalar) { return tanh(x); }},       {"sigmoid", [](Scalar x, Scalar) { return sigmoid(x); }},
      {"softplus", [](Scalar x, Scalar) { return softplus(x); }}, {"erf", [](Scalar x, Scalar) { return erf(x); }},
      {"sin", [](Scalar x, Scalar) { return sin(x); }},         {"cos", [](Scalar x, Scalar) { return cos(x); }},
      {"rsqrt", [](Scalar x, Scalar) { return rsqrt(x); }},     {"sign", [](Scalar x, Scalar) { return sign(x); }},
      {"pow", [](Scalar x, Scalar y) { return pow(x, y); }},
      {"exp2", [](Scalar x, Scalar) { return exp2(x); }}, {"log2", [](Scalar x, Scalar) { return log2(x); }},
      {"log10", [](Scalar x, Scalar) { return log10(x); }}, {"cbrt", [](Scalar x, Scalar) { return cbrt(x); }},
      {"tan", [](Scalar x, Scalar) { return tan(x); }}, {"asin", [](Scalar x, Scalar) { return asin(x); }},
      {"acos", [](Scalar x, Scalar) { return acos(x); }}, {"atan", [](Scalar x, Scalar) { return atan(x); }},
      {"sinh", [](Scalar x, Scalar) { return sinh(x); }}, {"cosh", [](Scalar x, Scalar) { return cosh(x); }},
      {"asinh", [](Scalar x, Scalar) { return asinh(x); }}, {"acosh", [](Scalar x, Scalar) { return acosh(x); }},
      {"atanh", [](Scalar x, Scalar) { return atanh(x); }}, {"erfc", [](Scalar x, Scalar) { return erfc(x); }},
      {"lgamma", [](Scalar x, Scalar) { return lgamma(x); }}, {"digamma", [](Scalar x, Scalar) { return digamma(x); }},
      {"atan2", [](Scalar x, Scalar y) { return atan2(x, y); }}, {"hypot", [](Scalar x, Scalar y) { return hypot(x, y); }},
      {"copysign", [](Scalar x, Scalar y) { return copysign(x, y); }}, {"nextafter", [](Scalar x, Scalar y) { return nextafter(x, y); }},
      {"remainder", [](Scalar x, Scalar y) { return remainder(x, y); }}, {"floor_divide", [](Scalar x, Scalar y) { return floor_divide(x, y); }},
  };
  if (!host_target().has_fma) return;  // the interpreter has it
  DType type = GENERATE(f32, f64);
  for (const Function& function : functions) {
    INFO(function.name << " of " << name(type));
    ScalarBuilder builder;
    Scalar x = builder.input(0, type), y = builder.input(1, type);
    Scalar outputs[] = {function.make(x, y)};
    LoopKernel loop;
    loop.extents = {Dim("n")};
    loop.body.inputs = {LoadInput{0, {0, {1}}, {}}, LoadInput{1, {0, {1}}, {}}};
    loop.body.expr = builder.finish(outputs);
    if (loop.body.expr.inputs.size() < 2) loop.body.inputs.resize(loop.body.expr.inputs.size());
    loop.body.stores = {{2, {0, {1}}, 0}};
    CompiledKernel compiled(Kernel{function.name, {{type, false}, {type, false}, {type, true}}, {Dim("n")}, 1 << 20, loop});
    Bindings sizes{{"n", 100003}};
    std::vector<Elements> expected;
    for (int i = 0; i < 3; ++i) expected.emplace_back(type, sizes["n"]);
    expected[0].fill(1), expected[1].fill(2);
    std::vector<Elements> got = expected;
    auto places = pointers(expected);
    PlainLoops(compiled.kernel(), places, sizes).run(loop.body, loop.extents);
    compiled.run(pointers(got), sizes);
    int64_t at = got[2].first_difference(expected[2]);
    INFO("element " << at);
    REQUIRE(at == -1);
    REQUIRE(got[2].guards_hold());
  }
}

}  // namespace sinter
