// tanh, sigmoid and softplus.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

// r coth(r), of u = r^2.
Scalar r_coth_r(Scalar u) {
  if (u.type() == f32) return polynomial(u, {-0x1.825bf6p-13, 0x1.13b7dap-9, -0x1.6c0cb2p-6, 0x1.55554cp-2, 1});
  return polynomial(u, {0x1.d1c9870f2f5d8p-30, -0x1.72aaf85f46281p-26, 0x1.d5f628ce4294cp-23, -0x1.227aaf0efb119p-19, 0x1.66a8c619b23f8p-16,
                        -0x1.bbd7785efca52p-13, 0x1.1566abbef39f6p-9, -0x1.6c16c16c1548cp-6, 0x1.5555555555550p-2, 1});
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
  // s/8 is 2^(4 (m + 31) - 127), or 2^(4 (m + 255) - 1023). In f32 the first form is let run to 0.75, short of which the second is not
  // good to 1.5 ulp; past that r exceeds its range a little where little depends on c. In f64 it may not.
  double round = f.round + (f.bias - 3) / 4;
  Scalar shifted = fma(y, y.like(f.single() ? 2.0 / 3 : log2_e / 2), y.like(round));
  Scalar m = shifted - round;
  Scalar r = fma(m, y.like(-2 * log_2), y);
  Scalar c = r_coth_r(r * r);
  Scalar base = at_most(m, 1);
  Scalar a = fma(power_of_two(shifted, 4), y.like(4), y.like(-0.5));
  return with_sign(base + fma(-base, c, r) / fma(a, c + r, c), sign_bit(x));
}

// With z = exp(-|x|), q = z / (1 + z):  1 - q for x >= 0, z - z q for x < 0: what q is off by is small against the result.
// z and w are 2^lift times too large, as z may be denormal; the last product alone rounds them to that.
Scalar sigmoid(Scalar x) {
  Format f = format_of(x);
  int lift = f.single() ? 24 : 55;
  double unit = f.single() ? 0x1p24 : 0x1p55;
  double round = f.round + f.bias + lift;
  Scalar y = at_least(minus_magnitude(x), f.single() ? -104 : -746);
  Scalar shifted = fma(y, y.like(log2_e), y.like(round));
  Scalar r = minus_multiple_of_log_2(y, shifted - round);
  Scalar z = exp_narrow(r, 1) * power_of_two(shifted);
  Scalar q = z / (z + unit);
  Scalar w = select(x < x.like(0), z, x.like(unit));
  return fma(-w, q, w) * (1 / unit);
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
