// Which inputs the sweeps take: numbers in, numbers out, the same every time.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>

#include "tests/conformance/samples.h"

namespace sinter::accuracy {

// Well mixed bits of a counter (Steele, Lea and Flood, Fast splittable pseudorandom number generators, 2014).
inline uint64_t mixed(uint64_t n) {
  n = (n + 1) * 0x9E3779B97F4A7C15u;
  n = (n ^ (n >> 30)) * 0xBF58476D1CE4E5B9u;
  n = (n ^ (n >> 27)) * 0x94D049BB133111EBu;
  return n ^ (n >> 31);
}

inline float f32_of(uint64_t number) { return std::bit_cast<float>(static_cast<uint32_t>(number)); }  // of 2^32

// Of every sign and exponent in turn, every second one of those between 2^-40 and 2^11; with the first and last significands among them.
template <class T>
T stratified(uint64_t number) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  constexpr int fraction = std::numeric_limits<T>::digits - 1;
  constexpr uint64_t exponents = uint64_t{1} << (8 * sizeof(T) - 1 - fraction), bias = exponents / 2 - 1, low = (uint64_t{1} << fraction) - 1;
  uint64_t random = mixed(number), turn = number / (4 * exponents);
  uint64_t exponent = number % 2 ? bias - 40 + number / 4 % 51 : number / 4 % exponents, sign = number / 2 % 2;
  uint64_t significand = turn < 4 ? turn : turn < 8 ? low - (turn - 4) : random & low;
  return std::bit_cast<T>(static_cast<Bits>((sign * exponents + exponent) << fraction | significand));
}

// The second of a pair: of any exponent, near the first, or a small whole number or half of one.
template <class T>
T beside(T first, uint64_t number) {
  const uint64_t random = mixed(~number);
  if (number / 4 % 4 == 1) return first * static_cast<T>(1 + static_cast<double>(random >> 11) * 0x1p-53);
  if (number / 4 % 4 == 2) return static_cast<T>(static_cast<int64_t>(random % 81) - 40) / 2;
  if (number / 4 % 4 == 3) return static_cast<T>((static_cast<double>(random >> 11) * 0x1p-52 - 1) * 16);
  return stratified<T>(random);
}

// Every 17th is a base next to 1 and an exponent for which the power is neither 0 nor infinite.
template <class T>
std::pair<T, T> pair(uint64_t number) {
  const T first = stratified<T>(number);
  if (number % 17) return {first, beside(first, number)};
  const uint64_t random = mixed(~number);
  const auto unit = [](uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-52 - 1; };  // in [-1, 1)
  const T base = static_cast<T>(1 + unit(mixed(random)) / 2 * std::ldexp(1.0, -static_cast<int>(random % std::numeric_limits<T>::digits)));
  return {base, base == 1 ? first : static_cast<T>(unit(random) * (std::numeric_limits<T>::max_exponent + std::numeric_limits<T>::digits) / std::log2(static_cast<double>(base)))};
}

}  // namespace sinter::accuracy
