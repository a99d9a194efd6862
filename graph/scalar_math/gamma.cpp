// The gamma function, its logarithm and the derivative of that; for f32 by way of f64.
#include <numbers>

#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

// sin(pi x) / pi for |x| <= 1/2.
Scalar sine_of_turns(Scalar x) {
  Scalar u = x * x;
  Scalar p = polynomial(u, {0x1.07437da861350p-22, -0x1.d3e6a456babacp-18, 0x1.3746a186985fcp-13, -0x1.33816997c03d9p-9, 0x1.ac6805cc89aa6p-6,
                            -0x1.86a8e4720a1dcp-3, 0x1.9f9cb402bc429p-1, -0x1.a51a6625307d3p+0});
  return fma(x * u, p, x);
}

// x less the nearest whole number; 0 for what is whole because it is large.
Scalar fraction(Scalar x) { return select(abs(x) < x.like(0x1p52), x - round_even(x), x.like(0)); }

// lgamma(2 + d) for |d| <= 1/2.
Scalar near_two(Scalar d) {
  Scalar p = polynomial(d, {0x1.2908f7176ba34p-24, -0x1.1fc7852e0038fp-23, 0x1.a65a952bf937fp-23, -0x1.ce3c968521f87p-22, 0x1.01fb101983f46p-20,
                            -0x1.1274bcba8908bp-19, 0x1.2580388edf392p-18, -0x1.3cb3e18ddcaa2p-17, 0x1.580ea69ea0fcfp-16, -0x1.78de996a071dep-15,
                            0x1.a127ac1c2e385p-14, -0x1.d3fd4b6ed2919p-13, 0x1.0b36af8e873e8p-11, -0x1.38ac5c2d3ce74p-10, 0x1.7add6eada7175p-9,
                            -0x1.e404fc218dcc6p-8, 0x1.51322ac7d84f0p-6, -0x1.13e001a55760ap-4, 0x1.4a34cc4a60fa6p-2, 0x1.b0ee6072093cep-2});
  return p * d;
}

// lgamma(z) - ((z - 1/2) log(z) - z + log(2 pi) / 2) for z >= 8 by Stirling's series, of 1 / z.
Scalar stirling_rest(Scalar inverse) {
  return inverse * polynomial(inverse * inverse, {-0x1.e4286cb0f5398p-6, 0x1.a41a41a41a41ap-8, -0x1.f6ab0d9993c7dp-10, 0x1.b951e2b18ff23p-11,
                                                  -0x1.3813813813814p-11, 0x1.a01a01a01a01ap-11, -0x1.6c16c16c16c17p-9, 0x1.5555555555555p-4});
}

// z = n + d with the nearest whole n <= 8, and what lies between gamma(2 + d) and gamma(z): a product of what gamma(2 + d) is to be multiplied by,
// or divided where z < 3/2.
struct Recurrence {
  Scalar d, factors, divides;
};
Recurrence recurrence(Scalar z) {
  Scalar n = round_even(at_most(z, 8));
  Scalar d = z - n, divides = n < z.like(2);
  Scalar product = z.like(1);
  for (int j = 2; j < 8; ++j) product = select(n > z.like(j), product * (d + j), product);
  return {d, select(divides, select(n < z.like(1), z * (z + 1), z), product), divides};
}

// For z >= 0. From 8 on Stirling's series; below, z = n + d and lgamma(n + d) = lgamma(2 + d) + log of the factors between.
Scalar lgamma_of_positive(Scalar z) {
  Scalar is_large = z >= z.like(8);
  auto [d, factors, divides] = recurrence(z);
  Scalar log_part = log(select(is_large, z, factors));
  Scalar small = near_two(d) + select(divides, -log_part, log_part);
  constexpr double half_log_2_pi = 0x1.d67f1c864beb5p-1;
  Scalar large = fma(z - 0.5, log_part - 1, stirling_rest(1 / z) + (half_log_2_pi - 0.5));
  return select(is_large, large, small);
}

Scalar lgamma_f64(Scalar x) {
  Scalar negative = x < x.like(0);
  Scalar positive = lgamma_of_positive(select(negative, 1 - x, x));
  // gamma(x) gamma(1 - x) = pi / sin(pi x)
  Scalar sine = abs(sine_of_turns(fraction(x)));
  Scalar reflected = select(sine == x.like(0), x.like(infinity), -log(sine) - positive);
  return select(negative, reflected, positive);
}

// gamma(2 + d) for |d| <= 1/2.
Scalar gamma_near_two(Scalar d) {
  return polynomial(d, {-0x1.74f20e4ae158cp-20, 0x1.5f6274cdece7cp-19, -0x1.d863acc00e8aap-19, 0x1.e4e62ba63daf9p-18, -0x1.0160530e1ca24p-16, 0x1.00747d5b67131p-15,
                        -0x1.fdc60ee5ff9c4p-15, 0x1.fe3fb33bd40d1p-14, -0x1.f94c2598ecbcep-13, 0x1.011b215089d99p-11, -0x1.e21f1341ca117p-11, 0x1.13c448802b5c9p-9,
                        -0x1.75e6e922ab4a0p-9, 0x1.6d7eeaccf0724p-7, -0x1.17f374093da93p-12, 0x1.301fbb0f23ea6p-4, 0x1.4e23998464f5dp-4, 0x1.a5b978b96becap-2,
                        0x1.b0ee6072093cep-2, 1});
}

// gamma(z) for z >= 8, as the power of two of (z - 1/2) log2(z) - z log2(e) + log2(2 pi) / 2 + log2(e) times the rest, the first two terms in two parts each.
PowerParts gamma_of_large(Scalar z) {
  constexpr double log2_e_low = 0x1.777d0ffda0d24p-56, half_log2_2_pi = 0x1.536439a4c6efcp+0;
  auto [log2, log2_low] = log2_parts(z);
  Scalar times = z - 0.5;
  Scalar p = times * log2, p_low = fma(times, log2, -p) + times * log2_low;
  Scalar q = z * log2_e, q_low = fma(z, z.like(log2_e), -q) + z * log2_e_low;
  Scalar sum = p - q, back = sum - p;
  Scalar low = (p - (sum - back)) - (q + back) + (p_low - q_low);
  low = low + fma(stirling_rest(1 / z), z.like(log2_e), z.like(half_log2_2_pi));
  Scalar high = sum + low;
  return exp2_parts(high, low - (high - sum));
}

// Below 8 by the recurrence. A negative z is reflected: gamma(z) = -1 / (gamma(-z) (-z) sin(pi (-z)) / pi), a pole being NaN.
Scalar tgamma_f64(Scalar x) {
  Scalar negative = x < x.like(0), z = select(negative, -x, x), one = x.like(1);
  Scalar is_large = z >= z.like(8);
  auto [d, factors, divides] = recurrence(z);
  Scalar near = gamma_near_two(d);
  Scalar small = select(divides, near / factors, near * factors);
  auto large = gamma_of_large(at_most(z, 1000));
  Scalar mantissa = select(is_large, large.mantissa, small), first = select(is_large, large.first, one), second = select(is_large, large.second, one);
  Scalar f = fraction(z), half = round_even(z) * 0.5;
  // Factorials are whole.
  Scalar positive = mantissa * first * second;
  positive = select((f == x.like(0)) & (z < z.like(18.5)), round_even(positive), positive);
  Scalar sine = select(floor(half) == half, sine_of_turns(f), -sine_of_turns(f));
  Scalar reflected = -1 / (mantissa * z * sine) / first / second;
  reflected = select(z < z.like(0x1p-60), -1 / z, reflected);
  reflected = select((f == x.like(0)) | (z == x.like(infinity)), x.like(not_a_number), reflected);
  return select(negative, reflected, positive);
}

// For z >= 0: digamma(z) = digamma(z + n) - sum of 1 / (z + k) for k < n, kept as one fraction, and the asymptotic series from 8 on.
Scalar digamma_of_positive(Scalar z) {
  Scalar top = z.like(0), bottom = z.like(1), w = z;
  for (int k = 0; k < 8; ++k) {
    Scalar below = w < z.like(8);
    top = select(below, fma(top, w, bottom), top);
    bottom = select(below, bottom * w, bottom);
    w = select(below, w + 1, w);
  }
  Scalar inverse = 1 / w, u = inverse * inverse;
  Scalar series = u * polynomial(u, {-0x1.c5e5e5e5e5e5ep-2, 0x1.5555555555555p-4, -0x1.5995995995996p-6, 0x1.f07c1f07c1f08p-8, -0x1.1111111111111p-8,
                                     0x1.0410410410410p-8, -0x1.1111111111111p-7, 0x1.5555555555555p-4});
  return log(w) - fma(inverse, inverse.like(0.5), series) - top / bottom;
}

Scalar digamma_f64(Scalar x) {
  Scalar negative = x < x.like(0);
  Scalar positive = digamma_of_positive(select(negative, 1 - x, x));
  // digamma(1 - x) - digamma(x) = pi cot(pi x)
  Scalar f = fraction(x);
  Scalar cotangent = sine_of_turns(0.5 - abs(f)) * std::numbers::pi / sine_of_turns(f);
  Scalar reflected = select(f == x.like(0), x.like(not_a_number), positive - cotangent);
  return select(negative, reflected, positive);
}

}  // namespace

Scalar lgamma(Scalar x) { return in_f64(lgamma_f64, x); }
Scalar tgamma(Scalar x) { return in_f64(tgamma_f64, x); }
Scalar digamma(Scalar x) { return in_f64(digamma_f64, x); }

}  // namespace sinter::scalar
