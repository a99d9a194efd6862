#include "graph/scalar_math/pieces.h"

#include <bit>

namespace sinter::scalar::pieces {

Format format_of(Scalar x) {
  ensure(is_float(x.type()), "an elementary function of what is no float");
  return x.type() == f32 ? Format{f32, i32, 23, 127, 0x1.8p23} : Format{f64, i64, 52, 1023, 0x1.8p52};
}

Scalar polynomial(Scalar x, std::initializer_list<double> coefficients) {
  const double* c = coefficients.begin();
  Scalar sum = x.like(*c);
  while (++c != coefficients.end()) sum = fma(sum, x, x.like(*c));
  return sum;
}

Scalar at_most(Scalar x, double bound) {
  Scalar limit = x.like(bound);
  return select(limit < x, limit, x);
}

Scalar at_least(Scalar x, double bound) {
  Scalar limit = x.like(bound);
  return select(limit > x, limit, x);
}

Scalar as_constant(Scalar x, DType type, uint64_t bits) { return x.builder->constant_bits(type, bits); }

namespace {
Scalar sign_mask(Scalar x) {
  Format f = format_of(x);
  return as_constant(x, f.integer, uint64_t{1} << (f.single() ? 31 : 63));
}
}  // namespace

Scalar sign_bit(Scalar x) { return bitcast(x, format_of(x).integer) & sign_mask(x); }
Scalar with_sign(Scalar magnitude, Scalar sign) { return bitcast(bitcast(magnitude, sign.type()) | sign, magnitude.type()); }
Scalar minus_magnitude(Scalar x) { return bitcast(bitcast(x, format_of(x).integer) | sign_mask(x), x.type()); }

Scalar power_of_two(Scalar shifted, int step) {
  Format f = format_of(shifted);
  return bitcast(bitcast(shifted, f.integer) << (f.fraction_bits + std::countr_zero(static_cast<unsigned>(step))), f.type);
}

Scalar minus_multiple_of_log_2(Scalar x, Scalar n, int scale) {
  auto [high, low] = x.type() == f32 ? std::pair{0x1.62e4p-1, 0x1.7f7d1cp-20} : std::pair{0x1.62e42fefa3p-1, 0x1.3de6af278ece6p-42};
  return fma(n, x.like(-low * scale), fma(n, x.like(-high * scale), x));
}

Scalar exp_slope(Scalar r, int sign, double factor) {
  double even = factor, odd = factor * sign;  // powers of r before the division
  if (r.type() == f32)
    return polynomial(r, {even * 0x1.6a734cp-10, odd * 0x1.123a7p-7, even * 0x1.55588ap-5, odd * 0x1.55549p-3, even * 0x1.fffffcp-2, odd});
  return polynomial(r, {odd * 0x1.ad99902eac2cap-26, even * 0x1.28aefdbe3b05ep-22, odd * 0x1.71df1b4ec4b52p-19, even * 0x1.a01998625cc77p-16,
                        odd * 0x1.a01a012cb0152p-13, even * 0x1.6c16c184c706p-10, odd * 0x1.11111111279d9p-7, even * 0x1.55555555505cep-5,
                        odd * 0x1.55555555554f9p-3, even * 0x1.000000000000ap-1, odd});
}

Scalar log_specials(Scalar x, Scalar result) {
  result = select(x < x.like(infinity), result, x);
  Scalar pole = select(x < x.like(0), x.like(not_a_number), x.like(-infinity));
  return select(x <= x.like(0), pole, result);
}

}  // namespace sinter::scalar::pieces
