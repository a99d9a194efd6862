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

struct Division {
  Scalar rest, whole;  // whole: the quotient rounded towards 0
};

// Of x >= 0 by y > 0 with x / y < 2^53, exactly: 26 bits of the quotient, then the other 27, each times y's first 26 bits, rounded to nearest, and
// what that leaves, which are 26 too.
Division exact_division(Scalar x, Scalar y) {
  Scalar high = bitcast((bitcast(y, u64) + as_constant(y, u64, uint64_t{1} << 26)) & as_constant(y, u64, ~uint64_t{0} << 27), f64), low = y - high;
  auto step = [&](Scalar rest, double scale) -> Division {
    Scalar quotient = trunc(rest / (y * scale));
    rest = (rest - quotient * (high * scale)) - quotient * (low * scale);
    Scalar rounded_up = rest < rest.like(0);  // to a whole number
    return {select(rounded_up, rest + y * scale, rest), select(rounded_up, quotient - 1, quotient)};
  };
  Division first = step(x, 0x1p27), second = step(first.rest, 1);
  return {second.rest, first.whole * 0x1p27 + second.whole};
}

// Of |a| by |b|, the rest with a's sign; it is NaN where there is none, or the quotient has more bits than a float.
Division division_f64(Scalar a, Scalar b) {
  Scalar x = abs(a), y = abs(b);
  // Out of the way of an overflow; below y, x is the rest whatever becomes of it.
  Scalar scale = select(y > y.like(0x1p900), y.like(0x1p-200), y.like(1)), back = select(y > y.like(0x1p900), y.like(0x1p200), y.like(1));
  Division scaled = exact_division(x * scale, y * scale);
  Scalar rest = select(x < y, x, scaled.rest * back);
  Scalar has_rest = (x < x.like(infinity)) & (y > y.like(0)) & (x * scale < y * scale * 0x1p53);
  return {select(has_rest, with_sign(rest, sign_bit(a)), a.like(not_a_number)), select(x < y, x.like(0), scaled.whole)};
}

Scalar remainder_f64(Scalar a, Scalar b) {
  Scalar rest = division_f64(a, b).rest;
  Scalar zero = with_sign(rest.like(0), sign_bit(b));
  return select(rest == rest.like(0), zero, select(rounds_down(rest, b), rest + b, rest));
}

// From 2^53 on a / b is whole itself.
Scalar floor_divide_f64(Scalar a, Scalar b) {
  Division division = division_f64(a, b);
  Scalar quotient = a / b, whole = select(rounds_down(division.rest, b), division.whole + 1, division.whole);
  return select(is_nan(division.rest), quotient, with_sign(whole, sign_bit(quotient)));
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
