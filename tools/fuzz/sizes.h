// The sizes that one program's shapes are made of: few, so that shapes meet.
#pragma once
#include "graph/dim.h"
#include "tools/fuzz/random.h"

namespace sinter::fuzz {

struct Sizes {
  std::vector<Dim> dims;           // 1, numbers, and the symbols "n" and "m"
  std::vector<Bindings> bindings;  // of the symbols, one a call
  int64_t elements = 0;            // that a value has at most
  int64_t products = 0;            // that a contraction takes at most

  int64_t count(const Shape&) const;  // of elements, at the bindings that give most; UserError where a size is negative at one
  Dim dim(Random& random) const { return random.of(dims); }
  Shape shape(Random&) const;         // of any rank up to 6, and not many elements
  std::vector<int64_t> numbers(const Shape&, int64_t symbols) const;  // with symbols replaced, for what has no symbolic size
};

Sizes random_sizes(Random&);

}  // namespace sinter::fuzz
