// erf |x| = 1 - exp(-g) with g = -log(erfc |x|), which is smooth: one polynomial in f32, two in f64, and one exponential for all x.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

struct Exponent {  // g = base + slope * u
  Scalar base, slope, u;
};

// These and tail's for f32 are tools/minimax/tune.cpp's: together they lose less to rounding than the two best fits.
Exponent exponent_f32(Scalar t) {
  Scalar slope = polynomial(t, {-0x1.3fb608p-17, 0x1.f6594ap-14, -0x1.4f85c6p-11, 0x1.b85dc4p-10, -0x1.6beeb8p-13, -0x1.39add6p-6, 0x1.a4f7e8p-4,
                                0x1.45f302p-1, 0x1.06ebacp-3});
  return {t, slope, t};
}

// One polynomial's operations serve both intervals, [0, 1.25] and [1.25, 6]: its variable and its coefficients are chosen.
Exponent exponent_f64(Scalar t) {
  static constexpr double low[] = {
      -0x1.0680926716ac7p-29, 0x1.dcfe3fff9bbb7p-26, -0x1.a1bee237593b7p-23, 0x1.c4cc71ef24c2ap-21,
      -0x1.3acb8056cef93p-19, 0x1.c75cfb8851819p-19, 0x1.941f2fd15311dp-19, -0x1.ef15caa4bc022p-16,
      0x1.0e21cc5055f4ep-14, 0x1.b29c4313de336p-16, -0x1.35661103560b4p-11, 0x1.bca68a26e0d88p-10,
      -0x1.b6b6970a2ea75p-13, -0x1.396685928afdcp-6, 0x1.a4f4e2a1af69cp-4, 0x1.45f306dc9c8aap-1,
      0x1.06eba8214db68p-3};
  static constexpr double high[] = {
      0x1.ed17b04bf3ba3p-40, -0x1.e571fa4cb6117p-40, -0x1.200a6b5d799ffp-35, 0x1.7c4d539452781p-33,
      -0x1.bc2e1dbfc63eep-31, 0x1.e19212ad28cd4p-29, -0x1.79a721b16f7cap-27, 0x1.b0bb52b6fbb23p-27,
      0x1.4f0b778e768f4p-23, -0x1.dad9a0bbfdc0ap-20, 0x1.ac03b290507a6p-17, -0x1.43173665f5fbbp-14,
      0x1.b961395d28d4bp-12, -0x1.1bd558e71ad31p-9, 0x1.63cc1da7dc3bcp-7, 0x1.e3460a18c5352p-1,
      0x1.56925248da926p+2};
  Scalar is_high = t > t.like(1.25);
  auto chosen = [&](size_t k) { return select(is_high, t.like(high[k]), t.like(low[k])); };
  Scalar u = t - select(is_high, t.like(2.5), t.like(0));
  Scalar slope = chosen(0);
  for (size_t k = 1; k < std::size(low); ++k) slope = fma(slope, u, chosen(k));
  return {select(is_high, t.like(0x1.f3a2dc8691b91p+2), t), slope, u};
}

// (1 - r - exp(-r)) / r^2 for |r| a little over log(2)/2.
Scalar tail(Scalar r) {
  if (r.type() == f32) return polynomial(r, {-0x1.6afb58p-10, 0x1.123b5ap-7, -0x1.5557b4p-5, 0x1.55547ep-3, -0.5});
  return polynomial(r, {-0x1.1f27cd63d9677p-29, 0x1.af5cfda09f2c0p-26, -0x1.27e50270a19e6p-22, 0x1.71ddf94d094b3p-19, -0x1.a01a019aaffefp-16,
                        0x1.a01a01af8f730p-13, -0x1.6c16c16c16f5dp-10, 0x1.111111110f72dp-7, -0x1.5555555555559p-5, 0x1.5555555555559p-3, -0.5});
}

}  // namespace

Scalar erf(Scalar x) {
  Format f = format_of(x);
  Scalar t = at_most(abs(x), f.single() ? 4 : 6);
  auto [base, slope, u] = f.single() ? exponent_f32(t) : exponent_f64(t);
  double round = f.round + f.bias;
  Scalar shifted = fma(fma(slope, u, base), t.like(-log2_e), t.like(round));
  // g = -n log(2) + r. One constant for log(2) is enough: what it is off by is small against 1 - exp(-g) as soon as n is not 0.
  Scalar rest = fma(shifted - round, t.like(log_2), base);
  Scalar r = fma(slope, u, rest);
  // 1 - exp(-r) = r + r^2 tail. All that is small is added before what is large: where x is small, base = x, that leaves one rounding.
  Scalar part = rest + fma(slope, u, r * r * tail(r));
  Scalar scale = power_of_two(shifted);
  return with_sign(fma(scale, part, 1 - scale), sign_bit(x));
}

namespace {

// exp(-t^2) times (1 + 2 t) exp(t^2) erfc(t) / (1 + 2 t): the middle factor is smooth, and a polynomial of (t - 3.75) / (t + 3.75) (Shepherd
// and Laframboise 1981). t^2 = high^2 + low, the square of what has 26 bits being exact.
Scalar erfc_of_positive(Scalar t) {
  t = at_most(t, 28);
  Scalar p = polynomial((t - 3.75) / (t + 3.75),
                        {-0x1.f389eec022f58p-31, -0x1.4b4b3fd49d204p-28, 0x1.29309904652e2p-33, 0x1.59937558d061cp-25, 0x1.3502a04bd875cp-26,
                         -0x1.19a420d15c66ap-22, -0x1.c939a6ee2c5fbp-25, 0x1.d72b2f9a184cbp-20, -0x1.05d38d5a21828p-20, -0x1.8012397a48e8bp-17,
                         0x1.778dbc5aedad6p-16, 0x1.b1453136f9207p-15, -0x1.303fa9f4fcab5p-12, 0x1.33fb1db1b6cffp-12, 0x1.cc3a0e91aa92cp-10,
                         -0x1.3f603c2c28e3ap-7, 0x1.d0b0037d3021dp-6, -0x1.e0d0fa6e2781ap-5, 0x1.7a14188a9baadp-4, -0x1.bda9309a27bf9p-4,
                         0x1.510169d09673ep-4, 0x1.d5f29481596c4p-9, -0x1.1f367683f89a6p-3, 0x1.3ccda0b5d5dc2p+0});
  Scalar high = bitcast(bitcast(t, u64) & as_constant(t, u64, ~uint64_t{0} << 27), f64);
  Scalar low = (t - high) * (t + high);
  // exp(-low) - 1 over -low, low being less than 2^-14.
  Scalar slope = polynomial(low, {0x1.5555555555555p-3, -0.5, 1});
  Scalar e = exp(-(high * high));
  return fma(-(e * low), slope, e) * (p / fma(t, t.like(2), t.like(1)));
}

}  // namespace

Scalar erfc(Scalar x) {
  return in_f64(
      [](Scalar wide) {
        Scalar tail = erfc_of_positive(abs(wide));
        return select(wide < wide.like(0), 2 - tail, tail);
      },
      x);
}

}  // namespace sinter::scalar
