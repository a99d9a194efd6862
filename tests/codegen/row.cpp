// Row kernels against the reference, to the bit: whatever the extents, the chunks and the threads.
#include <catch2/catch.hpp>
#include <cmath>

#include "graph/scalar_math.h"
#include "tests/codegen/row_reference.h"
#include "tests/codegen/run_kernel.h"

namespace sinter {
namespace {

using namespace scalar;

// Writes a stage's body.
class StageMaker {
 public:
  explicit StageMaker(bool inner = true) { stage_.inner = inner; }
  Scalar load(uint32_t argument, DType dtype, std::vector<Dim> strides) { return add(LoadInput{argument, {0, std::move(strides)}, {}}, dtype); }
  Scalar slot(uint32_t number, DType dtype) { return add(RowInput{number}, dtype); }
  Scalar size(const Dim& dim) { return add(SizeInput{dim}, i64); }
  Scalar number(DType dtype, double value) { return builder_.constant(dtype, value); }
  void store(Scalar value, uint32_t argument, std::vector<Dim> strides) {
    stage_.body.stores.push_back({argument, {0, std::move(strides)}, output(value)});
  }
  void reduce(Scalar value, Reduction kind, uint32_t slot) { stage_.reductions.push_back({kind, output(value), slot}); }
  void keep(Scalar value, uint32_t slot) { stage_.values.push_back({output(value), slot}); }
  RowStage finish() {
    stage_.body.expr = builder_.finish(outputs_);
    return stage_;
  }

 private:
  Scalar add(BodyInput input, DType dtype) {
    stage_.body.inputs.push_back(std::move(input));
    return builder_.input(static_cast<uint32_t>(stage_.body.inputs.size() - 1), dtype);
  }
  uint32_t output(Scalar value) {
    outputs_.push_back(value);
    return static_cast<uint32_t>(outputs_.size() - 1);
  }
  RowStage stage_;
  ScalarBuilder builder_;
  std::vector<Scalar> outputs_;
};

Kernel row_kernel(RowKernel row, std::vector<KernelArgument> arguments, int64_t grain, std::vector<Dim> sizes = {}) {
  Kernel kernel;
  kernel.name = "row";
  kernel.arguments = std::move(arguments);
  kernel.sizes = std::move(sizes);
  kernel.grain = grain;
  kernel.body = std::move(row);
  return kernel;
}

// One argument's memory, twice: for the kernel and for the reference.
struct RowMemory {
  std::unique_ptr<Guarded<char>> ours, theirs;
};

template <class T>
RowMemory memory(int64_t count, uint64_t seed) {
  RowMemory memory;
  for (auto* side : {&memory.ours, &memory.theirs}) {
    *side = std::make_unique<Guarded<char>>(count * static_cast<int64_t>(sizeof(T)));
    Numbers numbers(seed);
    for (int64_t i = 0; i < count; ++i) reinterpret_cast<T*>((*side)->data())[i] = numbers.next<T>();
  }
  return memory;
}

void check(const CompiledKernel& compiled, std::vector<RowMemory>& memories, const Bindings& bindings = {}, int threads = 1,
           const Target& target = host_target()) {
  std::vector<void*> ours, theirs;
  for (RowMemory& memory : memories) ours.push_back(memory.ours->data()), theirs.push_back(memory.theirs->data());
  compiled.run(ours, bindings, threads);
  RowReference(compiled.kernel(), theirs, bindings, target).run();
  for (size_t i = 0; i < memories.size(); ++i) {
    const DType dtype = compiled.kernel().arguments[i].dtype;
    const int64_t count = memories[i].ours->size() / static_cast<int64_t>(size_of(dtype));
    int64_t wrong = 0;
    dispatch(dtype, [&]<class T>(Tag<T>) {
      for (int64_t j = 0; j < count; ++j) wrong += !same_bits(static_cast<T*>(ours[i])[j], static_cast<T*>(theirs[i])[j]);
    });
    CAPTURE(i, to_string(compiled.kernel()));
    REQUIRE(wrong == 0);
  }
}

const Reduction kinds[] = {Reduction::sum, Reduction::product, Reduction::max, Reduction::min};
const int64_t row_lengths[] = {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 127, 129, 200};

// The sum, product, largest and least of x[r, :].
RowKernel reductions(DType dtype, const Dim& rows, const Dim& length) {
  RowKernel row;
  row.outer = {rows}, row.inner = {length};
  row.slots.assign(std::size(kinds), dtype);
  StageMaker reduce, store(false);
  Scalar x = reduce.load(0, dtype, {length, 1});
  for (uint32_t i = 0; i < std::size(kinds); ++i) {
    reduce.reduce(x, kinds[i], i);
    store.store(store.slot(i, dtype), i + 1, {1, 0});
  }
  row.stages = {reduce.finish(), store.finish()};
  return row;
}

TEMPLATE_TEST_CASE("row: reductions of every type and length", "[row]", float, double, int32_t, int64_t, uint32_t, uint64_t, uint8_t) {
  constexpr DType dtype = dtype_of<TestType>();
  const std::vector<KernelArgument> arguments = {{dtype, false}, {dtype, true}, {dtype, true}, {dtype, true}, {dtype, true}};
  const CompiledKernel symbolic(row_kernel(reductions(dtype, "rows", "length"), arguments, 2, {"rows", "length"}));
  for (int64_t length : row_lengths) {
    const int64_t rows = 5;
    const auto fresh = [&] {
      std::vector<RowMemory> memories;
      memories.push_back(memory<TestType>(rows * length, 1));
      for (uint64_t i = 0; i < std::size(kinds); ++i) memories.push_back(memory<TestType>(rows, 2 + i));
      return memories;
    };
    auto memories = fresh();
    check(symbolic, memories, {{"rows", rows}, {"length", length}});
    memories = fresh();
    check(CompiledKernel(row_kernel(reductions(dtype, rows, length), arguments, 1000)), memories);
  }
}

// The older machines that this one can run code for.
TEST_CASE("row: narrower targets", "[row]") {
  if (!host_target().triple.starts_with("x86_64")) return;
  for (const char* cpu : {"x86-64", "x86-64-v2", "x86-64-v3", ""}) {
    const Target target = *cpu ? target_for(host_target().triple, cpu) : plainest(host_target());
    if (target.vector_bytes > host_target().vector_bytes || (target.has_fma && !host_target().has_fma)) continue;
    for (bool vector_outer : {false, true})
      for (int64_t length : {0, 1, 5, 8, 31, 100}) {
        RowKernel row = reductions(f32, "rows", length);
        row.vector_outer = vector_outer;
        const CompiledKernel compiled(row_kernel(row, {{f32, false}, {f32, true}, {f32, true}, {f32, true}, {f32, true}}, 3, {"rows"}), target);
        std::vector<RowMemory> memories;
        memories.push_back(memory<float>(13 * length, 1));
        for (uint64_t i = 0; i < std::size(kinds); ++i) memories.push_back(memory<float>(13, 2 + i));
        check(compiled, memories, {{"rows", 13}}, 1, target);
      }
  }
}

TEST_CASE("row: a maximum of booleans is whether any holds", "[row]") {
  for (int64_t length : {1, 16, 37, 64, 100, 300}) {
    RowKernel row;
    row.outer = {6}, row.inner = {length};
    row.slots = {boolean, boolean};
    StageMaker reduce, store(false);
    const Scalar x = reduce.load(0, f32, {length, 1}) < reduce.number(f32, -0.97);
    reduce.reduce(x, Reduction::max, 0), reduce.reduce(x, Reduction::min, 1);
    store.store(store.slot(0, boolean), 1, {1, 0}), store.store(store.slot(1, boolean), 2, {1, 0});
    row.stages = {reduce.finish(), store.finish()};
    std::vector<RowMemory> memories;
    memories.push_back(memory<float>(6 * length, 3));
    memories.push_back(memory<bool>(6, 1)), memories.push_back(memory<bool>(6, 2));
    check(CompiledKernel(row_kernel(row, {{f32, false}, {boolean, true}, {boolean, true}}, 2)), memories);
  }
}

// y = softmax(x) along the rows: the exponentials are kept in y between the stages.
RowKernel softmax(const Dim& rows, const Dim& length) {
  RowKernel row;
  row.outer = {rows}, row.inner = {length};
  row.slots = {f32, f32};
  StageMaker largest, exponentials, scale;
  largest.reduce(largest.load(0, f32, {length, 1}), Reduction::max, 0);
  const Scalar e = exp(exponentials.load(0, f32, {length, 1}) - exponentials.slot(0, f32));
  exponentials.store(e, 1, {length, 1});
  exponentials.reduce(e, Reduction::sum, 1);
  scale.store(scale.load(1, f32, {length, 1}) / scale.slot(1, f32), 1, {length, 1});
  row.stages = {largest.finish(), exponentials.finish(), scale.finish()};
  return row;
}

TEST_CASE("row: softmax, over threads and chunks, with NaN and infinities", "[row]") {
  for (int64_t grain : {1, 3, 100}) {
    const CompiledKernel compiled(row_kernel(softmax("rows", "length"), {{f32, false}, {f32, true}}, grain, {"rows", "length"}));
    for (int64_t length : {1, 10, 16, 33, 64, 100, 257})
      for (int threads : {1, 3}) {
        std::vector<RowMemory> memories;
        memories.push_back(memory<float>(9 * length, 5)), memories.push_back(memory<float>(9 * length, 6));
        for (auto* side : {&memories[0].ours, &memories[0].theirs}) {
          auto* x = reinterpret_cast<float*>((*side)->data());
          x[0] = NAN, x[2 * length - 1] = NAN, x[2 * length] = INFINITY, x[3 * length] = -INFINITY;
        }
        check(compiled, memories, {{"rows", 9}, {"length", length}}, threads);
      }
  }
}

// y = (x - mean) * rsqrt(variance + 1e-5) * gain + bias, in place over x.
RowKernel layer_norm(const Dim& rows, const Dim& length) {
  RowKernel row;
  row.outer = {rows}, row.inner = {length};
  row.slots = {f32, f32, f32, f32};
  StageMaker total, mean(false), squares, scale(false), result;
  total.reduce(total.load(0, f32, {length, 1}), Reduction::sum, 0);
  mean.keep(mean.slot(0, f32) / convert(mean.size(length), f32), 1);
  const Scalar centred = squares.load(0, f32, {length, 1}) - squares.slot(1, f32);
  squares.reduce(centred * centred, Reduction::sum, 2);
  const Scalar variance = scale.slot(2, f32) / convert(scale.size(length), f32);
  scale.keep(variance.like(1) / sqrt(variance + 1e-5), 3);
  const Scalar normal = (result.load(0, f32, {length, 1}) - result.slot(1, f32)) * result.slot(3, f32);
  result.store(fma(normal, result.load(1, f32, {0, 1}), result.load(2, f32, {0, 1})), 0, {length, 1});
  row.stages = {total.finish(), mean.finish(), squares.finish(), scale.finish(), result.finish()};
  return row;
}

TEST_CASE("row: layer norm in place", "[row]") {
  const std::vector<KernelArgument> arguments = {{f32, true}, {f32, false}, {f32, false}};
  const CompiledKernel symbolic(row_kernel(layer_norm("rows", "length"), arguments, 2, {"rows", "length"}));
  for (int64_t length : row_lengths)
    for (bool number : {false, true}) {
      std::vector<RowMemory> memories;
      memories.push_back(memory<float>(7 * length, 5));
      memories.push_back(memory<float>(length, 6)), memories.push_back(memory<float>(length, 7));
      if (number) check(CompiledKernel(row_kernel(layer_norm(7, length), arguments, 3)), memories);
      else check(symbolic, memories, {{"rows", 7}, {"length", length}}, 2);
    }
}

// Means over two inner loops, and over an outer one in between: x is [a, p, b, q], y is [a, b].
TEST_CASE("row: nested loops", "[row]") {
  for (bool vector_outer : {false, true})
    for (auto [a, p, b, q] : {std::array{3, 4, 5, 6}, {2, 3, 7, 70}, {2, 1, 40, 33}, {1, 5, 100, 3}, {3, 0, 5, 6}, {3, 4, 5, 0}, {3, 4, 0, 5}}) {
      RowKernel row;
      row.outer = {a, b}, row.inner = {"p", q};
      row.slots = {f32, f32};
      row.vector_outer = vector_outer;
      const std::vector<Dim> strides = {p * b * q, q, b * q, 1};
      StageMaker total, store(false);
      Scalar x = total.load(0, f32, strides) * total.load(1, f32, {0, 0, 1, 0});
      total.reduce(x, Reduction::sum, 0), total.reduce(x, Reduction::max, 1);
      total.store(x + 1.0, 2, strides);
      store.store(store.slot(0, f32) * 0.125, 3, {b, 1, 0, 0});
      store.store(store.slot(1, f32), 4, {b, 1, 0, 0});
      row.stages = {total.finish(), store.finish()};
      const CompiledKernel compiled(row_kernel(row, {{f32, false}, {f32, false}, {f32, true}, {f32, true}, {f32, true}}, 2, {"p"}));
      std::vector<RowMemory> memories;
      memories.push_back(memory<float>(a * b * p * q, 1)), memories.push_back(memory<float>(p, 2));
      memories.push_back(memory<float>(a * b * p * q, 3));
      memories.push_back(memory<float>(a * b, 4)), memories.push_back(memory<float>(a * b, 5));
      check(compiled, memories, {{"p", p}});
    }
}

// Sums down the columns, the update of a bias by them, and a softmax down the columns.
TEST_CASE("row: columns, several vectors side by side", "[row]") {
  for (int64_t columns : {0, 1, 5, 16, 17, 63, 64, 65, 130, 300})
    for (int64_t grain : {1, 16, 50, 1000})
      for (int64_t rows : {0, 1, 9}) {
        RowKernel row;
        row.outer = {"columns"}, row.inner = {rows};
        row.slots = {f32, f32, f32};
        row.vector_outer = true;
        StageMaker total, update(false), exponentials, scale;
        Scalar x = total.load(0, f32, {1, "columns"});
        total.reduce(x, Reduction::sum, 0), total.reduce(x, Reduction::max, 1);
        update.store(fma(update.slot(0, f32), update.number(f32, -0.1), update.load(1, f32, {1, 0})), 1, {1, 0});
        Scalar e = exp(exponentials.load(0, f32, {1, "columns"}) - exponentials.slot(1, f32));
        exponentials.store(e, 2, {1, "columns"});
        exponentials.reduce(e, Reduction::sum, 2);
        scale.store(scale.load(2, f32, {1, "columns"}) / scale.slot(2, f32), 2, {1, "columns"});
        row.stages = {total.finish(), update.finish(), exponentials.finish(), scale.finish()};
        if (rows != 9) row.stages.pop_back();
        std::vector<RowMemory> memories;
        memories.push_back(memory<float>(rows * columns, 1)), memories.push_back(memory<float>(columns, 2));
        memories.push_back(memory<float>(rows * columns, 3));
        const CompiledKernel compiled(row_kernel(row, {{f32, false}, {f32, true}, {f32, true}}, grain, {"columns"}));
        for (int threads : {1, 3}) check(compiled, memories, {{"columns", columns}}, threads);
      }
}

TEST_CASE("row: columns of mixed types", "[row]") {
  for (int64_t columns : {3, 64, 77}) {
    RowKernel row;
    row.outer = {2, columns}, row.inner = {11};
    row.slots = {i64, boolean};
    row.vector_outer = true;
    StageMaker count, store(false);
    Scalar large = count.number(f32, 0.5) < count.load(0, f32, {11 * columns, 1, columns});
    count.reduce(convert(large, i64), Reduction::sum, 0), count.reduce(large, Reduction::max, 1);
    store.store(store.slot(0, i64), 1, {columns, 1, 0}), store.store(store.slot(1, boolean), 2, {columns, 1, 0});
    row.stages = {count.finish(), store.finish()};
    std::vector<RowMemory> memories;
    memories.push_back(memory<float>(22 * columns, 1)), memories.push_back(memory<int64_t>(2 * columns, 2));
    memories.push_back(memory<bool>(2 * columns, 3));
    check(CompiledKernel(row_kernel(row, {{f32, false}, {i64, true}, {boolean, true}}, 1)), memories);
  }
}

}  // namespace
}  // namespace sinter
