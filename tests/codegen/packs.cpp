// Pack kernels against plain loops: operands that lie along k, along the rows, and along neither; padding; chunks; nothing else touched.
#include <catch2/catch.hpp>

#include "graph/scalar_math.h"
#include "tests/codegen/reference.h"

namespace sinter {
namespace {

struct Sizes {
  int64_t batch, rows, depth;
};

// Elements of the operand, and where (batch, row, k) lies in it.
struct PackedOperand {
  const char* name;
  std::function<Affine(Dim batch, Dim rows, Dim depth)> position;
};

// The packed operand is the expression's value at each element, so that padding is seen to be 0 whatever the expression makes of 0.
Kernel pack_kernel(DType stored, DType packed, const Affine& position, int64_t panel, const std::vector<Dim>& sizes, bool batched) {
  ScalarBuilder builder;
  Scalar outputs[] = {scalar::operator+(scalar::convert(builder.input(0, stored), packed), builder.constant(packed, 1))};
  PackKernel pack;
  if (batched) pack.batch = {Dim("b"), 2};
  pack.rows = Dim("rows"), pack.depth = Dim("depth");
  pack.panel = panel;
  pack.body.inputs = {LoadInput{0, position, {}}};
  pack.body.expr = builder.finish(outputs);
  pack.packed = 1;
  return {"pack", {{stored, false}, {packed, true}}, sizes, 1, pack};
}

void check(Kernel kernel, const Sizes& shape) {
  const auto& pack = std::get<PackKernel>(kernel.body);
  Bindings sizes{{"b", shape.batch}, {"rows", shape.rows}, {"depth", shape.depth}};
  int64_t batches = 1, panels = (shape.rows + pack.panel - 1) / pack.panel;
  for (const Dim& extent : pack.batch) batches *= extent.evaluate(sizes);
  DType packed = kernel.arguments[1].dtype;
  size_t width = size_of(packed);
  std::vector<Elements> expected;
  expected.emplace_back(kernel.arguments[0].dtype, 2 * shape.batch * shape.rows * shape.depth * 2, 1);
  expected.emplace_back(packed, batches * panels * shape.depth * pack.panel, 1);
  expected[0].fill(1);
  const std::vector<Elements> before = expected;
  auto places = pointers(expected);
  std::vector<Dim> extents = pack.batch;
  extents.push_back(pack.rows), extents.push_back(pack.depth);
  std::vector<char> elements = PlainLoops(kernel, places, sizes).run(pack.body, extents)[0];
  for (int64_t batch = 0; batch < batches; ++batch)
    for (int64_t row = 0; row < shape.rows; ++row)
      for (int64_t k = 0; k < shape.depth; ++k) {
        int64_t to = ((batch * panels + row / pack.panel) * shape.depth + k) * pack.panel + row % pack.panel;
        std::memcpy(expected[1].data() + static_cast<size_t>(to) * width,
                    &elements[static_cast<size_t>((batch * shape.rows + row) * shape.depth + k) * width], width);
      }
  for (const Target& target : {host_target(), target_for("x86_64-pc-linux-gnu", "x86-64-v3"), target_for("x86_64-pc-linux-gnu", "x86-64")}) {
    INFO(target.cpu << ", panel " << pack.panel << ", " << shape.batch << " x 2 of " << shape.rows << " x " << shape.depth);
    CompiledKernel compiled(kernel, target);
    std::vector<Elements> got = before;
    std::memset(got[1].data(), 0x77, got[1].bytes());
    compiled.run(pointers(got), sizes, 2);
    REQUIRE(got[1].first_difference(expected[1]) == -1);
    REQUIRE(got[1].guards_hold());
  }
}

}  // namespace

TEST_CASE("operands are packed into panels from wherever they lie") {
  const PackedOperand operands[] = {
      {"along k", [](Dim, Dim rows, Dim depth) { return Affine{0, {2 * rows * depth, rows * depth, depth, 1}}; }},
      {"along rows", [](Dim, Dim rows, Dim depth) { return Affine{0, {2 * rows * depth, rows * depth, 1, rows}}; }},
      {"every other one along k", [](Dim, Dim rows, Dim depth) { return Affine{1, {2 * rows * depth, rows * depth, 2 * depth, 2}}; }},
      {"the same for all rows", [](Dim, Dim, Dim) { return Affine{0, {1, 0, 0, 1}}; }},
  };
  const PackedOperand& operand = GENERATE_REF(from_range(std::begin(operands), std::end(operands)));
  INFO(operand.name);
  bool batched = GENERATE(false, true);
  Dim b("b"), rows("rows"), depth("depth");
  Affine position = operand.position(b, rows, depth);
  std::vector<Dim> sizes{b, rows, depth, rows * depth, 2 * rows * depth, 2 * depth};
  if (!batched) position.strides.erase(position.strides.begin(), position.strides.begin() + 2);
  for (int64_t panel : {1, 4, 6, 14, 16, 32, 48})
    for (Sizes shape : {Sizes{1, 1, 1}, Sizes{2, 5, 16}, Sizes{1, 16, 16}, Sizes{1, 33, 19}, Sizes{2, 48, 40}, Sizes{1, 100, 65}})
      check(pack_kernel(f32, f32, position, panel, sizes, batched), shape);
  check(pack_kernel(f64, f64, position, 12, sizes, batched), {2, 29, 37});
  check(pack_kernel(f64, f32, position, 16, sizes, batched), {2, 29, 37});
  check(pack_kernel(u8, f32, position, 16, sizes, batched), {2, 29, 37});
  check(pack_kernel(f32, u8, position, 16, sizes, batched), {2, 29, 37});
  Kernel grainy = pack_kernel(f32, f32, position, 8, sizes, batched);
  grainy.grain = 3;
  check(grainy, {3, 70, 21});
}

TEST_CASE("an empty operand packs to nothing") {
  Dim rows("rows"), depth("depth");
  Kernel kernel = pack_kernel(f32, f32, {0, {depth, 1}}, 16, {rows, depth}, false);
  check(kernel, {1, 0, 5});
  check(kernel, {1, 5, 0});
}

TEST_CASE("packing reads nothing outside of its operand") {
  Dim rows("rows"), depth("depth");
  for (bool along_k : {true, false})
    for (const Target& target : {host_target(), target_for("x86_64-pc-linux-gnu", "x86-64-v3")}) {
      CompiledKernel compiled(pack_kernel(f32, f32, along_k ? Affine{0, {depth, 1}} : Affine{0, {1, rows}}, 16, {rows, depth}, false), target);
      for (int64_t m : {1, 7, 16, 21})
        for (int64_t k : {1, 15, 16, 37}) {
          Guarded<float> from(m * k, 2.f), to((m + 15) / 16 * 16 * k);
          compiled.run({from.data(), to.data()}, {{"rows", m}, {"depth", k}});
          for (int64_t i = 0; i < to.size(); ++i) REQUIRE(to[i] == (i / (16 * k) * 16 + i % 16 < m ? 3.f : 0.f));
        }
    }
}

}  // namespace sinter
