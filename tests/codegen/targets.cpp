// Targets: what is known of a CPU, what is refused, and that code for any of them calls nothing outside of itself.
#include <catch2/catch.hpp>

#include "codegen/llvm/jit.h"
#include "graph/scalar_math.h"

namespace sinter {

TEST_CASE("a CPU is described as emission needs it") {
  Target plain = target_for("x86_64-pc-linux-gnu", "x86-64");
  CHECK(plain.vector_bytes == 16);
  CHECK(plain.vector_registers == 16);
  CHECK_FALSE(plain.has_fma);
  CHECK_FALSE(plain.has_rounding);
  Target avx2 = target_for("x86_64-pc-linux-gnu", "x86-64-v3");
  CHECK(avx2.vector_bytes == 32);
  CHECK(avx2.has_fma);
  CHECK(avx2.has_rounding);
  CHECK_FALSE(avx2.has_masks);
  Target avx512 = target_for("x86_64-pc-linux-gnu", "x86-64-v4");
  CHECK(avx512.vector_bytes == 64);
  CHECK(avx512.vector_registers == 32);
  CHECK(avx512.has_masks);
  CHECK_FALSE(target_for("x86_64-pc-linux-gnu", "x86-64-v3", "-fma").has_fma);
  Target arm = target_for("aarch64-linux-gnu", "cortex-a72");
  CHECK(arm.vector_bytes == 16);
  CHECK(arm.has_fma);
  CHECK(avx512.lanes(4) == 16);
  CHECK(avx512.lanes(1) == 64);
  CHECK(host_target().l1_bytes > 0);
  CHECK(host_target().l2_bytes >= host_target().l1_bytes);
}

TEST_CASE("no such target is an error that says so") {
  CHECK_THROWS_AS(target_for("nothing-at-all", "x86-64"), UserError);
  CHECK_THROWS_AS(target_for("x86_64-pc-linux-gnu", "cortex-a72"), UserError);
  CHECK_THROWS_AS(target_for("x86_64-pc-linux-gnu", "x86-64", "+no-such-feature"), UserError);
  CHECK_THROWS_AS(target_for("x86_64-pc-linux-gnu", "x86-64", "avx2"), UserError);
  CHECK_THROWS_AS(target_for("riscv64-linux-gnu", "generic-rv64"), UserError);
  CHECK_THROWS_AS(target_for("x86_64-pc-linux-gnu", "i486"), UserError);
  CHECK_THROWS_AS(target_for("x86_64-pc-linux-gnu", "x86-64", "-sse2"), UserError);
  CHECK_THROWS_AS(target_for("aarch64-linux-gnu", "generic", "-fp-armv8"), UserError);
}

TEST_CASE("what cannot run here is not compiled to be run") {
  const Target& host = host_target();
  CHECK_NOTHROW(check_runs_here(host));
  Target other = target_for(host.triple.starts_with("x86_64") ? "aarch64-linux-gnu" : "x86_64-pc-linux-gnu", "");
  CHECK_THROWS_AS(check_runs_here(other), UserError);
  CHECK_THROWS_AS(jit_compile({}, {}, other), UserError);
  if (!host.triple.starts_with("x86_64")) return;
  CHECK_NOTHROW(check_runs_here(target_for(host.triple, "x86-64")));
  CHECK_THROWS_AS(check_runs_here(target_for(host.triple, "x86-64", "+sse4a,+3dnowa,+xop,+fma4,+amx-complex")), UserError);  // of several makers: no CPU has them all
}

TEST_CASE("no code for any target calls a library") {
  // Everything that has no instruction on some target, in one body; the vector width and the rest of a row are both emitted.
  using namespace scalar;
  ScalarBuilder builder;
  Scalar x = builder.input(0, f32), y = builder.input(1, f64), i = builder.input(2, i64), u = builder.input(3, u64), small = builder.input(4, u8);
  std::vector<Scalar> outputs = {
      floor(x) + ceil(x) + trunc(x) + round_even(x) + scalar::fma(x, x, x) + sqrt(x) + convert(i, f32) + convert(u, f32),
      floor(y) + ceil(y) + trunc(y) + round_even(y) + scalar::fma(y, y, y) + sqrt(y) + convert(i, f64) + convert(u, f64) + convert(x, f64),
      i / convert(x, i64) + i % convert(y, i64) + shift_left(i, i), u / convert(x, u64) + u % convert(y, u64) + shift_right(u, u),
      small / convert(x, u8) + small % convert(y, u8)};
  outputs[0] = outputs[0] + pow(x, x) + erf(x) + tanh(x) + sin(x) + log1p(x) + maximum(x, convert(y, f32));
  LoopKernel loop;
  loop.extents = {Dim("n")};
  Kernel kernel{"everything", {}, {Dim("n")}, 1000, {}};
  const DType types[] = {f32, f64, i64, u64, u8};
  for (uint32_t k = 0; k < 5; ++k) {
    kernel.arguments.push_back({types[k], true});
    loop.body.inputs.push_back(LoadInput{k, {0, {1}}, {}});
    loop.body.stores.push_back({k, {0, {1}}, k});
  }
  loop.body.expr = builder.finish(outputs);
  kernel.body = loop;
  for (const Target& target : {host_target(), target_for("x86_64-pc-linux-gnu", "x86-64"), target_for("x86_64-pc-linux-gnu", "x86-64-v2"),
                               target_for("x86_64-pc-linux-gnu", "x86-64-v3"), target_for("x86_64-pc-linux-gnu", "x86-64-v4"),
                               target_for("aarch64-linux-gnu", "generic"), target_for("aarch64-linux-gnu", "cortex-a72")}) {
    std::string assembly = emit_asm({kernel}, {}, target);
    INFO(target.triple << " " << target.cpu);
    CHECK(assembly.find("\tcall") == std::string::npos);
    CHECK(assembly.find("\tbl\t") == std::string::npos);
    CHECK(assembly.find("\tb\t__") == std::string::npos);
  }
}

}  // namespace sinter
