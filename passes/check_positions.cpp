#include "passes/check_positions.h"

#include <cstring>
#include <map>

#include <fmt/format.h>

#include "graph/builder.h"
#include "graph/tensor.h"
#include "passes/rewriter.h"

namespace sinter {
namespace {

// Which element of an array of these sizes is the i-th: " of element [1, 2]", nothing of a scalar.
std::string element(const sinter_array& array, int64_t i) {
  std::vector<int64_t> index(static_cast<size_t>(array.rank));
  for (size_t axis = index.size(); axis-- > 0; i /= array.sizes[axis]) index[axis] = i % array.sizes[axis];
  return index.empty() ? "" : fmt::format(" of element [{}]", fmt::join(index, ", "));
}

// Operands: the positions, and an array whose size is the axis's. The result: the positions.
CustomOperation check_of(const std::string& what, const Location& where) {
  CustomRules rules;
  rules.name = "positions of " + what;
  rules.type = [](std::span<const Type> operands) { return operands[0]; };
  rules.function = [what, where](const sinter_custom_call* call) -> int32_t {
    const sinter_array &positions = call->operands[0], &result = call->result;
    const int64_t size = call->operands[1].sizes[0];
    int64_t count = 1;
    for (int32_t axis = 0; axis < positions.rank; ++axis) count *= positions.sizes[axis];
    dispatch(static_cast<DType>(positions.dtype), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* p = static_cast<const T*>(positions.data);
      for (int64_t i = 0; i < count; ++i)
        if (static_cast<uint64_t>(p[i]) >= static_cast<uint64_t>(size))  // negative ones are then the largest
          throw UserError(fmt::format("{}: the position {}{} is outside of an axis of size {}", what, p[i], element(positions, i), size), where);
      if (count > 0) std::memcpy(result.data, positions.data, static_cast<size_t>(count) * sizeof(T));
    });
    return 0;
  };
  return CustomOperation(std::move(rules));
}

// Of an operation with positions: the operand they are, and the axis that they count along.
struct Indexing {
  size_t positions;
  Dim size;
};

Indexing indexing_of(const Graph& graph, NodeId id) {
  if (const auto* a = std::get_if<ScatterAttributes>(&graph.node(id).attributes)) return {0, a->size};
  return {1, graph.type(graph.inputs(id)[0]).shape[static_cast<size_t>(graph.attributes<GatherAttributes>(id).batch)]};
}

}  // namespace

Program check_positions(const Program& program) {
  Rewriter rewriter(program);
  std::map<std::pair<NodeId, std::string>, NodeId> checked;  // by positions and size: one check serves all that read there
  rewriter.each([&](NodeId old) {
    const Node& node = rewriter.from().node(old);
    if ((node.op != Op::gather && node.op != Op::scatter_add) || !node.type.known) return NodeId();
    const Indexing at = indexing_of(rewriter.from(), old);
    std::vector<NodeId> inputs = rewriter.moved_inputs(old);
    NodeId& positions = inputs[at.positions];
    auto [known, is_new] = checked.try_emplace({positions, to_string(at.size)});
    if (is_new) {
      Graph& graph = rewriter.to();
      const Origins origins = rewriter.origins(old);
      const Location where = rewriter.from().where(old);
      NodeId axis = build(graph, Op::broadcast, {build_constant(graph, Tensor::scalar(uint8_t{0}), false, origins)}, BroadcastAttributes{{at.size}, {}}, origins);
      CustomOperation check = check_of(where.composition.empty() ? std::string(info(node.op).name) : where.composition, where);
      known->second = build(graph, Op::custom_call, {positions, axis}, CustomCallAttributes{check}, origins);
    }
    positions = known->second;
    return rewriter.copy(old, inputs);
  });
  return std::move(rewriter).finish(true).program;
}

}  // namespace sinter
