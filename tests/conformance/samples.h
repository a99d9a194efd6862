// Operands for tests of rows: special values of every type, and random ones.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "graph/op.h"
#include "graph/tensor.h"

namespace sinter::conformance {

// Zeros, ones, the ends of the range, the ends of other types' ranges, halves for rounding, denormals, infinities, NaN.
template <class T>
std::vector<T> special_values() {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_same_v<T, bool>) {
    return {false, true};
  } else if constexpr (std::is_floating_point_v<T>) {
    std::vector<T> magnitudes = {0, Limits::denorm_min(), Limits::min(), Limits::min() / 2, Limits::epsilon(), T(0.5), T(0.999), 1, T(1.5), 2, T(2.5), 3, 7, T(88.5), T(127.5),
                                 255, T(255.5), 256, 8388609, 2147483520, 2147483648, 4294967296, T(9.3e17), T(9223372036854775808.0), T(18446744073709551616.0), Limits::max(),
                                 Limits::infinity()};
    if constexpr (std::is_same_v<T, double>) magnitudes.insert(magnitudes.end(), {2147483647.5, 4294967295.75, 9007199254740993.0, 709.9, 745.2});
    std::vector<T> all = {Limits::quiet_NaN(), -Limits::quiet_NaN()};
    for (T m : magnitudes) all.push_back(m), all.push_back(-m);
    return all;
  } else {
    std::vector<T> all = {0, 1, 2, 3, 7, 100, 255, Limits::max(), Limits::max() - 1, Limits::min(), Limits::min() + 1, Limits::max() / 2 + 1};
    if constexpr (std::is_signed_v<T>) all.insert(all.end(), {T(-1), T(-2), T(-7), T(-255)});
    if constexpr (sizeof(T) > 1) all.insert(all.end(), {T(256), T(65537), T(16777217)});
    if constexpr (sizeof(T) > 4) all.insert(all.end(), {T(1) << 31, T(1) << 32, (T(1) << 53) + 1});
    return all;
  }
}

// Floats in the domain, every sixth of any bits; integers small, every third of any bits.
template <class T>
T random_value(std::mt19937_64& random, const Domain& domain) {
  uint64_t bits = random();
  double unit = static_cast<double>(random() >> 11) * 0x1p-53;
  if constexpr (std::is_same_v<T, bool>) return bits & 1;
  else if constexpr (std::is_same_v<T, float>) return bits % 6 ? static_cast<T>(domain.low + (domain.high - domain.low) * unit) : std::bit_cast<float>(static_cast<uint32_t>(bits >> 32));
  else if constexpr (std::is_same_v<T, double>) return bits % 6 ? domain.low + (domain.high - domain.low) * unit : std::bit_cast<double>(random());
  else return bits % 3 ? static_cast<T>(static_cast<int64_t>(random() % 41) - (std::is_signed_v<T> ? 20 : 0)) : static_cast<T>(random());
}

// Elements drawn one after another, of type T each by draw(random, T()).
template <class Draw>
Tensor drawn(DType type, std::vector<int64_t> sizes, uint64_t seed, Draw draw) {
  Tensor t = Tensor::uninitialized(type, std::move(sizes));
  std::mt19937_64 random(seed * 0x9E3779B97F4A7C15u + 1);
  dispatch_stored(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using Drawn = std::conditional_t<is_stored_only(dtype_of<T>()), float, T>;
    for (T& v : t.data<T>()) v = static_cast<T>(draw(random, Drawn()));
  });
  return t;
}

// A float in [-2, 2), an integer in [-9, 9] or [0, 9].
template <class T>
T plain_value(std::mt19937_64& random) {
  if constexpr (std::is_floating_point_v<T>) return static_cast<T>(static_cast<double>(random() >> 11) * 0x1p-51 - 2);
  else if constexpr (std::is_same_v<T, bool>) return random() & 1;
  else return static_cast<T>(static_cast<int64_t>(random() % 10) * (std::is_signed_v<T> && random() % 2 ? -1 : 1));
}

// Plain values.
inline Tensor random_tensor(DType type, std::vector<int64_t> sizes, uint64_t seed) {
  return drawn(type, std::move(sizes), seed, [](std::mt19937_64& random, auto zero) { return plain_value<decltype(zero)>(random); });
}

// Plain values, every third element a special one.
inline Tensor mixed_tensor(DType type, std::vector<int64_t> sizes, uint64_t seed) {
  return drawn(type, std::move(sizes), seed, [](std::mt19937_64& random, auto zero) {
    using T = decltype(zero);
    static const std::vector<T> special = special_values<T>();
    return random() % 3 ? plain_value<T>(random) : T(special[random() % special.size()]);
  });
}

// Plain floats, and integers of any bits: their sums and products overflow.
inline Tensor wide_tensor(DType type, std::vector<int64_t> sizes, uint64_t seed) {
  return drawn(type, std::move(sizes), seed, [](std::mt19937_64& random, auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) return static_cast<T>(random());
    else return plain_value<T>(random);
  });
}

// What thousands of can be multiplied without leaving the range of a float, or losing an integer's digits: floats between 1/2 and 2, of
// either sign; odd integers; bools that are seldom false.
inline Tensor factors_tensor(DType type, std::vector<int64_t> sizes, uint64_t seed) {
  return drawn(type, std::move(sizes), seed, [](std::mt19937_64& random, auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_floating_point_v<T>) return std::copysign(static_cast<T>(std::exp2(plain_value<double>(random) / 2)), plain_value<T>(random));
    else if constexpr (std::is_same_v<T, bool>) return random() % 32 != 0;
    else return static_cast<T>(random() | 1);
  });
}

// Floats below the normal range, zeros of both signs among them: what flushes them to zero is seen. Plain integers.
inline Tensor tiny_tensor(DType type, std::vector<int64_t> sizes, uint64_t seed) {
  return drawn(type, std::move(sizes), seed, [](std::mt19937_64& random, auto zero) {
    using T = decltype(zero);
    T v = plain_value<T>(random);
    if constexpr (std::is_floating_point_v<T>) v = random() % 4 ? v * (std::numeric_limits<T>::min() / 4) : std::copysign(T(0), v);
    return v;
  });
}

}  // namespace sinter::conformance
