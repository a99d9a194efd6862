// Rows that say where elements go: interpreter and compiled code against index loops.
#include <algorithm>
#include <numeric>

#include "tests/conformance/moves.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

const Sizes arrays[] = {{}, {1}, {7}, {0}, {2, 3}, {9, 17}, {3, 0}, {2, 3, 4}, {1, 5, 1}, {2, 3, 4, 5}, {1, 2, 1, 33}, {2, 1, 3, 2, 5}, {2, 3, 1, 2, 2, 4}};

Sizes picked(const Sizes& sizes, const Axes& axes) {
  Sizes to;
  for (int64_t a : axes) to.push_back(sizes[static_cast<size_t>(a)]);
  return to;
}

}  // namespace

TEST_CASE("transpose by every permutation of up to 4 axes, and by some of 5 and 6") {
  for (DType type : all_dtypes) {
    GraphScope scope;
    Moves moves(type);
    for (const Sizes& from : arrays) {
      Axes permutation(from.size());
      std::iota(permutation.begin(), permutation.end(), 0);
      const size_t stride = from.size() == 6 ? 61 : from.size() == 5 ? 13 : 1;
      size_t number = 0;
      do {
        if (number++ % stride != 0) continue;
        moves.add("transpose by " + to_string(permutation), from, picked(from, permutation), [&](const Expr& x) { return transpose(x, permutation); },
                  [&](const Position& p) {
                    Position source(p.size());
                    for (size_t i = 0; i < p.size(); ++i) source[static_cast<size_t>(permutation[i])] = p[i];
                    return std::optional(source);
                  });
      } while (std::next_permutation(permutation.begin(), permutation.end()));
    }
    moves.check();
  }
}

TEST_CASE("transpose reverses the axes by default") {
  GraphScope scope;
  Moves moves(i32);
  for (const Sizes& from : arrays)
    moves.add("transpose", from, Sizes(from.rbegin(), from.rend()), [&](const Expr& x) { return transpose(x); },
              [&](const Position& p) { return std::optional(Position(p.rbegin(), p.rend())); });
  moves.check();
}

TEST_CASE("reshape keeps the elements' order") {
  const std::pair<Sizes, Sizes> cases[] = {{{}, {1}}, {{}, {1, 1}}, {{1}, {}}, {{6}, {2, 3}}, {{2, 3}, {6}}, {{2, 3}, {3, 2}}, {{2, 3, 4}, {4, 6}}, {{4, 6}, {2, 3, 4}}, {{2, 3, 4, 5}, {6, 20}},
                                           {{2, 3, 4, 5}, {5, 4, 3, 2}}, {{2, 3, 4, 5}, {120}}, {{1, 7, 1}, {7}}, {{7}, {1, 7, 1}}, {{0, 3}, {5, 0}}, {{3, 35}, {7, 15}},
                                           {{2, 3, 1, 2, 4}, {4, 3, 2, 2}}, {{2, 1, 3, 2, 2, 4}, {4, 12, 2}}, {{4, 3, 2, 4}, {2, 2, 3, 1, 2, 4}}, {{2, 2, 1, 3, 2, 4}, {3, 2, 1, 2, 8}}};
  for (DType type : all_dtypes) {
    GraphScope scope;
    Moves moves(type);
    for (const auto& [from, to] : cases)
      for (bool open : {false, true}) {
        int64_t count = element_count(from);
        if (open && (to.empty() || count == 0)) continue;
        Shape target = shape(to);
        if (open) target[to.size() / 2] = Dim(-1);
        moves.add("reshape to " + to_string(target), from, to, [&](const Expr& x) { return reshape(x, target); },
                  [&, before = from, after = to](const Position& p) {
                    int64_t at = static_cast<int64_t>(flat(p, after));
                    Position source(before.size());
                    for (size_t a = before.size(); a-- > 0; at /= before[a]) source[a] = at % before[a];
                    return std::optional(source);
                  });
      }
    moves.check();
  }
}

TEST_CASE("broadcast puts axes where it is told and repeats along the others") {
  struct Case {
    Sizes from, to;
    Axes axes;
  };
  const Case cases[] = {{{}, {}, {}}, {{}, {3}, {}}, {{}, {2, 3, 4}, {}}, {{3}, {3, 4}, {0}}, {{4}, {3, 4}, {1}}, {{1}, {3, 4}, {0}}, {{1}, {3, 4}, {1}}, {{2, 4}, {2, 3, 4}, {0, 2}},
                        {{2, 1}, {2, 3, 4}, {0, 1}}, {{2, 1}, {5, 2, 3, 4}, {1, 2}}, {{3, 5}, {2, 3, 4, 5}, {1, 3}}, {{2, 3, 4}, {2, 3, 4}, {0, 1, 2}}, {{1, 1}, {0, 3}, {0, 1}}, {{33}, {2, 33}, {1}},
                        {{9}, {9, 33}, {0}}, {{2, 3, 4}, {2, 5, 3, 2, 4}, {0, 2, 4}}, {{2, 1, 3}, {2, 2, 4, 3, 1, 3}, {1, 2, 5}}, {{1, 2, 1, 3, 1, 2}, {2, 2, 3, 3, 2, 2}, {0, 1, 2, 3, 4, 5}}};
  for (DType type : all_dtypes) {
    GraphScope scope;
    Moves moves(type);
    for (const Case& c : cases)
      moves.add("broadcast to " + to_string(c.to) + " at " + to_string(c.axes), c.from, c.to, [&](const Expr& x) { return broadcast(x, shape(c.to), c.axes); },
                [&](const Position& p) {
                  Position source(c.from.size());
                  for (size_t i = 0; i < source.size(); ++i) source[i] = c.from[i] == 1 ? 0 : p[static_cast<size_t>(c.axes[i])];
                  return std::optional(source);
                });
    moves.check();
  }
}

TEST_CASE("slice takes start, start + step ... below stop") {
  struct Case {
    Sizes from, starts, stops, steps;
  };
  const Case cases[] = {{{}, {}, {}, {}}, {{7}, {0}, {7}, {1}}, {{7}, {2}, {5}, {1}}, {{7}, {0}, {7}, {2}}, {{7}, {1}, {7}, {3}}, {{7}, {6}, {7}, {5}}, {{7}, {3}, {3}, {1}}, {{7}, {7}, {7}, {1}},
                        {{40}, {3}, {38}, {1}}, {{100}, {1}, {98}, {2}}, {{4, 5}, {1, 0}, {3, 5}, {1, 1}}, {{4, 5}, {0, 1}, {4, 4}, {1, 1}}, {{4, 5}, {0, 1}, {4, 5}, {3, 2}}, {{9, 33}, {2, 1}, {8, 30}, {2, 1}},
                        {{3, 4, 5}, {1, 1, 1}, {3, 4, 5}, {1, 2, 3}}, {{2, 3, 4, 5}, {0, 1, 0, 2}, {2, 3, 4, 4}, {1, 1, 2, 1}}, {{0, 4}, {0, 1}, {0, 3}, {1, 1}},
                        {{2, 3, 4, 2, 9}, {0, 1, 0, 1, 2}, {2, 3, 4, 2, 8}, {1, 1, 3, 1, 2}}, {{2, 3, 2, 4, 1, 7}, {1, 0, 0, 1, 0, 1}, {2, 3, 2, 4, 1, 7}, {1, 2, 1, 2, 1, 3}}};
  for (DType type : all_dtypes) {
    GraphScope scope;
    Moves moves(type);
    for (const Case& c : cases) {
      Sizes to;
      for (size_t a = 0; a < c.from.size(); ++a) {
        int64_t count = 0;
        for (int64_t i = c.starts[a]; i < c.stops[a]; i += c.steps[a]) ++count;
        to.push_back(count);
      }
      moves.add("slice " + to_string(c.starts) + " to " + to_string(c.stops) + " by " + to_string(c.steps), c.from, to,
                [&](const Expr& x) { return slice(x, shape(c.starts), shape(c.stops), c.steps); },
                [&](const Position& p) {
                  Position source(p.size());
                  for (size_t a = 0; a < p.size(); ++a) source[a] = c.starts[a] + p[a] * c.steps[a];
                  return std::optional(source);
                });
    }
    moves.check();
  }
}

TEST_CASE("pad puts a value before, after and between") {
  struct Case {
    Sizes from, low, high, interior;
  };
  const Case cases[] = {{{}, {}, {}, {}}, {{5}, {0}, {0}, {0}}, {{5}, {2}, {0}, {0}}, {{5}, {0}, {3}, {0}}, {{5}, {1}, {1}, {0}}, {{5}, {0}, {0}, {1}}, {{5}, {2}, {3}, {2}}, {{1}, {1}, {2}, {4}}, {{0}, {2}, {1}, {0}},
                        {{0}, {2}, {1}, {3}}, {{33}, {7}, {9}, {0}}, {{33}, {1}, {0}, {1}}, {{3, 4}, {1, 0}, {0, 2}, {0, 0}}, {{3, 4}, {1, 2}, {3, 1}, {1, 2}}, {{3, 4}, {0, 0}, {0, 0}, {2, 0}}, {{0, 4}, {1, 1}, {1, 1}, {0, 1}},
                        {{2, 3, 4}, {0, 1, 0}, {1, 0, 2}, {1, 0, 1}}, {{2, 1, 3, 2}, {1, 0, 0, 1}, {0, 1, 0, 1}, {0, 3, 1, 1}},
                        {{2, 1, 3, 2, 2}, {0, 1, 0, 2, 1}, {1, 0, 2, 0, 0}, {0, 2, 1, 0, 1}}, {{1, 2, 2, 1, 3, 2}, {1, 0, 1, 0, 0, 2}, {0, 1, 0, 1, 2, 0}, {0, 1, 0, 2, 0, 1}}};
  for (DType type : all_dtypes) {
    GraphScope scope;
    Moves moves(type);
    Tensor fill = full({}, type == boolean ? 1 : 9, type);
    for (const Case& c : cases) {
      Sizes to;
      for (size_t a = 0; a < c.from.size(); ++a) to.push_back(c.low[a] + c.from[a] + std::max<int64_t>(c.from[a] - 1, 0) * c.interior[a] + c.high[a]);
      moves.add("pad " + to_string(c.low) + " " + to_string(c.high) + " " + to_string(c.interior), c.from, to,
                [&](const Expr& x) { return pad(x, convert(Constant(9), x.dtype()), shape(c.low), shape(c.high), c.interior); },
                [&](const Position& p) -> std::optional<Position> {
                  Position source(p.size());
                  for (size_t a = 0; a < p.size(); ++a) {
                    bool found = false;
                    for (int64_t i = 0; i < c.from[a]; ++i)
                      if (c.low[a] + i * (c.interior[a] + 1) == p[a]) source[a] = i, found = true;
                    if (!found) return std::nullopt;
                  }
                  return source;
                },
                &fill);
    }
    moves.check();
  }
}

TEST_CASE("movement of symbolic sizes") {
  GraphScope scope;
  Variable x("x", f32, {"n", 6}), y("y", f32, {"n", "m"});
  Batch batch;
  batch.add("transpose", transpose(y));
  batch.add("reshape to rows of 2", reshape(x, {-1, 2}));
  batch.add("reshape to one axis", reshape(y, {-1}));
  batch.add("reshape to [6, n] of a transpose", reshape(transpose(x), {6, "n"}) + 1);
  batch.add("broadcast along a new axis", broadcast(y, {3, "n", "m"}, {1, 2}));
  batch.add("slice of a numbered axis", slice(x, {0, 1}, {"n", 6}, {1, 2}));
  batch.add("pad around", pad(y, 5, {1, 2}, {3, 0}));
  batch.add("transpose of a pad of a transpose", transpose(pad(transpose(y), -1, {0, 1}, {2, 0})) * 2);
  CompiledBatch compiled(batch);
  for (int64_t n : {0, 1, 3, 32, 65})
    for (int64_t m : {0, 1, 5, 16, 33}) {
      INFO("n = " << n << ", m = " << m);
      Tensor a = random_tensor(f32, {n, 6}, 1), b = random_tensor(f32, {n, m}, 2), five = full({}, 5);
      std::vector<Tensor> values = compiled.equal({{"x", a}, {"y", b}});
      auto swapped = [](const Position& p) { return std::optional(Position(p.rbegin(), p.rend())); };
      CHECK(same_bits(values[0], gathered(b, {m, n}, swapped)));
      CHECK(same_bits(values[1], a.reshaped({n * 3, 2})));
      CHECK(same_bits(values[2], b.reshaped({n * m})));
      CHECK(same_bits(values[4], broadcast_array(b, {3, n, m})));
      CHECK(same_bits(values[5], gathered(a, {n, 3}, [](const Position& p) { return std::optional(Position{p[0], 1 + 2 * p[1]}); })));
      CHECK(same_bits(values[6], gathered(b, {n + 4, m + 2},
                                          [&](const Position& p) {
                                            bool inside = p[0] >= 1 && p[0] < 1 + n && p[1] >= 2;
                                            return inside ? std::optional(Position{p[0] - 1, p[1] - 2}) : std::nullopt;
                                          },
                                          &five)));
    }
}

TEST_CASE("iota counts along its axis in every type") {
  for (DType type : computing_dtypes) {
    if (type == boolean) continue;
    GraphScope scope;
    Batch batch;
    std::vector<std::pair<Sizes, size_t>> cases;
    for (const Sizes& sizes : {Sizes{1}, Sizes{7}, Sizes{type == u8 ? 256 : 300}, Sizes{0}, Sizes{2, 3}, Sizes{4, 33}, Sizes{2, 3, 4}, Sizes{2, 0, 4}, Sizes{2, 3, 2, 5}, Sizes{2, 3, 1, 2, 5}, Sizes{2, 1, 3, 2, 2, 4}})
      for (size_t axis = 0; axis < sizes.size(); ++axis) {
        cases.push_back({sizes, axis});
        batch.add("iota " + to_string(sizes) + " along " + std::to_string(axis), iota(shape(sizes), static_cast<int64_t>(axis), type));
        batch.add("in a computation", iota(shape(sizes), static_cast<int64_t>(axis) - static_cast<int64_t>(sizes.size()), type) + 1);
      }
    std::vector<Tensor> values = CompiledBatch(batch).equal({});
    for (size_t i = 0; i < values.size(); ++i) {
      const auto& [sizes, axis] = cases[i / 2];
      INFO(batch.names[i]);
      REQUIRE(values[i].sizes() == sizes);
      REQUIRE(values[i].dtype() == type);
      dispatch(type, [&](auto tag) {
        using T = typename decltype(tag)::type;
        size_t at = 0;
        for (const Position& p : positions_of(sizes)) REQUIRE(values[i].data<T>()[at++] == static_cast<T>(static_cast<T>(p[axis]) + static_cast<T>(i % 2)));
      });
    }
  }
}

TEST_CASE("dimension and size are what the call binds") {
  GraphScope scope;
  Variable x("x", f32, {"n", "m", 4}), y("y", u8, {"m"});
  Batch batch;
  batch.add("dimension n", dimension("n"));
  batch.add("dimension n*m + 3", dimension(Dim("n") * Dim("m") + 3));
  batch.add("size", size(x));
  batch.add("size of axes", size(x, {0, -1}));
  batch.add("x + size", x + size(x));
  batch.add("y + dimension", y + dimension("m"));
  CompiledBatch compiled(batch);
  for (int64_t n : {0, 1, 5})
    for (int64_t m : {1, 33}) {
      std::vector<Tensor> values = compiled.equal({{"x", random_tensor(f32, {n, m, 4}, 1)}, {"y", random_tensor(u8, {m}, 2)}});
      CHECK(values[0].data<int64_t>()[0] == n);
      CHECK(values[1].data<int64_t>()[0] == n * m + 3);
      CHECK(values[2].data<int64_t>()[0] == n * m * 4);
      CHECK(values[3].data<int64_t>()[0] == n * 4);
      CHECK(values[4].dtype() == f32);
      CHECK(values[5].dtype() == u8);
    }
}
