// sinh, cosh and the inverse hyperbolic functions; for f32 by way of f64. tanh has a file of its own.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

constexpr double large = 0x1p60;  // from here on x + 1 and sqrt(x^2 + 1) are x, and x^2 is soon infinite

// log1p of `u`, but for a large x, where that is 2 x, log(2 x) as log(x / 2) + 2 log(2).
Scalar log1p_or_twice(Scalar x, Scalar u) {
  Scalar is_large = x > x.like(large);
  return log1p(select(is_large, x * 0.5, u)) + select(is_large, x.like(2 * log_2), x.like(0));
}

}  // namespace

// Below 1 the odd polynomial; beyond, (exp(x) - exp(-x)) / 2 loses nothing any more.
Scalar sinh(Scalar x) {
  return in_f64(
      [](Scalar wide) {
        Scalar a = abs(wide), u = a * a;
        Scalar p = polynomial(u, {0x1.b5cbad95a6e91p-41, 0x1.6116eda8ff96ep-33, 0x1.ae646fff4f706p-26, 0x1.71de3a3b01cadp-19, 0x1.a01a01a03726ap-13,
                                  0x1.111111111101ep-7, 0x1.5555555555556p-3});
        Scalar half = half_exp(a);
        Scalar result = select(a < a.like(1), fma(a * u, p, a), half - 0.25 / half);
        return with_sign(result, sign_bit(wide));
      },
      x);
}

Scalar cosh(Scalar x) {
  return in_f64(
      [](Scalar wide) {
        Scalar half = half_exp(abs(wide));
        return half + 0.25 / half;
      },
      x);
}

// log(x + sqrt(x^2 + 1)), where x + sqrt(x^2 + 1) - 1 = x + x^2 / (1 + sqrt(x^2 + 1)).
Scalar asinh(Scalar x) {
  return in_f64(
      [](Scalar wide) {
        Scalar a = abs(wide), square = a * a;
        return with_sign(log1p_or_twice(a, a + square / (sqrt(square + 1) + 1)), sign_bit(wide));
      },
      x);
}

Scalar acosh(Scalar x) {
  return in_f64(
      [](Scalar wide) {
        Scalar above = wide - 1;
        Scalar result = log1p_or_twice(wide, above + sqrt(above * (wide + 1)));
        return select(wide < wide.like(1), wide.like(not_a_number), result);
      },
      x);
}

Scalar atanh(Scalar x) {
  return in_f64(
      [](Scalar wide) {
        Scalar a = abs(wide);
        return with_sign(log1p(2 * a / (1 - a)) * 0.5, sign_bit(wide));
      },
      x);
}

}  // namespace sinter::scalar
