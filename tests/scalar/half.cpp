// f16 and bf16: rounded to nearest, to even of two, whether in C++ or as a scalar expression.
#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>

#include "tests/scalar/support.h"

namespace sinter {
namespace {

template <class Half>
Half of_bits(uint32_t bits) {
  Half half;
  half.bits = static_cast<uint16_t>(bits);
  return half;
}

// What rounding to nearest is by definition: a half from its value, and from what lies about the middle between it and its successor.
template <class Half>
void check_rounding(uint32_t infinity) {
  for (uint32_t b = 0; b < infinity; ++b) {
    const double low = of_bits<Half>(b), high = b + 1 == infinity ? 2 * low - static_cast<double>(of_bits<Half>(b - 1)) : of_bits<Half>(b + 1), middle = (low + high) / 2;
    const uint32_t even = b % 2 ? b + 1 : b;
    INFO(b);
    REQUIRE(low < high);
    for (uint32_t sign : {0u, 0x8000u}) {
      const double s = sign ? -1 : 1;
      REQUIRE(Half(s * low).bits == (b | sign));
      REQUIRE(Half(s * middle).bits == (even | sign));
      REQUIRE(Half(s * std::nextafter(middle, 0)).bits == (b | sign));
      REQUIRE(Half(s * std::nextafter(middle, high)).bits == ((b + 1) | sign));
    }
  }
  for (double beyond : {1e39, 1e300, HUGE_VAL}) CHECK((Half(beyond).bits == infinity && Half(-beyond).bits == (infinity | 0x8000)));
  CHECK(std::isinf(of_bits<Half>(infinity)));
  for (uint32_t nan = infinity + 1; nan <= 0x7fff; ++nan) REQUIRE(std::isnan(of_bits<Half>(nan)));
  CHECK(std::isnan(Half(std::nan(""))));
}

// `from` through convert(), and what C++ makes of it.
template <class To, class From>
void check_converted(const std::vector<From>& from) {
  std::vector<To> got(from.size());
  const void* inputs[] = {from.data()};
  void* outputs[] = {got.data()};
  evaluate(expr_of([](Scalar x) { return scalar::convert(x, dtype_of<To>()); }, dtype_of<From>()), inputs, outputs, static_cast<int64_t>(from.size()));
  for (size_t i = 0; i < from.size(); ++i) {
    const To want = static_cast<To>(static_cast<double>(from[i]));
    INFO(static_cast<double>(from[i]) << " is " << static_cast<double>(got[i]) << ", not " << static_cast<double>(want));
    bool both_nan = std::isnan(static_cast<double>(want)) && std::isnan(static_cast<double>(got[i]));
    if (!both_nan && std::memcmp(&got[i], &want, sizeof want) != 0) FAIL();
  }
}

template <class Half>
std::vector<Half> all_halves() {
  std::vector<Half> all;
  for (uint32_t b = 0; b < 0x10000; ++b) all.push_back(of_bits<Half>(b));
  return all;
}

// Of every sign and exponent, and next to what rounding turns on: the fraction's upper bits are those of a half, what is below nothing, half a unit, or near that.
std::vector<float> floats_between_halves() {
  std::vector<float> all;
  for (uint32_t upper = 0; upper < 1u << 19; ++upper)
    for (uint32_t lower : {0x0000u, 0x0001u, 0x0fffu, 0x1000u, 0x1001u, 0x1fffu}) all.push_back(std::bit_cast<float>(upper << 13 | lower));
  return all;
}

std::vector<double> doubles_between_halves() {
  std::vector<double> all;
  std::mt19937_64 random(1);
  for (float f : floats_between_halves())
    if (random() % 8 == 0)
      for (uint64_t lower : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 28, (uint64_t{1} << 29) - 1}) all.push_back(std::bit_cast<double>(std::bit_cast<uint64_t>(static_cast<double>(f)) | lower));
  for (int k = 0; k < 100000; ++k) all.push_back(std::bit_cast<double>(random()));
  return all;
}

template <class Half>
void check_conversions() {
  check_converted<float>(all_halves<Half>());
  check_converted<double>(all_halves<Half>());
  check_converted<Half>(floats_between_halves());
  check_converted<Half>(doubles_between_halves());
  std::vector<int32_t> whole;
  for (int32_t i = -70000; i <= 70000; ++i) whole.push_back(i);
  for (int k = 0; k < 31; ++k) whole.push_back((1 << k) + 1), whole.push_back(-(1 << k) - 1);
  check_converted<Half>(whole);
  check_converted<Half>(std::vector<uint8_t>{0, 1, 127, 128, 254, 255});
  check_converted<Half>(std::vector<uint64_t>{0, 1, 65519, 65520, ~uint64_t{0}, uint64_t{1} << 63});
}

}  // namespace

TEST_CASE("f16 and bf16 round to nearest, to even of two") {
  check_rounding<float16>(0x7c00);
  check_rounding<bfloat16>(0x7f80);
}

TEST_CASE("convert() of f16 and bf16 is what C++ makes of them") {
  check_conversions<float16>();
  check_conversions<bfloat16>();
  check_converted<bfloat16>(std::vector<float16>(all_halves<float16>()));
  check_converted<float16>(std::vector<bfloat16>(all_halves<bfloat16>()));
}

}  // namespace sinter
