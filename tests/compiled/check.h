// Calls of compiled programs held against the interpreter.
#pragma once
#include <catch2/catch.hpp>
#include <cmath>

#include "graph/verify.h"
#include "sinter.h"
#include "tools/fuzz/tolerance.h"

namespace sinter::test {

using fuzz::compare;
using fuzz::interpret_with_radii;
using fuzz::Tolerated;

struct Counted {
  int64_t elements = 0, known = 0;  // compared, and of which something was known
};

// One call: outputs, and the parameters after it, against what the interpreter makes of the inputs and the parameters before it.
inline std::vector<Tensor> check_call(const Program& program, const Function& f, const NamedTensors& inputs, Counted* counted = nullptr) {
  Counted counts;
  Tolerated want = interpret_with_radii(program, inputs);
  std::vector<Tensor> got = f.all(inputs);
  REQUIRE(got.size() == want.outputs.size());
  for (size_t i = 0; i < got.size(); ++i) {
    INFO("output " << i);
    CHECK(compare(want.outputs[i], want.output_radii[i], got[i], &counts.known) == "");
    counts.elements += got[i].size();
  }
  for (size_t i = 0; i < want.updates.size(); ++i) {
    const ParameterStorage& p = *program.graph.parameter(program.updates[i].parameter);
    INFO("the new value of " << p.name);
    CHECK(compare(want.updates[i], want.update_radii[i], p.value, &counts.known) == "");
    counts.elements += p.value.size();
  }
  if (counted) counted->elements += counts.elements, counted->known += counts.known;
  return got;
}

// A program and its function.
struct CompiledProgram {
  Program program;
  Function function;
};
inline CompiledProgram compiled(const std::vector<Expr>& outputs, const Updates& updates = {}, const CompileOptions& options = {}) {
  Program program = program_of(outputs, updates);
  verify(program);
  Function f = compile(program, options);
  return {std::move(program), std::move(f)};
}

// Uniform in [-2, 2).
inline Tensor values(std::vector<int64_t> sizes, uint64_t seed, DType type = f32) { return uniform(std::move(sizes), seed, 2, type); }
// The same in steps of an eighth: sums of a few products of such numbers are exact in any order, and what is compared with zero is known.
inline Tensor eighths(std::vector<int64_t> sizes, uint64_t seed) {
  Tensor t = values(std::move(sizes), seed);
  for (float& v : t.data<float>()) v = std::round(v * 8) / 8;
  return t;
}
// Class numbers below `classes`.
inline Tensor labels(int64_t count, int64_t classes, uint64_t seed) {
  Tensor t = Tensor::uninitialized(i32, {count}), random = uniform({count}, seed, 1, f64);
  for (size_t i = 0; i < static_cast<size_t>(count); ++i) t.data<int32_t>()[i] = static_cast<int32_t>((random.data<double>()[i] + 1) / 2 * static_cast<double>(classes));
  return t;
}

}  // namespace sinter::test
