// Index loops: what the oracles of structural rows are made of. An index is a list of positions, outermost first.
#pragma once
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "graph/tensor.h"
#include "graph/type.h"

namespace sinter::conformance {

using Position = std::vector<int64_t>;
using Sizes = std::vector<int64_t>;

inline Shape shape(const Sizes& sizes) { return Shape(sizes.begin(), sizes.end()); }

// All positions of an array of these sizes, in row-major order; one, empty, for a scalar.
inline std::vector<Position> positions_of(const std::vector<int64_t>& sizes) {
  std::vector<Position> all = {{}};
  for (int64_t size : sizes) {
    std::vector<Position> longer;
    for (const Position& p : all)
      for (int64_t i = 0; i < size; ++i) {
        longer.push_back(p);
        longer.back().push_back(i);
      }
    all = std::move(longer);
  }
  return all;
}

inline size_t flat(const Position& p, const std::vector<int64_t>& sizes) {
  int64_t at = 0;
  for (size_t a = 0; a < sizes.size(); ++a) at = at * sizes[a] + p[a];
  return static_cast<size_t>(at);
}

// The array of these sizes whose element at each position is that of `x` at from(position), or `fill` where that is the empty optional.
template <class From>
Tensor gathered(const Tensor& x, std::vector<int64_t> sizes, From from, const Tensor* fill = nullptr) {
  Tensor to = Tensor::uninitialized(x.dtype(), sizes);
  size_t width = size_of(x.dtype()), at = 0;
  for (const Position& p : positions_of(sizes)) {
    std::optional<Position> source = from(p);
    const Tensor& given = source ? x : *fill;
    std::memcpy(static_cast<char*>(to.raw()) + width * at++, static_cast<const char*>(given.raw()) + width * (source ? flat(*source, x.sizes()) : 0), width);
  }
  return to;
}

// NumPy's broadcast_to: sizes align at the last, and one of 1 repeats.
inline Tensor broadcast_array(const Tensor& x, const std::vector<int64_t>& sizes) {
  size_t missing = sizes.size() - x.sizes().size();
  return gathered(x, sizes, [&](const Position& p) {
    Position source(p.begin() + static_cast<std::ptrdiff_t>(missing), p.end());
    for (size_t a = 0; a < source.size(); ++a)
      if (x.sizes()[a] == 1) source[a] = 0;
    return std::optional(source);
  });
}

}  // namespace sinter::conformance
