// exp, exp2 and expm1: x = n log(2) + r (Cody and Waite's reduction), a polynomial in r, a scaling by 2^n.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

// exp(r) for |r| a little over log(2).
Scalar exp_wide(Scalar r) {
  // By tools/minimax/tune.cpp from the minimax polynomial: rounding in the evaluation, not the approximation, makes most of the error.
  if (r.type() == f32)
    return polynomial(r, {0x1.9f2916p-13, 0x1.7227aep-10, 0x1.112444p-7, 0x1.5547a2p-5, 0x1.5554fap-3, 0x1.000012p-1, 1, 1});
  return polynomial(r, {0x1.5e6c1decd5948p-33, 0x1.217afe600086bp-29, 0x1.ae713b84c74d9p-26, 0x1.27e1c942d3452p-22, 0x1.71de29f3187b9p-19,
                        0x1.a01a0582f7c07p-16, 0x1.a01a01b248958p-13, 0x1.6c16c169bf85cp-10, 0x1.11111111081c4p-7, 0x1.5555555556950p-5,
                        0x1.55555555555b7p-3, 0x1.ffffffffffff3p-2, 1, 1});
}

// (expm1(r) - r) / r^2 for |r| a little over log(2)/2.
Scalar expm1_tail(Scalar r) {
  if (r.type() == f32) return polynomial(r, {0x1.9e6daap-13, 0x1.6d3ad8p-10, 0x1.1112dcp-7, 0x1.5554f8p-5, 0x1.555554p-3, 0.5});
  return polynomial(r, {0x1.1f27cd63d9677p-29, 0x1.af5cfda09f2c0p-26, 0x1.27e50270a19e6p-22, 0x1.71ddf94d094b3p-19, 0x1.a01a019aaffefp-16,
                        0x1.a01a01af8f730p-13, 0x1.6c16c16c16f5dp-10, 0x1.111111110f72dp-7, 0x1.5555555555559p-5, 0x1.5555555555559p-3, 0.5});
}

}  // namespace

Scalar exp(Scalar x) {
  Format f = format_of(x);
  x = at_least(at_most(x, f.single() ? 89 : 710), f.single() ? -104 : -746);
  // Reducing by even multiples, x = 2 n log(2) + r, lets 2^n be multiplied in twice: 4^n runs past both ends of the exponents, and the
  // second product alone rounds, to a denormal or to infinity. That is cheaper than the terms that twice the range of r costs.
  double round = f.round + f.bias;
  Scalar shifted = fma(x, x.like(log2_e / 2), x.like(round));
  Scalar r = minus_multiple_of_log_2(x, shifted - round, 2);
  Scalar scale = power_of_two(shifted);
  return exp_wide(r) * scale * scale;
}

Scalar pieces::half_exp(Scalar x) {
  Format f = format_of(x);
  x = at_most(x, f.single() ? 90 : 711);
  double round = f.round + f.bias;
  Scalar shifted = fma(x, x.like(log2_e / 2), x.like(round));
  Scalar scale = power_of_two(shifted);
  return exp_wide(minus_multiple_of_log_2(x, shifted - round, 2)) * scale * (scale * 0.5);
}

// x = 2 n + r exactly; 4^n in two products, as in exp.
Scalar exp2(Scalar x) {
  Format f = format_of(x);
  x = at_least(at_most(x, f.single() ? 130 : 1026), f.single() ? -152 : -1078);
  double round = f.round + f.bias;
  Scalar shifted = fma(x, x.like(0.5), x.like(round));
  Scalar r = fma(shifted - round, x.like(-2), x);
  Scalar scale = power_of_two(shifted);
  Scalar base = f.single() ? polynomial(r, {0x1.f9ca3ap-17, 0x1.480adep-13, 0x1.5da63cp-10, 0x1.3b205p-7, 0x1.c6b02cp-5, 0x1.ebfbf6p-3, 0x1.62e43p-1, 1})
                           : exp_wide(r * log_2);
  return base * scale * scale;
}

Scalar expm1(Scalar x) {
  Format f = format_of(x);
  x = at_least(at_most(x, f.single() ? 89 : 710), f.single() ? -20 : -40);
  double round = f.round + f.bias - 1;
  Scalar shifted = fma(x, x.like(log2_e), x.like(round));
  Scalar n = shifted - round;
  Scalar r = minus_multiple_of_log_2(x, n);
  // r + (r tail) r, the product inside made +0 for a zero, so that -0 stays -0.
  Scalar part = fma(r, fma(expm1_tail(r), r, x.like(0)), r);
  // Half of 2^n is finite for all n; but for n = 0 the halves of denormals would be rounded, and -0 lost.
  Scalar half = power_of_two(shifted);
  return select(n == x.like(0), part, 2 * fma(half, part, half - 0.5));
}

}  // namespace sinter::scalar
