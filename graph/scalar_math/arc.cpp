// atan, atan2, asin and acos; for f32 by way of f64.
#include <numbers>

#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

constexpr double pi = std::numbers::pi, pi_low = 0x1.1a62633145c07p-53;

// atan(a / b), in [0, pi/2], for a, b >= 0: the angle less 0, 45 or 90 degrees, whose tangent is at most tan(pi/8).
Scalar first_quadrant(Scalar a, Scalar b) {
  Scalar steep = a > b * 0x1.3504f333f9de6p+1, middle = a > b * 0x1.a827999fcef32p-2;
  auto chosen = [&](Scalar at_90, Scalar at_45, Scalar at_0) { return select(steep, at_90, select(middle, at_45, at_0)); };
  Scalar t = chosen(-b, a - b, a) / chosen(a, a + b, b);
  Scalar u = t * t;
  Scalar p = polynomial(u, {-0x1.254f02e701484p-6, 0x1.37c8a5953db09p-5, -0x1.9ccd62893a967p-5, 0x1.df0e0afb27c79p-5, -0x1.10eba0ef10c17p-4,
                            0x1.3b1116e95f8c9p-4, -0x1.745cf8ba1b34fp-4, 0x1.c71c70e4be1eep-4, -0x1.24924922a989cp-3, 0x1.99999999957b0p-3,
                            -0x1.555555555553dp-2});
  Scalar zero = a.like(0);
  return chosen(a.like(pi / 2), a.like(pi / 4), zero) + (chosen(a.like(pi_low / 2), a.like(pi_low / 4), zero) + fma(t * u, p, t));
}

// asin of a in [0, 1] is `rest` + `part` where a <= 1/2, and pi/2 less twice that beyond, where it is of sqrt((1 - a) / 2).
struct ArcSine {
  Scalar beyond, rest, part;
};
ArcSine arc_sine(Scalar a) {
  Scalar beyond = a > a.like(0.5);
  Scalar z = select(beyond, (1 - a) * 0.5, a * a);
  Scalar rest = select(beyond, sqrt(z), a);
  Scalar p = polynomial(z, {0x1.0b6526a004acfp-5, -0x1.585d3926fa081p-6, 0x1.63df109d2bec3p-6, 0x1.e51db4f9b789cp-9, 0x1.614aa31513925p-7,
                            0x1.75830e096222cp-7, 0x1.ca1fda5ce60cep-7, 0x1.1c49ed2c5b5dep-6, 0x1.6e8bdf0db91c6p-6, 0x1.f1c71a9351324p-6,
                            0x1.6db6db7216e3ap-5, 0x1.333333332e0cap-4, 0x1.5555555555577p-3});
  return {beyond, rest, rest * (z * p)};
}

Scalar is_negative(Scalar x) { return bitcast(x, i64) < as_constant(x, i64, 0); }  // -0 too

}  // namespace

Scalar atan(Scalar x) {
  return in_f64([](Scalar wide) { return with_sign(first_quadrant(abs(wide), wide.like(1)), sign_bit(wide)); }, x);
}

Scalar atan2(Scalar y, Scalar x) {
  return in_f64(
      [](Scalar tall, Scalar wide) {
        Scalar a = abs(tall), b = abs(wide), zero = a.like(0), one = a.like(1);
        // Out of the way of an overflowing sum; what becomes a denormal is too small beside the other to matter.
        Scalar scale = select((a > a.like(0x1p1000)) | (b > a.like(0x1p1000)), a.like(0x1p-10), one);
        // 0 / 0 is 0, inf / inf 45 degrees.
        Scalar equal = a == b;
        Scalar angle = first_quadrant(select(equal, select(a == zero, zero, one), a * scale), select(equal, one, b * scale));
        Scalar result = select(is_negative(wide), pi - (angle - pi_low), angle);
        return with_sign(result, sign_bit(tall));
      },
      y, x);
}

Scalar asin(Scalar x) {
  return in_f64(
      [](Scalar wide) {
        auto [beyond, rest, part] = arc_sine(abs(wide));
        Scalar steep = fma(rest, rest.like(-2), rest.like(pi / 2)) - fma(part, part.like(2), part.like(-pi_low / 2));
        return with_sign(select(beyond, steep, rest + part), sign_bit(wide));
      },
      x);
}

Scalar acos(Scalar x) {
  return in_f64(
      [](Scalar wide) {
        auto [beyond, rest, part] = arc_sine(abs(wide));
        Scalar negative = is_negative(wide);
        Scalar twice = 2 * (rest + part);
        Scalar steep = select(negative, pi - (twice - pi_low), twice);
        Scalar flat = pi / 2 - (select(negative, -rest, rest) + (select(negative, -part, part) - pi_low / 2));
        return select(beyond, steep, flat);
      },
      x);
}

}  // namespace sinter::scalar
