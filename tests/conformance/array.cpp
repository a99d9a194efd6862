// The compositions of graph/arrays, but for einsum: interpreter and compiled code against index loops.
#include <cmath>
#include <limits>

#include "graph/arrays/arrays.h"
#include "graph/nn/nn.h"
#include "tests/conformance/bounds.h"
#include "tests/conformance/moves.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

using At = std::optional<Position>;

constexpr double inf = std::numeric_limits<double>::infinity(), NaN = std::numeric_limits<double>::quiet_NaN();

Tensor doubles(std::vector<double> values) { return Tensor::of<double>(std::span<const double>(values), {static_cast<int64_t>(values.size())}); }

}  // namespace

TEST_CASE("slices count from the back and go backwards, paddings take away") {
  for (DType type : all_dtypes) {
    GraphScope scope;
    Moves c(type);
    auto sliced = [&](Sizes from, Sizes starts, Sizes stops, Sizes steps, std::vector<Sizes> picked) {
      Sizes to;
      for (const Sizes& p : picked) to.push_back(static_cast<int64_t>(p.size()));
      c.add("slice " + to_string(starts) + to_string(stops) + to_string(steps), from, to, [&](const Expr& x) { return slice(x, shape(starts), shape(stops), steps); },
            [picked](const Position& p) {
              Position source;
              for (size_t a = 0; a < p.size(); ++a) source.push_back(picked[a][static_cast<size_t>(p[a])]);
              return At(source);
            });
    };
    sliced({5}, {4}, {-6}, {-1}, {{4, 3, 2, 1, 0}});
    sliced({5}, {-1}, {-6}, {-2}, {{4, 2, 0}});
    sliced({6}, {5}, {0}, {-2}, {{5, 3, 1}});
    sliced({6}, {4}, {1}, {-1}, {{4, 3, 2}});
    sliced({6}, {1}, {4}, {-1}, {{}});
    sliced({6}, {-5}, {-1}, {1}, {{1, 2, 3, 4}});
    sliced({6}, {-5}, {-1}, {3}, {{1, 4}});
    sliced({3, 40}, {0, 39}, {3, -41}, {2, -1}, {{0, 2}, [] { Sizes s; for (int64_t i = 39; i >= 0; --i) s.push_back(i); return s; }()});
    for (const Axes& axes : {Axes{}, Axes{0}, Axes{-1}, Axes{0, 1}})
      c.add("flip " + to_string(axes), {3, 35}, {3, 35}, [&](const Expr& x) { return flip(x, axes); },
            [axes](const Position& p) {
              Position s = p;
              for (int64_t a : axes) a == 0 ? void(s[0] = 2 - p[0]) : void(s[1] = 34 - p[1]);
              return At(s);
            });
    Tensor fill = full({}, type == boolean ? 1 : 9, type);
    auto pads = [&](Sizes low, Sizes high, Axes interior, Sizes to, auto from) {
      c.add("pad " + to_string(low) + to_string(high), {5, 4}, to, [&](const Expr& x) { return pad(x, convert(Constant(9), x.dtype()), shape(low), shape(high), interior); }, from, &fill);
    };
    pads({-1, 2}, {1, -1}, {}, {5, 5}, [](const Position& p) { return p[0] == 4 || p[1] < 2 ? At() : At(Position{p[0] + 1, p[1] - 2}); });
    pads({-1, 0}, {-1, -2}, {1, 0}, {7, 2}, [](const Position& p) { return p[0] % 2 == 0 ? At() : At(Position{(p[0] + 1) / 2, p[1]}); });
    c.check();
  }
  GraphScope scope;
  Variable x("x", f32, {4});
  CHECK_THROWS_AS(slice(x, {4}, {-5}, {-1}), UserError);
  CHECK_THROWS_AS(slice(x, {-5}, {4}), UserError);
  CHECK_THROWS_AS(slice(x, {0}, {4}, {0}), UserError);
  CHECK_THROWS_AS(pad(x, 0, {-3}, {-2}), UserError);
}

TEST_CASE("arrays are joined, cut and rolled") {
  for (DType type : all_dtypes) {
    GraphScope scope;
    Moves c(type);
    auto halves = [](const Expr& x, int64_t at) { return std::pair{slice(x, {0, 0}, {3, at}), slice(x, {0, at}, {3, 9})}; };
    c.add("concatenate", {3, 9}, {3, 9}, [&](const Expr& x) { auto [a, b] = halves(x, 4); return concatenate({a, b}, -1); }, [](const Position& p) { return At(p); });
    c.add("concatenate of a value with itself", {3, 9}, {9, 9}, [](const Expr& x) { return concatenate({x, x, x}); }, [](const Position& p) { return At(Position{p[0] % 3, p[1]}); });
    c.add("concatenate with nothing", {3, 9}, {3, 9}, [&](const Expr& x) { auto [a, b] = halves(x, 9); return concatenate({b, a, b}, 1); }, [](const Position& p) { return At(p); });
    for (int64_t axis : {0, 1, -1})
      c.add("stack along " + std::to_string(axis), {3, 9}, axis == 0 ? Sizes{2, 3, 9} : axis == 1 ? Sizes{3, 2, 9} : Sizes{3, 9, 2}, [&](const Expr& x) { return stack({x, flip(x, {1})}, axis); },
            [axis](const Position& p) {
              size_t at = axis < 0 ? 2 : static_cast<size_t>(axis);
              Position s;
              for (size_t a = 0; a < 3; ++a)
                if (a != at) s.push_back(p[a]);
              return At(p[at] == 0 ? s : Position{s[0], 8 - s[1]});
            });
    c.add("split", {3, 9}, {3, 3}, [](const Expr& x) { return split(x, 3, 1)[1]; }, [](const Position& p) { return At(Position{p[0], p[1] + 3}); });
    c.add("split at", {3, 9}, {3, 4}, [](const Expr& x) { return split(x, Axes{2, 5}, 1)[2]; }, [](const Position& p) { return At(Position{p[0], p[1] + 5}); });
    for (int64_t shift : {0, 2, -2, 20, -9})
      c.add("roll by " + std::to_string(shift), {3, 9}, {3, 9}, [&](const Expr& x) { return roll(x, shift, 1); }, [shift](const Position& p) { return At(Position{p[0], ((p[1] - shift) % 9 + 9) % 9}); });
    Tensor zero = full({}, 0, type);
    for (int64_t offset : {-2, -1, 0, 1, 4, 8, 9}) {
      int64_t length = std::max<int64_t>(0, offset < 0 ? 3 + offset : std::min<int64_t>(3, 9 - offset));
      c.add("diagonal " + std::to_string(offset), {3, 9}, {length}, [&](const Expr& x) { return diagonal(x, offset); },
            [offset](const Position& p) { return At(Position{p[0] + std::max<int64_t>(0, -offset), p[0] + std::max<int64_t>(0, offset)}); });
      c.add("tril " + std::to_string(offset), {3, 9}, {3, 9}, [&](const Expr& x) { return tril(x, offset); }, [offset](const Position& p) { return p[1] - p[0] <= offset ? At(p) : At(); }, &zero);
      c.add("triu " + std::to_string(offset), {3, 9}, {3, 9}, [&](const Expr& x) { return triu(x, offset); }, [offset](const Position& p) { return p[1] - p[0] >= offset ? At(p) : At(); }, &zero);
    }
    c.add("diagonal of two axes of three", {3, 2, 3}, {2, 3}, [](const Expr& x) { return diagonal(x, 0, 0, 2); }, [](const Position& p) { return At(Position{p[1], p[0], p[1]}); });
    c.check();
  }
  GraphScope scope;
  Variable x("x", f32, {"n", 3}), y("y", f32, {"m", 3});
  CHECK_THROWS_AS(concatenate({x, y}, 1), UserError);
  CHECK_THROWS_AS(concatenate({}), UserError);
  CHECK_THROWS_AS(split(x, 2, 1), UserError);
  CHECK_THROWS_AS(roll(x, 1, 0), UserError);
  CHECK_THROWS_AS(diagonal(x), UserError);
}

// To save compiling, one of these along each axis of an array, others of each type.
TEST_CASE("arrays of ranks 1 to 6 are turned, joined, cut and rolled along each axis") {
  for (DType type : all_dtypes) {
    GraphScope scope;
    Moves moves(type);
    const Tensor zero = full({}, 0, type);
    size_t number = static_cast<size_t>(type);
    for (const Sizes& sizes : arrays_of_all_ranks())
      for (size_t axis = 0; axis < sizes.size(); ++axis, ++number) {
        const size_t rank = sizes.size(), next = (axis + 1) % rank;
        const int64_t n = sizes[axis], along = static_cast<int64_t>(axis), offset = along - 2;
        auto with = [axis](Sizes p, int64_t value) { return p[axis] = value, p; };
        auto without = [](Sizes p, size_t a) { return p.erase(p.begin() + static_cast<std::ptrdiff_t>(a)), p; };
        auto above = [rank](const Position& p) { return p[rank - 1] - p[rank - 2]; };
        auto flipped = [along](const Expr& x) { return flip(x, {along}); };
        const size_t which = number % (rank == 1 ? 5 : 8);
        if (which == 0) moves.add("flip", sizes, sizes, flipped, [&](const Position& p) { return At(with(p, n - 1 - p[axis])); });
        if (which == 1)
          moves.add("concatenate", sizes, with(sizes, 2 * n), [&](const Expr& x) { return concatenate({x, flipped(x)}, along); },
                    [&](const Position& p) { return At(with(p, p[axis] < n ? p[axis] : 2 * n - 1 - p[axis])); });
        if (which == 2) {
          Sizes to = sizes;
          to.insert(to.begin() + along, 2);
          moves.add("stack", sizes, to, [&](const Expr& x) { return stack({x, flipped(x)}, along); },
                    [&](const Position& p) { return At(p[axis] == 0 ? without(p, axis) : with(without(p, axis), n - 1 - p[axis + 1])); });
        }
        if (which == 3) moves.add("split", sizes, with(sizes, n - n / 2), [&](const Expr& x) { return split(x, Axes{n / 2}, along)[1]; }, [&](const Position& p) { return At(with(p, p[axis] + n / 2)); });
        if (which == 4) moves.add("roll", sizes, sizes, [&](const Expr& x) { return roll(x, 2, along); }, [&](const Position& p) { return At(with(p, ((p[axis] - 2) % n + n) % n)); });
        if (which == 5) {
          Sizes to = without(without(sizes, std::max(axis, next)), std::min(axis, next));
          to.push_back(std::min(n, sizes[next]));
          moves.add("diagonal", sizes, to, [&](const Expr& x) { return diagonal(x, 0, along, static_cast<int64_t>(next)); }, [&](const Position& p) {
            Position source(p.begin(), p.end() - 1);
            for (size_t a : {std::min(axis, next), std::max(axis, next)}) source.insert(source.begin() + static_cast<std::ptrdiff_t>(a), p.back());
            return At(source);
          });
        }
        if (which == 6) moves.add("tril", sizes, sizes, [&](const Expr& x) { return tril(x, offset); }, [&](const Position& p) { return above(p) <= offset ? At(p) : At(); }, &zero);
        if (which == 7) moves.add("triu", sizes, sizes, [&](const Expr& x) { return triu(x, offset); }, [&](const Position& p) { return above(p) >= offset ? At(p) : At(); }, &zero);
      }
    moves.check();
  }
}

TEST_CASE("symbolic sizes are joined and turned round") {
  GraphScope scope;
  Variable x("x", f32, {"n", 3}), y("y", f32, {"m", 3});
  Batch batch;
  batch.add("concatenate", concatenate({x, y, x + 1}));
  batch.add("flip", flip(x, {0}));
  batch.add("backwards", slice(x, {Dim("n") - 1, 0}, {Dim(-1) - "n", 3}, {-1, 1}));
  batch.add("half", split(concatenate({y, y}), 2)[1]);
  batch.add("cumsum", cumsum(x, 0));
  batch.add("cummax", cummax(x, 0));
  CompiledBatch compiled(batch);
  for (int64_t n : {0, 1, 5, 33})
    for (int64_t m : {0, 1, 18}) {
      INFO("n = " << n << ", m = " << m);
      Tensor a = random_tensor(f32, {n, 3}, 1), b = random_tensor(f32, {m, 3}, 2);
      auto values = compiled({{"x", a}, {"y", b}});
      for (size_t i : {0, 1, 2, 3, 5}) {
        INFO(batch.names[i]);
        CHECK(same_bits(values.compiled[i], values.interpreted[i]));
      }
      REQUIRE(values.compiled[0].sizes() == Sizes{n + m + n, 3});
      for (int64_t i = 0; i < n + m + n; ++i)
        for (int64_t k = 0; k < 3; ++k) {
          float want = i < n ? a.data<float>()[static_cast<size_t>(i * 3 + k)] : i < n + m ? b.data<float>()[static_cast<size_t>((i - n) * 3 + k)] : a.data<float>()[static_cast<size_t>((i - n - m) * 3 + k)] + 1;
          CHECK(values.compiled[0].data<float>()[static_cast<size_t>(i * 3 + k)] == want);
        }
      for (size_t i : {1, 2}) CHECK(same_bits(values.compiled[i], gathered(a, {n, 3}, [&](const Position& p) { return At(Position{n - 1 - p[0], p[1]}); })));
      CHECK(same_bits(values.compiled[3], b));
      for (int64_t k = 0; k < 3; ++k) {
        std::vector<long double> before;
        double largest = -inf;
        for (int64_t i = 0; i < n; ++i) {
          size_t at = static_cast<size_t>(i * 3 + k);
          double v = static_cast<double>(a.data<float>()[at]);
          before.push_back(v), largest = std::max(largest, v);
          CHECK(near_sum(values.compiled[4].data<float>()[at], before) == "");
          CHECK(static_cast<double>(values.compiled[5].data<float>()[at]) == largest);
        }
      }
    }
}

TEST_CASE("tests of elements, and extremes' positions") {
  GraphScope scope;
  Variable x("x", f64, {6}), i("i", i32, {6}), a("a", boolean, {4}), b("b", boolean, {4});
  Batch batch;
  batch.add("isnan", isnan(x)), batch.add("isinf", isinf(x)), batch.add("isfinite", isfinite(x)), batch.add("xor", logical_xor(a, b));
  batch.add("any", any(x)), batch.add("all", all(x)), batch.add("any of i32", any(i, {0}, true)), batch.add("all of i32", all(i));
  batch.add("isnan of i32", isnan(i)), batch.add("isfinite of i32", isfinite(i));
  batch.add("clip", clip(x, -1, 1)), batch.add("argmin", argmin(i)), batch.add("argmax", argmax(i)), batch.add("argmin with NaN", argmin(x)), batch.add("norm", norm(i));
  auto bools = [](std::vector<int> v) {
    Tensor t = Tensor::uninitialized(boolean, {static_cast<int64_t>(v.size())});
    for (size_t k = 0; k < v.size(); ++k) t.data<bool>()[k] = v[k] != 0;
    return t;
  };
  std::vector<int32_t> whole = {3, 0, -4, 0, -4, 3};
  auto values = CompiledBatch(batch)({{"x", doubles({NaN, inf, -inf, -0.0, 0.5, 1e308})}, {"i", Tensor::of<int32_t>(std::span<const int32_t>(whole), {6})}, {"a", bools({0, 0, 1, 1})}, {"b", bools({0, 1, 0, 1})}}).compiled;
  CHECK(same_bits(values[0], bools({1, 0, 0, 0, 0, 0})));
  CHECK(same_bits(values[1], bools({0, 1, 1, 0, 0, 0})));
  CHECK(same_bits(values[2], bools({0, 0, 0, 1, 1, 1})));
  CHECK(same_bits(values[3], bools({0, 1, 1, 0})));
  CHECK((values[4].item() == 1 && values[5].item() == 0 && values[6].item() == 1 && values[7].item() == 0));
  CHECK(values[6].sizes() == Sizes{1});
  CHECK(same_bits(values[8], bools({0, 0, 0, 0, 0, 0})));
  CHECK(same_bits(values[9], bools({1, 1, 1, 1, 1, 1})));
  CHECK(same_bits(values[10], doubles({NaN, 1, -1, -0.0, 0.5, 1})));
  CHECK((values[11].item() == 2 && values[12].item() == 0 && values[13].item() == 0));
  CHECK(values[14].item() == std::sqrt(50.0));
}
