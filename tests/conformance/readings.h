// Operands that do not lie in memory as they are read: what NumPy calls not contiguous.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "graph/expr.h"
#include "tests/conformance/arrays.h"
#include "tests/conformance/samples.h"

namespace sinter::conformance {

enum class Reading : uint8_t { straight, transposed, in_steps, backwards, repeated, cut };
inline constexpr size_t readings = 6;
inline Reading reading(size_t number) { return static_cast<Reading>(number % readings); }

struct ReadOperand {
  Expr expression;  // of a variable
  Tensor stored;    // which this is given
  Tensor value;     // what the expression is then, of the sizes that were asked for
};

// An operand of these sizes, its elements by `make` in memory, of which every second axis repeats one where it is `repeated`.
inline ReadOperand read_as(Reading how, const std::string& variable, DType type, const std::vector<int64_t>& sizes, uint64_t seed,
                           const std::function<Tensor(DType, std::vector<int64_t>, uint64_t)>& make = random_tensor) {
  std::vector<int64_t> stored_sizes = sizes;
  Shape starts, stops;
  Axes all;
  for (size_t a = 0; a < sizes.size(); ++a) {
    int64_t& size = stored_sizes[a];
    if (how == Reading::transposed) size = sizes[sizes.size() - 1 - a];
    if (how == Reading::in_steps) size = 2 * size + 1;
    if (how == Reading::repeated && a % 2 == 0) size = 1;
    if (how == Reading::cut) size += 2;
    starts.push_back(1), stops.push_back(size - (how == Reading::cut ? 1 : 0)), all.push_back(static_cast<int64_t>(a));
  }
  const Tensor stored = make(type, stored_sizes, seed);
  const Variable x(variable, type, Shape(stored_sizes.begin(), stored_sizes.end()));
  Expr expression = x;
  if (!sizes.empty()) switch (how) {
      case Reading::straight: break;
      case Reading::transposed: expression = transpose(x); break;
      case Reading::in_steps: expression = slice(x, starts, stops, Axes(sizes.size(), 2)); break;
      case Reading::backwards: expression = flip(x, all); break;
      case Reading::repeated: expression = broadcast_to(x, Shape(sizes.begin(), sizes.end())); break;
      case Reading::cut: expression = slice(x, starts, stops); break;
    }
  Tensor value = gathered(stored, sizes, [&](const Position& p) {
    Position from = p;
    for (size_t a = 0; a < p.size(); ++a) {
      if (how == Reading::transposed) from[a] = p[p.size() - 1 - a];
      if (how == Reading::in_steps) from[a] = 2 * p[a] + 1;
      if (how == Reading::backwards) from[a] = sizes[a] - 1 - p[a];
      if (how == Reading::repeated && stored_sizes[a] == 1) from[a] = 0;
      if (how == Reading::cut) from[a] = p[a] + 1;
    }
    return std::optional(from);
  });
  return {expression, stored, value};
}

// One array of each rank from 0 to 6.
inline std::vector<std::vector<int64_t>> arrays_of_all_ranks() { return {{}, {19}, {3, 17}, {2, 3, 9}, {3, 1, 2, 9}, {2, 3, 1, 2, 9}, {2, 1, 3, 2, 2, 9}}; }

}  // namespace sinter::conformance
