// tanh, sigmoid and softplus.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

// r coth(r), of u = r^2.
Scalar r_coth_r(Scalar u) {
  // f32's by tools/minimax/tune.cpp.
  if (u.type() == f32) return polynomial(u, {0x1.c79a3p-17, -0x1.a4697ep-13, 0x1.148702p-9, -0x1.6c10b4p-6, 0x1.55555p-2, 1});
  return polynomial(u, {-0x1.1a2ddaf16bd7dp-33, 0x1.17404371867d1p-29, -0x1.78e72a21e8ad5p-26, 0x1.d666b0901d581p-23, -0x1.227ce33139acep-19,
                        0x1.66a8d1f6e7815p-16, -0x1.bbd7787c30f2bp-13, 0x1.1566abbefba8cp-9, -0x1.6c16c16c15411p-6, 0x1.555555555555p-2, 1});
}

}  // namespace

// With |x| = 2 m log(2) + r, s = 16^m, c = r coth(r):  exp(2|x|) = s (c + r) / (c - r), so
//   tanh |x| = r / c                                      for m = 0
//   tanh |x| = 1 - (c - r) / (a (c + r) + c),  a = (s-1)/2,  in general.
// The second's quotient is wrong where it is large, the first is right where it is not. As a = 0 for m = 0, both are
//   base + (r - base c) / (a (c + r) + c)   with base = min(m, 1):
// one division, no select, and for small x no rounding but c's and the division's.
Scalar tanh(Scalar x) {
  Format f = format_of(x);
  Scalar y = at_most(abs(x), f.single() ? 10 : 22);
  // s/8 is 2^(4 (m + 31) - 127), or 2^(4 (m + 255) - 1023). The first form is let run past log(2), to 0.85 (0.75 in f64), short of which the
  // second is not good enough; for larger x, r exceeds that by a little more each time, and less each time depends on c.
  double round = f.round + (f.bias - 3) / 4;
  Scalar shifted = fma(y, y.like(0.5 / (f.single() ? 0.85 : 0.75)), y.like(round));
  Scalar m = shifted - round;
  Scalar r = fma(m, y.like(-2 * log_2), y);
  Scalar c = r_coth_r(r * r);
  Scalar base = at_most(m, 1);
  Scalar a = fma(power_of_two(shifted, 4), y.like(4), y.like(-0.5));
  return with_sign(base + fma(-base, c, r) / fma(a, c + r, c), sign_bit(x));
}

// 1 / (1 + exp(-x)) as unit / (unit + unit exp(-x)), with exp(-x) = 2^n (1 + r slope). Unit is small, so that the sum stays finite where
// the result is a denormal; it is 1.5 times a power of 2, so that it, and the sum near x = 0, lie where an ulp is relatively small.
Scalar sigmoid(Scalar x) {
  Format f = format_of(x);
  int lift = f.single() ? 24 : 55;
  double unit = f.single() ? 0x1.8p-24 : 0x1.8p-55;
  double round = f.round + f.bias - lift;
  x = at_least(at_most(x, f.single() ? 60 : 600), f.single() ? -104 : -746);
  Scalar shifted = fma(x, x.like(-log2_e), x.like(round));
  Scalar minus_r = minus_multiple_of_log_2(x, round - shifted);
  Scalar scale = power_of_two(shifted);
  Scalar rest = fma(scale * minus_r, exp_slope(minus_r, -1, 1.5), x.like(unit));
  return unit / fma(scale, x.like(1.5), rest);
}

Scalar softplus(Scalar x) {
  // max(x, 0) + log(1 + exp(-|x|))
  Scalar z = exp(minus_magnitude(x));
  Scalar positive = select(x > x.like(0), x, x.like(0));
  if (x.type() == f64) return positive + log1p(z);
  Scalar tail = polynomial(z, {-0x1.af5f4ap-9, 0x1.492052p-6, -0x1.d6b672p-5, 0x1.b4b05ap-4, -0x1.3a43e2p-3, 0x1.934b7p-3, -0x1.ff23e8p-3,
                               0x1.554ddp-2, -0x1.ffffd2p-2});
  return positive + fma(z * z, tail, z);
}

}  // namespace sinter::scalar
