// sin and cos: x is reduced to a multiple of pi and a rest of at most pi/2.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

// sin(x + shift pi). 1/pi comes in three parts of 29, 29 and 53 bits, so that products with a 24-bit float are exact in f64, fma or not.
// Past 2^51 the parts leave out the bits of 1/pi whose product with such a float is a multiple of 2, which adds whole periods.
Scalar sine_f32(Scalar x, double shift) {
  Scalar magnitude = abs(x), wide = convert(x, f64);
  auto part = [&](double up_to_51, double up_to_79, double up_to_107, double up_to_128) {
    Scalar c = select(magnitude < x.like(0x1p107), wide.like(up_to_107), wide.like(up_to_128));
    c = select(magnitude < x.like(0x1p79), wide.like(up_to_79), c);
    return select(magnitude < x.like(0x1p51), wide.like(up_to_51), c);
  };
  Scalar high = part(0x1.45f306dp-2, 0x1.727220ap-28, 0x1.29fc275p-57, 0x1.7d1f534p-85);
  Scalar middle = part(0x1.9391054p-31, 0x1.29fc275p-57, 0x1.f47d4d3p-87, 0x1.bb81b6cp-114);
  Scalar low = part(0x1.4fe13abe8fa9ap-60, 0x1.f47d4d377036ep-87, 0x1.dc0db6295993cp-117, 0x1.4acc9e21c8210p-144);
  // Whole periods of the first product go first: 1.5 * 2^53 rounds to a multiple of 2.
  Scalar turns = wide * high;
  turns = turns - ((turns + 0x1.8p53) - 0x1.8p53);
  if (shift != 0) turns = turns + shift;
  Scalar shifted = fma(wide, middle, turns) + 0x1.8p52;
  Scalar rest = fma(wide, low, fma(wide, middle, turns - (shifted - 0x1.8p52)));
  // An odd multiple of pi changes the sign: put it on the constant pi.
  Scalar pi = bitcast((bitcast(shifted, i64) << 63) ^ x.builder->constant_bits(i64, 0x400921fb54442d18), f64);
  Scalar r = convert(rest * pi, f32);
  Scalar s = r * r;
  Scalar tail = polynomial(s, {0x1.5dc56cp-19, -0x1.9f70d2p-13, 0x1.110edap-7, -0x1.55554cp-3});
  return fma(r, fma(tail, s, x.like(0)), r);
}

Scalar sine_f64(Scalar x, double quarter_turns) {
  Scalar shifted = fma(x, x.like(0x1.45f306dc9c883p-1), x.like(0x1.8p52));
  Scalar n = shifted - 0x1.8p52;
  Scalar r = fma(n, x.like(-0x1.921fb544p+0), x);
  r = fma(n, x.like(-0x1.0b4611a6p-34), r);
  Scalar low = fma(n, x.like(-0x1.3198a2e037073p-69), x.like(0));
  Scalar high = r + low;
  low = (r - high) + low;
  r = high;
  Scalar z = r * r;
  Scalar sine = fma(r * z, polynomial(z, {0x1.5d8ce8975a85cp-33, -0x1.ae5e4fa9afab5p-26, 0x1.71de3558880f1p-19, -0x1.a01a019beab03p-13,
                                          0x1.111111110f730p-7, -0x1.5555555555548p-3}), fma(z * -0.5, low, low)) + r;
  Scalar tail = polynomial(z, {-0x1.8fa64bf8ddca2p-37, 0x1.1ee9db77667a1p-29, -0x1.27e4f7f12f68cp-22, 0x1.a01a019c8ec7bp-16, -0x1.6c16c16c15013p-10,
                               0x1.555555555554bp-5});
  Scalar half = z * 0.5, top = 1 - half;
  Scalar cosine = top + (((1 - top) - half) + fma(z * z, tail, -(r * low)));
  Scalar quadrant = bitcast(shifted, i64) + x.builder->constant_bits(i64, static_cast<uint64_t>(quarter_turns));
  Scalar one = x.builder->constant_bits(i64, 1);
  Scalar result = select((quadrant & one) == one, cosine, sine);
  Scalar sign = (quadrant & x.builder->constant_bits(i64, 2)) << 62;
  result = bitcast(bitcast(result, i64) ^ sign, f64);
  return quarter_turns == 0 ? select(x == x.like(0), x, result) : result;
}

}  // namespace

Scalar sin(Scalar x) { return format_of(x).type == f32 ? sine_f32(x, 0) : sine_f64(x, 0); }
Scalar cos(Scalar x) { return format_of(x).type == f32 ? sine_f32(x, 0.5) : sine_f64(x, 1); }

}  // namespace sinter::scalar
