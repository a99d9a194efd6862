// Contraction groups: operands packed where that pays, a producer computed on the way; then one kernel for the product and its epilogue.
#include <algorithm>

#include "codegen/lower_kinds.h"
#include "codegen/tiling.h"
#include "passes/fusion/operands.h"

namespace sinter {
namespace {

// As the cost model takes sizes: at least 1, or unknown.
std::optional<int64_t> number(const Dim& d) { return d.is_number() ? std::optional(std::max<int64_t>(d.number(), 1)) : std::nullopt; }

// An operand as a body over the loops batch..., row, k, with the arguments that it reads.
struct LoweredOperand {
  Group loops;
  ArgumentTable arguments;
  Body body;

  LoweredOperand(const Program& program, const FusionPlan& plan, NodeId contraction, int side) : loops(operand_group(program.graph, contraction, side)) {
    BodyMaker maker(program.graph, arguments);
    Walk<BodyMaker> walk(program, plan, loops, maker);
    maker.output(walk.value(program.graph.inputs(contraction)[static_cast<size_t>(side)], loops.at[0]));
    body = maker.finish();
  }

  // The load, where the operand is nothing but elements of memory.
  const LoadInput* plain() const {
    if (body.inputs.size() != 1 || body.expr.ops.size() != 1) return nullptr;
    const auto* load = std::get_if<LoadInput>(&body.inputs[0]);
    return load && load->bounds.empty() ? load : nullptr;
  }
};

}  // namespace

LoweredGroup lower_contraction(const Program& program, const FusionPlan& plan, const Group& group, const Target& target) {
  const Graph& graph = program.graph;
  DType dtype = graph.type(group.hero).dtype;
  const Shape& shape = graph.type(group.hero).shape;
  size_t batches = shape.size() - 2;
  LoweredOperand a(program, plan, group.hero, 0), b(program, plan, group.hero, 1);
  ContractionKernel c;
  c.batch.assign(group.loops.begin(), group.loops.begin() + static_cast<std::ptrdiff_t>(batches));
  c.m = shape[batches];
  c.n = shape[batches + 1];
  c.k = a.loops.loops.back();
  c.dtype = dtype;
  // Rows of B are read where they lie only if they are contiguous.
  bool a_readable = a.plain(), b_readable = b.plain() && (c.n.is(1) || b.plain()->position.strides[batches].is(1));
  auto access = [&](const LoweredOperand& operand, bool readable) {
    return readable ? OperandAccess(true, number(operand.plain()->position.strides[batches + 1])) : OperandAccess(false);
  };
  Dim batch = product(c.batch);
  Tiling tiling = choose_tiling(target, dtype, number(c.m), number(c.n), number(c.k), access(a, a_readable), access(b, b_readable), number(batch));
  c.tile_m = tiling.tile_m, c.tile_n = tiling.tile_n;
  c.block_m = tiling.block_m, c.block_n = tiling.block_n, c.block_k = tiling.block_k;

  LoweredGroup lowered;
  ArgumentTable arguments;
  int64_t width = static_cast<int64_t>(size_of(dtype));
  auto operand = [&](LoweredOperand& from, bool pack, int64_t panel, const Dim& rows, const char* name) {
    ContractionOperand result;
    if (!pack) {
      result.argument = arguments.read(from.arguments.arguments[from.plain()->argument].value, dtype);
      result.position = from.plain()->position;
      return result;
    }
    Dim bytes = ceil_divide(rows, panel) * Dim(panel) * c.k * Dim(width);
    for (const Dim& d : c.batch) bytes = bytes * d;
    lowered.scratch.push_back({bytes, false});
    uint32_t scratch = static_cast<uint32_t>(lowered.scratch.size() - 1);
    PackKernel packing{c.batch, rows, c.k, panel, std::move(from.body), 0};
    packing.packed = from.arguments.scratch(scratch, dtype, true);
    Kernel kernel{name, from.arguments.kernel_arguments, {}, grain_for(nanoseconds(packing.body, from.arguments.kernel_arguments) * nominal(c.k) * static_cast<double>(panel) * 2), packing};
    kernel.sizes = symbolic_sizes(kernel);
    lowered.kernels.push_back({std::move(kernel), from.arguments.arguments, {}});
    result.argument = arguments.scratch(scratch, dtype, false);
    result.packed = true;
    return result;
  };
  c.a = operand(a, tiling.pack_a, c.tile_m, c.m, "pack a");
  c.b = operand(b, tiling.pack_b, c.tile_n, c.n, "pack b");
  c.copies_b = tiling.copy_b;
  lowered.scratch.push_back({Dim(scratch_elements(c) * width), true});
  c.scratch = arguments.scratch(static_cast<uint32_t>(lowered.scratch.size() - 1), dtype, true, Dim(scratch_elements(c)));

  BodyMaker maker(graph, arguments);
  maker.at_hand = [&](NodeId id, BodyInput& input) {
    if (id == group.hero) input = AccumulatorInput{};
    return id == group.hero;
  };
  Walk<BodyMaker> walk(program, plan, group, maker);
  for (NodeId id : group.stored) {
    const Index& at = group.at[member_number(group, id)];
    maker.store(id, flattened(at, graph.type(id).shape, group.loops.size()), walk.value(id, at));
  }
  c.epilogue = maker.finish();
  std::vector<Dim> loops = group.loops;
  const size_t rows = coalesce(loops, batches, loops.size() - 1, 1, affines_of({&c.epilogue}));
  if (rows > 1) c.rows.assign(loops.begin() + static_cast<std::ptrdiff_t>(batches), loops.end() - 1);
  Kernel kernel{"contraction", arguments.kernel_arguments, {}, tiling.grain, c};
  kernel.sizes = symbolic_sizes(kernel);
  lowered.kernels.push_back({std::move(kernel), arguments.arguments, group.members});
  return lowered;
}

}  // namespace sinter
