// Where elements are, as affine functions of loop indices. Movement operations are maps of these and cost nothing by themselves.
#pragma once
#include <optional>
#include <vector>

#include "graph/graph.h"

namespace sinter {

// offset + sum of strides[i] * index of loop i. Loops of extent 1 have stride 0, so that equal functions are equal values.
struct Affine {
  Dim offset;
  std::vector<Dim> strides;  // one a loop
  bool operator==(const Affine&) const = default;
};

// An index that must lie in [0, size) for an element to be there at all.
struct Bound {
  Affine index;
  Dim size;
  bool operator==(const Bound&) const = default;
};

// A place in a value: one function an axis, and the bounds that paddings on the way put on it.
struct Index {
  std::vector<Affine> axes;
  std::vector<Bound> bounds;
  bool operator==(const Index&) const = default;
};

Affine scaled(const Affine&, const Dim& factor);
Affine added(const Affine&, const Affine&);
Affine constant_index(const Dim& offset, size_t loops);
Index identity(const Shape& loops);                           // axis i is loop i
Affine flattened(const Index&, const Shape& of, size_t loops);  // the row-major position in a value of that shape
// Each loop replaced by a function of `count` others.
std::vector<Affine> substituted(const std::vector<Affine>&, const std::vector<Affine>& loops, size_t count);

// Axes [first_from, end_from) of a value and [first_to, end_to) of its reshape: the shortest runs, from the left, with one product. Axes of
// size 1 that no run needs are in none.
struct ReshapeRun {
  size_t first_from, end_from, first_to, end_to;
};
// Nothing where the sizes have no such runs.
std::optional<std::vector<ReshapeRun>> reshape_runs(const Shape& from, const Shape& to);

// The same row-major position, as an index of a value of shape `to`; nothing where that is not affine.
std::optional<std::vector<Affine>> reshaped(const std::vector<Affine>& axes, const Shape& from, const Shape& to, const Shape& loops);

// Where the operand of a movement (or identity) node is read for its result at `index`; nothing where that is not affine.
std::optional<Index> pulled(const Graph&, NodeId movement, const Index& index, const Shape& loops);

// Whether `position` takes each value from 0 to `count` less one exactly once as the loops `over` run, and does not depend on the others.
bool dense(const Affine& position, const Shape& loops, const std::vector<bool>& over, const Dim& count);

}  // namespace sinter
