// The kernel form: equality, hash, text, and how many chunks a kernel has.
#include <catch2/catch.hpp>

#include "codegen/kernel.h"

namespace sinter {
namespace {

Kernel doubling() {
  using namespace scalar;
  ScalarBuilder builder;
  Scalar outputs[] = {builder.input(0, f32) * 2};
  LoopKernel loop;
  loop.extents = {Dim("n"), 8};
  loop.body.inputs = {LoadInput{0, {0, {8, 1}}, {{{-1, {0, 1}}, 6}}}};
  loop.body.expr = builder.finish(outputs);
  loop.body.stores = {{1, {0, {8, 1}}, 0}};
  return {"doubling", {{f32, false}, {f32, true}}, {Dim("n")}, 4, loop};
}

// A kernel that differs from `kernel` in one place for each call.
std::vector<Kernel> variations(const Kernel& kernel) {
  std::vector<Kernel> all;
  auto vary = [&](auto change) {
    all.push_back(kernel);
    change(all.back(), std::get<LoopKernel>(all.back().body));
  };
  vary([](Kernel& k, LoopKernel&) { k.arguments[0].dtype = i32; });
  vary([](Kernel& k, LoopKernel&) { k.arguments[0].written = true; });
  vary([](Kernel& k, LoopKernel&) { k.sizes = {Dim("m")}; });
  vary([](Kernel& k, LoopKernel&) { k.grain = 5; });
  vary([](Kernel&, LoopKernel& l) { l.streaming = true; });
  vary([](Kernel&, LoopKernel& l) { l.extents[1] = 9; });
  vary([](Kernel&, LoopKernel& l) { std::get<LoadInput>(l.body.inputs[0]).bounds[0].size = 7; });
  vary([](Kernel&, LoopKernel& l) { std::get<LoadInput>(l.body.inputs[0]).position.strides[0] = 9; });
  vary([](Kernel&, LoopKernel& l) { l.body.inputs[0] = IndexInput{{0, {8, 1}}, f32}; });
  vary([](Kernel&, LoopKernel& l) { l.body.stores[0].position.offset = 1; });
  vary([](Kernel&, LoopKernel& l) { l.body.expr.ops[1].bits ^= 1; });
  return all;
}

}  // namespace

TEST_CASE("kernels are the same where all but their names are") {
  Kernel a = doubling(), b = doubling();
  b.name = "another";
  CHECK(same(a, b));
  CHECK(hash(a) == hash(b));
  for (const Kernel& other : variations(a)) {
    CHECK_FALSE(same(a, other));
    CHECK(hash(a) != hash(other));
    CHECK(to_string(a) != to_string(other));
  }
}

TEST_CASE("a kernel prints as its fields") {
  CHECK(to_string(doubling()) == R"(kernel doubling
  arguments [f32, f32 written]
  sizes [n]
  grain 4
  body loop 
    extents [n, 8]
    streaming false
    body:
      inputs:
        0: load argument 0, position 8*i0 + i1, bounds [0 <= -1 + i1 < 6]
      expr:
          t0 = input f32 0
          t1 = constant f32 2
          t2 = multiply f32 t0, t1
          yield t2
      stores:
        0: argument 1, position 8*i0 + i1, output 0
)");
}

TEST_CASE("the chunked loop's steps follow from the kind") {
  auto count = [](const Kernel& kernel, const Bindings& sizes) { return steps_of(kernel).evaluate(sizes); };
  CHECK(count(doubling(), {{"n", 100}}) == 100);
  RowKernel row;
  row.outer = {Dim("n"), 3};
  row.inner = {7};
  CHECK(count({"row", {}, {}, 1, row}, {{"n", 11}}) == 11);
  PackKernel pack;
  pack.batch = {Dim("b"), 2};
  pack.rows = Dim("m");
  pack.panel = 6;
  CHECK(count({"pack", {}, {}, 1, pack}, {{"b", 3}, {"m", 13}}) == 3 * 2 * 3);
  ContractionKernel contraction;
  contraction.batch = {Dim("b")};
  contraction.m = Dim("m"), contraction.n = 100;
  contraction.tile_m = 6, contraction.block_m = 4, contraction.tile_n = 16, contraction.block_n = 2;
  CHECK(count({"contraction", {}, {}, 1, contraction}, {{"b", 5}, {"m", 49}}) == 5 * 3 * 4);
}

}  // namespace sinter
