// The one source of choices, the same from the same seed on every machine, and the values that tensors are filled with.
#pragma once
#include <iterator>
#include <random>
#include <vector>

#include "graph/tensor.h"

namespace sinter::fuzz {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed * 0x9E3779B97F4A7C15u + 12345) {}
  uint64_t bits() { return engine_(); }
  size_t below(size_t bound) { return static_cast<size_t>(engine_() % bound); }
  int64_t number(int64_t least, int64_t most) { return least + static_cast<int64_t>(below(static_cast<size_t>(most - least) + 1)); }
  bool chance(size_t in) { return below(in) == 0; }
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
  template <class T, size_t N>
  const T& of(const T (&choices)[N]) { return choices[below(N)]; }
  template <class T>
  const T& of(const std::vector<T>& choices) { return choices[below(choices.size())]; }
  // 0 … rank - 1 in any order, and some of them.
  std::vector<int64_t> permutation(size_t rank);
  std::vector<int64_t> some_axes(size_t rank);

 private:
  std::mt19937_64 engine_;
};

enum class Values : uint8_t {
  plain,    // of magnitude 2 at most, some of them zeros of either sign
  whole,    // small whole numbers: sums and products of few of them are exact in any order
  special   // infinities, NaN, zeros of both signs, denormals, the largest and the least, every bit pattern of integers
};

Tensor random_tensor(Random&, DType, std::vector<int64_t> sizes, Values);

}  // namespace sinter::fuzz
