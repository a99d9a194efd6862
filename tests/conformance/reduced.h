// What the reductions should make of elements.
#pragma once
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "graph/op.h"
#include "tests/conformance/bounds.h"
#include "tests/conformance/samples.h"

namespace sinter::conformance {

// What sums and products are computed in.
template <class T>
using Accumulated = std::conditional_t<std::is_same_v<T, bool> || std::is_same_v<T, uint8_t> || std::is_same_v<T, int32_t>, int64_t, std::conditional_t<std::is_same_v<T, uint32_t>, uint64_t, T>>;

template <class T>
std::string wrong_total(Op op, const std::vector<T>& elements, Accumulated<T> got) {
  if constexpr (std::is_floating_point_v<T>) {
    const std::vector<long double> wide(elements.begin(), elements.end());
    return op == Op::sum ? near_sum(got, wide) : near_product(got, wide);
  } else {
    uint64_t total = op == Op::sum ? 0 : 1;
    for (T v : elements) total = op == Op::sum ? total + static_cast<uint64_t>(v) : total * static_cast<uint64_t>(v);
    return got == static_cast<Accumulated<T>>(total) ? "" : fmt::format("{}, not {}", got, static_cast<Accumulated<T>>(total));
  }
}

// As to the sign of a zero either of equal elements may be the largest. Of bool, of nothing they are any and all.
template <class T>
std::string wrong_extreme(bool largest, const std::vector<T>& elements, T got) {
  using Limits = std::numeric_limits<T>;
  T want = largest ? Limits::lowest() : Limits::max();
  if constexpr (Limits::has_infinity) want = largest ? -Limits::infinity() : Limits::infinity();
  for (T v : elements)
    if (v != v || (largest ? v > want : v < want)) {
      want = v;
      if (v != v) break;
    }
  return (got != got && want != want) || got == want ? "" : fmt::format("{}, not {}", got, want);
}

// What is wrong with element `at` of a result that should be the reduction of these elements; "" where nothing is.
template <class T>
std::string wrong_reduction(Op op, const std::vector<T>& elements, const Tensor& result, size_t at) {
  switch (op) {
    case Op::sum:
    case Op::prod: return wrong_total<T>(op, elements, result.data<Accumulated<T>>()[at]);
    case Op::max:
    case Op::min: return wrong_extreme<T>(op == Op::max, elements, result.data<T>()[at]);
    default: return fmt::format("not known: nothing here says what {} gives", info(op).name);
  }
}

// Elements that the reduction's bound is for: a product of thousands of plain ones leaves the range of floats. Of an odd seed extremes are
// not of special values, one of which is NaN.
inline Tensor elements_for(Op op, DType type, std::vector<int64_t> sizes, uint64_t seed) {
  switch (op) {
    case Op::prod: return factors_tensor(type, std::move(sizes), seed);
    case Op::sum: return wide_tensor(type, std::move(sizes), seed);
    default: return seed % 2 ? wide_tensor(type, std::move(sizes), seed) : mixed_tensor(type, std::move(sizes), seed);
  }
}

}  // namespace sinter::conformance
