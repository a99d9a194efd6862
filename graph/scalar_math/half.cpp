// f16 and bf16 from and to f32, by the bits. Exact, or rounded to nearest, to even of two; NaN stays NaN.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

Scalar number(Scalar x, uint64_t bits) { return as_constant(x, u32, bits); }

Scalar f32_of_f16(Scalar half) {
  Scalar bits = bitcast(half, u32), magnitude = (bits & number(half, 0x7fff)) << 13;
  // The exponent's biases differ by 112; the product makes normal numbers of denormal ones.
  Scalar scaled = bitcast(bitcast(magnitude, f32) * 0x1p112, u32);
  Scalar special = magnitude | number(half, 0x7f800000);
  Scalar found = select(magnitude < number(half, 0x0f800000), scaled, special);
  return bitcast(found | (bits & number(half, 0x8000)) << 16, f32);
}

Scalar f16_of_f32(Scalar x) {
  Scalar bits = bitcast(x, u32), magnitude = bits & number(x, 0x7fffffff);
  // Adding just less than half a unit, and one more where the last bit is set, rounds to even; it may carry as far as infinity.
  Scalar normal = (magnitude + (number(x, 0xfff - (112u << 23)) + ((magnitude >> 13) & number(x, 1)))) >> 13;
  normal = select(magnitude < number(x, 0x47800000), normal, number(x, 0x7c00));
  // 1/2 has the unit in the last place that denormal numbers of f16 are made of.
  Scalar denormal = bitcast(bitcast(magnitude, f32) + 0.5, u32) - number(x, 0x3f000000);
  Scalar found = select(magnitude < number(x, 0x38800000), denormal, normal);
  found = select(magnitude > number(x, 0x7f800000), number(x, 0x7e00), found);
  return bitcast(found | ((bits >> 16) & number(x, 0x8000)), f16);
}

Scalar bf16_of_f32(Scalar x) {
  Scalar bits = bitcast(x, u32);
  Scalar rounded = (bits + (((bits >> 16) & number(x, 1)) + number(x, 0x7fff))) >> 16;
  return bitcast(select(is_nan(x), number(x, 0x7fc0), rounded), bf16);
}

// An f32 that rounds as the f64 does to any float of 22 bits or less: cut off, its last bit set where anything was lost (Boldo and Melquiond,
// "Emulation of a FMA and correctly rounded sums: proved algorithms using rounding to odd", 2008).
Scalar rounded_to_odd(Scalar x) {
  Scalar near = convert(x, f32), back = convert(near, f64), bits = bitcast(near, u32);
  Scalar one = number(x, 1), none = number(x, 0);
  Scalar cut = bits - select(abs(x) < abs(back), one, none);
  return bitcast(cut | select(back != x, one, none), f32);
}

}  // namespace

Scalar pieces::widened(Scalar half) {
  return half.type() == f16 ? f32_of_f16(half) : bitcast(bitcast(half, u32) << 16, f32);
}

Scalar pieces::narrowed(Scalar x, DType to) {
  const bool is_exact = x.type() == f32 || x.type() == boolean || x.type() == u8;  // in f32
  Scalar single = x.type() == f32 ? x : is_exact ? convert(x, f32) : rounded_to_odd(convert(x, f64));
  return to == f16 ? f16_of_f32(single) : bf16_of_f32(single);
}

}  // namespace sinter::scalar
