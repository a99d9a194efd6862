// rsqrt and sign.
#include "graph/scalar_math.h"

namespace sinter::scalar {

Scalar rsqrt(Scalar x) { return 1 / sqrt(x); }

Scalar sign(Scalar x) {
  Scalar zero = x.like(0);
  Scalar negative = is_signed(x.type()) ? select(x < zero, x.like(-1), x) : x;
  return select(x > zero, x.like(1), negative);
}

}  // namespace sinter::scalar
