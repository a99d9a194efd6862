// Rules about where elements go.
#include <algorithm>
#include <cstring>

#include "passes/simplify_rules.h"

namespace sinter {
namespace {

bool counts_up(const Axes& axes) {
  for (size_t i = 0; i < axes.size(); ++i)
    if (axes[i] != static_cast<int64_t>(i)) return false;
  return true;
}

bool all_are(const Axes& values, int64_t wanted) { return std::all_of(values.begin(), values.end(), [&](int64_t v) { return v == wanted; }); }

bool all_are(const Shape& values, int64_t wanted) { return std::all_of(values.begin(), values.end(), [&](const Dim& v) { return v.is(wanted); }); }

// Movement that leaves every element where it is.
NodeId movement_nowhere(Simplifier& s, const Candidate& c) {
  NodeId x = c.inputs.empty() ? NodeId() : c.inputs[0];
  switch (c.op) {
    case Op::reshape:
    case Op::broadcast: return s.type(x).shape == c.type.shape ? x : NodeId();
    case Op::transpose: return counts_up(c.as<TransposeAttributes>().permutation) ? x : NodeId();
    case Op::slice: {
      const auto& a = c.as<SliceAttributes>();
      bool whole = s.type(x).shape == c.type.shape && all_are(a.steps, 1) && all_are(a.starts, 0);
      return whole ? x : NodeId();
    }
    case Op::reverse: {
      const auto& axes = c.as<ReverseAttributes>().axes;
      bool ones = std::all_of(axes.begin(), axes.end(), [&](int64_t a) { return c.type.shape[static_cast<size_t>(a)].is(1); });
      return ones ? x : NodeId();
    }
    case Op::pad: {
      const auto& a = c.as<PadAttributes>();
      return all_are(a.low, 0) && all_are(a.high, 0) && all_are(a.interior, 0) ? x : NodeId();
    }
    default: return {};
  }
}

// A constant of equal elements is one element, broadcast: no kernel loads what it can hold in a register.
NodeId splat_constant(Simplifier& s, const Candidate& c) {
  if (c.op != Op::constant || c.type.shape.empty() || c.type.weak) return {};
  const Tensor& value = s.graph().constant(c.as<ConstantAttributes>().index);
  if (value.size() == 0) return {};
  const char* bytes = static_cast<const char*>(value.raw());
  size_t width = size_of(value.dtype());
  if (std::memcmp(bytes, bytes + width, value.bytes() - width) != 0) return {};
  Tensor scalar = Tensor::uninitialized(value.dtype(), {});
  std::memcpy(scalar.raw(), bytes, width);
  return s.make(Op::broadcast, {s.constant(scalar)}, BroadcastAttributes{c.type.shape, {}});
}

// Wherever the elements of a broadcast scalar go, they are that scalar.
NodeId movement_of_splat(Simplifier& s, const Candidate& c) {
  if (info(c.op).family != Family::movement || s.type(c.inputs[0]).shape.empty()) return {};
  auto scalar = s.scalar_of(c.inputs[0]);
  if (!scalar || (c.op == Op::pad && c.inputs[1] != *scalar)) return {};
  s.absorb(c.inputs[0]);
  return s.make(Op::broadcast, {*scalar}, BroadcastAttributes{c.type.shape, {}});
}

NodeId reshape_of_reshape(Simplifier& s, const Candidate& c) {
  if (c.op != Op::reshape || s.node(c.inputs[0]).op != Op::reshape) return {};
  s.absorb(c.inputs[0]);
  return s.make(Op::reshape, {s.inputs(c.inputs[0])[0]}, c.attributes);
}

NodeId transpose_of_transpose(Simplifier& s, const Candidate& c) {
  if (c.op != Op::transpose || s.node(c.inputs[0]).op != Op::transpose) return {};
  const Axes& inner = s.as<TransposeAttributes>(c.inputs[0]).permutation;
  Axes composed;
  for (int64_t axis : c.as<TransposeAttributes>().permutation) composed.push_back(inner[static_cast<size_t>(axis)]);
  s.absorb(c.inputs[0]);
  return s.make(Op::transpose, {s.inputs(c.inputs[0])[0]}, TransposeAttributes{composed});
}

// The same axes twice are as they were.
NodeId reverse_of_reverse(Simplifier& s, const Candidate& c) {
  if (c.op != Op::reverse || s.node(c.inputs[0]).op != Op::reverse) return {};
  return c.as<ReverseAttributes>().axes == s.as<ReverseAttributes>(c.inputs[0]).axes ? s.inputs(c.inputs[0])[0] : NodeId();
}

NodeId broadcast_of_broadcast(Simplifier& s, const Candidate& c) {
  if (c.op != Op::broadcast || s.node(c.inputs[0]).op != Op::broadcast) return {};
  const Axes& outer = c.as<BroadcastAttributes>().axes;
  Axes composed;
  for (int64_t axis : s.as<BroadcastAttributes>(c.inputs[0]).axes) composed.push_back(outer[static_cast<size_t>(axis)]);
  s.absorb(c.inputs[0]);
  return s.make(Op::broadcast, {s.inputs(c.inputs[0])[0]}, BroadcastAttributes{c.type.shape, composed});
}

// A reshape that only puts in sizes of 1 is a broadcast, of which a broadcast is one: how a kept axis meets its operand.
NodeId broadcast_of_reshape(Simplifier& s, const Candidate& c) {
  if (c.op != Op::broadcast || s.node(c.inputs[0]).op != Op::reshape) return {};
  NodeId x = s.inputs(c.inputs[0])[0];
  const Shape &from = s.type(x).shape, &through = s.type(c.inputs[0]).shape;
  const Axes& outer = c.as<BroadcastAttributes>().axes;
  Axes composed;
  for (size_t i = 0; i < through.size(); ++i) {
    if (composed.size() < from.size() && through[i] == from[composed.size()]) composed.push_back(outer[i]);
    else if (!through[i].is(1)) return {};
  }
  if (composed.size() != from.size()) return {};
  s.absorb(c.inputs[0]);
  return s.make(Op::broadcast, {x}, BroadcastAttributes{c.type.shape, composed});
}

// A broadcast that only puts in sizes of 1 is a reshape, which two of them become one as.
NodeId broadcast_to_ones(Simplifier& s, const Candidate& c) {
  if (c.op != Op::broadcast) return {};
  const Axes& axes = c.as<BroadcastAttributes>().axes;
  const Shape& from = s.type(c.inputs[0]).shape;
  for (size_t to = 0, i = 0; to < c.type.shape.size(); ++to) {
    bool is_new = i == axes.size() || axes[i] != static_cast<int64_t>(to);
    if (is_new ? !c.type.shape[to].is(1) : !(from[i] == c.type.shape[to])) return {};
    i += !is_new;
  }
  // A scalar's is kept: that its one element fills the shape is seen from the broadcast.
  if (from.empty()) return {};
  return s.make(Op::reshape, {c.inputs[0]}, ShapeAttributes{c.type.shape});
}

// A transposed broadcast is a broadcast, where the operand's axes stay in order.
NodeId transpose_of_broadcast(Simplifier& s, const Candidate& c) {
  if (c.op != Op::transpose || s.node(c.inputs[0]).op != Op::broadcast) return {};
  const Axes& permutation = c.as<TransposeAttributes>().permutation;
  Axes composed;
  for (int64_t axis : s.as<BroadcastAttributes>(c.inputs[0]).axes)
    composed.push_back(std::find(permutation.begin(), permutation.end(), axis) - permutation.begin());
  if (!std::is_sorted(composed.begin(), composed.end())) return {};
  s.absorb(c.inputs[0]);
  return s.make(Op::broadcast, {s.inputs(c.inputs[0])[0]}, BroadcastAttributes{c.type.shape, composed});
}

}  // namespace

std::span<const Rule> movement_rules() {
  static constexpr Rule rules[] = {
      {"movement_nowhere", movement_nowhere},
      {"splat_constant", splat_constant},
      {"movement_of_splat", movement_of_splat},
      {"reshape_of_reshape", reshape_of_reshape},
      {"transpose_of_transpose", transpose_of_transpose},
      {"reverse_of_reverse", reverse_of_reverse},
      {"broadcast_of_broadcast", broadcast_of_broadcast},
      {"broadcast_of_reshape", broadcast_of_reshape},
      {"broadcast_to_ones", broadcast_to_ones},
      {"transpose_of_broadcast", transpose_of_broadcast},
  };
  return rules;
}

}  // namespace sinter
