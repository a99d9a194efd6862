// sin, cos and tan.
#include "graph/scalar_math/pieces.h"

namespace sinter::scalar {
namespace {

using namespace pieces;

// sin(x + shift pi) in f64 throughout, of an f32: f32 would need a second polynomial near pi/2, and twice the roundings. 1/pi comes in parts of 29,
// 29 and 53 bits, so that their products with a 24-bit float are exact, fma or not. From 2^51 on the parts leave out the bits of 1/pi whose
// product with such a float is a multiple of 2, which adds whole periods (Payne and Hanek's idea, with four windows).
Scalar sine_of_f32(Scalar x, double shift) {
  Scalar magnitude = abs(x), wide = convert(x, f64);
  Scalar in_1 = magnitude < x.like(0x1p51), in_2 = magnitude < x.like(0x1p79), in_3 = magnitude < x.like(0x1p107);
  auto part = [&](double c1, double c2, double c3, double c4) {
    return select(in_1, wide.like(c1), select(in_2, wide.like(c2), select(in_3, wide.like(c3), wide.like(c4))));
  };
  Scalar high = part(0x1.45f306dp-2, 0x1.727220ap-28, 0x1.29fc275p-57, 0x1.7d1f534p-85);
  Scalar middle = part(0x1.9391054p-31, 0x1.29fc275p-57, 0x1.f47d4d3p-87, 0x1.bb81b6cp-114);
  Scalar low = part(0x1.4fe13abe8fa9ap-60, 0x1.f47d4d377036ep-87, 0x1.dc0db6295993cp-117, 0x1.4acc9e21c8210p-144);
  // Half turns, less whole periods: 1.5 * 2^53 rounds to a multiple of 2.
  Scalar turns = wide * high;
  turns = fma(wide, middle, turns - ((turns + 0x1.8p53) - 0x1.8p53));
  if (shift != 0) turns = turns + shift;
  Scalar shifted = turns + 0x1.8p52;
  Scalar rest = fma(wide, low, turns - (shifted - 0x1.8p52));
  // |rest| may be 0.508, as `low` came after the rounding. An odd number of half turns changes the sign, and the product of the rest, with
  // its sign, and the polynomial keeps a zero's.
  Scalar odd = bitcast(shifted, i64) << 63;
  Scalar u = rest * rest;
  Scalar p = polynomial(u, {0x1.3d15554763ef7p-4, -0x1.3243ec2b4c82dp-1, 0x1.46685ebbdc567p+1, -0x1.4abbbf97c565fp+2,
                            0x1.921fb519fb49ep+1});
  return bitcast(bitcast(rest, i64) ^ odd, f64) * p;
}

// x less its nearest multiple of pi/2: which multiple, and the sine and cosine of the rest. pi/2 comes in three parts; n times the first is
// subtracted exactly where there is an fma, as the difference has 53 bits.
struct Reduced {
  Scalar quadrant, sine, cosine;
};
Reduced reduced_f64(Scalar x) {
  Scalar bounded = select(abs(x) <= x.like(0x1p45), x, x.like(not_a_number));
  Scalar shifted = fma(bounded, x.like(0x1.45f306dc9c883p-1), x.like(0x1.8p52));
  Scalar n = shifted - 0x1.8p52;
  Scalar first = fma(n, x.like(-0x1.921fb54442d18p+0), bounded);
  Scalar second = n * 0x1.1a62633145c06p-54;
  Scalar second_low = fma(n, x.like(0x1.1a62633145c06p-54), -second);
  Scalar r = first - second;
  // What was lost of first - second (either may be the larger), of the second product, and the third part.
  Scalar back = r + second;
  Scalar lost = (first - back) + ((back - r) - second);
  Scalar low = fma(n, x.like(-0x1.c1cd129024e09p-107), lost - second_low);

  Scalar z = r * r;
  Scalar odd = polynomial(z, {0x1.5d7d56bd4bc18p-33, -0x1.ae5e1d23b2f5cp-26, 0x1.71de351cdf92cp-19, -0x1.a01a019bac55bp-13, 0x1.111111110f572p-7,
                              -0x1.5555555555547p-3});
  Scalar half = z * 0.5, top = 1 - half;
  Scalar sine = r + fma(r * z, odd, fma(-half, low, low));
  Scalar even = polynomial(z, {-0x1.8f8ba9dce281ap-37, 0x1.1ee9a7d76525bp-29, -0x1.27e4f7a5033b0p-22, 0x1.a01a019c24f85p-16, -0x1.6c16c16c14bcfp-10,
                               0x1.5555555555549p-5});
  Scalar cosine = top + (((1 - top) - half) + fma(z * z, even, -(r * low)));

  return {bitcast(shifted, i64), sine, cosine};
}

Scalar sine_f64(Scalar x, uint64_t quarter_turns) {
  auto [turns, sine, cosine] = reduced_f64(x);
  Scalar quadrant = turns + as_constant(x, i64, quarter_turns);
  Scalar one = as_constant(x, i64, 1);
  Scalar result = select((quadrant & one) == one, cosine, sine);
  result = bitcast(bitcast(result, i64) ^ ((quadrant & as_constant(x, i64, 2)) << 62), f64);
  return quarter_turns == 0 ? select(x == x.like(0), x, result) : result;
}

}  // namespace

Scalar sin(Scalar x) { return format_of(x).single() ? convert(sine_of_f32(x, 0), f32) : sine_f64(x, 0); }
Scalar cos(Scalar x) { return format_of(x).single() ? convert(sine_of_f32(x, 0.5), f32) : sine_f64(x, 1); }

Scalar tan(Scalar x) {
  if (format_of(x).single()) return convert(sine_of_f32(x, 0) / sine_of_f32(x, 0.5), f32);
  auto [quadrant, sine, cosine] = reduced_f64(x);
  Scalar one = as_constant(x, i64, 1);
  Scalar odd = (quadrant & one) == one;
  Scalar result = select(odd, -cosine, sine) / select(odd, sine, cosine);
  return select(x == x.like(0), x, result);
}

}  // namespace sinter::scalar
