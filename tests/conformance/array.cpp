// The compositions of graph/arrays, but for einsum: interpreter and compiled code against index loops.
#include <cmath>
#include <limits>

#include "graph/arrays/arrays.h"
#include "graph/nn/nn.h"
#include "tests/conformance/arrays.h"
#include "tests/conformance/samples.h"
#include "tests/conformance/support.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

using Sizes = std::vector<int64_t>;
using At = std::optional<Position>;
Shape shape(const Sizes& sizes) { return Shape(sizes.begin(), sizes.end()); }

// One expression of one variable at a time, each with what it should be.
struct Checks {
  DType type;
  Batch batch;
  NamedTensors inputs;
  std::vector<Tensor> wanted;

  template <class Make, class From>
  void add(const std::string& what, const Sizes& from, const Sizes& to, Make make, From source, const Tensor* fill = nullptr) {
    std::string name = "x" + std::to_string(wanted.size());
    Tensor x = random_tensor(type, from, wanted.size() + 1);
    inputs.emplace(name, x);
    batch.add(what, make(Variable(name, type, shape(from))));
    wanted.push_back(gathered(x, to, source, fill));
  }
  void check() const {
    std::vector<Tensor> values = CompiledBatch(batch).equal(inputs);
    for (size_t i = 0; i < values.size(); ++i) {
      INFO(batch.names[i]);
      CHECK(same_bits(values[i], wanted[i]));
    }
  }
};

constexpr double inf = std::numeric_limits<double>::infinity(), NaN = std::numeric_limits<double>::quiet_NaN();

Tensor doubles(std::vector<double> values) { return Tensor::of<double>(std::span<const double>(values), {static_cast<int64_t>(values.size())}); }

}  // namespace

TEST_CASE("slices count from the back and go backwards, paddings take away") {
  for (DType type : {f32, u8, boolean}) {
    GraphScope scope;
    Checks c{type, {}, {}, {}};
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
  for (DType type : {f32, u8, boolean}) {
    GraphScope scope;
    Checks c{type, {}, {}, {}};
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
        double total = 0, largest = -inf;
        for (int64_t i = 0; i < n; ++i) {
          size_t at = static_cast<size_t>(i * 3 + k);
          double v = static_cast<double>(a.data<float>()[at]);
          total += v, largest = std::max(largest, v);
          CHECK(static_cast<double>(values.compiled[4].data<float>()[at]) == Approx(total).margin(1e-5));
          CHECK(static_cast<double>(values.compiled[5].data<float>()[at]) == largest);
        }
      }
    }
}

TEST_CASE("running sums, products and extremes") {
  GraphScope scope;
  Variable x("x", f64, {7}), i("i", u8, {3, 5});
  Batch batch;
  batch.add("cumsum", cumsum(x, 0));
  batch.add("cumprod", cumprod(x, 0));
  batch.add("cummax", cummax(x, 0));
  batch.add("cummin", cummin(x, 0));
  batch.add("cumsum of u8", cumsum(i, -1));
  batch.add("cummax of u8", cummax(i, 0));
  CompiledBatch compiled(batch);
  Tensor bytes = full({3, 5}, 200, u8);
  bytes.data<uint8_t>()[7] = 250;
  auto values = compiled.equal({{"x", doubles({-0.0, 2, -3, 0.5, NaN, 1, 4})}, {"i", bytes}});
  auto expect = [&](size_t n, std::vector<double> want) {
    INFO(batch.names[n]);
    CHECK(same_bits(values[n], doubles(want)));
  };
  expect(0, {-0.0, 2, -1, -0.5, NaN, NaN, NaN});
  expect(1, {-0.0, -0.0, 0, 0, NaN, NaN, NaN});
  expect(2, {-0.0, 2, 2, 2, NaN, NaN, NaN});
  expect(3, {-0.0, -0.0, -3, -3, NaN, NaN, NaN});
  REQUIRE(values[4].dtype() == i64);
  CHECK(values[4].data<int64_t>()[4] == 1000);
  CHECK(values[4].data<int64_t>()[9] == 1050);
  CHECK(values[5].data<uint8_t>()[12] == 250);
  CHECK(values[5].data<uint8_t>()[2] == 200);
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
  CHECK(values[14].item() == Approx(std::sqrt(50.0)));
}
