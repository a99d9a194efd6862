// Movement: operations that only say where elements go. In kernels they are index maps.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "graph/expr.h"
#include "graph/ops/expand.h"

namespace sinter {
namespace {

using Rule = const GradientRule&;

// Fills the result element by element: `source(index)` is the flat position in `input` of the result's multi-index, or -1 for `fill`.
template <class F>
Tensor moved(const Reference& at, const Tensor& input, const Tensor* fill, F source) {
  Tensor result = Tensor::uninitialized(at.dtype, at.sizes);
  size_t width = size_of(at.dtype);
  std::vector<int64_t> index(at.sizes.size(), 0);
  for (int64_t i = 0; i < result.size(); ++i) {
    int64_t from = source(index);
    const char* element = from < 0 ? static_cast<const char*>(fill->raw()) : static_cast<const char*>(input.raw()) + static_cast<size_t>(from) * width;
    std::memcpy(static_cast<char*>(result.raw()) + static_cast<size_t>(i) * width, element, width);
    for (size_t a = index.size(); a-- > 0;) {
      if (++index[a] < at.sizes[a]) break;
      index[a] = 0;
    }
  }
  return result;
}

std::vector<int64_t> strides_of(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size());
  int64_t s = 1;
  for (size_t a = sizes.size(); a-- > 0; s *= sizes[a]) strides[a] = s;
  return strides;
}

Type infer_broadcast(const Inference& in) {
  const auto& a = std::get<BroadcastAttributes>(in.attributes);
  const Shape& from = in.inputs[0].shape;
  for (const Dim& d : a.shape)
    if (d.is_number() && d.number() < 0) throw UserError(fmt::format("a size in {} is negative", to_string(a.shape)));
  if (a.axes.size() != from.size()) throw UserError(fmt::format("names {} axes for a value of {} dimensions", a.axes.size(), from.size()));
  for (size_t i = 0; i < from.size(); ++i) {
    if (i > 0 && a.axes[i] <= a.axes[i - 1]) throw UserError("axes must ascend; transpose first");
    const Dim& to = a.shape[static_cast<size_t>(a.axes[i])];
    if (!(from[i] == to) && !from[i].is(1)) throw UserError(fmt::format("the size {} of axis {} cannot become {} in {}; only a size of 1 is stretched", to_string(from[i]), i, to_string(to), to_string(a.shape)));
  }
  return Type::of(in.inputs[0].dtype, a.shape);
}

Tensor broadcast_reference(const Reference& at) {
  const auto& axes = std::get<BroadcastAttributes>(at.attributes).axes;
  const Tensor& x = at.inputs[0];
  auto strides = strides_of(x.sizes());
  return moved(at, x, nullptr, [&](const std::vector<int64_t>& index) {
    int64_t from = 0;
    for (size_t i = 0; i < axes.size(); ++i) from += x.sizes()[i] == 1 ? 0 : index[static_cast<size_t>(axes[i])] * strides[i];
    return from;
  });
}

// Sums over the axes that the broadcast made or stretched.
std::vector<Expr> broadcast_gradient(Rule r) {
  return r.each([&] {
    const auto& a = std::get<BroadcastAttributes>(r.attributes);
    const Shape from = r.inputs[0].shape();  // a copy: appending moves the graph's nodes
    Axes summed;
    for (int64_t axis = 0; axis < static_cast<int64_t>(a.shape.size()); ++axis) {
      auto found = std::find(a.axes.begin(), a.axes.end(), axis);
      if (found == a.axes.end() || !(from[static_cast<size_t>(found - a.axes.begin())] == a.shape[static_cast<size_t>(axis)])) summed.push_back(axis);
    }
    Expr g = summed.empty() ? r.adjoint : sum(r.adjoint, summed);
    return g.shape() == from ? g : reshape(g, from);
  });
}

Type infer_reshape(const Inference& in) {
  const auto& a = std::get<ShapeAttributes>(in.attributes);
  for (const Dim& d : a.shape)
    if (d.is_number() && d.number() < 0) throw UserError(fmt::format("a size in {} is negative", to_string(a.shape)));
  if (!(product(a.shape) == product(in.inputs[0].shape)))
    throw UserError(fmt::format("{} holds {} elements, and {} takes {}", to_string(in.inputs[0].shape), to_string(product(in.inputs[0].shape)), to_string(a.shape), to_string(product(a.shape))));
  return Type::of(in.inputs[0].dtype, a.shape);
}

Type infer_transpose(const Inference& in) {
  const auto& p = std::get<TransposeAttributes>(in.attributes).permutation;
  const Shape& from = in.inputs[0].shape;
  if (p.size() != from.size()) throw UserError(fmt::format("{} does not permute {} axes: each is named once", to_string(p), from.size()));
  Axes sorted = p;
  std::sort(sorted.begin(), sorted.end());
  for (size_t i = 0; i < sorted.size(); ++i)
    if (sorted[i] != static_cast<int64_t>(i)) throw UserError(fmt::format("{} names an axis twice", to_string(p)));
  Shape to;
  for (int64_t axis : p) to.push_back(from[static_cast<size_t>(axis)]);
  return Type::of(in.inputs[0].dtype, to);
}

Tensor transpose_reference(const Reference& at) {
  const auto& p = std::get<TransposeAttributes>(at.attributes).permutation;
  auto strides = strides_of(at.inputs[0].sizes());
  return moved(at, at.inputs[0], nullptr, [&](const std::vector<int64_t>& index) {
    int64_t from = 0;
    for (size_t i = 0; i < p.size(); ++i) from += index[i] * strides[static_cast<size_t>(p[i])];
    return from;
  });
}

std::vector<Expr> transpose_gradient(Rule r) {
  return r.each([&] {
    const auto& p = std::get<TransposeAttributes>(r.attributes).permutation;
    Axes back(p.size());
    for (size_t i = 0; i < p.size(); ++i) back[static_cast<size_t>(p[i])] = static_cast<int64_t>(i);
    return transpose(r.adjoint, back);
  });
}

Type infer_slice(const Inference& in) {
  const auto& a = std::get<SliceAttributes>(in.attributes);
  const Shape& from = in.inputs[0].shape;
  if (a.starts.size() != from.size() || a.stops.size() != from.size() || a.steps.size() != from.size())
    throw UserError(fmt::format("takes a start, a stop and a step for each of {} axes, not {}, {} and {} of them", from.size(), a.starts.size(), a.stops.size(), a.steps.size()));
  Shape to;
  for (size_t i = 0; i < from.size(); ++i) {
    auto along = [&] { return fmt::format("along axis {}, of size {}, ", i, to_string(from[i])); };
    if (a.steps[i] < 1) throw UserError(fmt::format("{}the step {} is not at least 1{}", along(), a.steps[i], a.steps[i] < 0 ? "; going back is a reverse" : ""));
    Dim length = a.stops[i] - a.starts[i], rest = from[i] - a.stops[i];
    if (a.starts[i].is_number() && a.starts[i].number() < 0) throw UserError(fmt::format("{}the start lies {} before the beginning", along(), to_string(Dim(0) - a.starts[i])));
    if (rest.is_number() && rest.number() < 0) throw UserError(fmt::format("{}the stop {} lies beyond the end", along(), to_string(a.stops[i])));
    if (!a.starts[i].never_negative())
      throw UserError(fmt::format("{}the start {} may be negative at a call; start where that cannot be", along(), to_string(a.starts[i])));
    if (!rest.never_negative())
      throw UserError(fmt::format("{}the stop {} may lie beyond the end, which is not known before the call; stop at the end, {}, or a number of elements before it, -2",
                                  along(), to_string(a.stops[i]), to_string(from[i])));
    if (length.is_number() && length.number() < 0)
      throw UserError(fmt::format("{}the stop {} lies before the start {}", along(), to_string(a.stops[i]), to_string(a.starts[i])));
    if (a.steps[i] == 1) to.push_back(length);
    else if (length.is_number()) to.push_back(Dim(length.is(0) ? 0 : (length.number() - 1) / a.steps[i] + 1));  // rounded up, with no sum to overflow
    else throw UserError(fmt::format("{}the step is {}; a symbolic size is sliced by steps of 1", along(), a.steps[i]));
  }
  return Type::of(in.inputs[0].dtype, to);
}

Tensor slice_reference(const Reference& at) {
  const auto& a = std::get<SliceAttributes>(at.attributes);
  auto strides = strides_of(at.inputs[0].sizes());
  auto starts = evaluate(a.starts, at.bindings);
  return moved(at, at.inputs[0], nullptr, [&](const std::vector<int64_t>& index) {
    int64_t from = 0;
    for (size_t i = 0; i < index.size(); ++i) from += (starts[i] + index[i] * a.steps[i]) * strides[i];
    return from;
  });
}

// Puts the adjoint back where it was cut out, zeros around it.
std::vector<Expr> slice_gradient(Rule r) {
  return r.each([&] {
    const auto& a = std::get<SliceAttributes>(r.attributes);
    const Shape &from = r.inputs[0].shape(), &to = r.output.shape();
    Shape low, high;
    Axes interior;
    for (size_t i = 0; i < from.size(); ++i) {
      low.push_back(a.starts[i]);
      if (a.steps[i] == 1) high.push_back(from[i] - a.stops[i]);
      else high.push_back(from[i] - a.starts[i] - Dim(to[i].number() == 0 ? 0 : (to[i].number() - 1) * a.steps[i] + 1));
      interior.push_back(a.steps[i] - 1);
    }
    return pad(r.adjoint, 0, low, high, interior);
  });
}

Type infer_reverse(const Inference& in) { return in.inputs[0]; }

Tensor reverse_reference(const Reference& at) {
  const auto& axes = std::get<ReverseAttributes>(at.attributes).axes;
  auto strides = strides_of(at.sizes);
  return moved(at, at.inputs[0], nullptr, [&](const std::vector<int64_t>& index) {
    int64_t from = 0;
    for (size_t i = 0; i < index.size(); ++i) from += index[i] * strides[i];
    for (int64_t axis : axes) {
      size_t i = static_cast<size_t>(axis);
      from += (at.sizes[i] - 1 - 2 * index[i]) * strides[i];
    }
    return from;
  });
}

Type infer_pad(const Inference& in) {
  const auto& a = std::get<PadAttributes>(in.attributes);
  const Shape& from = in.inputs[0].shape;
  if (!in.inputs[1].shape.empty()) throw UserError("pads with one value, a scalar");
  if (in.inputs[0].dtype != in.inputs[1].dtype) throw UserError(fmt::format("pads {} with {}; convert() one of them", name(in.inputs[0].dtype), name(in.inputs[1].dtype)));
  if (a.low.size() != from.size() || a.high.size() != from.size() || a.interior.size() != from.size()) throw UserError(fmt::format("takes three numbers for each of {} axes", from.size()));
  Shape to;
  for (size_t i = 0; i < from.size(); ++i) {
    if (!a.low[i].never_negative() || !a.high[i].never_negative())
      throw UserError(fmt::format("pads by {} and {}, of which one may be negative at a call", to_string(a.low[i]), to_string(a.high[i])));
    if (a.interior[i] < 0) throw UserError("pads between elements by 0 or more; slice to take away");
    if (a.interior[i] == INT64_MAX) throw UserError(fmt::format("{} elements between two are more than can be", a.interior[i]));
    // What is between the elements of an axis is one less than they are, but not of an empty one; and no slice takes them out again.
    if (a.interior[i] > 0 && !from[i].is_number()) throw UserError(fmt::format("pads between elements of a size that is a number, not {}", to_string(from[i])));
    bool apart = a.interior[i] > 0 && !from[i].is(0);
    to.push_back(from[i] + a.low[i] + a.high[i] + (apart ? (from[i] - Dim(1)) * Dim(a.interior[i]) : Dim(0)));
  }
  return Type::of(in.inputs[0].dtype, to);
}

Tensor pad_reference(const Reference& at) {
  const auto& a = std::get<PadAttributes>(at.attributes);
  const Tensor& x = at.inputs[0];
  auto strides = strides_of(x.sizes());
  auto low = evaluate(a.low, at.bindings);
  return moved(at, x, &at.inputs[1], [&](const std::vector<int64_t>& index) {
    int64_t from = 0;
    for (size_t i = 0; i < index.size(); ++i) {
      int64_t offset = index[i] - low[i], step = a.interior[i] + 1;
      if (offset < 0 || offset % step != 0 || offset / step >= x.sizes()[i]) return int64_t{-1};
      from += offset / step * strides[i];
    }
    return from;
  });
}

// The inside to the operand, all around it to the value.
std::vector<Expr> pad_gradient(Rule r) {
  auto inside = [&](const Expr& g) {
    const auto& a = std::get<PadAttributes>(r.attributes);
    const Shape &from = r.inputs[0].shape(), &to = r.output.shape();
    Shape starts, stops;
    Axes steps;
    for (size_t i = 0; i < from.size(); ++i) {
      starts.push_back(a.low[i]);
      stops.push_back(to[i] - a.high[i]);
      steps.push_back(a.interior[i] + 1);
    }
    return slice(g, starts, stops, steps);
  };
  return r.each([&] { return inside(r.adjoint); }, [&] { return sum(r.adjoint) - sum(inside(r.adjoint)); });
}

OpInfo row(Op op, std::string_view name, int arity, Type (*infer)(const Inference&), std::string_view shape, Tensor (*reference)(const Reference&),
           std::vector<Expr> (*gradient)(Rule), std::string_view derivative, std::string_view doc) {
  return {op, name, arity, Family::movement, Promotion::none, false, infer, shape, nullptr, reference, gradient, derivative, {}, doc};
}

}  // namespace

std::span<const OpInfo> movement_ops() {
  static const std::vector<OpInfo> rows = {
      row(Op::broadcast, "broadcast", 1, infer_broadcast, "the attribute `shape`", broadcast_reference, broadcast_gradient, "sum(g) over the new axes",
          "Input axis i becomes axis axes[i] of the shape; a size of 1 stretches."),
      row(Op::reshape, "reshape", 1, infer_reshape, "the attribute `shape`, which holds as many elements; one size may be -1, what is left", [](const Reference& at) { return at.inputs[0].reshaped(at.sizes).clone(); },
          [](Rule r) { return r.each([&] { return reshape(r.adjoint, r.inputs[0].shape()); }); }, "reshape(g)", "The same elements, in order, under another shape."),
      row(Op::transpose, "transpose", 1, infer_transpose, "the sizes of x, permuted", transpose_reference, transpose_gradient, "transpose(g) by the inverse", "Output axis i is input axis permutation[i]."),
      row(Op::slice, "slice", 1, infer_slice, "along each axis (stop - start) / step, rounded up", slice_reference, slice_gradient, "pad(g)", "start, start + step ... below stop, along each axis."),
      written("flip(x, axes)", row(Op::reverse, "reverse", 1, infer_reverse, "that of x", reverse_reference,
          [](Rule r) { return r.each([&] { return flip(r.adjoint, std::get<ReverseAttributes>(r.attributes).axes); }); }, "reverse(g)", "The elements along some axes in the opposite order.")),
      with_operands("x, value", row(Op::pad, "pad", 2, infer_pad, "along each axis of size n low + n + (n - 1) * interior + high; value is a scalar", pad_reference, pad_gradient,
                                    "slice(g); sum(g) - sum(slice(g))", "A value before, after and between elements.")),
  };
  return rows;
}

}  // namespace sinter
