#include "passes/fusion/operands.h"

#include <algorithm>

namespace sinter {

Group operand_group(const Graph& graph, NodeId contraction, int side) {
  const auto& c = graph.attributes<ContractionAttributes>(contraction);
  const Axes &batch = side == 0 ? c.lhs_batch : c.rhs_batch, &contracted = side == 0 ? c.lhs_contracted : c.rhs_contracted;
  const Shape& shape = graph.type(graph.inputs(contraction)[static_cast<size_t>(side)]).shape;
  ensure(contracted.size() == 1 && shape.size() == batch.size() + 2, "contractions have one free and one contracted axis an operand before fusion");
  std::vector<size_t> order;
  for (int64_t b : batch) order.push_back(static_cast<size_t>(b));
  for (size_t a = 0; a < shape.size(); ++a)
    if (std::find(batch.begin(), batch.end(), static_cast<int64_t>(a)) == batch.end() && static_cast<int64_t>(a) != contracted[0]) order.push_back(a);
  order.push_back(static_cast<size_t>(contracted[0]));
  Group group;
  for (size_t a : order) group.loops.push_back(shape[a]);
  group.reduced.assign(order.size(), false);
  Index loops = identity(group.loops), index;
  index.axes.resize(order.size());
  for (size_t l = 0; l < order.size(); ++l) index.axes[order[l]] = loops.axes[l];
  group.at.push_back(index);
  return group;
}

Index operand_index(const Graph& graph, const Group& group, NodeId reduction, const Index& index) {
  const auto& axes = graph.attributes<ReduceAttributes>(reduction).axes;
  const Shape& shape = graph.type(graph.inputs(reduction)[0]).shape;
  Index operand;
  size_t loop = 0, kept = 0;
  for (size_t a = 0, k = 0; a < shape.size(); ++a) {
    if (k == axes.size() || axes[k] != static_cast<int64_t>(a)) {
      operand.axes.push_back(index.axes[kept++]);
      continue;
    }
    ++k;
    operand.axes.push_back(constant_index(Dim(0), group.loops.size()));
    if (shape[a].is(1)) continue;
    while (loop < group.loops.size() && !group.reduced[loop]) ++loop;
    if (loop < group.loops.size()) operand.axes.back().strides[loop++] = Dim(1);
  }
  return operand;
}

}  // namespace sinter
