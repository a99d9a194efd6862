#include "graph/scalar_math/pieces.h"

namespace sinter::scalar::pieces {

Format format_of(Scalar x) {
  ensure(is_float(x.type()), "an elementary function of what is no float");
  return x.type() == f32 ? Format{f32, i32, 23, 127, 0x1.8p23} : Format{f64, i64, 52, 1023, 0x1.8p52};
}

Scalar polynomial(Scalar x, std::initializer_list<double> coefficients) {
  const double* c = coefficients.begin();
  Scalar sum = x.like(*c);
  while (++c != coefficients.end()) sum = fma(sum, x, x.like(*c));
  return sum;
}

Scalar at_most(Scalar x, double bound) {
  Scalar limit = x.like(bound);
  return select(limit < x, limit, x);
}

Scalar at_least(Scalar x, double bound) {
  Scalar limit = x.like(bound);
  return select(limit > x, limit, x);
}

Scalar power_of_two(Scalar shifted) {
  Format f = format_of(shifted);
  return bitcast(bitcast(shifted, f.integer) << f.fraction_bits, f.type);
}

}  // namespace sinter::scalar::pieces
