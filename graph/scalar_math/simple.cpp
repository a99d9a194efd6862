// What takes few operations: rsqrt, sign, and what moves bits about.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {

using namespace pieces;

Scalar rsqrt(Scalar x) { return 1 / sqrt(x); }

Scalar sign(Scalar x) {
  Scalar zero = x.like(0);
  Scalar negative = is_signed(x.type()) ? select(x < zero, x.like(-1), x) : x;
  return select(x > zero, x.like(1), negative);
}

Scalar copysign(Scalar magnitude, Scalar sign) { return with_sign(abs(magnitude), sign_bit(sign)); }

// A float's bits, as an integer, count up its magnitude.
Scalar nextafter(Scalar from, Scalar towards) {
  Format f = format_of(from);
  ensure(towards.type() == f.type, "a nextafter of two types");
  Scalar zero = from.like(0), bits = bitcast(from, f.integer), one = as_constant(from, f.integer, 1);
  Scalar away = (from < towards) == (from > zero);
  Scalar next = bitcast(select(away, bits + one, bits - one), f.type);
  next = select(from == zero, with_sign(bitcast(one, f.type), sign_bit(towards)), next);
  return select(from == towards, towards, select(is_nan(from) | is_nan(towards), from + towards, next));
}

// The exponent's bits are a whole number below those of 2^(bias + fraction_bits).
Scalar logb(Scalar x) {
  Format f = format_of(x);
  Scalar magnitude = abs(x), inf = x.like(infinity);
  Scalar is_tiny = magnitude < x.like(f.single() ? 0x1p-126 : 0x1p-1022);
  double raised = f.fraction_bits + 1, whole = f.single() ? 0x1p23 : 0x1p52;
  Scalar normal = select(is_tiny, magnitude * (2 * whole), magnitude);
  Scalar exponent = (bitcast(normal, f.integer) >> f.fraction_bits) | bitcast(x.like(whole), f.integer);
  Scalar result = bitcast(exponent, f.type) - select(is_tiny, x.like(whole + f.bias + raised), x.like(whole + f.bias));
  return select(magnitude == x.like(0), -inf, select(magnitude < inf, result, magnitude));
}

// Counts of 2 bits, of 4, of 8; the product adds up those of the bytes in the highest.
Scalar bit_count(Scalar x) {
  ensure(is_integer(x.type()), "a count of bits of what is no integer");
  DType type = x.type(), bits = type == i32 ? u32 : type == i64 ? u64 : type;
  auto constant = [&](uint64_t byte) {
    uint64_t all = byte * 0x0101010101010101u, width = size_of(bits) * 8;
    return as_constant(x, bits, width == 64 ? all : all & ((uint64_t{1} << width) - 1));
  };
  Scalar n = bitcast(x, bits);
  n = n - ((n >> 1) & constant(0x55));
  n = (n & constant(0x33)) + ((n >> 2) & constant(0x33));
  n = (n + (n >> 4)) & constant(0x0f);
  if (bits != u8) n = (n * constant(1)) >> static_cast<int>(size_of(bits) * 8 - 8);
  return bitcast(n, type);
}

}  // namespace sinter::scalar
