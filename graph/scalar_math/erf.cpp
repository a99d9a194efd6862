// erf(|x|) = -expm1(-g), g = -log(erfc(|x|)), which is smooth: a polynomial, two of them in f64. No second exponential, no division.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

Scalar g_f32(Scalar t) {
  Scalar p = polynomial(t, {-0x1.f8d574p-18, 0x1.b3bfe4p-14, -0x1.354582p-11, 0x1.a349a8p-10, -0x1.b20b1ap-14, -0x1.3a378ep-6, 0x1.a5000ap-4,
                            0x1.45f2eap-1, 0x1.06ebaap-3});
  return fma(p, t, t);
}

// One polynomial's operations serve both intervals: its variable and its coefficients are chosen.
Scalar g_f64(Scalar t) {
  static constexpr double low[] = {-0x1.0680926716ac7p-29, 0x1.dcfe3fff9bbb7p-26,  -0x1.a1bee237593b7p-23, 0x1.c4cc71ef24c2ap-21, -0x1.3acb8056cef93p-19,
                                   0x1.c75cfb8851819p-19,  0x1.941f2fd15311dp-19,  -0x1.ef15caa4bc022p-16, 0x1.0e21cc5055f4ep-14, 0x1.b29c4313de336p-16,
                                   -0x1.35661103560b4p-11, 0x1.bca68a26e0d88p-10,  -0x1.b6b6970a2ea75p-13, -0x1.396685928afdcp-6, 0x1.a4f4e2a1af69cp-4,
                                   0x1.45f306dc9c8aap-1,   0x1.06eba8214db68p-3};
  static constexpr double high[] = {0x1.ed17b04bf3ba3p-40,  -0x1.e571fa4cb6117p-40, -0x1.200a6b5d799ffp-35, 0x1.7c4d539452781p-33, -0x1.bc2e1dbfc63eep-31,
                                    0x1.e19212ad28cd4p-29,  -0x1.79a721b16f7cap-27, 0x1.b0bb52b6fbb23p-27,  0x1.4f0b778e768f4p-23, -0x1.dad9a0bbfdc0ap-20,
                                    0x1.ac03b290507a6p-17,  -0x1.43173665f5fbbp-14, 0x1.b961395d28d4bp-12,  -0x1.1bd558e71ad31p-9, 0x1.63cc1da7dc3bcp-7,
                                    0x1.e3460a18c5352p-1,   0x1.56925248da926p+2};
  Scalar is_high = t > t.like(1.25);
  auto chosen = [&](double h, double l) { return select(is_high, t.like(h), t.like(l)); };
  Scalar u = t - chosen(2.5, 0);
  Scalar p = chosen(high[0], low[0]);
  for (size_t k = 1; k < std::size(low); ++k) p = fma(p, u, chosen(high[k], low[k]));
  return fma(p, u, select(is_high, t.like(0x1.f3a2dc8691b91p+2), t));
}

}  // namespace

Scalar erf(Scalar x) {
  Format f = format_of(x);
  bool single = f.type == f32;
  Scalar bits = bitcast(x, f.integer);
  Scalar sign = bits & x.builder->constant_bits(f.integer, uint64_t{1} << (single ? 31 : 63));
  Scalar t = at_most(bitcast(bits ^ sign, f.type), single ? 4 : 6);
  Scalar g = single ? g_f32(t) : g_f64(t);
  return bitcast(bitcast(minus_expm1_of_minus(g), f.integer) ^ sign, f.type);
}

}  // namespace sinter::scalar
