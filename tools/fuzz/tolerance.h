// How far compiled code may be from the interpreter, element by element. Only sums and contractions of floats may differ at all, by what
// another order of their additions makes; from there the difference is carried through whatever is computed of it. Where it may change a
// floor or a conversion to an integer, nothing is known of what depends on that; where it may flip a comparison, either side is allowed.
#pragma once
#include <string>
#include <vector>

#include "graph/interpreter.h"

namespace sinter::fuzz {

// Of one value: empty where no element may differ; else the most that each may be off by, infinity where nothing is known.
using Radii = std::vector<double>;

struct Tolerated {
  std::vector<Tensor> outputs, updates;  // the interpreter's
  std::vector<Radii> output_radii, update_radii;
};
Tolerated interpret_with_radii(const Program&, const NamedTensors& inputs);

// What is wrong with `got`: "" where it is `want`, to the bit where it may not differ, else within the radii. `known` counts the elements of
// which something is known.
std::string compare(const Tensor& want, const Radii&, const Tensor& got, int64_t* known = nullptr);

}  // namespace sinter::fuzz
