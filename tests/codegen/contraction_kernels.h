// Contraction kernels for tests: row-major operands, with any tiling and packing.
#pragma once
#include "codegen/kernel.h"
#include "tests/codegen/run_kernel.h"

namespace sinter {

struct ContractionShape {
  std::vector<Dim> batch;
  Dim m, n, k;
};

struct ContractionChoice {
  int64_t tile_m = 4, tile_n = 16, block_m = 2, block_n = 2, block_k = 16;
  bool pack_a = false, pack_b = false;
  bool transposed_a = false;  // A lies as [batch][k][m]
  int64_t grain = 1;
  bool copy_b = false;
};

// Elements of a worker's scratch.
inline int64_t scratch_of(const ContractionChoice& c) {
  return c.block_m * c.block_n * c.tile_m * c.tile_n + (c.copy_b ? c.block_k * c.tile_n : 0);
}

// Arguments 0 and 1 are A and B, 2 the output, 3 the scratch; more may follow.
inline Kernel contraction_kernel(DType dtype, const ContractionShape& shape, const ContractionChoice& choice, Body epilogue,
                                 const std::vector<KernelArgument>& more = {}) {
  ContractionKernel contraction;
  contraction.batch = shape.batch;
  contraction.m = shape.m, contraction.n = shape.n, contraction.k = shape.k;
  contraction.dtype = dtype;
  contraction.tile_m = choice.tile_m, contraction.tile_n = choice.tile_n;
  contraction.block_m = choice.block_m, contraction.block_n = choice.block_n, contraction.block_k = choice.block_k;
  contraction.scratch = 3;
  contraction.epilogue = std::move(epilogue);
  const auto batch_strides = [&](const Dim& elements) {
    std::vector<Dim> strides(shape.batch.size());
    Dim stride = elements;
    for (size_t i = strides.size(); i-- > 0;) strides[i] = stride, stride = stride * shape.batch[i];
    return strides;
  };
  contraction.a.argument = 0, contraction.b.argument = 1;
  contraction.a.packed = choice.pack_a, contraction.b.packed = choice.pack_b, contraction.copies_b = choice.copy_b;
  std::vector<Dim>&a = contraction.a.position.strides, &b = contraction.b.position.strides;
  a = batch_strides(shape.m * shape.k);
  a.insert(a.end(), choice.transposed_a ? std::initializer_list<Dim>{1, shape.m} : std::initializer_list<Dim>{shape.k, 1});
  b = batch_strides(shape.k * shape.n);
  b.insert(b.end(), {1, shape.n});
  Kernel kernel;
  kernel.name = "contraction";
  kernel.arguments = {{dtype, false}, {dtype, false}, {dtype, true}, {dtype, true, scratch_of(choice)}};
  kernel.arguments.insert(kernel.arguments.end(), more.begin(), more.end());
  kernel.grain = choice.grain;
  const auto use = [&](const Dim& size) {
    if (!size.is_number() && std::find(kernel.sizes.begin(), kernel.sizes.end(), size) == kernel.sizes.end()) kernel.sizes.push_back(size);
  };
  use(shape.m), use(shape.n), use(shape.k);
  for (const Dim& extent : shape.batch) use(extent);
  for (const std::vector<Dim>* strides : {&a, &b})
    for (const Dim& stride : *strides) use(stride);
  for (const Store& store : contraction.epilogue.stores)
    for (const Dim& stride : store.position.strides) use(stride);
  for (const BodyInput& input : contraction.epilogue.inputs)
    if (auto* load = std::get_if<LoadInput>(&input))
      for (const Dim& stride : load->position.strides) use(stride);
  kernel.body = std::move(contraction);
  return kernel;
}

// Where element (batch..., m, n) of the output lies, in rows of `row` elements.
inline Affine output_position(const ContractionShape& shape, const Dim& row) {
  Affine position;
  position.strides.resize(shape.batch.size());
  Dim stride = shape.m * row;
  for (size_t i = shape.batch.size(); i-- > 0;) position.strides[i] = stride, stride = stride * shape.batch[i];
  position.strides.push_back(row);
  position.strides.push_back(1);
  return position;
}

// The epilogue that stores the sums as they are.
inline Body plain_epilogue(DType dtype, const ContractionShape& shape, const Dim& row) {
  Body body;
  ScalarBuilder builder;
  body.inputs = {AccumulatorInput{}};
  const Scalar outputs[] = {builder.input(0, dtype)};
  body.expr = builder.finish(outputs);
  body.stores = {{2, output_position(shape, row), 0}};
  return body;
}

// Panels of `panel` rows; element(row, k) reads the operand.
template <class T, class F>
std::vector<T> pack(int64_t rows, int64_t depth, int64_t panel, const F& element) {
  std::vector<T> packed(static_cast<size_t>((rows + panel - 1) / panel * panel * depth));
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t k = 0; k < depth; ++k) packed[static_cast<size_t>(((row / panel) * depth + k) * panel + row % panel)] = element(row, k);
  return packed;
}

}  // namespace sinter
