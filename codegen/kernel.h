// The kernel form: loop nests over index maps and scalar expressions, with no LLVM type in sight. Lowering makes it from a fusion plan;
// each backend emits it.
//
// A compiled kernel is  void kernel(void* const* arguments, const int64_t* sizes, int64_t chunk, int64_t worker):
// arguments[i] points at the first element of arguments[i] below, sizes[i] is the value of sizes[i] below, chunk counts pieces of `grain`
// steps of the kernel's outermost loop, and worker is below the number of threads (0 is the caller), for per-thread scratch.
#pragma once
#include <string>
#include <variant>
#include <vector>

#include "graph/dim.h"
#include "graph/scalar.h"
#include "passes/fusion/index_map.h"

namespace sinter {

struct KernelArgument {
  DType dtype = f32;
  bool written = false;
  Dim worker_stride = 0;  // elements from one worker's to the next's; 0 where all share it
  bool operator==(const KernelArgument&) const = default;
};

// What feeds an input of a body's expression at one point of the loops.
struct LoadInput {      // arguments[argument][position], in elements; 0 where a bound does not hold
  uint32_t argument = 0;
  Affine position;
  std::vector<Bound> bounds;
  bool operator==(const LoadInput&) const = default;
};
struct IndexInput {     // the value of an index, converted to `dtype` (wrapping)
  Affine index;
  DType dtype = i64;
  bool operator==(const IndexInput&) const = default;
};
struct InsideInput {    // boolean: whether all bounds hold
  std::vector<Bound> bounds;
  bool operator==(const InsideInput&) const = default;
};
struct SizeInput {      // a size as an i64
  Dim value;
  bool operator==(const SizeInput&) const = default;
};
struct RowInput {       // row kernels: a value of this row, made by an earlier stage
  uint32_t slot = 0;
  bool operator==(const RowInput&) const = default;
};
struct AccumulatorInput {  // contraction kernels, in the epilogue: the finished sum at this point
  bool operator==(const AccumulatorInput&) const = default;
};
using BodyInput = std::variant<LoadInput, IndexInput, InsideInput, SizeInput, RowInput, AccumulatorInput>;

struct Store {          // arguments[argument][position] = the expression's output number `output`
  uint32_t argument = 0;
  Affine position;
  uint32_t output = 0;
  bool operator==(const Store&) const = default;
};

// What happens at one point of the loops: inputs, one expression over them, stores of its outputs. All loads of a point come before all
// of its stores, and points are independent of each other.
struct Body {
  std::vector<BodyInput> inputs;  // input k of `expr`
  ScalarExpr expr;
  std::vector<Store> stores;
  bool operator==(const Body&) const = default;
};

// A nest over `extents`, outermost first. The first loop is chunked, the last is the vector loop. There is at least one loop.
struct LoopKernel {
  std::vector<Dim> extents;
  Body body;
  bool streaming = false;  // stores bypass the cache: the outputs exceed it
  bool operator==(const LoopKernel&) const = default;
};

enum class Reduction : uint8_t { sum, product, max, min };

struct RowReduction {    // slot = the reduction, over the inner loops, of the body's output
  Reduction kind = Reduction::sum;
  uint32_t output = 0, slot = 0;
  bool operator==(const RowReduction&) const = default;
};
struct RowValue {        // slot = the body's output; only in stages without inner loops
  uint32_t output = 0, slot = 0;
  bool operator==(const RowValue&) const = default;
};
// One pass over the inner loops of a row (inner = true), or one point of it.
struct RowStage {
  bool inner = true;
  Body body;             // affine functions have one stride an outer loop, then one an inner loop; the latter are 0 where inner = false
  std::vector<RowReduction> reductions;
  std::vector<RowValue> values;
  bool operator==(const RowStage&) const = default;
};
// For each row (a point of `outer`; its first loop is chunked) the stages in order, after those of `before`, once a chunk with outer indices 0.
// Partial results are loads and stores of memory that belongs to one chunk: where `numbered`, affine functions have one more stride, of the
// chunk's number, and the rows of a chunk, which it walks in order, may combine what they find there.
// A `split` kernel is chunked over its first inner loop instead, and walks all rows in each chunk. At least one outer loop (of extent 1 if need be) and
// one inner loop. Vectors lie along the last inner loop, or along the last outer loop where `vector_outer`.
// The order of a sum: along the inner vector loop, 4 vectors of partial sums of the target's width taken in turn, their lanes added
// pairwise at the end of the row; other inner loops outside of it. With vector_outer, in the order of the inner loops.
struct RowKernel {
  std::vector<Dim> outer, inner;
  std::vector<DType> slots;
  std::vector<RowStage> before, stages;
  bool vector_outer = false, numbered = false, split = false;
  bool operator==(const RowKernel&) const = default;
};

// Packs one operand of a contraction into panels: `panel` rows (of m or n) side by side, for each k; packed
// [batch][ceil(rows / panel)][k][panel], padded with zeros. The loops are batch..., row, k; chunked over panels (batch and panel flattened).
struct PackKernel {
  std::vector<Dim> batch;
  Dim rows, depth;
  int64_t panel = 1;
  Body body;             // one output, no stores: the element at (batch..., row, k)
  uint32_t packed = 0;   // the argument written
  bool operator==(const PackKernel&) const = default;
};

// One operand of a contraction kernel: packed panels, or read where it lies.
struct ContractionOperand {
  uint32_t argument = 0;
  bool packed = false;
  Affine position;       // where not packed, over the loops batch..., row, k
  bool operator==(const ContractionOperand&) const = default;
};

// C[batch..., m, n] = sum over k of A[batch..., m, k] * B[batch..., k, n], one fused multiply-add each, in order, by blocks of `block_k` from 0
// whose sums are added in order; then the epilogue
// at each (batch..., m, n). Tiles of `tile_m` by `tile_n` stay in registers; a task is `block_m` by `block_n` tiles, its sums kept in
// per-worker scratch between blocks of `block_k`. Chunked over tasks (batch, then m blocks, then n blocks; flattened).
struct ContractionKernel {
  std::vector<Dim> batch;
  Dim m, n, k;
  std::vector<Dim> rows;            // m as the loops over which the epilogue's functions are affine, outermost first; empty: m itself
  DType dtype = f32;
  ContractionOperand a, b;
  bool copies_b = false;            // whether a panel of B that is read where it lies is copied to the scratch, a K block at a time, for a task's tiles
  int64_t tile_m = 1, tile_n = 1;   // tile_n is a multiple of the vector width
  int64_t block_m = 1, block_n = 1; // in tiles
  int64_t block_k = 1;
  uint32_t scratch = 0;             // argument, one a worker: block_m*block_n tiles of tile_m*tile_n sums; then block_k*tile_n elements for a copied panel
  Body epilogue;                    // over the loops batch..., m (or rows...), n
  bool operator==(const ContractionKernel&) const = default;
};

// Elements of the scratch before the copied panel, and all of them.
inline int64_t sums_in_scratch(const ContractionKernel& c) { return c.block_m * c.block_n * c.tile_m * c.tile_n; }
inline int64_t scratch_elements(const ContractionKernel& c) { return sums_in_scratch(c) + (c.copies_b ? c.block_k * c.tile_n : 0); }

struct Kernel {
  std::string name;                     // for profiles and pictures; outside equality
  std::vector<KernelArgument> arguments;
  std::vector<Dim> sizes;               // every symbolic Dim that the kernel's extents, strides and offsets use
  int64_t grain = 1;                    // steps of the chunked loop a chunk
  std::variant<LoopKernel, RowKernel, PackKernel, ContractionKernel> body;
};

bool same(const Kernel&, const Kernel&);  // but for names
size_t hash(const Kernel&);
std::string to_string(const Kernel&);     // for people
Dim steps_of(const Kernel&);              // of the chunked loop
Dim chunks_of(const Kernel&);             // ceil(steps / grain)

}  // namespace sinter
