#include "passes/fusion/placement.h"

#include <algorithm>

namespace sinter {
namespace {

// Where a reshape splits the rows of a contraction's result into several axes, which were one for the product alone, so is the loop over
// them; `index` and what the group computes lie where they did.
bool split_rows(const Graph& graph, Group& group, Index& index, const Shape& from, const Shape& to) {
  if (group.kind != GroupKind::contraction || group.loops.size() != graph.type(group.hero).shape.size()) return false;
  const size_t rows = group.loops.size() - 2;
  auto runs = reshape_runs(from, to);
  if (!runs) return false;
  for (const ReshapeRun& run : *runs) {
    if (run.end_from - run.first_from != 1 || !(index.axes[run.first_from] == identity(group.loops).axes[rows])) continue;
    Shape sizes(to.begin() + static_cast<std::ptrdiff_t>(run.first_to), to.begin() + static_cast<std::ptrdiff_t>(run.end_to)), loops = group.loops;
    loops.erase(loops.begin() + static_cast<std::ptrdiff_t>(rows));
    loops.insert(loops.begin() + static_cast<std::ptrdiff_t>(rows), sizes.begin(), sizes.end());
    // The old loops as functions of the new ones.
    std::vector<Affine> old = identity(loops).axes;
    Index parts{{old.begin() + static_cast<std::ptrdiff_t>(rows), old.end() - 1}, {}};
    old = {old.begin(), old.begin() + static_cast<std::ptrdiff_t>(rows)};
    old.push_back(flattened(parts, sizes, loops.size()));
    old.push_back(identity(loops).axes.back());
    group.loops = loops;
    group.reduced.assign(loops.size(), false);
    for (Index& at : group.at) at.axes = substituted(at.axes, old, loops.size());
    index.axes = substituted(index.axes, old, loops.size());
    return true;
  }
  return false;
}

// The index of a movement's result at which its operand is read at `index`: the inverse of pulled(), where there is one.
std::optional<Index> pushed(const Graph& graph, Group& group, NodeId movement, const Index& index_of_operand) {
  Index index = index_of_operand;
  const Node& node = graph.node(movement);
  const Shape &from = graph.type(graph.inputs(movement)[0]).shape, &to = node.type.shape;
  Index result;
  switch (node.op) {
    case Op::stop_gradient: return index;
    case Op::transpose:
      for (int64_t axis : std::get<TransposeAttributes>(node.attributes).permutation) result.axes.push_back(index.axes[static_cast<size_t>(axis)]);
      return result;
    case Op::reshape: {
      auto axes = reshaped(index.axes, from, to, group.loops);
      if (!axes && split_rows(graph, group, index, from, to)) axes = reshaped(index.axes, from, to, group.loops);
      if (!axes) return std::nullopt;
      result.axes = *axes;
      return result;
    }
    case Op::broadcast: {
      // New axes are the reduced loops, in order, of a row's value.
      if (group.kind != GroupKind::row) return std::nullopt;
      const auto& axes = std::get<BroadcastAttributes>(node.attributes).axes;
      std::vector<size_t> free;
      for (size_t l = 0; l < group.loops.size(); ++l)
        if (group.reduced[l]) free.push_back(l);
      for (const Affine& a : index.axes)
        for (size_t l : free)
          if (!a.strides[l].is(0)) return std::nullopt;
      size_t next = 0;
      for (size_t axis = 0; axis < to.size(); ++axis) {
        auto found = std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis));
        if (found != axes.end() && from[static_cast<size_t>(found - axes.begin())] == to[axis]) {
          result.axes.push_back(index.axes[static_cast<size_t>(found - axes.begin())]);
        } else {
          result.axes.push_back(constant_index(Dim(0), group.loops.size()));
          if (to[axis].is(1)) continue;
          if (next == free.size() || !(group.loops[free[next]] == to[axis])) return std::nullopt;
          result.axes.back().strides[free[next++]] = Dim(1);
        }
      }
      return next == free.size() ? std::optional(result) : std::nullopt;
    }
    default: return std::nullopt;
  }
}

bool is_once(const Graph& graph, const Group& group, NodeId id, const Index& index, const std::vector<bool>& over) {
  const Shape& shape = graph.type(id).shape;
  const Dim count = product(shape);
  return index.bounds.empty() && !count.is(0) && dense(flattened(index, shape, group.loops.size()), group.loops, over, count);
}

}  // namespace

std::optional<Index> pushed_through(const Graph& graph, Group& group, const Source& source, const Index& at_source) {
  std::optional<Index> index = at_source;
  for (size_t i = source.chain.size(); index && i-- > 0;) index = pushed(graph, group, source.chain[i], *index);
  return index;
}

std::optional<Index> pulled_through(const Graph& graph, const Group& group, const Source& source, const Index& at_reader) {
  std::optional<Index> index = at_reader;
  for (size_t i = 0; index && i < source.chain.size(); ++i) index = pulled(graph, source.chain[i], *index, group.loops);
  return index;
}

bool is_read_at(const Graph& graph, const Group& group, const Source& source, const Index& at_reader, const Index& at_source) {
  if (source.padding) return false;
  const auto there = pulled_through(graph, group, source, at_reader);
  return there && there->bounds.empty() && there->axes == at_source.axes;
}

bool is_full(const Graph& graph, const Group& group, NodeId id, const Index& index) {
  return is_once(graph, group, id, index, std::vector<bool>(group.loops.size(), true));
}

bool is_row(const Graph& graph, const Group& group, NodeId id, const Index& index) {
  std::vector<bool> kept = group.reduced;
  kept.flip();
  return group.kind == GroupKind::row && is_once(graph, group, id, index, kept);
}

}  // namespace sinter
