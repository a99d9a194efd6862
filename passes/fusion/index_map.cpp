#include "passes/fusion/index_map.h"

#include <algorithm>

namespace sinter {

Affine scaled(const Affine& a, const Dim& factor) {
  Affine r{a.offset * factor, {}};
  for (const Dim& s : a.strides) r.strides.push_back(s * factor);
  return r;
}

Affine added(const Affine& a, const Affine& b) {
  Affine r{a.offset + b.offset, {}};
  for (size_t i = 0; i < a.strides.size(); ++i) r.strides.push_back(a.strides[i] + b.strides[i]);
  return r;
}

Affine constant_index(const Dim& offset, size_t loops) { return {offset, std::vector<Dim>(loops, Dim(0))}; }

Index identity(const Shape& loops) {
  Index index;
  for (size_t i = 0; i < loops.size(); ++i) {
    index.axes.push_back(constant_index(Dim(0), loops.size()));
    if (!loops[i].is(1)) index.axes.back().strides[i] = Dim(1);
  }
  return index;
}

Affine flattened(const Index& index, const Shape& of, size_t loops) {
  Affine position = constant_index(Dim(0), loops);
  Dim stride(1);
  for (size_t a = of.size(); a-- > 0; stride = stride * of[a]) position = added(position, scaled(index.axes[a], stride));
  return position;
}

std::vector<Affine> substituted(const std::vector<Affine>& axes, const std::vector<Affine>& loops, size_t count) {
  std::vector<Affine> result;
  for (const Affine& a : axes) {
    Affine r = constant_index(a.offset, count);
    for (size_t i = 0; i < a.strides.size(); ++i)
      if (!a.strides[i].is(0)) r = added(r, scaled(loops[i], a.strides[i]));
    result.push_back(std::move(r));
  }
  return result;
}

namespace {

// Whether 0 <= `a` < size whatever the loops are: its terms form a mixed-radix number whose range divides `size`, or all is numeric.
bool within(const Affine& a, const Shape& loops, const Dim& size) {
  bool numeric = a.offset.is_number() && size.is_number();
  Dim largest = a.offset;
  for (size_t i = 0; i < loops.size(); ++i) {
    if (a.strides[i].is(0)) continue;
    numeric = numeric && a.strides[i].is_number() && loops[i].is_number() && a.strides[i].number() > 0;
    if (numeric) largest = largest + a.strides[i] * (loops[i] - Dim(1));
  }
  if (numeric) return a.offset.number() >= 0 && largest.number() < size.number();
  if (!a.offset.is(0)) return false;
  std::vector<bool> used(loops.size());
  Dim range(1);
  for (bool found = true; found;) {
    found = false;
    for (size_t i = 0; i < loops.size() && !found; ++i)
      if (!used[i] && a.strides[i] == range) used[i] = found = true, range = range * loops[i];
  }
  for (size_t i = 0; i < loops.size(); ++i)
    if (!used[i] && !a.strides[i].is(0)) return false;
  return size.divided_by(range).has_value();
}

// Splits `a` into quotient and remainder by `divisor`, where both are affine.
std::optional<std::pair<Affine, Affine>> divided(const Affine& a, const Dim& divisor, const Shape& loops) {
  Affine quotient = constant_index(Dim(0), loops.size()), remainder = quotient;
  if (auto q = a.offset.divided_by(divisor)) quotient.offset = *q;
  else if (a.offset.is_number() && divisor.is_number() && a.offset.number() >= 0) {
    quotient.offset = Dim(a.offset.number() / divisor.number());
    remainder.offset = Dim(a.offset.number() % divisor.number());
  } else return std::nullopt;
  for (size_t i = 0; i < loops.size(); ++i)
    if (auto q = a.strides[i].divided_by(divisor)) quotient.strides[i] = *q;
    else if (a.strides[i].is_number() && divisor.is_number() && a.strides[i].number() > 0)
      quotient.strides[i] = Dim(a.strides[i].number() / divisor.number()), remainder.strides[i] = Dim(a.strides[i].number() % divisor.number());
    else remainder.strides[i] = a.strides[i];
  if (!within(remainder, loops, divisor)) return std::nullopt;
  return std::pair{quotient, remainder};
}

}  // namespace

std::optional<std::vector<ReshapeRun>> reshape_runs(const Shape& from, const Shape& to) {
  std::vector<ReshapeRun> runs;
  for (size_t i = 0, j = 0; i < from.size() || j < to.size();) {
    if (i < from.size() && from[i].is(1)) {
      ++i;
      continue;
    }
    if (j < to.size() && to[j].is(1)) {
      ++j;
      continue;
    }
    size_t first_from = i, first_to = j;
    Dim p(1), q(1);
    if (i < from.size()) p = from[i++];
    if (j < to.size()) q = to[j++];
    while (!(p == q)) {
      bool grow_to = j < to.size() && (i == from.size() || p.divided_by(q).has_value() || !q.divided_by(p).has_value());
      if (grow_to) q = q * to[j++];
      else if (i < from.size()) p = p * from[i++];
      else return std::nullopt;
    }
    runs.push_back({first_from, i, first_to, j});
  }
  return runs;
}

std::optional<std::vector<Affine>> reshaped(const std::vector<Affine>& axes, const Shape& from, const Shape& to, const Shape& loops) {
  std::vector<Affine> result(to.size(), constant_index(Dim(0), loops.size()));
  if (std::any_of(to.begin(), to.end(), [](const Dim& d) { return d.is(0); })) return result;  // no element is there to be read
  auto runs = reshape_runs(from, to);
  if (!runs) return std::nullopt;
  for (const ReshapeRun& run : *runs) {
    Affine position = constant_index(Dim(0), loops.size());
    Dim stride(1);
    for (size_t a = run.end_from; a-- > run.first_from; stride = stride * from[a]) position = added(position, scaled(axes[a], stride));
    for (size_t a = run.end_to; a-- > run.first_to + 1;) {
      if (to[a].is(1)) continue;
      auto split = divided(position, to[a], loops);
      if (!split) return std::nullopt;
      result[a] = split->second;
      position = split->first;
    }
    result[run.first_to] = position;
  }
  return result;
}

std::optional<Index> pulled(const Graph& graph, NodeId movement, const Index& index, const Shape& loops) {
  const Node& node = graph.node(movement);
  const Shape& from = graph.type(graph.inputs(movement)[0]).shape;
  Index operand;
  operand.bounds = index.bounds;
  switch (node.op) {
    case Op::stop_gradient: return index;
    case Op::broadcast: {
      const auto& a = std::get<BroadcastAttributes>(node.attributes);
      for (size_t i = 0; i < from.size(); ++i)
        operand.axes.push_back(from[i].is(1) ? constant_index(Dim(0), loops.size()) : index.axes[static_cast<size_t>(a.axes[i])]);
      return operand;
    }
    case Op::transpose: {
      const auto& p = std::get<TransposeAttributes>(node.attributes).permutation;
      operand.axes.resize(p.size());
      for (size_t i = 0; i < p.size(); ++i) operand.axes[static_cast<size_t>(p[i])] = index.axes[i];
      return operand;
    }
    case Op::slice: {
      const auto& a = std::get<SliceAttributes>(node.attributes);
      for (size_t i = 0; i < from.size(); ++i) operand.axes.push_back(added(scaled(index.axes[i], Dim(a.steps[i])), constant_index(a.starts[i], loops.size())));
      return operand;
    }
    case Op::reverse: {
      operand.axes = index.axes;
      for (int64_t axis : std::get<ReverseAttributes>(node.attributes).axes) {
        size_t i = static_cast<size_t>(axis);
        if (!from[i].is(1)) operand.axes[i] = added(scaled(index.axes[i], Dim(-1)), constant_index(from[i] - Dim(1), loops.size()));
      }
      return operand;
    }
    case Op::pad: {
      const auto& a = std::get<PadAttributes>(node.attributes);
      for (size_t i = 0; i < from.size(); ++i) {
        ensure(a.interior[i] == 0 || from[i].is(0) || from[i].is(1), "interior padding is expanded before fusion");
        operand.axes.push_back(added(index.axes[i], constant_index(Dim(0) - a.low[i], loops.size())));
        if (!a.low[i].is(0) || !a.high[i].is(0)) operand.bounds.push_back({operand.axes.back(), from[i]});
      }
      return operand;
    }
    case Op::reshape: {
      auto axes = reshaped(index.axes, node.type.shape, from, loops);
      if (!axes) return std::nullopt;
      operand.axes = *axes;
      return operand;
    }
    default: throw InternalError("not a movement operation");
  }
}

bool dense(const Affine& position, const Shape& loops, const std::vector<bool>& over, const Dim& count) {
  if (!position.offset.is(0)) return false;
  std::vector<bool> used(loops.size());
  Dim range(1);
  for (bool found = true; found;) {
    found = false;
    for (size_t i = 0; i < loops.size() && !found; ++i)
      if (over[i] && !used[i] && position.strides[i] == range) used[i] = found = true, range = range * loops[i];
  }
  for (size_t i = 0; i < loops.size(); ++i)
    if (over[i] ? !used[i] && !loops[i].is(1) : !position.strides[i].is(0)) return false;
  return range == count;
}

}  // namespace sinter
