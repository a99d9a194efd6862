// Reductions over some axes, which go.
#include <cmath>
#include <limits>

#include "graph/expr.h"
#include "graph/ops/expand.h"

namespace sinter {
namespace {

using Rule = const GradientRule&;

Type infer_reduction(const Inference& in) {
  const auto& axes = std::get<ReduceAttributes>(in.attributes).axes;
  Shape to;
  for (size_t i = 0, k = 0; i < in.inputs[0].shape.size(); ++i) {
    if (k < axes.size() && axes[k] == static_cast<int64_t>(i)) ++k;
    else to.push_back(in.inputs[0].shape[i]);
  }
  return Type::of(in.inputs[0].dtype, to);
}

// Calls visit(position of the result, element of x) for each element of the operand, in order.
template <class T, class F>
void each_element(const Reference& at, F visit) {
  const auto& axes = std::get<ReduceAttributes>(at.attributes).axes;
  const Tensor& x = at.inputs[0];
  size_t rank = x.sizes().size();
  std::vector<int64_t> index(rank, 0), stride(rank, 0);
  for (int64_t s = 1, i = static_cast<int64_t>(rank) - 1, k = static_cast<int64_t>(axes.size()) - 1; i >= 0; --i) {
    if (k >= 0 && axes[static_cast<size_t>(k)] == i) --k;
    else stride[static_cast<size_t>(i)] = s, s *= x.sizes()[static_cast<size_t>(i)];
  }
  const T* elements = static_cast<const T*>(x.raw());
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t to = 0;
    for (size_t a = 0; a < rank; ++a) to += index[a] * stride[a];
    visit(to, elements[i]);
    for (size_t a = rank; a-- > 0;) {
      if (++index[a] < x.sizes()[a]) break;
      index[a] = 0;
    }
  }
}

// Sums f32 in f64, so that the reference is closer to the truth than any order of summing in f32.
Tensor sum_reference(const Reference& at) {
  if (std::get<ReduceAttributes>(at.attributes).axes.empty()) return at.inputs[0];  // to the sign of a zero, which adding to +0 would lose
  Tensor result(at.dtype, at.sizes);
  dispatch(at.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide = std::conditional_t<std::is_same_v<T, float>, double, std::conditional_t<std::is_floating_point_v<T>, long double, uint64_t>>;
    std::vector<Wide> total(static_cast<size_t>(result.size()), Wide(0));
    each_element<T>(at, [&](int64_t to, T v) { total[static_cast<size_t>(to)] += static_cast<Wide>(v); });
    for (int64_t i = 0; i < result.size(); ++i) static_cast<T*>(result.raw())[i] = static_cast<T>(total[static_cast<size_t>(i)]);
  });
  return result;
}

// In order, in the type that sums are computed in.
Tensor prod_reference(const Reference& at) {
  Tensor result(at.dtype, at.sizes);
  dispatch(at.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Wide = std::conditional_t<std::is_same_v<T, float>, double, std::conditional_t<std::is_floating_point_v<T>, T, uint64_t>>;
    std::vector<Wide> product(static_cast<size_t>(result.size()), Wide(1));
    each_element<T>(at, [&](int64_t to, T v) { product[static_cast<size_t>(to)] *= static_cast<Wide>(v); });
    for (int64_t i = 0; i < result.size(); ++i) static_cast<T*>(result.raw())[i] = static_cast<T>(product[static_cast<size_t>(i)]);
  });
  return result;
}

template <bool largest>
Tensor extreme_reference(const Reference& at) {
  Tensor result = Tensor::uninitialized(at.dtype, at.sizes);
  dispatch(at.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T start = reduction_of_nothing(largest ? Op::max : Op::min, at.dtype).template data<T>()[0];
    T* r = static_cast<T*>(result.raw());
    std::fill_n(r, result.size(), start);
    each_element<T>(at, [&](int64_t to, T v) {
      bool better = largest ? v > r[to] : v < r[to];
      if constexpr (std::is_floating_point_v<T>) better = better || std::isnan(v);
      if (better && r[to] == r[to]) r[to] = v;
    });
  });
  return result;
}

// A reduced value spread over the operand's shape again.
Expr spread(Rule r, const Expr& reduced) {
  const auto& axes = std::get<ReduceAttributes>(r.attributes).axes;
  Axes kept;
  for (int64_t a = 0, k = 0; a < static_cast<int64_t>(r.inputs[0].shape().size()); ++a) {
    if (k < static_cast<int64_t>(axes.size()) && axes[static_cast<size_t>(k)] == a) ++k;
    else kept.push_back(a);
  }
  return broadcast(reduced, r.inputs[0].shape(), kept);
}

// The whole adjoint goes to the first element, in row-major order, that equals the result.
std::vector<Expr> extreme_gradient(Rule r) {
  return r.each([&] {
    const auto& axes = std::get<ReduceAttributes>(r.attributes).axes;
    const Expr& x = r.inputs[0];
    if (axes.empty()) return r.adjoint;
    Expr position;
    for (int64_t axis : axes) {
      Expr along = iota(x.shape(), axis, i64);
      position = position.defined() ? position * dimension(x.shape()[static_cast<size_t>(axis)]) + along : along;
    }
    Expr chosen = x == spread(r, r.output);
    if (is_float(x.dtype())) chosen = chosen || x != x;  // where there is a NaN it is what is chosen, and nothing equals it
    Expr first = min(select(chosen, position, std::numeric_limits<int64_t>::max()), axes);
    return select(chosen && position == spread(r, first), spread(r, r.adjoint), 0);
  });
}

// Each element's factor is the product of the others: of all over it where it is not 0; where it is the only 0, of those that are not.
std::vector<Expr> prod_gradient(Rule r) {
  return r.each([&] {
    const auto& axes = std::get<ReduceAttributes>(r.attributes).axes;
    const Expr& x = r.inputs[0];
    if (axes.empty()) return r.adjoint;
    Expr is_zero = x == 0, zeros = spread(r, sum(is_zero, axes)), rest = spread(r, prod(select(is_zero, 1, x), axes));
    Expr others = select(is_zero, select(zeros == 1, rest, 0), spread(r, r.output) / select(is_zero, 1, x));
    Expr g = spread(r, r.adjoint), value = g * others;
    return r.masked ? select(g == 0 && value != value, 0, value) : value;
  });
}

OpInfo row(Op op, std::string_view name, std::string_view written, Tensor (*reference)(const Reference&), std::vector<Expr> (*gradient)(Rule), std::string_view derivative,
           std::string_view doc) {
  return {op, name, 1, Family::reduction, Promotion::none, false, infer_reduction, "that of x without the axes, or with sizes of 1 where they are kept", nullptr, reference, gradient, derivative, {},
          doc, {}, written};
}

}  // namespace

Tensor reduction_of_nothing(Op reduction, DType dtype) {
  if (reduction == Op::sum || reduction == Op::prod) return full({}, reduction == Op::prod, dtype);
  return dispatch(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Limits = std::numeric_limits<T>;
    const bool least = reduction == Op::max;
    if constexpr (Limits::has_infinity) return Tensor::scalar(least ? -Limits::infinity() : Limits::infinity());
    else return Tensor::scalar(least ? Limits::lowest() : Limits::max());
  });
}

std::span<const OpInfo> reduction_ops() {
  static const std::vector<OpInfo> rows = {
      row(Op::sum, "sum", "sum(x, axes, keep)", sum_reference, [](Rule r) { return r.each([&] { return spread(r, r.adjoint); }); }, "broadcast(g)",
          "The sum; of small integers in 64 bits, of nothing 0."),
      row(Op::prod, "prod", "prod(x, axes, keep)", prod_reference, prod_gradient, "g * y / x, and where x is the only 0 the product of the others",
          "The product; of small integers in 64 bits, of nothing 1."),
      row(Op::max, "max", "max(x, axes, keep)", extreme_reference<true>, extreme_gradient, "g at the first largest", "The largest, NaN where there is one; of no floats -inf; of bool any."),
      row(Op::min, "min", "min(x, axes, keep)", extreme_reference<false>, extreme_gradient, "g at the first smallest", "The smallest, NaN where there is one; of no floats +inf; of bool all."),
  };
  return rows;
}

}  // namespace sinter
