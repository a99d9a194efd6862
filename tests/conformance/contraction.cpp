// Contractions and matrix products: interpreter and compiled code against index loops.
#include <algorithm>
#include <cmath>

#include "graph/nn/activations.h"
#include "tests/conformance/arrays.h"
#include "tests/conformance/bounds.h"
#include "tests/conformance/readings.h"
#include "tests/conformance/samples.h"
#include "tests/conformance/support.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

Axes free_axes(size_t rank, const Axes& batch, const Axes& contracted) {
  Axes free;
  for (int64_t a = 0; a < static_cast<int64_t>(rank); ++a)
    if (std::count(batch.begin(), batch.end(), a) + std::count(contracted.begin(), contracted.end(), a) == 0) free.push_back(a);
  return free;
}

Sizes sizes_along(const Tensor& x, const Axes& axes) {
  Sizes sizes;
  for (int64_t a : axes) sizes.push_back(x.sizes()[static_cast<size_t>(a)]);
  return sizes;
}

// The products that each element of a contraction is the sum of: result[batch, free a, free b] = sum over k of a[...] b[...].
template <class T>
std::vector<std::vector<std::pair<T, T>>> products(const Tensor& a, const Tensor& b, const ContractionAttributes& c, Sizes& sizes) {
  Axes a_free = free_axes(a.sizes().size(), c.lhs_batch, c.lhs_contracted), b_free = free_axes(b.sizes().size(), c.rhs_batch, c.rhs_contracted);
  Sizes batch = sizes_along(a, c.lhs_batch), rows = sizes_along(a, a_free), columns = sizes_along(b, b_free), inner = sizes_along(a, c.lhs_contracted);
  sizes = batch;
  sizes.insert(sizes.end(), rows.begin(), rows.end());
  sizes.insert(sizes.end(), columns.begin(), columns.end());
  auto at = [](const Tensor& x, std::initializer_list<std::pair<const Axes*, const Position*>> parts) {
    Position p(x.sizes().size());
    for (auto [axes, position] : parts)
      for (size_t i = 0; i < axes->size(); ++i) p[static_cast<size_t>((*axes)[i])] = (*position)[i];
    return x.data<T>()[flat(p, x.sizes())];
  };
  std::vector<std::vector<std::pair<T, T>>> all;
  std::vector<Position> ks = positions_of(inner), is = positions_of(rows), js = positions_of(columns);
  for (const Position& n : positions_of(batch))
    for (const Position& i : is)
      for (const Position& j : js) {
        all.emplace_back();
        for (const Position& k : ks)
          all.back().push_back({at(a, {{&c.lhs_batch, &n}, {&a_free, &i}, {&c.lhs_contracted, &k}}), at(b, {{&c.rhs_batch, &n}, {&b_free, &j}, {&c.rhs_contracted, &k}})});
      }
  return all;
}

enum class By : uint8_t { interpreter, compiled };

// The sum as compiled code makes it: by blocks, each from zero, in order, a fused multiply-add for each product.
template <class T>
T in_order(const std::vector<std::pair<T, T>>& products, size_t block) {
  T total = 0;
  for (size_t begin = 0; begin < products.size(); begin += block) {
    T sum = 0;
    for (size_t k = begin; k < std::min(begin + block, products.size()); ++k) sum = std::fma(products[k].first, products[k].second, sum);
    total = begin == 0 ? sum : total + sum;
  }
  return total;
}

// The interpreter sums more precisely; compiled code in blocks of one length from 64 to 512, to the bit.
void check_contraction(const Tensor& a, const Tensor& b, const ContractionAttributes& c, const Tensor& result, By by) {
  INFO((by == By::compiled ? "compiled" : "interpreted"));
  REQUIRE(result.dtype() == a.dtype());
  dispatch(a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    Sizes sizes;
    auto all = products<T>(a, b, c, sizes);
    REQUIRE(result.sizes() == sizes);
    const size_t longest = std::clamp<size_t>(all.empty() ? 0 : all[0].size(), 64, 512);
    std::vector<size_t> blocks;  // that K may have been cut into: of those longer than K one stands for all
    for (size_t block = 64; block <= longest; ++block) blocks.push_back(block);
    for (size_t i = 0; i < all.size(); ++i) {
      T got = result.data<T>()[i];
      if constexpr (std::is_floating_point_v<T>) {
        std::vector<long double> terms;
        for (auto [x, y] : all[i]) terms.push_back(static_cast<long double>(x) * static_cast<long double>(y));
        std::string problem = near_sum(got, terms, 2);
        if (!problem.empty()) FAIL_CHECK("element " << i << " is " << problem);
        if (by == By::interpreter || !host_target().has_fma) continue;
        std::erase_if(blocks, [&](size_t block) { return !same_bits(Tensor::scalar(in_order(all[i], block)), Tensor::scalar(got)); });
        if (blocks.empty()) FAIL_CHECK("element " << i << " is " << got << ", no sum in order by blocks of the length that those before have");
      } else {
        uint64_t total = 0;
        for (auto [x, y] : all[i]) total += static_cast<uint64_t>(x) * static_cast<uint64_t>(y);
        if (got != static_cast<T>(total)) FAIL_CHECK("element " << i << " is " << +got << ", not " << +static_cast<T>(total));
      }
    }
  });
}

struct Contractions {
  Batch batch;
  NamedTensors inputs;
  std::vector<std::pair<Tensor, Tensor>> operands;
  std::vector<ContractionAttributes> attributes;

  void add(const Tensor& a, const Tensor& b, const ContractionAttributes& c) {
    std::string n = std::to_string(operands.size());
    add({Variable("a" + n, a.dtype(), shape(a.sizes())), a, a}, {Variable("b" + n, b.dtype(), shape(b.sizes())), b, b}, c);
  }
  // Of the variables "a" and "b" with the number of the case.
  void add(const ReadOperand& a, const ReadOperand& b, const ContractionAttributes& c) {
    std::string n = std::to_string(operands.size());
    batch.add("contract " + label(a.value.dtype()) + to_string(a.value.sizes()) + " " + to_string(b.value.sizes()) + " " + to_string(Attributes(c)), contract(a.expression, b.expression, c));
    inputs.emplace("a" + n, a.stored), inputs.emplace("b" + n, b.stored);
    operands.push_back({a.value, b.value});
    attributes.push_back(c);
  }

  void check() const {
    auto values = CompiledBatch(batch)(inputs);
    for (size_t i = 0; i < operands.size(); ++i) {
      INFO(batch.names[i]);
      check_contraction(operands[i].first, operands[i].second, attributes[i], values.interpreted[i], By::interpreter);
      check_contraction(operands[i].first, operands[i].second, attributes[i], values.compiled[i], By::compiled);
    }
  }
};

}  // namespace

TEST_CASE("contractions with batch, permuted, several and no axes") {
  struct Case {
    Sizes a, b;
    ContractionAttributes c;  // lhs batch, rhs batch, lhs contracted, rhs contracted
  };
  const Case cases[] = {
      {{}, {}, {}},
      {{}, {3}, {}},
      {{2, 3}, {}, {}},
      {{5}, {5}, {{}, {}, {0}, {0}}},
      {{4}, {7}, {}},
      {{3}, {3}, {{0}, {0}, {}, {}}},
      {{4, 5}, {5, 3}, {{}, {}, {1}, {0}}},
      {{5, 4}, {5, 3}, {{}, {}, {0}, {0}}},
      {{4, 5}, {3, 5}, {{}, {}, {1}, {1}}},
      {{5, 4}, {3, 5}, {{}, {}, {0}, {1}}},
      {{3, 4}, {3, 4}, {{}, {}, {0, 1}, {0, 1}}},
      {{3, 4}, {4, 3}, {{}, {}, {0, 1}, {1, 0}}},
      {{3, 4}, {4, 3}, {{}, {}, {1, 0}, {0, 1}}},
      {{2, 3, 4}, {2, 4, 5}, {{0}, {0}, {2}, {1}}},
      {{3, 2, 4}, {4, 5, 2}, {{1}, {2}, {2}, {0}}},
      {{2, 3, 4}, {4, 5}, {{}, {}, {2}, {0}}},
      {{2, 3, 4}, {5, 3}, {{}, {}, {1}, {1}}},
      {{2, 3, 4}, {3, 2, 5}, {{}, {}, {0, 1}, {1, 0}}},
      {{2, 3, 4}, {4, 3, 2}, {{}, {}, {0, 1, 2}, {2, 1, 0}}},
      {{2, 3, 4, 5}, {3, 2, 5, 6}, {{0, 1}, {1, 0}, {3}, {2}}},
      {{2, 3, 4, 5}, {3, 2, 5, 6}, {{1, 0}, {0, 1}, {3}, {2}}},
      {{2, 3, 4, 5}, {5, 4, 7}, {{}, {}, {2, 3}, {1, 0}}},
      {{2, 3, 4, 5}, {2, 3, 4, 5}, {{0, 2}, {0, 2}, {1}, {1}}},
      {{2, 3, 4, 5}, {5, 6, 2, 4}, {{2}, {3}, {0, 3}, {2, 0}}},
      {{1, 4}, {4, 1}, {{}, {}, {1}, {0}}},
      {{4, 1}, {1, 4}, {{}, {}, {1}, {0}}},
      {{0, 4}, {4, 3}, {{}, {}, {1}, {0}}},
      {{2, 0}, {0, 3}, {{}, {}, {1}, {0}}},
      {{0, 2, 3}, {0, 3, 4}, {{0}, {0}, {2}, {1}}},
      {{7, 17}, {17, 33}, {{}, {}, {1}, {0}}},
      {{17, 65}, {65, 31}, {{}, {}, {1}, {0}}},
  };
  for (DType type : {f32, f64, i32}) {
    GraphScope scope;
    Contractions contractions;
    for (const Case& c : cases) contractions.add(random_tensor(type, c.a, 1), random_tensor(type, c.b, 2), c.c);
    contractions.check();
  }
}

TEST_CASE("contractions at ranks 1 to 6, of operands read in place, across, in steps and backwards") {
  // Of each rank: with as many axes contracted as stand last in a and first in b, and one batch axis before where there is room.
  for (DType type : {f32, i32}) {
    GraphScope scope;
    Contractions contractions;
    size_t number = 0;
    for (int64_t rank = 1; rank <= 6; ++rank)
      for (int64_t contracted = 1; contracted <= std::min<int64_t>(rank, 3); ++contracted)
        for (size_t turn = 0; turn < (rank > 3 ? 1 : 2); ++turn, ++number) {
          const Sizes lengths = {2, 3, 5, 2, 3, 9};
          const int64_t batched = rank > contracted + 1 ? 1 : 0;
          ContractionAttributes c;
          Sizes a, b;
          for (int64_t k = 0; k < rank; ++k) a.push_back(lengths[static_cast<size_t>(k)]);
          for (int64_t k = 0; k < batched; ++k) b.push_back(a[static_cast<size_t>(k)]), c.lhs_batch.push_back(k), c.rhs_batch.push_back(k);
          for (int64_t k = 0; k < contracted; ++k) b.push_back(a[static_cast<size_t>(rank - contracted + k)]), c.lhs_contracted.push_back(rank - contracted + k), c.rhs_contracted.push_back(batched + k);
          while (static_cast<int64_t>(b.size()) < rank) b.push_back(b.size() % 2 == 0 ? 4 : 3);
          const std::string n = std::to_string(contractions.operands.size());
          contractions.add(read_as(reading(number), "a" + n, type, a, number), read_as(reading(number / 2 + turn), "b" + n, type, b, number + 50), c);
        }
    contractions.check();
  }
}

TEST_CASE("contractions of every number type, which wrap where they are integers") {
  GraphScope scope;
  Contractions contractions;
  for (DType type : computing_dtypes) {
    if (type == boolean) continue;
    for (int64_t k : {1, 9, 300}) contractions.add(wide_tensor(type, {5, k}, 1), wide_tensor(type, {k, 18}, 2), {{}, {}, {1}, {0}});
  }
  contractions.check();
}

TEST_CASE("matrix products of symbolic sizes") {
  for (DType type : {f32, f64}) {
    GraphScope scope;
    Variable a("a", type, {"m", "k"}), b("b", type, {"k", "n"}), c("c", type, {"n", "k"}), d("d", type, {"k", "m"}), bias("bias", type, {"n"});
    Batch batch;
    batch.add("a b", matmul(a, b));
    batch.add("a c'", matmul(a, transpose(c)));
    batch.add("d' b", matmul(transpose(d), b));
    batch.add("d' c'", matmul(transpose(d), transpose(c)));
    batch.add("relu(a b + bias)", relu(matmul(a, b) + bias));
    batch.add("exp(a) b", matmul(abs(a), b));
    CompiledBatch compiled(batch);
    const int64_t sizes[][3] = {{1, 1, 1}, {1, 7, 1}, {5, 1, 9}, {6, 16, 16}, {7, 17, 17}, {13, 33, 40}, {64, 64, 64}, {65, 129, 67}, {1, 300, 100}, {100, 300, 1}, {97, 513, 5}, {3, 1025, 35}, {0, 4, 5}, {4, 0, 5}, {4, 5, 0}};
    for (const auto& [m, k, n] : sizes) {
      INFO(label(type) << " m = " << m << ", k = " << k << ", n = " << n);
      Tensor x = random_tensor(type, {m, k}, 1), y = random_tensor(type, {k, n}, 2), z = random_tensor(type, {n, k}, 3), w = random_tensor(type, {k, m}, 4);
      auto values = compiled({{"a", x}, {"b", y}, {"c", z}, {"d", w}, {"bias", random_tensor(type, {n}, 5)}});
      for (By by : {By::interpreter, By::compiled}) {
        const std::vector<Tensor>& results = by == By::compiled ? values.compiled : values.interpreted;
        check_contraction(x, y, {{}, {}, {1}, {0}}, results[0], by);
        check_contraction(x, z, {{}, {}, {1}, {1}}, results[1], by);
        check_contraction(w, y, {{}, {}, {0}, {0}}, results[2], by);
        check_contraction(w, z, {{}, {}, {0}, {1}}, results[3], by);
      }
      // A prologue and an epilogue do the same arithmetic as they would beside it.
      Tensor absolute = x.clone();
      dispatch(type, [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_floating_point_v<T>)
          for (T& v : absolute.template data<T>()) v = std::fabs(v);
      });
      check_contraction(absolute, y, {{}, {}, {1}, {0}}, values.compiled[5], By::compiled);
      Batch beside;
      GraphScope other;
      Variable p("p", type, shape({m, n})), q("q", type, {n});
      beside.add("epilogue", relu(p + q));
      CHECK(same_bits(CompiledBatch(beside).equal({{"p", values.compiled[0]}, {"q", random_tensor(type, {n}, 5)}})[0], values.compiled[4]));
    }
  }
}

TEST_CASE("matmul of ranks 1 to 6 is NumPy's") {
  struct Case {
    Sizes a, b, result;
  };
  const Case cases[] = {{{5}, {5}, {}}, {{5}, {5, 3}, {3}}, {{4, 5}, {5}, {4}}, {{4, 5}, {5, 3}, {4, 3}}, {{2, 4, 5}, {5}, {2, 4}}, {{5}, {2, 5, 3}, {2, 3}}, {{2, 4, 5}, {5, 3}, {2, 4, 3}},
                        {{4, 5}, {2, 5, 3}, {2, 4, 3}}, {{2, 4, 5}, {2, 5, 3}, {2, 4, 3}}, {{1, 4, 5}, {6, 5, 3}, {6, 4, 3}}, {{6, 4, 5}, {1, 5, 3}, {6, 4, 3}}, {{2, 1, 4, 5}, {3, 5, 6}, {2, 3, 4, 6}},
                        {{2, 3, 4, 5}, {2, 3, 5, 6}, {2, 3, 4, 6}}, {{2, 1, 4, 5}, {1, 3, 5, 6}, {2, 3, 4, 6}}, {{2, 3, 4, 5}, {5}, {2, 3, 4}}, {{5}, {2, 3, 5, 6}, {2, 3, 6}}, {{0, 4, 5}, {5, 3}, {0, 4, 3}}, {{2, 1, 2, 4, 5}, {3, 1, 5, 6}, {2, 3, 2, 4, 6}}, {{2, 3, 1, 1, 4, 5}, {1, 2, 2, 5, 6}, {2, 3, 2, 2, 4, 6}},
                        {{5}, {2, 1, 2, 1, 5, 3}, {2, 1, 2, 1, 3}}};
  for (DType type : {f32, i32}) {
    GraphScope scope;
    Batch batch;
    NamedTensors inputs;
    for (const Case& c : cases) {
      std::string n = std::to_string(&c - cases);
      inputs.emplace("a" + n, random_tensor(type, c.a, 1)), inputs.emplace("b" + n, random_tensor(type, c.b, 2));
      batch.add("matmul " + to_string(c.a) + " " + to_string(c.b), matmul(Variable("a" + n, type, shape(c.a)), Variable("b" + n, type, shape(c.b))));
    }
    auto values = CompiledBatch(batch)(inputs);
    for (size_t i = 0; i < std::size(cases); ++i) {
      INFO(batch.names[i]);
      // By definition: vectors become matrices with an axis of 1, stacks are broadcast, and each pair of matrices is multiplied.
      const Case& c = cases[i];
      Tensor a = inputs.at("a" + std::to_string(i)), b = inputs.at("b" + std::to_string(i));
      if (c.a.size() == 1) a = a.reshaped({1, c.a[0]});
      if (c.b.size() == 1) b = b.reshaped({c.b[0], 1});
      Sizes stack(c.result.begin(), c.result.end() - (c.a.size() > 1) - (c.b.size() > 1));
      auto with = [&](const Tensor& x) {
        Sizes to = stack;
        to.insert(to.end(), x.sizes().end() - 2, x.sizes().end());
        return broadcast_array(x, to);
      };
      Axes batch_axes;
      for (int64_t s = 0; s < static_cast<int64_t>(stack.size()); ++s) batch_axes.push_back(s);
      int64_t rank = static_cast<int64_t>(stack.size());
      Sizes full = stack;
      full.push_back(a.sizes().end()[-2]), full.push_back(b.sizes().back());
      for (By by : {By::interpreter, By::compiled}) {
        const Tensor& result = by == By::compiled ? values.compiled[i] : values.interpreted[i];
        REQUIRE(result.sizes() == c.result);
        check_contraction(with(a), with(b), {batch_axes, batch_axes, {rank + 1}, {rank}}, result.reshaped(full), by);
      }
    }
  }
}

TEST_CASE("NaN and infinity go through a product of matrices") {
  GraphScope scope;
  Variable a("a", f32, {9, 20}), b("b", f32, {20, 33});
  Batch batch;
  batch.add("a b", matmul(a, b));
  CompiledBatch compiled(batch);
  for (float special : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()})
    for (size_t at : {0, 19, 25, 179}) {
      Tensor x = random_tensor(f32, {9, 20}, 1), y = random_tensor(f32, {20, 33}, 2);
      x.data<float>()[at] = special;
      y.data<float>()[33 * (at % 20)] = 0;  // special * 0
      auto values = compiled({{"a", x}, {"b", y}});
      check_contraction(x, y, {{}, {}, {1}, {0}}, values.interpreted[0], By::interpreter);
      check_contraction(x, y, {{}, {}, {1}, {0}}, values.compiled[0], By::compiled);
    }
}

TEST_CASE("denormals and zeros of both signs go through a product of matrices") {
  for (DType type : {f32, f64}) {
    GraphScope scope;
    Contractions contractions;
    for (int64_t k : {1, 20, 100}) contractions.add(tiny_tensor(type, {5, k}, 1), random_tensor(type, {k, 18}, 2), {{}, {}, {1}, {0}});
    contractions.check();
  }
}
