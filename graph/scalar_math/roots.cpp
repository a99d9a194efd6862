// cbrt and hypot; for f32 by way of f64.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

// A third of the exponent and of the fraction, as if they were one number, is 1/20 off (Kahan); Halley's iteration cubes that twice, and a
// Newton step on the exact residual leaves its own rounding.
Scalar cube_root(Scalar a) {
  constexpr double third = 0x1.5555555555555p-2, start = 715094163;
  Scalar exponent = bitcast((bitcast(a, u64) >> 32) | as_constant(a, u64, 0x4330000000000000), f64) - 0x1p52;
  Scalar y = bitcast(bitcast(fma(exponent, a.like(third), a.like(start + 0x1p52)), u64) << 32, f64);
  for (int k = 0; k < 2; ++k) {
    Scalar cube = y * y * y;
    y = y - y * ((cube - a) / (2 * cube + a));
  }
  Scalar square = y * y, square_low = fma(y, y, -square);
  Scalar residual = fma(square, y, -a) + square_low * y;
  return y - residual / (3 * square);
}

}  // namespace

Scalar cbrt(Scalar x) {
  return in_f64(
      [](Scalar wide) {
        Scalar a = abs(wide), one = a.like(1);
        Scalar tiny = a < a.like(0x1p-1022), huge = a > a.like(0x1p1000);
        Scalar root = cube_root(a * select(tiny, a.like(0x1p54), select(huge, a.like(0x1p-54), one)));
        root = root * select(tiny, a.like(0x1p-18), select(huge, a.like(0x1p18), one));
        return with_sign(select((a > a.like(0)) & (a < a.like(infinity)), root, a), sign_bit(wide));
      },
      x);
}

Scalar hypot(Scalar x, Scalar y) {
  return in_f64(
      [](Scalar wide, Scalar tall) {
        Scalar a = abs(wide), b = abs(tall), one = a.like(1);
        // By size, not by place: operands that commute do so to the bit.
        Scalar larger = select(a > b, a, b), smaller = select(a > b, b, a);
        Scalar huge = larger > a.like(0x1p500), tiny = larger < a.like(0x1p-500);
        Scalar scale = select(huge, a.like(0x1p-600), select(tiny, a.like(0x1p600), one)), p = larger * scale, q = smaller * scale;
        Scalar root = sqrt(fma(p, p, q * q)) * select(huge, a.like(0x1p600), select(tiny, a.like(0x1p-600), one));
        Scalar inf = a.like(infinity);
        return select((a == inf) | (b == inf), inf, root);  // beside a NaN too
      },
      x, y);
}

}  // namespace sinter::scalar
