// gather and scatter_add, and what is made of them: interpreter and compiled code against index loops.
#include <algorithm>
#include <limits>

#include "graph/arrays/selecting.h"
#include "tests/conformance/arrays.h"
#include "tests/conformance/bounds.h"
#include "tests/conformance/readings.h"
#include "tests/conformance/samples.h"
#include "tests/conformance/support.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

// Positions around [0, size), some outside on both sides where the type has them.
Tensor positions(DType type, const Sizes& sizes, int64_t size, uint64_t seed) {
  Tensor t = Tensor::uninitialized(type, sizes);
  std::mt19937_64 random(seed);
  dispatch(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (!std::is_same_v<T, bool>)
      for (T& v : t.data<T>()) {
        int64_t p = static_cast<int64_t>(random() % static_cast<uint64_t>(size + 4)) - (std::is_signed_v<T> ? 2 : 0);
        v = random() % 16 ? static_cast<T>(p) : random() % 2 ? std::numeric_limits<T>::max() : std::numeric_limits<T>::lowest();
      }
  });
  return t;
}

auto positions_in(int64_t size) {
  return [size](DType type, const Sizes& sizes, uint64_t seed) { return positions(type, sizes, size, seed); };
}

int64_t wide(const Tensor& t, size_t i) {
  return dispatch(t.dtype(), [&](auto tag) {
    auto v = t.data<typename decltype(tag)::type>()[i];
    return v > typename decltype(tag)::type(0) && static_cast<uint64_t>(v) > uint64_t{1} << 62 ? int64_t{1} << 62 : static_cast<int64_t>(v);
  });
}

Sizes joined(Sizes a, const Sizes& b, size_t from) {
  a.insert(a.end(), b.begin() + static_cast<std::ptrdiff_t>(from), b.end());
  return a;
}

struct Case {
  Sizes x, at;
  size_t batch;
};
const Case cases[] = {{{5}, {}, 0}, {{5}, {7}, 0}, {{4, 3}, {2, 3}, 0}, {{4, 17}, {6}, 0}, {{1, 2}, {3}, 0}, {{2, 5}, {2}, 1}, {{2, 5}, {2, 4}, 1}, {{2, 3, 4}, {2, 5}, 1}, {{2, 3, 4}, {2, 3, 6}, 2},
                      {{3, 33}, {3, 40}, 1}, {{4, 2}, {0}, 0}, {{2, 3, 2, 2}, {2, 2, 2}, 1}, {{2, 3, 2, 1, 4}, {2, 3, 2, 3}, 2}, {{2, 1, 2, 3, 2, 3}, {2, 1, 2, 5}, 3}, {{2, 2, 1, 2, 2, 4}, {2, 2, 1, 2, 2, 7}, 5},
                      {{4, 2, 1, 3, 1, 2}, {3}, 0}};

}  // namespace

TEST_CASE("gather takes what is at a position, or the nearest where there is nothing") {
  for (DType type : all_dtypes)
    for (DType index : {i32, i64, u8, u32, u64}) {
      if (type != f32 && index != i32) continue;
      GraphScope scope;
      Batch batch;
      NamedTensors inputs;
      std::vector<Tensor> wanted;
      for (const Case& c : cases) {
        std::string n = std::to_string(wanted.size());
        const size_t seed = wanted.size() + 1;
        const ReadOperand x = read_as(reading(seed), "x" + n, type, c.x, seed, mixed_tensor);
        const ReadOperand where_from = read_as(reading(seed / 2), "i" + n, index, c.at, seed, positions_in(c.x[c.batch]));
        const Tensor& at = where_from.value;
        batch.add("gather of " + label(type) + to_string(c.x) + " at " + label(index) + to_string(c.at), gather(x.expression, where_from.expression, static_cast<int64_t>(c.batch)));
        inputs.emplace("x" + n, x.stored), inputs.emplace("i" + n, where_from.stored);
        wanted.push_back(gathered(x.value, joined(c.at, c.x, c.batch + 1), [&](const Position& p) {
          Position where(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(c.at.size())), source(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(c.batch));
          source.push_back(std::clamp<int64_t>(wide(at, flat(where, c.at)), 0, c.x[c.batch] - 1));
          source.insert(source.end(), p.begin() + static_cast<std::ptrdiff_t>(c.at.size()), p.end());
          return std::optional(source);
        }));
      }
      std::vector<Tensor> values = CompiledBatch(batch).equal(inputs);
      for (size_t i = 0; i < values.size(); ++i) {
        INFO(batch.names[i]);
        CHECK(same_bits(values[i], wanted[i]));
      }
    }
}

TEST_CASE("scatter_add adds each update where it belongs, and drops those that belong nowhere") {
  for (DType type : computing_dtypes) {
    if (type == boolean) continue;  // refused
    GraphScope scope;
    Batch batch;
    NamedTensors inputs;
    std::vector<std::vector<std::vector<long double>>> terms;
    for (const Case& c : cases) {
      std::string n = std::to_string(terms.size());
      // x's case read backwards: updates [at..., rest...] into [batch..., size, rest...].
      Sizes sizes = joined(c.at, c.x, c.batch + 1);
      const size_t seed = terms.size() + 1;
      const ReadOperand updates = read_as(reading(seed), "x" + n, type, sizes, seed, seed % 4 == 0 ? tiny_tensor : random_tensor);
      const ReadOperand where_to = read_as(reading(seed / 2), "i" + n, i64, c.at, seed, positions_in(c.x[c.batch]));
      const Tensor& at = where_to.value;
      batch.add("scatter_add of " + label(type) + to_string(sizes) + " at " + to_string(c.at), scatter_add(where_to.expression, updates.expression, c.x[c.batch], static_cast<int64_t>(c.batch)));
      inputs.emplace("x" + n, updates.stored), inputs.emplace("i" + n, where_to.stored);
      terms.emplace_back(static_cast<size_t>(element_count(c.x)));
      for (const Position& p : positions_of(sizes)) {
        Position where(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(c.at.size())), to(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(c.batch));
        int64_t row = wide(at, flat(where, c.at));
        if (row < 0 || row >= c.x[c.batch]) continue;
        to.push_back(row);
        to.insert(to.end(), p.begin() + static_cast<std::ptrdiff_t>(c.at.size()), p.end());
        dispatch(type, [&](auto tag) { terms.back()[flat(to, c.x)].push_back(static_cast<long double>(updates.value.data<typename decltype(tag)::type>()[flat(p, sizes)])); });
      }
    }
    auto values = CompiledBatch(batch)(inputs);
    for (size_t i = 0; i < terms.size(); ++i)
      for (const auto& results : {values.interpreted, values.compiled}) {
        INFO(batch.names[i]);
        REQUIRE(results[i].sizes() == cases[i].x);
        dispatch(type, [&](auto tag) {
          using T = typename decltype(tag)::type;
          for (size_t k = 0; k < terms[i].size(); ++k)
            if constexpr (std::is_floating_point_v<T>) CHECK(near_sum(results[i].data<T>()[k], terms[i][k]) == "");
            else CHECK(results[i].data<T>()[k] == wrapped_sum<T>(terms[i][k]));
        });
      }
  }
}

TEST_CASE("gather and scatter_add of symbolic sizes, an empty axis among them") {
  GraphScope scope;
  Variable x("x", f32, {"n", 3}), i("i", i32, {"k"}), u("u", f32, {"k", 3});
  Batch batch;
  batch.add("gather", gather(x, i));
  batch.add("scatter_add", scatter_add(i, u, "n"));
  CompiledBatch compiled(batch);
  for (int64_t n : {0, 1, 5, 40})
    for (int64_t k : {0, 1, 17}) {
      INFO("n = " << n << ", k = " << k);
      Tensor a = random_tensor(f32, {n, 3}, 1), at = positions(i32, {k}, n, 2), b = random_tensor(f32, {k, 3}, 3);
      auto values = compiled({{"x", a}, {"i", at}, {"u", b}});
      Tensor zero = full({}, 0);
      CHECK(same_bits(values.compiled[0], gathered(a, {k, 3}, [&](const Position& p) {
        int64_t row = std::clamp<int64_t>(wide(at, static_cast<size_t>(p[0])), 0, std::max<int64_t>(n - 1, 0));
        return n == 0 ? std::nullopt : std::optional(Position{row, p[1]});
      }, &zero)));
      CHECK(same_bits(values.compiled[0], values.interpreted[0]));
      std::vector<std::vector<long double>> terms(static_cast<size_t>(n * 3));
      for (const Position& p : positions_of({k, 3}))
        if (int64_t row = wide(at, static_cast<size_t>(p[0])); row >= 0 && row < n) terms[flat({row, p[1]}, {n, 3})].push_back(b.data<float>()[flat(p, {k, 3})]);
      REQUIRE(values.compiled[1].sizes() == Sizes{n, 3});
      for (size_t t = 0; t < terms.size(); ++t) CHECK(near_sum(values.compiled[1].data<float>()[t], terms[t]) == "");
    }
}

TEST_CASE("take and take_along_axis pick as NumPy's do") {
  GraphScope scope;
  Tensor a = random_tensor(f32, {2, 3, 4}, 1), at = positions(i64, {5, 2}, 3, 2), along = positions(i64, {2, 1, 6}, 4, 3), rows = positions(i32, {7}, 24, 4);
  Variable x("x", f32, {2, 3, 4}), i("i", i64, {5, 2}), k("k", i64, {2, 1, 6}), r("r", i32, {7});
  Batch batch;
  batch.add("take along 1", take(x, i, 1));
  batch.add("take along -1", take(x, i, -1));
  batch.add("take of all", take(x, r));
  batch.add("take_along_axis", take_along_axis(x, k, 2));
  batch.add("embedding", embedding(reshape(x, {6, 4}), i));
  std::vector<Tensor> values = CompiledBatch(batch).equal({{"x", a}, {"i", at}, {"k", along}, {"r", rows}});
  auto clamped = [](const Tensor& t, size_t n, int64_t size) { return std::clamp<int64_t>(wide(t, n), 0, size - 1); };
  CHECK(same_bits(values[0], gathered(a, {2, 5, 2, 4}, [&](const Position& p) { return std::optional(Position{p[0], clamped(at, flat({p[1], p[2]}, {5, 2}), 3), p[3]}); })));
  CHECK(same_bits(values[1], gathered(a, {2, 3, 5, 2}, [&](const Position& p) { return std::optional(Position{p[0], p[1], clamped(at, flat({p[2], p[3]}, {5, 2}), 4)}); })));
  CHECK(same_bits(values[2], gathered(a.reshaped({24}), {7}, [&](const Position& p) { return std::optional(Position{clamped(rows, static_cast<size_t>(p[0]), 24)}); })));
  CHECK(same_bits(values[3], gathered(a, {2, 3, 6}, [&](const Position& p) { return std::optional(Position{p[0], p[1], clamped(along, flat({p[0], 0, p[2]}, {2, 1, 6}), 4)}); })));
  CHECK(same_bits(values[4], gathered(a.reshaped({6, 4}), {5, 2, 4}, [&](const Position& p) { return std::optional(Position{clamped(at, flat({p[0], p[1]}, {5, 2}), 6), p[2]}); })));
}

// To save compiling, one of the two along each axis of an array, the other of every second type.
TEST_CASE("take and take_along_axis along each axis of ranks 1 to 6") {
  for (DType type : all_dtypes) {
    GraphScope scope;
    Batch batch;
    NamedTensors inputs;
    std::vector<Tensor> wanted;
    for (const Sizes& sizes : arrays_of_all_ranks())
      for (size_t axis = 0; axis < sizes.size(); ++axis) {
        const std::string n = std::to_string(wanted.size());
        const size_t seed = wanted.size() + static_cast<size_t>(type), rank = sizes.size();
        const bool along = seed % 2 == 0;
        Sizes at_sizes = {2, 3}, to = sizes;
        if (along) {
          at_sizes = sizes;
          if (rank > 1) at_sizes[(axis + 1) % rank] = 1;
          to[axis] = at_sizes[axis] = 5;
        } else {
          to[axis] = 3, to.insert(to.begin() + static_cast<std::ptrdiff_t>(axis), 2);
        }
        const ReadOperand x = read_as(reading(seed / 2), "x" + n, type, sizes, seed, mixed_tensor);
        const Tensor at = positions(i32, at_sizes, sizes[axis], seed);
        const Variable i("i" + n, i32, shape(at_sizes));
        inputs.emplace("x" + n, x.stored), inputs.emplace("i" + n, at);
        batch.add((along ? "take_along_axis of " : "take of ") + label(type) + to_string(sizes) + " along " + std::to_string(axis),
                  along ? take_along_axis(x.expression, i, static_cast<int64_t>(axis)) : take(x.expression, i, static_cast<int64_t>(axis)));
        wanted.push_back(gathered(x.value, to, [&](const Position& p) {
          Position source = p, where = along ? p : Position{p[axis], p[axis + 1]};
          if (along && rank > 1) where[(axis + 1) % rank] = 0;
          if (!along) source.erase(source.begin() + static_cast<std::ptrdiff_t>(axis));
          source[axis] = std::clamp<int64_t>(wide(at, flat(where, at_sizes)), 0, sizes[axis] - 1);
          return std::optional(source);
        }));
      }
    const std::vector<Tensor> values = CompiledBatch(batch).equal(inputs);
    for (size_t i = 0; i < values.size(); ++i) {
      INFO(batch.names[i]);
      CHECK(same_bits(values[i], wanted[i]));
    }
  }
}

TEST_CASE("positions that do not fit are refused") {
  GraphScope scope;
  Variable x("x", f32, {2, 3}), i("i", i32, {2, 4}), f("f", f32, {2});
  CHECK_THROWS_AS(gather(x, f), UserError);
  CHECK_THROWS_AS(gather(x, i, 2), UserError);
  CHECK_THROWS_AS(gather(x, i, -1), UserError);
  CHECK_THROWS_AS(gather(Variable("none", f32, {0, 3}), i), UserError);
  CHECK_THROWS_AS(scatter_add(i, x, 4), UserError);
  CHECK_THROWS_AS(scatter_add(i, x == x, 4), UserError);
  CHECK_THROWS_AS(take(x, i, 2), UserError);
  CHECK_THROWS_AS(take_along_axis(x, f, 0), UserError);
}
