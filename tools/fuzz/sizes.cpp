#include "tools/fuzz/sizes.h"

#include <algorithm>

namespace sinter::fuzz {

int64_t Sizes::count(const Shape& shape) const {
  int64_t most = 0;
  for (const Bindings& b : bindings) {
    std::vector<int64_t> sizes = evaluate(shape, b);
    if (std::any_of(sizes.begin(), sizes.end(), [](int64_t s) { return s < 0; })) throw UserError("a size is negative");
    most = std::max(most, element_count(sizes));
  }
  return most;
}

Shape Sizes::shape(Random& random) const {
  static const size_t ranks[] = {0, 1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 6};
  Shape s(random.of(ranks), Dim(1));
  int64_t most = random.chance(4) ? elements : elements / 16;
  for (int64_t axis : random.permutation(s.size())) {
    Dim& d = s[static_cast<size_t>(axis)];
    d = dim(random);
    if (count(s) > most) d = Dim(random.number(1, 2));
  }
  return s;
}

std::vector<int64_t> Sizes::numbers(const Shape& shape, int64_t symbols) const {
  std::vector<int64_t> s;
  for (const Dim& d : shape) s.push_back(d.is_number() ? d.number() : symbols);
  return s;
}

Sizes random_sizes(Random& random) {
  static const int64_t small[] = {2, 3, 4, 5, 6, 7, 8, 9}, odd[] = {13, 15, 16, 17, 19, 31, 32, 33, 47, 63, 64, 65}, large[] = {100, 127, 129, 192, 255, 256, 300, 401, 511, 700, 1030};
  Sizes s;
  bool wide = random.chance(6);  // large enough for several chunks, tiles and K blocks
  s.elements = wide ? 150000 : 12000;
  s.products = wide ? 12000000 : 1500000;
  s.dims = {1, "n", "n", random.of(small), random.of(small), random.of(odd)};
  if (random.chance(2)) s.dims.push_back("m");
  if (random.chance(3) || wide) s.dims.push_back(random.of(large));
  if (random.chance(12)) s.dims.push_back(0);
  if (random.chance(8)) s.dims.push_back(Dim("n") * Dim(2) + Dim(1));
  static const int64_t tiny[] = {0, 1, 1, 2, 3}, medium[] = {3, 5, 7, 8, 11, 16}, n_large[] = {17, 33, 40, 64, 67};
  s.bindings = {{{"n", random.of(medium)}, {"m", random.of(medium)}}, {{"n", random.of(tiny)}, {"m", random.of(tiny)}}, {{"n", random.of(n_large)}, {"m", random.of(small)}}};
  if (wide) s.bindings.push_back({{"n", random.number(100, 300)}, {"m", random.of(odd)}});
  return s;
}

}  // namespace sinter::fuzz
