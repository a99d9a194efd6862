// floor_divide and remainder, of integers and of floats.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

// What rounds a quotient down instead of towards 0: whether something is left of it and has not the divisor's sign.
Scalar rounds_down(Scalar rest, Scalar divisor) {
  Scalar zero = rest.like(0);
  return (rest != zero) & ((rest < zero) != (divisor < zero));
}

// The remainder of x / y with x's sign, for x >= 0 and y > 0 with x / y < 2^53, exactly: 26 bits of the quotient, then the other 27, each
// times y's first 26 bits, rounded to nearest, and what that leaves, which are 26 too.
Scalar rest_of(Scalar x, Scalar y) {
  Scalar high = bitcast((bitcast(y, u64) + as_constant(y, u64, uint64_t{1} << 26)) & as_constant(y, u64, ~uint64_t{0} << 27), f64), low = y - high;
  auto step = [&](Scalar rest, double scale) {
    Scalar quotient = trunc(rest / (y * scale));
    rest = (rest - quotient * (high * scale)) - quotient * (low * scale);
    return select(rest < rest.like(0), rest + y * scale, rest);  // the quotient was rounded up to a whole number
  };
  return step(step(x, 0x1p27), 1);
}

// The remainder of a / b with a's sign; NaN where it has none, or the quotient has more bits than a float.
Scalar rest_f64(Scalar a, Scalar b) {
  Scalar x = abs(a), y = abs(b);
  // Out of the way of an overflow; below y, x is the rest whatever becomes of it.
  Scalar scale = select(y > y.like(0x1p900), y.like(0x1p-200), y.like(1)), back = select(y > y.like(0x1p900), y.like(0x1p200), y.like(1));
  Scalar rest = select(x < y, x, rest_of(x * scale, y * scale) * back);
  Scalar has_rest = (x < x.like(infinity)) & (y > y.like(0)) & (x * scale < y * scale * 0x1p53);
  return select(has_rest, with_sign(rest, sign_bit(a)), a.like(not_a_number));
}

Scalar remainder_f64(Scalar a, Scalar b) {
  Scalar rest = rest_f64(a, b);
  Scalar zero = with_sign(rest.like(0), sign_bit(b));
  return select(rest == rest.like(0), zero, select(rounds_down(rest, b), rest + b, rest));
}

// From 2^53 on a / b is whole itself.
Scalar floor_divide_f64(Scalar a, Scalar b) {
  Scalar rest = rest_f64(a, b), quotient = a / b;
  Scalar exact = round_even((a - rest) / b);
  exact = select(rounds_down(rest, b), exact - 1, exact);
  exact = select(exact == exact.like(0), with_sign(exact.like(0), sign_bit(quotient)), exact);
  return select(is_nan(rest), quotient, exact);
}

}  // namespace

Scalar remainder(Scalar a, Scalar b) {
  ensure(a.type() == b.type(), "a remainder of two types");
  if (is_float(a.type())) return in_f64(remainder_f64, a, b);
  Scalar rest = a % b;
  return is_signed(a.type()) ? select(rounds_down(rest, b), rest + b, rest) : rest;
}

Scalar floor_divide(Scalar a, Scalar b) {
  ensure(a.type() == b.type(), "a division of two types");
  if (is_float(a.type())) return in_f64(floor_divide_f64, a, b);
  Scalar quotient = a / b;
  return is_signed(a.type()) ? select(rounds_down(a % b, b), quotient - 1, quotient) : quotient;
}

}  // namespace sinter::scalar
