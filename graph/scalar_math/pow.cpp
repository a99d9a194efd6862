// pow, |x|^y = 2^(y log2 |x|), log2 and log10: the logarithm in f64 for f32, and in two f64 for f64.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

// 2^k m = x for 0 < x finite, m in [sqrt(1/2), sqrt(2)).
struct Split {
  Scalar k, m;
};
Split split_f64(Scalar x) {
  constexpr uint64_t one = 0x3ff0000000000000, root_half = 0x3fe6a09e667f3bcd, fraction = 0x000fffffffffffff;
  Scalar tiny = x < x.like(0x1p-1022);
  Scalar moved = bitcast(select(tiny, x * 0x1p54, x), u64) + as_constant(x, u64, one - root_half);
  Scalar m = bitcast((moved & as_constant(x, u64, fraction)) + as_constant(x, u64, root_half), f64);
  Scalar k = bitcast((moved >> 52) | as_constant(x, u64, 0x4330000000000000), f64) - select(tiny, x.like(0x1p52 + 1023 + 54), x.like(0x1p52 + 1023));
  return {k, m};
}

// log2 of an f32 in f64, of a relative error of 2^-36.
Scalar log2_of_f32(Scalar x) {
  auto [k, m] = split_f64(convert(x, f64));
  Scalar s = (m - 1) / (m + 1);
  Scalar tail = polynomial(s * s, {0x1.5ce8ed2c8dd5p-2, 0x1.a58d80e2babfep-2, 0x1.27777ff893f95p-1, 0x1.ec709d12bae8bp-1, 0x1.71547652bee05p+1});
  return fma(s, tail, k);
}

// |x|^y for f32: the logarithm and its product with y in f64; 2^n twice as in exp.
Scalar magnitude_f32(Scalar ax, Scalar y) {
  Scalar log2 = log2_of_f32(ax);
  Scalar product = convert(at_least(at_most(y, 0x1p40), -0x1p40), f64) * log2;
  product = at_least(at_most(product, 160), -160);
  Scalar shifted = fma(product, product.like(0.5), product.like(0x1.8p52 + 127));
  Scalar r = convert(fma(shifted - (0x1.8p52 + 127), product.like(-2), product), f32);
  Scalar scale = bitcast(convert(bitcast(shifted, i64), i32) << 23, f32);
  return polynomial(r, {0x1.f9ca3ap-17, 0x1.480adep-13, 0x1.5da63cp-10, 0x1.3b205p-7, 0x1.c6b02cp-5, 0x1.ebfbf6p-3, 0x1.62e43p-1, 1}) * scale * scale;
}

}  // namespace

TwoParts pieces::log2_parts(Scalar x) {

  auto [k, m] = split_f64(x);
  // s = f / (2 + f) in two parts.
  Scalar f = m - 1, g = f + 2, g_low = f - (g - 2);
  Scalar inverse = 1 / g;
  Scalar s = f * inverse;
  Scalar s_low = inverse * fma(-s, g_low, fma(-s, g, f));
  // atanh(s) = s + s^3 (1/3 + z P(z)), z = s^2
  Scalar z = s * s, z_low = fma(s, s, -z) + 2 * s * s_low;
  Scalar w = z * polynomial(z, {0x1.eb3db6382ae4ap-5, 0x1.de30d997bfa09p-5, 0x1.1120b1468686cp-4, 0x1.3b13637759872p-4, 0x1.745d182c9c816p-4,
                                0x1.c71c71c5936d5p-4, 0x1.2492492492f51p-3, 0x1.9999999999996p-3});
  constexpr double third = 0x1.5555555555555p-2, third_low = 0x1.5555555555555p-56;
  Scalar a = w + third, a_low = (third - a + w) + third_low;
  Scalar t = z * a, t_low = fma(z, a, -t) + fma(z, a_low, z_low * a);
  Scalar u = s * t, u_low = fma(s, t, -u) + fma(s, t_low, s_low * t);
  Scalar atanh = s + u, atanh_low = (s - atanh + u) + (u_low + s_low);
  constexpr double factor = 0x1.71547652b82fep+1, factor_low = 0x1.777d0ffda0d24p-55;
  Scalar c = atanh * factor, c_low = fma(atanh, atanh.like(factor), -c) + fma(atanh, atanh.like(factor_low), atanh_low * factor);
  Scalar log2 = k + c;
  return {log2, (k - log2 + c) + c_low};
}

PowerParts pieces::exp2_parts(Scalar high, Scalar low) {
  high = at_least(at_most(high, 2000), -2000);
  Scalar shifted = high + (0x1.8p52 + 2046);
  Scalar n = shifted - (0x1.8p52 + 2046);
  Scalar half_shifted = fma(high, high.like(0.5), high.like(0x1.8p52 + 1023));
  // Where the high part was cut off the low one means nothing; cut it off too.
  Scalar r = log_2 * at_least(at_most((high - n) + low, 0.51), -0.51);
  Scalar rest = bitcast(bitcast(shifted, i64) - bitcast(half_shifted, i64), f64);
  return {fma(exp_slope(r), r, r.like(1)), power_of_two(half_shifted), power_of_two(rest)};
}

namespace {

// |x|^y for f64.
Scalar magnitude_f64(Scalar ax, Scalar y) {
  auto [log2, log2_low] = log2_parts(ax);
  y = at_least(at_most(y, 0x1p65), -0x1p65);
  Scalar product = y * log2;
  Scalar product_low = fma(y, log2, -product) + y * log2_low;
  auto [mantissa, first, second] = exp2_parts(product, product_low);
  return mantissa * first * second;
}

}  // namespace

Scalar pow(Scalar x, Scalar y) {
  Format f = format_of(x);
  ensure(x.type() == y.type(), "a pow of two types");
  Scalar zero = x.like(0), one = x.like(1), inf = x.like(infinity);
  Scalar ax = abs(x);
  Scalar result = f.single() ? magnitude_f32(ax, y) : magnitude_f64(ax, y);
  Scalar is_integer = floor(y) == y;
  Scalar half = y * 0.5;
  Scalar is_odd = is_integer & (floor(half) != half);
  result = select((x < zero) & ~is_integer, x.like(not_a_number), result);
  // 0, infinity and NaN: they are their own powers, or the other's of 0 and infinity.
  Scalar is_zero = ax == zero;
  Scalar inverse = select(is_zero, inf, select(ax == inf, zero, ax));
  Scalar special = select(is_nan(y), y, select(y < zero, inverse, ax));
  result = select((ax < inf) & ~is_zero, result, special);
  Scalar sign = select(is_odd, sign_bit(x), as_constant(x, f.integer, 0));
  result = bitcast(bitcast(result, f.integer) ^ sign, f.type);
  return select((y == zero) | (x == one), one, result);
}

Scalar log2(Scalar x) {
  if (format_of(x).single()) return log_specials(x, convert(log2_of_f32(x), f32));
  auto [high, low] = log2_parts(x);
  return log_specials(x, high + low);
}

Scalar log10(Scalar x) {
  constexpr double factor = 0x1.34413509f79ffp-2, factor_low = -0x1.9dc1da994fd21p-59;
  if (format_of(x).single()) return log_specials(x, convert(log2_of_f32(x) * factor, f32));
  auto [high, low] = log2_parts(x);
  Scalar product = high * factor;
  Scalar rest = fma(high, x.like(factor), -product) + fma(high, x.like(factor_low), low * factor);
  return log_specials(x, product + rest);
}

}  // namespace sinter::scalar
