// Every scalar code, of every type, compiled for three kinds of CPU that this one runs, against the interpreter: bit for bit.
#include <catch2/catch.hpp>

#include "graph/scalar.h"
#include "tests/codegen/reference.h"

namespace sinter {
namespace {

struct Case {
  ScalarCode code;
  DType result;
  std::vector<DType> operands;
};

std::vector<Case> cases_of(DType t) {
  using C = ScalarCode;
  std::vector<Case> all;
  auto add = [&](std::initializer_list<C> codes, DType result, std::vector<DType> operands) {
    for (C code : codes) all.push_back({code, result, operands});
  };
  add({C::equal, C::not_equal, C::less, C::less_equal}, boolean, {t, t});
  add({C::select}, t, {boolean, t, t});
  if (t != boolean) add({C::add, C::subtract, C::multiply, C::divide}, t, {t, t});
  if (t != boolean) add({C::negate}, t, {t});
  if (is_signed(t)) add({C::absolute}, t, {t});
  if (is_float(t)) add({C::square_root, C::floor, C::ceil, C::truncate, C::round_even}, t, {t}), add({C::fma}, t, {t, t, t});
  if (is_integer(t)) add({C::remainder, C::shift_left, C::shift_right}, t, {t, t});
  if (!is_float(t)) add({C::bit_and, C::bit_or, C::bit_xor}, t, {t, t}), add({C::bit_not}, t, {t});
  for (DType to : computing_dtypes) {
    if (to != t) add({C::convert}, to, {t});
    if (to != t && size_of(to) == size_of(t) && !(to == boolean)) add({C::bitcast}, to, {t});
  }
  return all;
}

// One loop over n elements: the operands are the first arguments, the results of all cases the others.
Kernel kernel_of(const std::vector<Case>& cases, const std::vector<DType>& inputs) {
  LoopKernel loop;
  loop.extents = {Dim("n")};
  Kernel kernel;
  kernel.name = "codes";
  ScalarBuilder builder;
  std::vector<Scalar> values, outputs;
  for (size_t k = 0; k < inputs.size(); ++k) {
    kernel.arguments.push_back({inputs[k], false});
    loop.body.inputs.push_back(LoadInput{static_cast<uint32_t>(k), {0, {1}}, {}});
    values.push_back(builder.input(static_cast<uint32_t>(k), inputs[k]));
  }
  for (const Case& one : cases) {
    std::vector<Scalar> taken;
    std::vector<bool> used(inputs.size());
    for (DType wanted : one.operands)
      for (size_t k = 0; k < inputs.size(); ++k)
        if (inputs[k] == wanted && !used[k]) {
          used[k] = true;
          taken.push_back(values[k]);
          break;
        }
    REQUIRE(taken.size() == one.operands.size());
    Scalar result = taken.size() == 1   ? builder.append(one.code, one.result, {taken[0]})
                    : taken.size() == 2 ? builder.append(one.code, one.result, {taken[0], taken[1]})
                                        : builder.append(one.code, one.result, {taken[0], taken[1], taken[2]});
    auto number = static_cast<uint32_t>(outputs.size());
    outputs.push_back(result);
    loop.body.stores.push_back({static_cast<uint32_t>(kernel.arguments.size()), {0, {1}}, number});
    kernel.arguments.push_back({one.result, true});
  }
  loop.body.expr = builder.finish(outputs);
  kernel.sizes = {Dim("n")};
  kernel.grain = 100;
  kernel.body = loop;
  return kernel;
}

void check(const std::vector<Case>& cases, const std::vector<DType>& inputs, const Target& target) {
  CompiledKernel compiled(kernel_of(cases, inputs), target);
  const auto& loop = std::get<LoopKernel>(compiled.kernel().body);
  for (int64_t n : {0, 1, 2, 7, 8, 9, 15, 16, 17, 64, 65, 1000}) {
    Bindings sizes{{"n", n}};
    std::vector<Elements> expected;
    for (size_t i = 0; i < compiled.kernel().arguments.size(); ++i) {
      expected.emplace_back(compiled.kernel().arguments[i].dtype, n, 1);
      if (i < inputs.size()) expected.back().fill(i + static_cast<uint64_t>(n));
    }
    std::vector<Elements> got = expected;
    auto places = pointers(expected);
    PlainLoops(compiled.kernel(), places, sizes).run(loop.body, loop.extents);
    compiled.run(pointers(got), sizes);
    for (size_t i = 0; i < got.size(); ++i) {
      std::string what = i < inputs.size()
                             ? "input"
                             : std::string(name(cases[i - inputs.size()].code)) + " -> " + std::string(name(cases[i - inputs.size()].result));
      INFO(what << " from " << name(inputs.back()) << " of " << n << " elements for " << target.cpu);
      REQUIRE(got[i].guards_hold());
      int64_t at = got[i].first_difference(expected[i]);
      if (at >= 0) {
        std::string operands;
        for (size_t k = 0; k < inputs.size(); ++k)
          dispatch(inputs[k],
                   [&](auto tag) { operands += " " + std::to_string(expected[k].at<typename decltype(tag)::type>(static_cast<size_t>(at))); });
        INFO("element " << at << ", inputs" << operands);
        REQUIRE(at == -1);
      }
    }
  }
}

std::vector<DType> inputs_for(DType t) { return t == boolean ? std::vector<DType>{t, t, t} : std::vector<DType>{boolean, t, t, t}; }

}  // namespace

TEST_CASE("every scalar code is compiled as the interpreter computes it") {
  DType t = GENERATE(from_range(std::begin(computing_dtypes), std::end(computing_dtypes)));
  for (const Target& target : {host_target(), target_for("x86_64-pc-linux-gnu", "x86-64-v3"), target_for("x86_64-pc-linux-gnu", "x86-64"), plainest(host_target())}) {
    std::vector<Case> cases = cases_of(t);
    if (!target.has_fma) std::erase_if(cases, [](const Case& one) { return one.code == ScalarCode::fma; });
    check(cases, inputs_for(t), target);
  }
}

TEST_CASE("scalar codes of one type and width fill whole vectors") {
  // By themselves, as in the case above the widest type decides the lanes of all.
  DType t = GENERATE(from_range(std::begin(computing_dtypes), std::end(computing_dtypes)));
  for (const Case& one : cases_of(t)) check({one}, inputs_for(t), host_target());
}

TEST_CASE("without a fused multiply-add fma rounds twice") {
  Target target = target_for("x86_64-pc-linux-gnu", "x86-64");
  CompiledKernel compiled(kernel_of({{ScalarCode::fma, f32, {f32, f32, f32}}}, {f32, f32, f32}), target);
  int64_t n = 100;
  std::vector<Elements> all;
  for (int i = 0; i < 4; ++i) all.emplace_back(f32, n);
  for (size_t i = 0; i < 3; ++i) all[i].fill(i);
  compiled.run(pointers(all), {{"n", n}});
  for (size_t i = 0; i < 100; ++i) {
    volatile float product = all[0].at<float>(i) * all[1].at<float>(i);
    REQUIRE(same_bits(all[3].at<float>(i), product + all[2].at<float>(i)));
  }
}

TEST_CASE("a reduction's maximum and minimum are those of the scalar expressions") {
  for (bool largest : {true, false}) {
    ScalarBuilder builder;
    Scalar a = builder.input(0, f32), b = builder.input(1, f32);
    Scalar outputs[] = {largest ? scalar::maximum(a, b) : scalar::minimum(a, b)};
    LoopKernel loop;
    loop.extents = {Dim("n")};
    loop.body.inputs = {LoadInput{0, {0, {1}}, {}}, LoadInput{1, {0, {1}}, {}}};
    loop.body.expr = builder.finish(outputs);
    loop.body.stores = {{2, {0, {1}}, 0}};
    Kernel kernel{"maximum", {{f32, false}, {f32, false}, {f32, true}}, {Dim("n")}, 1000, loop};
    // One instruction, and one to let NaNs through.
    std::string assembly = emit_asm({kernel}, {}, host_target());
    CHECK(assembly.find(largest ? "maxps" : "minps") != std::string::npos);
  }
}

}  // namespace sinter
