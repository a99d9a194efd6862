// Loop kernels of every shape of loads, stores and nests, against plain loops, bit for bit, on three kinds of CPU.
#include <catch2/catch.hpp>

#include "graph/scalar_math.h"
#include "tests/codegen/reference.h"

namespace sinter {

using scalar::operator+, scalar::operator-, scalar::operator*;

namespace {

std::vector<Target> targets() { return {host_target(), target_for("x86_64-pc-linux-gnu", "x86-64-v3"), target_for("x86_64-pc-linux-gnu", "x86-64")}; }

// How many elements each argument has, for one binding of the sizes.
using Counts = std::function<std::vector<int64_t>(const Bindings&)>;

// Runs the kernel with several grains and on each target, and compares every argument with what plain loops make of it.
void check(Kernel kernel, const std::vector<Bindings>& bindings, const Counts& counts, size_t misaligned = 1) {
  for (const Target& target : targets())
    for (int64_t grain : {1, 3, 64, 100000}) {
      kernel.grain = grain;
      CompiledKernel compiled(kernel, target);
      const auto& loop = std::get<LoopKernel>(kernel.body);
      for (const Bindings& sizes : bindings) {
        std::string what = target.cpu + ", grain " + std::to_string(grain);
        for (const auto& [symbol, value] : sizes) what += ", " + symbol + " = " + std::to_string(value);
        INFO(what);
        std::vector<Elements> expected;
        std::vector<int64_t> count = counts(sizes);
        for (size_t i = 0; i < count.size(); ++i) {
          expected.emplace_back(kernel.arguments[i].dtype, count[i], misaligned);
          expected.back().fill(i + 1);
        }
        std::vector<Elements> got = expected;
        auto places = pointers(expected);
        PlainLoops(kernel, places, sizes).run(loop.body, loop.extents);
        compiled.run(pointers(got), sizes, grain == 3 ? 2 : 1);
        for (size_t i = 0; i < got.size(); ++i) {
          INFO("argument " << i);
          REQUIRE(got[i].first_difference(expected[i]) == -1);
          REQUIRE(got[i].guards_hold());
        }
      }
    }
}

std::vector<Bindings> each(const char* symbol, std::initializer_list<int64_t> values) {
  std::vector<Bindings> all;
  for (int64_t value : values) all.push_back({{symbol, value}});
  return all;
}

const std::initializer_list<int64_t> lengths = {0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 130, 1000};

// a + b*1.5 of two f32 loads, stored to argument 2.
Kernel two_loads(std::vector<Dim> extents, std::vector<Dim> sizes, LoadInput a, LoadInput b, Affine to) {
  ScalarBuilder builder;
  Scalar outputs[] = {builder.input(0, f32) + builder.input(1, f32) * 1.5};
  LoopKernel loop;
  loop.extents = std::move(extents);
  loop.body.inputs = {std::move(a), std::move(b)};
  loop.body.expr = builder.finish(outputs);
  loop.body.stores = {{2, std::move(to), 0}};
  return {"two loads", {{f32, false}, {f32, false}, {f32, true}}, std::move(sizes), 1, loop};
}

}  // namespace

TEST_CASE("one loop is chunked and in vectors") {
  Dim n("n");
  check(two_loads({n}, {n}, {0, {0, {1}}, {}}, {1, {0, {1}}, {}}, {0, {1}}), each("n", lengths), [](const Bindings& b) {
    return std::vector<int64_t>(3, b.at("n"));
  });
}

TEST_CASE("known sizes become constants") {
  for (int64_t n : {1, 5, 16, 17, 64, 200})
    check(two_loads({n}, {}, {0, {0, {1}}, {}}, {1, {3, {0}}, {}}, {0, {1}}), {{}}, [&](const Bindings&) { return std::vector<int64_t>{n, 4, n}; });
}

TEST_CASE("strides: reversed, every other one, a scalar, a row, a column, and one only known at the call") {
  Dim n("n"), m("m");
  Counts counts = [](const Bindings& b) {
    int64_t rows = b.at("n"), columns = b.at("m");
    return std::vector<int64_t>{rows * columns * 3 + 3, std::max(rows, columns) + 1, rows * columns * 2 + 1};
  };
  std::vector<Bindings> sizes;
  for (int64_t rows : {1, 3, 10})
    for (int64_t columns : {0, 1, 2, 7, 16, 17, 33, 70}) sizes.push_back({{"n", rows}, {"m", columns}});
  std::vector<Dim> all{n, m, 2 * m, 3 * m, m - 1, n * m, n * m - 1};
  Affine rows{0, {m, 1}}, reversed{n * m - 1, {0 - m, -1}}, thirds{2, {3 * m, 3}}, column{0, {1, 0}}, row{1, {0, 1}}, one{0, {0, 0}},
      transposed{0, {1, n}}, doubled{0, {2 * m, 2}};
  all.push_back(0 - m);
  check(two_loads({n, m}, all, {0, rows, {}}, {1, row, {}}, rows), sizes, counts);
  check(two_loads({n, m}, all, {0, reversed, {}}, {1, column, {}}, rows), sizes, counts);
  check(two_loads({n, m}, all, {0, thirds, {}}, {1, one, {}}, doubled), sizes, counts);
  check(two_loads({n, m}, all, {0, transposed, {}}, {0, rows, {}}, rows), sizes, counts);
  check(two_loads({n, m}, all, {0, rows, {}}, {0, rows, {}}, transposed), sizes, counts);
}

TEST_CASE("bounds give zeros, and nothing outside is read") {
  // A padded window: the operand has `m` columns, of which the result sees 2 before and 3 after; and a bound on the rows.
  Dim n("n"), m("m");
  std::vector<Dim> all{n, m, m + 5, m + m};
  std::vector<Bindings> sizes;
  for (int64_t rows : {1, 4})
    for (int64_t columns : {1, 7, 16, 29, 64}) sizes.push_back({{"n", rows}, {"m", columns}});
  Affine column{-2, {0, 1}}, row{-1, {1, 0}};
  LoadInput padded{0, {0 - m - 2, {m, 1}}, {{column, m}, {row, n}}};
  LoadInput strided{1, {-4, {0, 2}}, {{{-2, {0, 1}}, m}, {row, n}}};
  LoadInput broadcast{1, {0, {0, 0}}, {{column, m}}};
  all.push_back(0 - m - 2);
  Counts counts = [](const Bindings& b) {
    int64_t rows = b.at("n"), columns = b.at("m");
    return std::vector<int64_t>{rows * columns, 2 * columns, (rows + 2) * (columns + 5)};
  };
  Affine to{0, {m + 5, 1}};
  all.push_back(n + 2);
  check(two_loads({n + 2, m + 5}, all, padded, strided, to), sizes, counts, 0);
  check(two_loads({n + 2, m + 5}, all, padded, broadcast, to), sizes, counts, 0);
}

TEST_CASE("indices, insides and sizes are inputs too") {
  Dim n("n"), m("m");
  ScalarBuilder builder;
  Scalar index32 = builder.input(0, i32), index64 = builder.input(1, i64), inside = builder.input(2, boolean), size = builder.input(3, i64),
         index8 = builder.input(4, u8), index_float = builder.input(5, f32);
  Scalar outputs[] = {scalar::select(inside, index32, scalar::convert(size, i32)), index64 * size, scalar::convert(index8, f32) + index_float,
                      inside};
  LoopKernel loop;
  loop.extents = {n, m};
  Affine index{5, {m, 3}};
  loop.body.inputs = {IndexInput{index, i32}, IndexInput{{-7, {100000, 0}}, i64}, InsideInput{{{{-1, {0, 1}}, 6}, {{0, {1, 0}}, n - 1}}},
                      SizeInput{n * m},       IndexInput{{0, {1, 1}}, u8},        IndexInput{index, f32}};
  loop.body.expr = builder.finish(outputs);
  for (uint32_t k = 0; k < 4; ++k) loop.body.stores.push_back({k, {0, {m, 1}}, k});
  Kernel kernel{"indices", {{i32, true}, {i64, true}, {f32, true}, {boolean, true}}, {n, m, n * m, n - 1}, 1, loop};
  std::vector<Bindings> sizes;
  for (int64_t rows : {1, 3})
    for (int64_t columns : {1, 5, 8, 17, 300}) sizes.push_back({{"n", rows}, {"m", columns}});
  check(kernel, sizes, [](const Bindings& b) { return std::vector<int64_t>(4, b.at("n") * b.at("m")); });
}

TEST_CASE("a nest of four loops, with a value for each level and mixed types") {
  Dim a("a"), b("b"), c("c");
  ScalarBuilder builder;
  Scalar x = builder.input(0, u8), scale = builder.input(1, f64), shift = builder.input(2, f32), flag = builder.input(3, boolean);
  Scalar value = scalar::convert(x, f64) * scale + scalar::convert(scalar::exp(shift), f64);
  Scalar outputs[] = {scalar::select(flag, value, -value), scalar::convert(value, i32), flag};
  LoopKernel loop;
  loop.extents = {a, 2, b, c};
  loop.body.inputs = {LoadInput{0, {0, {2 * b * c, b * c, c, 1}}, {}}, LoadInput{1, {0, {1, 0, 0, 0}}, {}}, LoadInput{2, {0, {0, b, 1, 0}}, {}},
                      LoadInput{3, {0, {0, 0, 0, 1}}, {}}};
  loop.body.expr = builder.finish(outputs);
  loop.body.stores = {{4, {0, {2 * b * c, b * c, c, 1}}, 0}, {5, {0, {2 * b * c, c, 2 * c, 1}}, 1}, {6, {0, {2 * b * c, b * c, c, 1}}, 2}};
  Kernel kernel{"nest",
                {{u8, false}, {f64, false}, {f32, false}, {boolean, false}, {f64, true}, {i32, true}, {boolean, true}},
                {a, b, c, b * c, 2 * b * c, 2 * c},
                1,
                loop};
  std::vector<Bindings> sizes;
  for (int64_t outer : {1, 5})
    for (int64_t columns : {0, 1, 3, 8, 33}) sizes.push_back({{"a", outer}, {"b", 3}, {"c", columns}});
  check(kernel, sizes, [](const Bindings& s) {
    int64_t a_ = s.at("a"), b_ = s.at("b"), c_ = s.at("c"), all = a_ * 2 * b_ * c_;
    return std::vector<int64_t>{all, a_, 2 * b_, c_, all, all, all};
  });
}

TEST_CASE("an output may lie in place of an input") {
  Dim n("n");
  for (const Target& target : targets())
    for (int64_t length : lengths) {
      // x = x*2 + y, and z = x - y of the old x: arguments 0 and 2 are one buffer.
      ScalarBuilder builder;
      Scalar x = builder.input(0, f32), y = builder.input(1, f32);
      Scalar outputs[] = {x * 2 + y, x - y};
      LoopKernel loop;
      loop.extents = {n};
      loop.body.inputs = {LoadInput{0, {0, {1}}, {}}, LoadInput{1, {0, {1}}, {}}};
      loop.body.expr = builder.finish(outputs);
      loop.body.stores = {{2, {0, {1}}, 0}, {3, {0, {1}}, 1}};
      CompiledKernel compiled(Kernel{"in place", {{f32, false}, {f32, false}, {f32, true}, {f32, true}}, {n}, 48, loop}, target);
      std::vector<Elements> all;
      for (int i = 0; i < 3; ++i) all.emplace_back(f32, length, 1);
      all[0].fill(1), all[1].fill(2);
      std::vector<Elements> old = all;
      compiled.run({all[0].data(), all[1].data(), all[0].data(), all[2].data()}, {{"n", length}});
      for (size_t i = 0; i < static_cast<size_t>(length); ++i) {
        float a = old[0].at<float>(i), b = old[1].at<float>(i);
        REQUIRE(same_bits(all[0].at<float>(i), a * 2 + b));
        REQUIRE(same_bits(all[2].at<float>(i), a - b));
      }
    }
}

TEST_CASE("nothing before or past a buffer is touched") {
  Dim n("n");
  Affine column{-2, {1}};
  Kernel kernel = two_loads({n + 5}, {n, n + 5}, {0, column, {{column, n}}}, {1, {0, {2}}, {}}, {0, {1}});
  for (const Target& target : targets()) {
    CompiledKernel compiled(kernel, target);
    for (int64_t length : lengths) {
      Guarded<float> a(length, 2.f), b(2 * (length + 5) - 1, 4.f), to(length + 5);
      compiled.run({a.data(), b.data(), to.data()}, {{"n", length}});
      for (int64_t i = 0; i < length + 5; ++i) REQUIRE(to[i] == (i >= 2 && i < length + 2 ? 8.f : 6.f));
    }
  }
}

TEST_CASE("streaming stores, from aligned buffers and from others") {
  Dim n("n"), m("m");
  Kernel kernel = two_loads({n, m}, {n, m}, {0, {0, {m, 1}}, {}}, {1, {0, {0, 1}}, {}}, {0, {m, 1}});
  std::get<LoopKernel>(kernel.body).streaming = true;
  std::vector<Bindings> sizes;
  for (int64_t columns : {1, 16, 64, 70, 333}) sizes.push_back({{"n", 5}, {"m", columns}});
  for (size_t misaligned : {0, 1})
    check(kernel, sizes, [](const Bindings& b) { return std::vector<int64_t>{b.at("n") * b.at("m"), b.at("m"), b.at("n") * b.at("m")}; }, misaligned);
  std::string assembly = emit_asm({kernel}, {}, host_target());
  CHECK(assembly.find("movntps") != std::string::npos);
  CHECK(assembly.find("sfence") != std::string::npos);
}

}  // namespace sinter
