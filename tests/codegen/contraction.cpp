// Contractions against the plain loops that their contract describes, to the bit: k in order, a fused multiply-add each, by blocks.
#include <catch2/catch.hpp>
#include <cmath>

#include "tests/codegen/contraction_kernels.h"

namespace sinter {
namespace {

template <class T>
T multiply_add(T a, T b, T sum, bool fused = host_target().has_fma) {
  if constexpr (std::is_floating_point_v<T>) return fused ? std::fma(a, b, sum) : a * b + sum;
  else return static_cast<T>(static_cast<uint64_t>(sum) + static_cast<uint64_t>(a) * static_cast<uint64_t>(b));  // wraps, as the kernels do
}

// One problem: operands that end where a page may not be touched, and what must come out.
template <class T>
struct Problem {
  int64_t batch, m, n, k;
  Guarded<T> a, b;
  std::vector<T> expected;

  Problem(int64_t batches, int64_t rows, int64_t columns, int64_t depth, bool transposed_a = false, bool fused_adds = host_target().has_fma)
      : batch(batches), m(rows), n(columns), k(depth), a(batches * rows * depth), b(batches * depth * columns), transposed(transposed_a), fused(fused_adds) {
    Numbers numbers(static_cast<uint64_t>(batches * 1000003 + rows * 10007 + columns * 101 + depth));
    numbers.fill(a), numbers.fill(b);
  }
  // What comes out where sums are made by blocks of this many k.
  void expect(int64_t block_k) {
    expected.assign(static_cast<size_t>(batch * m * n), T(0));
    std::vector<T> sums(static_cast<size_t>(n));
    for (int64_t i = 0; i < batch * m; ++i)
      for (int64_t begin = 0; begin < k; begin += block_k) {
        std::fill(sums.begin(), sums.end(), T(0));
        for (int64_t l = begin; l < std::min(begin + block_k, k); ++l)
          for (int64_t j = 0; j < n; ++j) {
            T& sum = sums[static_cast<size_t>(j)];
            sum = multiply_add(element_a(i / m, i % m, l), element_b(i / m, j, l), sum, fused);
          }
        for (int64_t j = 0; j < n; ++j) {
          T &total = expected[static_cast<size_t>(i * n + j)], sum = sums[static_cast<size_t>(j)];
          if constexpr (std::is_floating_point_v<T>) total = begin == 0 ? sum : total + sum;
          else total = static_cast<T>(static_cast<uint64_t>(total) + static_cast<uint64_t>(sum));
        }
      }
  }
  T element_a(int64_t at, int64_t row, int64_t l) { return a[at * m * k + (transposed ? l * m + row : row * k + l)]; }
  T element_b(int64_t at, int64_t column, int64_t l) { return b[(at * k + l) * n + column]; }

  // The operands as the kernel wants them.
  T* operand_a(bool packed, int64_t panel) {
    if (!packed) return a.data();
    packed_a.clear();
    for (int64_t at = 0; at < batch; ++at) {
      const auto panels = pack<T>(m, k, panel, [&](int64_t row, int64_t l) { return element_a(at, row, l); });
      packed_a.insert(packed_a.end(), panels.begin(), panels.end());
    }
    return packed_a.data();
  }
  T* operand_b(bool packed, int64_t panel) {
    if (!packed) return b.data();
    packed_b.clear();
    for (int64_t at = 0; at < batch; ++at) {
      const auto panels = pack<T>(n, k, panel, [&](int64_t column, int64_t l) { return element_b(at, column, l); });
      packed_b.insert(packed_b.end(), panels.begin(), panels.end());
    }
    return packed_b.data();
  }

 private:
  bool transposed, fused;
  std::vector<T> packed_a, packed_b;
};

constexpr unsigned char canary = 0xa5;

// Runs the kernel into rows of n + gap elements, of which those past n are canaries, and compares with what is expected.
template <class T>
void check(const CompiledKernel& compiled, Problem<T>& problem, const ContractionChoice& choice, int64_t gap, int threads = 1) {
  const int64_t row = problem.n + gap, rows = problem.batch * problem.m;
  T poison;
  std::memset(&poison, canary, sizeof(T));
  Guarded<T> output(rows * row, poison);
  Guarded<T> scratch(threads * scratch_of(choice), poison);
  Bindings bindings = {{"m", problem.m}, {"n", problem.n}, {"k", problem.k}, {"batch", problem.batch}, {"row", row}};
  compiled.run({problem.operand_a(choice.pack_a, choice.tile_m), problem.operand_b(choice.pack_b, choice.tile_n), output.data(), scratch.data()},
               bindings, threads);
  problem.expect(choice.block_k);
  int64_t wrong = 0;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < problem.n; ++j) wrong += !same_bits(output[i * row + j], problem.expected[static_cast<size_t>(i * problem.n + j)]);
    for (int64_t j = problem.n; j < row; ++j) wrong += !same_bits(output[i * row + j], poison);
  }
  CAPTURE(problem.batch, problem.m, problem.n, problem.k, gap, threads);
  CAPTURE(choice.tile_m, choice.tile_n, choice.block_m, choice.block_n, choice.block_k);
  CAPTURE(choice.pack_a, choice.pack_b, choice.copy_b, choice.transposed_a, choice.grain);
  REQUIRE(wrong == 0);
}

int64_t lanes(DType dtype) { return host_target().lanes(size_of(dtype)); }

std::vector<ContractionChoice> choices(DType dtype) {
  const int64_t w = lanes(dtype);
  std::vector<ContractionChoice> all;
  for (bool pack_a : {false, true})
    for (bool pack_b : {false, true}) {
      all.push_back({4, 2 * w, 2, 2, 16, pack_a, pack_b, false, 1});
      all.push_back({6, w, 3, 1, 7, pack_a, pack_b, !pack_a, 3});
    }
  all.push_back({1, 4 * w, 5, 2, 32, false, false, false, 2});
  all.push_back({8, 3 * w, 1, 1, 1000, false, true, true, 1});
  all.push_back({4, 2 * w, 3, 2, 16, false, false, true, 1, true});
  all.push_back({6, 3 * w, 2, 3, 7, true, false, false, 2, true});
  return all;
}

TEST_CASE("contraction: every size class by every tiling, symbolic", "[contraction]") {
  const ContractionShape shape{{}, "m", "n", "k"};
  for (const ContractionChoice& choice : choices(f32)) {
    const CompiledKernel compiled(contraction_kernel(f32, shape, choice, plain_epilogue(f32, shape, "row")));
    for (int64_t m : {0, 1, 2, 3, 7, 8, 13, 16, 17, 31, 33, 100})
      for (int64_t n : {0, 1, 2, 3, 7, 8, 13, 16, 17, 31, 32, 33, 64, 100})
        for (int64_t k : {0, 1, 2, 3, 7, 16, 17, 33}) {
          Problem<float> problem(1, m, n, k, choice.transposed_a);
          check(compiled, problem, choice, (m + n + k) % 3);
        }
  }
}

TEST_CASE("contraction: sizes that are numbers", "[contraction]") {
  Numbers numbers(7);
  const int64_t sizes[] = {0, 1, 2, 3, 7, 8, 13, 16, 17, 31, 32, 33, 64, 100};
  const auto any = [&] { return sizes[numbers.bits() % std::size(sizes)]; };
  const auto all = choices(f32);
  for (int i = 0; i < 100; ++i) {
    const int64_t m = i % 10 == 0 ? 1 : any(), n = any(), k = any();
    const ContractionChoice& choice = all[static_cast<size_t>(i) % all.size()];
    const ContractionShape shape{{}, m, n, k};
    const int64_t gap = i % 3;
    const CompiledKernel compiled(contraction_kernel(f32, shape, choice, plain_epilogue(f32, shape, n + gap)));
    Problem<float> problem(1, m, n, k, choice.transposed_a);
    check(compiled, problem, choice, gap);
  }
}

// Enough work for several k a turn of the inner loop, with and without a rest in the last block or in each.
TEST_CASE("contraction: larger sizes that are numbers", "[contraction]") {
  for (const ContractionChoice& choice : choices(f32))
    for (int64_t k : {68, 71}) {
      const ContractionShape shape{{}, 121, 131, k};
      const CompiledKernel compiled(contraction_kernel(f32, shape, choice, plain_epilogue(f32, shape, 131)));
      Problem<float> problem(1, 121, 131, k, choice.transposed_a);
      check(compiled, problem, choice, 0);
    }
}

TEMPLATE_TEST_CASE("contraction: every type", "[contraction]", float, double, int32_t, int64_t, uint32_t, uint64_t, uint8_t) {
  constexpr DType dtype = dtype_of<TestType>();
  const ContractionShape shape{{}, "m", "n", "k"};
  for (const ContractionChoice& choice : choices(dtype)) {
    const CompiledKernel compiled(contraction_kernel(dtype, shape, choice, plain_epilogue(dtype, shape, "row")));
    for (auto [m, n, k] : {std::array{1, 1, 1}, {13, 17, 33}, {16, 64, 7}, {33, 100, 40}, {5, 3, 0}}) {
      Problem<TestType> problem(1, m, n, k, choice.transposed_a);
      check(compiled, problem, choice, 1);
    }
  }
}

TEST_CASE("contraction: batches, chunks and threads change nothing", "[contraction]") {
  const ContractionShape shape{{"batch", 3}, "m", "n", "k"};
  for (ContractionChoice choice : choices(f32))
    for (int64_t grain : {1, 2, 7, 1000}) {
      choice.grain = grain;
      Kernel kernel = contraction_kernel(f32, shape, choice, plain_epilogue(f32, shape, "row"));
      const CompiledKernel compiled(kernel);
      for (auto [m, n, k] : {std::array{1, 5, 9}, {13, 33, 33}, {40, 64, 50}}) {
        Problem<float> problem(6, m, n, k, choice.transposed_a);
        problem.batch = 6;
        problem.expect(choice.block_k);
        const int64_t row = n + 1;
        Guarded<float> output(6 * m * row), scratch(4 * scratch_of(choice), 1e30f);
        for (int threads : {1, 2, 4}) {
          std::fill(output.begin(), output.end(), -1.f);
          float *a = problem.operand_a(choice.pack_a, choice.tile_m), *b = problem.operand_b(choice.pack_b, choice.tile_n);
          compiled.run({a, b, output.data(), scratch.data()},
                       {{"batch", 2}, {"m", m}, {"n", n}, {"k", k}, {"row", row}}, threads);
          int64_t wrong = 0;
          for (int64_t i = 0; i < 6 * m; ++i) {
            for (int64_t j = 0; j < n; ++j) wrong += !same_bits(output[i * row + j], problem.expected[static_cast<size_t>(i * n + j)]);
            wrong += output[i * row + n] != -1.f;
          }
          CAPTURE(m, n, k, grain, threads, choice.tile_m, choice.tile_n, choice.pack_a, choice.pack_b, choice.copy_b);
          REQUIRE(wrong == 0);
        }
      }
    }
}

// The older machines that this one can run code for: other widths, masks that are not cheap, no multiply-add.
TEST_CASE("contraction: narrower targets", "[contraction]") {
  if (!host_target().triple.starts_with("x86_64")) return;
  for (const char* cpu : {"x86-64", "x86-64-v2", "x86-64-v3", ""}) {
    const Target target = *cpu ? target_for(host_target().triple, cpu) : plainest(host_target());
    if (target.vector_bytes > host_target().vector_bytes || (target.has_fma && !host_target().has_fma)) continue;
    const ContractionShape shape{{}, "m", "n", "k"};
    for (auto [pack_b, copy_b] : {std::array{false, false}, {true, false}, {false, true}}) {
      const ContractionChoice choice{4, 2 * target.lanes(4), 2, 3, 20, false, pack_b, false, 1, copy_b};
      const CompiledKernel compiled(contraction_kernel(f32, shape, choice, plain_epilogue(f32, shape, "row")), target);
      for (auto [m, n, k] : {std::array{1, 1, 1}, {13, 17, 33}, {16, 64, 7}, {33, 101, 64}, {7, 3, 0}}) {
        Problem<float> problem(1, m, n, k, false, target.has_fma);
        check(compiled, problem, choice, 1);
      }
    }
  }
}

TEST_CASE("contraction: the sum is within its bound of the exact one", "[contraction]") {
  const ContractionShape shape{{}, 33, 50, 1000};
  const ContractionChoice choice{8, 2 * lanes(f32), 2, 2, 128, false, false, false, 1};
  const CompiledKernel compiled(contraction_kernel(f32, shape, choice, plain_epilogue(f32, shape, 50)));
  Problem<float> problem(1, 33, 50, 1000);
  Guarded<float> output(33 * 50), scratch(4 * 8 * 2 * lanes(f32));
  compiled.run({problem.a.data(), problem.b.data(), output.data(), scratch.data()});
  for (int64_t i = 0; i < 33; ++i)
    for (int64_t j = 0; j < 50; ++j) {
      double exact = 0, magnitude = 0;
      for (int64_t l = 0; l < 1000; ++l) {
        const double term = double(problem.element_a(0, i, l)) * double(problem.element_b(0, j, l));
        exact += term, magnitude += std::abs(term);
      }
      REQUIRE(std::abs(double(output[i * 50 + j]) - exact) <= 1000 * 0x1p-24 * magnitude);  // k rounding errors of half an ulp
    }
}

// y[m, n] -= sum, so that what is stored twice shows, with last tiles that are moved back, cut short or masked.
TEST_CASE("contraction: last tiles where sizes are known store each element once", "[contraction]") {
  using namespace scalar;
  const int64_t w = lanes(f32);
  for (const ContractionChoice& choice : choices(f32))
    for (int64_t m : {3, 9, 17})
      for (int64_t n : {w - 1, w + 3, 3 * w, 5 * w, 6 * w + 1}) {
        if (n == 0 || (choice.pack_a && choice.pack_b)) continue;
        const int64_t k = 13;
        const ContractionShape shape{{}, m, n, k};
        const Affine at = output_position(shape, n);
        Body body;
        ScalarBuilder builder;
        body.inputs = {AccumulatorInput{}, LoadInput{2, at, {}}};
        const Scalar sum = builder.input(0, f32), before = builder.input(1, f32);
        const Scalar outputs[] = {before - sum};
        body.expr = builder.finish(outputs);
        body.stores = {{2, at, 0}};
        const CompiledKernel compiled(contraction_kernel(f32, shape, choice, body));
        Problem<float> problem(1, m, n, k, choice.transposed_a);
        problem.expect(choice.block_k);
        Guarded<float> y(m * n), scratch(scratch_of(choice));
        Numbers(5).fill(y);
        for (int64_t i = 0; i < m * n; ++i) problem.expected[static_cast<size_t>(i)] = y[i] - problem.expected[static_cast<size_t>(i)];
        compiled.run({problem.operand_a(choice.pack_a, choice.tile_m), problem.operand_b(choice.pack_b, choice.tile_n), y.data(), scratch.data()});
        int64_t wrong = 0;
        for (int64_t i = 0; i < m * n; ++i) wrong += !same_bits(y[i], problem.expected[static_cast<size_t>(i)]);
        CAPTURE(m, n, choice.tile_m, choice.tile_n, choice.block_k, choice.pack_a, choice.pack_b, choice.copy_b, choice.transposed_a);
        REQUIRE(wrong == 0);
      }
}

// relu(sum + bias[n]) + residual[m, n], and w[m, n] -= rate * sum in the same epilogue.
TEST_CASE("contraction: epilogues read and update in place", "[contraction]") {
  using namespace scalar;
  for (bool number : {true, false})
    for (const ContractionChoice& choice : choices(f32)) {
      const int64_t m = 37, n = 45, k = 29;
      const ContractionShape shape{{}, number ? Dim(m) : Dim("m"), number ? Dim(n) : Dim("n"), k};
      const Affine at = output_position(shape, shape.n);
      Affine column = at;
      column.strides[0] = 0;
      Body body;
      ScalarBuilder builder;
      body.inputs = {AccumulatorInput{}, LoadInput{4, column, {}}, LoadInput{5, at, {}}, LoadInput{6, at, {}}, LoadInput{7, {0, {0, 0}}, {}}};
      std::vector<Scalar> in;
      for (uint32_t i = 0; i < 5; ++i) in.push_back(builder.input(i, f32));
      const Scalar outputs[] = {maximum(in[0] + in[1], in[0].like(0)) + in[2], fma(-in[4], in[0], in[3])};
      body.expr = builder.finish(outputs);
      body.stores = {{2, at, 0}, {6, at, 1}};
      const CompiledKernel compiled(contraction_kernel(f32, shape, choice, body, {{f32, false}, {f32, false}, {f32, true}, {f32, false}}));

      Problem<float> problem(1, m, n, k, choice.transposed_a);
      problem.expect(choice.block_k);
      Guarded<float> output(m * n, -1), bias(n), residual(m * n), weights(m * n), rate(1, 0.25f);
      Guarded<float> scratch(scratch_of(choice));
      Numbers numbers(3);
      numbers.fill(bias), numbers.fill(residual), numbers.fill(weights);
      const std::vector<float> before(weights.begin(), weights.end());
      compiled.run({problem.operand_a(choice.pack_a, choice.tile_m), problem.operand_b(choice.pack_b, choice.tile_n), output.data(), scratch.data(),
                    bias.data(), residual.data(), weights.data(), rate.data()},
                   {{"m", m}, {"n", n}, {"k", k}});
      int64_t wrong = 0;
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          const float sum = problem.expected[static_cast<size_t>(i * n + j)];
          wrong += !same_bits(output[i * n + j], std::max(sum + bias[j], 0.f) + residual[i * n + j]);
          wrong += !same_bits(weights[i * n + j], multiply_add(-0.25f, sum, before[static_cast<size_t>(i * n + j)]));
        }
      CAPTURE(choice.tile_m, choice.tile_n, choice.pack_a, choice.pack_b, choice.copy_b, number);
      REQUIRE(wrong == 0);
    }
}

// A as [k][m] and B as [n][k], each packed by a kernel of its own first.
TEST_CASE("contraction: transposed operands through pack kernels", "[contraction]") {
  const auto pack_kernel = [](const Dim& rows, int64_t panel, std::vector<Dim> strides) {
    PackKernel pack;
    pack.rows = rows, pack.depth = "k", pack.panel = panel, pack.packed = 1;
    ScalarBuilder builder;
    pack.body.inputs = {LoadInput{0, {0, std::move(strides)}, {}}};
    const Scalar outputs[] = {builder.input(0, f32)};
    pack.body.expr = builder.finish(outputs);
    Kernel kernel;
    kernel.name = "pack", kernel.arguments = {{f32, false}, {f32, true}}, kernel.sizes = {rows, "k"};
    kernel.grain = 2;
    kernel.body = pack;
    return kernel;
  };
  for (ContractionChoice choice : choices(f32)) {
    choice.pack_a = choice.pack_b = true, choice.copy_b = false;
    const ContractionShape shape{{}, "m", "n", "k"};
    const CompiledKernel pack_a(pack_kernel("m", choice.tile_m, {1, "m"})), pack_b(pack_kernel("n", choice.tile_n, {"k", 1}));
    const CompiledKernel product(contraction_kernel(f32, shape, choice, plain_epilogue(f32, shape, "n")));
    for (auto [m, n, k] : {std::array{1, 1, 1}, {13, 17, 33}, {64, 100, 7}, {33, 31, 64}}) {
      Problem<float> problem(1, m, n, k, true);
      problem.expect(choice.block_k);
      const int64_t tiles_m = (m + choice.tile_m - 1) / choice.tile_m, tiles_n = (n + choice.tile_n - 1) / choice.tile_n;
      Guarded<float> transposed_b(k * n), a(tiles_m * choice.tile_m * k, NAN), b(tiles_n * choice.tile_n * k, NAN), output(m * n);
      Guarded<float> scratch(2 * scratch_of(choice));
      for (int64_t l = 0; l < k; ++l)
        for (int64_t j = 0; j < n; ++j) transposed_b[j * k + l] = problem.element_b(0, j, l);
      const Bindings bindings = {{"m", m}, {"n", n}, {"k", k}};
      pack_a.run({problem.a.data(), a.data()}, bindings, 2);
      pack_b.run({transposed_b.data(), b.data()}, bindings, 2);
      product.run({a.data(), b.data(), output.data(), scratch.data()}, bindings, 2);
      for (int64_t i = 0; i < m * n; ++i) REQUIRE(same_bits(output[i], problem.expected[static_cast<size_t>(i)]));
    }
  }
}

TEST_CASE("contraction: a matrix times a vector that lies scattered", "[contraction]") {
  const ContractionShape shape{{}, 29, 1, 41};
  const ContractionChoice choice{12, lanes(f32), 2, 1, 16, false, false, false, 1};
  Kernel kernel = contraction_kernel(f32, shape, choice, plain_epilogue(f32, shape, 1));
  std::get<ContractionKernel>(kernel.body).b.position.strides = {0, 3};
  Problem<float> problem(1, 29, 1, 41);
  problem.expect(choice.block_k);
  Guarded<float> scattered(3 * 40 + 1), output(29), scratch(2 * 12 * lanes(f32));
  for (int64_t l = 0; l < 41; ++l) scattered[3 * l] = problem.element_b(0, 0, l);
  CompiledKernel(kernel).run({problem.a.data(), scattered.data(), output.data(), scratch.data()});
  for (int64_t i = 0; i < 29; ++i) REQUIRE(same_bits(output[i], problem.expected[static_cast<size_t>(i)]));
}

TEST_CASE("contraction: NaN and infinity reach only their row and column", "[contraction]") {
  const ContractionShape shape{{}, "m", "n", "k"};
  for (const ContractionChoice& choice : choices(f32)) {
    const CompiledKernel compiled(contraction_kernel(f32, shape, choice, plain_epilogue(f32, shape, "row")));
    Problem<float> problem(1, 19, 21, 23, choice.transposed_a);
    problem.a[0] = NAN;
    problem.b[20] = INFINITY;
    check(compiled, problem, choice, 0);
  }
}

}  // namespace
}  // namespace sinter
