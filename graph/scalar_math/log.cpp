// log and log1p: a value is 2^k (1 + f) with 1 + f around 1, and log(1 + f) is a polynomial, or one of f / (2 + f) in f64.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

constexpr uint64_t least_f32 = 0x3f340000, root_half_f64 = 0x3fe6a09e667f3bcd;

// log(1 + f) for 0.703125 <= 1 + f < 1.40625, which least_f32 begins.
Scalar log_f32(Scalar f) {
  Scalar q = polynomial(f, {-0x1.486038p-4, 0x1.090846p-3, -0x1.0c804ap-3, 0x1.224f7ap-3, -0x1.547bdap-3, 0x1.99a5eap-3,
                            -0x1.00021cp-2, 0x1.55554cp-2, -0.5});
  return fma(f * f, q, f);
}

// log(1 + f) + k log(2) for sqrt(1/2) <= 1 + f < sqrt(2), as fdlibm arranges it: what f loses in s is added back.
Scalar log_f64(Scalar f, Scalar k) {
  Scalar s = f / (f + 2);
  Scalar z = s * s;
  Scalar tail = z * polynomial(z, {0x1.2f067565217d6p-3, 0x1.39a1b34064610p-3, 0x1.74663e5e910c2p-3, 0x1.c71c521079238p-3, 0x1.24924941e23cdp-2,
                                   0x1.999999997ff39p-2, 0x1.5555555555592p-1});
  Scalar half_square = (f * 0.5) * f;
  Scalar rest = half_square - fma(s, half_square + tail, k * 0x1.a39ef35793c76p-33);
  return fma(k, f.like(0x1.62e42fee00000p-1), f - rest);
}

// The float in [1, 2) x 2^52 with the integer `k` in its low bits, less 2^52 + bias: k as a float, on targets that cannot convert.
Scalar unbiased_f64(Scalar biased) {
  return bitcast(biased | as_constant(biased, u64, 0x4330000000000000), f64) - (0x1p52 + 1023);
}

}  // namespace

Scalar log(Scalar x) {
  if (format_of(x).single()) {
    Scalar tiny = x < x.like(0x1p-126);
    Scalar normal = bitcast(select(tiny, x * 0x1p23, x), i32);
    Scalar e = (normal - as_constant(x, i32, least_f32)) & as_constant(x, i32, 0xff800000);
    Scalar k = convert(e, f32) + select(tiny, x.like(-23 * 0x1p23), x.like(0));
    Scalar f = bitcast(normal - e, f32) - 1;
    return log_specials(x, fma(k, x.like(0x1.62e43p-1 * 0x1p-23), log_f32(f)));
  }
  Scalar tiny = x < x.like(0x1p-1022);
  Scalar bits = bitcast(select(tiny, x * 0x1p54, x), u64);
  constexpr uint64_t one = 0x3ff0000000000000, fraction = 0x000fffffffffffff;
  Scalar moved = bits + as_constant(x, u64, one - root_half_f64);
  Scalar f = bitcast((moved & as_constant(x, u64, fraction)) + as_constant(x, u64, root_half_f64), f64) - 1;
  Scalar k = unbiased_f64(moved >> 52) + select(tiny, x.like(-54), x.like(0));
  return log_specials(x, log_f64(f, k));
}

Scalar log1p(Scalar x) {
  Scalar u = x + 1;
  // 1 + f = 2^-k (1 + x), where f = 2^-k x - (1 - 2^-k): the rounding of 1 + x never enters. The last bracket is +0 for k = 0, so that
  // -0 stays -0, and 2^-k x is made by adding to x's exponent, exact as k > 0 only for large x. Exponents are negated: -0 + 0 would be 0.
  Scalar result = x;
  if (format_of(x).single()) {
    Scalar minus_e = (as_constant(x, i32, least_f32 + 0x7fffff) - bitcast(u, i32)) & as_constant(x, i32, 0xff800000);
    Scalar scaled = bitcast(bitcast(x, i32) + minus_e, f32);
    Scalar four = bitcast(minus_e + as_constant(x, i32, 0x40800000), f32);
    Scalar f = scaled - fma(four, x.like(-0.25), x.like(1));
    result = fma(convert(minus_e, f32), x.like(-0x1.62e43p-1 * 0x1p-23), log_f32(f));
  } else {
    constexpr uint64_t one = 0x3ff0000000000000, exponent = 0x7ff0000000000000;
    Scalar moved = bitcast(u, u64) + as_constant(x, u64, one - root_half_f64);
    Scalar e = (moved & as_constant(x, u64, exponent)) - as_constant(x, u64, one);
    Scalar scaled = bitcast(bitcast(x, u64) - e, f64);
    Scalar four = bitcast(as_constant(x, u64, 0x4010000000000000) - e, f64);
    Scalar f = scaled - fma(four, x.like(-0.25), x.like(1));
    result = select(x == x.like(0), x, log_f64(f, unbiased_f64(moved >> 52)));
  }
  return log_specials(u, result);
}

}  // namespace sinter::scalar
