// exp, expm1, and what is made of them: x = n log(2) + r with |r| <= log(2)/2 (Cody and Waite), a polynomial in r, a scaling by 2^n.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace pieces {
namespace {

constexpr double log2_e = 0x1.71547652b82fep+0;

// n * high is exact for every n that occurs, without fma too.
struct Log2 {
  double high, low;
};
Log2 log_of_2(const Format& f) { return f.type == f32 ? Log2{0x1.62e4p-1, 0x1.7f7d1cp-20} : Log2{0x1.62e42fefa3p-1, 0x1.3de6af278ece6p-42}; }

}  // namespace

Scalar exp_polynomial(Scalar r, double s) {
  if (r.type() == f32) return polynomial(r, {0x1.6a734cp-10, s * 0x1.123a7p-7, 0x1.55588ap-5, s * 0x1.55549p-3, 0x1.fffffcp-2, s, 1});
  return polynomial(r, {0x1.ad9b908a29bd3p-26 * s, 0x1.28aee3c086b9fp-22, 0x1.71df1b190198fp-19 * s, 0x1.a019987164a00p-16, 0x1.a01a012c9de40p-13 * s,
                        0x1.6c16c184c5cecp-10, 0x1.11111111279d9p-7 * s, 0x1.55555555505cep-5, 0x1.55555555554f9p-3 * s, 0x1.000000000000ap-1, s, 1});
}

namespace {

// (expm1(r) - r) / r^2
Scalar expm1_tail(Scalar r) {
  if (r.type() == f32) return polynomial(r, {0x1.6b32eep-10, 0x1.123cb6p-7, 0x1.555754p-5, 0x1.555496p-3, 0x1.fffffep-2});
  return polynomial(r, {0x1.1f27cd63d9677p-29, 0x1.af5cfda09f2c0p-26, 0x1.27e50270a19e6p-22, 0x1.71ddf94d094b3p-19, 0x1.a01a019aaffefp-16,
                        0x1.a01a01af8f730p-13, 0x1.6c16c16c16f5dp-10, 0x1.111111110f72dp-7, 0x1.5555555555559p-5, 0x1.5555555555559p-3, 0.5});
}

// (expm1(-r) + r) / r^2
Scalar minus_expm1_tail(Scalar r) {
  if (r.type() == f32) return polynomial(r, {0x1.6b32eep-10, -0x1.123cb6p-7, 0x1.555754p-5, -0x1.555496p-3, 0x1.fffffep-2});
  return polynomial(r, {0x1.1f27cd63d9677p-29, -0x1.af5cfda09f2c0p-26, 0x1.27e50270a19e6p-22, -0x1.71ddf94d094b3p-19, 0x1.a01a019aaffefp-16,
                        -0x1.a01a01af8f730p-13, 0x1.6c16c16c16f5dp-10, -0x1.111111110f72dp-7, 0x1.5555555555559p-5, -0x1.5555555555559p-3, 0.5});
}

// (expm1(2h) / 2 - h) / h^2: the coefficients above times powers of two.
Scalar half_expm1_tail(Scalar h) {
  if (h.type() == f32) return polynomial(h, {0x1.6b32eep-5, 0x1.123cb6p-3, 0x1.555754p-2, 0x1.555496p-1, 0x1.fffffep-1});
  return polynomial(h, {0x1.1f27cd63d9677p-18, 0x1.af5cfda09f2c0p-16, 0x1.27e50270a19e6p-13, 0x1.71ddf94d094b3p-11, 0x1.a01a019aaffefp-9,
                        0x1.a01a01af8f730p-7, 0x1.6c16c16c16f5dp-5, 0x1.111111110f72dp-3, 0x1.5555555555559p-2, 0x1.5555555555559p-1, 1});
}

}  // namespace

Scalar half_expm1_of_double(Scalar half) {
  Format f = format_of(half);
  double round = f.round + f.bias;
  Scalar shifted = fma(half, half.like(2 * log2_e), half.like(round));
  // One constant for log(2) is enough: its error is n times a small part of an ulp, against a result that 1/result attenuates.
  Scalar r = fma(shifted - round, half.like(-0x1.62e42fefa39efp-2), half);
  Scalar part = fma(r * r, half_expm1_tail(r), r);
  Scalar scale = power_of_two(shifted);
  return fma(scale, part, fma(scale, half.like(0.5), half.like(-0.5)));
}

Scalar minus_expm1_of_minus(Scalar g) {
  Format f = format_of(g);
  double round = f.round + f.bias;
  Scalar shifted = fma(g, g.like(-log2_e), g.like(round));
  Scalar n = shifted - round;
  // -r: the error of log(2) in one constant is small against 1 - exp(-g) as soon as n is not 0.
  Scalar r = fma(n, g.like(0x1.62e42fefa39efp-1), g);
  Scalar part = fma(r * r, -minus_expm1_tail(r), r);
  Scalar scale = power_of_two(shifted);
  return fma(scale, part, 1 - scale);
}

}  // namespace pieces

using namespace pieces;

Scalar exp(Scalar x) {
  Format f = format_of(x);
  bool single = f.type == f32;
  x = at_least(at_most(x, single ? 89 : 710), single ? -104 : -746);
  // 2^n in two factors, 2^i and 2^(n-i) with i = round(n/2), as n runs past both ends of the exponents.
  double round_n = f.round + 2 * f.bias, round_i = f.round + f.bias;
  Scalar n_shifted = fma(x, x.like(log2_e), x.like(round_n)), i_shifted = fma(x, x.like(log2_e / 2), x.like(round_i));
  Scalar n = n_shifted - round_n;
  Log2 log2 = log_of_2(f);
  Scalar r = fma(n, x.like(-log2.low), fma(n, x.like(-log2.high), x));
  Scalar rest = bitcast(bitcast(n_shifted, f.integer) - bitcast(i_shifted, f.integer), f.type);
  return exp_polynomial(r, 1) * power_of_two(i_shifted) * power_of_two(rest);
}

Scalar expm1(Scalar x) {
  Format f = format_of(x);
  bool single = f.type == f32;
  x = at_least(at_most(x, single ? 89 : 710), single ? -20 : -40);
  double round = f.round + f.bias - 1;
  Scalar shifted = fma(x, x.like(log2_e), x.like(round));
  Scalar n = shifted - round;
  Log2 log2 = log_of_2(f);
  Scalar r = fma(n, x.like(-log2.low), fma(n, x.like(-log2.high), x));
  // r + (r * tail) * r, the product inside made +0 for a zero, so that -0 stays -0.
  Scalar part = fma(r, fma(expm1_tail(r), r, x.like(0)), r);
  // Half of 2^n is finite for all n; but for n = 0 the halves of denormals would be rounded, and -0 lost.
  Scalar half = power_of_two(shifted);
  return select(n == x.like(0), part, 2 * fma(half, part, half - 0.5));
}

Scalar sigmoid(Scalar x) {
  Format f = format_of(x);
  bool single = f.type == f32;
  x = at_least(at_most(x, single ? 60 : 600), single ? -104 : -746);
  // c / (c + c exp(-x)) with c = 2^-lift, which keeps exp(-x) from overflowing where the result is denormal.
  int lift = single ? 24 : 55;
  double round = f.round + f.bias - lift;
  Scalar shifted = fma(x, x.like(-log2_e), x.like(round));
  Scalar n = shifted - round;
  Log2 log2 = log_of_2(f);
  Scalar minus_r = fma(n, x.like(log2.low), fma(n, x.like(log2.high), x));
  double c = single ? 0x1p-24 : 0x1p-55;
  return c / fma(exp_polynomial(minus_r, -1), power_of_two(shifted), x.like(c));
}

Scalar tanh(Scalar x) {
  Format f = format_of(x);
  Scalar bits = bitcast(x, f.integer);
  Scalar sign = bits & x.builder->constant_bits(f.integer, uint64_t{1} << (f.type == f32 ? 31 : 63));
  Scalar h = half_expm1_of_double(at_most(bitcast(bits ^ sign, f.type), f.type == f32 ? 10 : 20));
  return bitcast(bitcast(h / (h + 1), f.integer) ^ sign, f.type);
}

}  // namespace sinter::scalar
