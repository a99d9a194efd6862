// Reductions over every set of axes: interpreter and compiled code against index loops.
#include <algorithm>
#include <cmath>
#include <limits>

#include "tests/conformance/arrays.h"
#include "tests/conformance/readings.h"
#include "tests/conformance/reduced.h"
#include "tests/conformance/samples.h"
#include "tests/conformance/support.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

// The elements that each element of the result is made of, in order.
template <class T>
std::vector<std::vector<T>> groups(const Tensor& x, const Axes& axes) {
  Sizes kept;
  std::vector<size_t> kept_axes;
  for (size_t a = 0; a < x.sizes().size(); ++a)
    if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(a)) == axes.end()) kept.push_back(x.sizes()[a]), kept_axes.push_back(a);
  std::vector<std::vector<T>> all(static_cast<size_t>(element_count(kept)));
  size_t at = 0;
  for (const Position& p : positions_of(x.sizes())) {
    Position to;
    for (size_t a : kept_axes) to.push_back(p[a]);
    all[flat(to, kept)].push_back(x.data<T>()[at++]);
  }
  return all;
}

std::vector<Op> reduction_rows() {
  std::vector<Op> rows;
  for (const OpInfo& row : op_table())
    if (row.family == Family::reduction) rows.push_back(row.op);
  return rows;
}

struct Reduction {
  Op op;
  Tensor x;
  Axes axes;
  bool keep;
};

// Reductions of variables of their own, compiled together.
struct Reductions {
  Batch batch;
  NamedTensors inputs;
  std::vector<Reduction> cases;

  void add(Op op, const Tensor& x, const Axes& axes, bool keep = false) {
    std::string name = "x" + std::to_string(cases.size());
    add(op, {Variable(name, x.dtype(), Shape(x.sizes().begin(), x.sizes().end())), x, x}, name, axes, keep);
  }
  void add(Op op, const ReadOperand& x, const std::string& name, const Axes& axes, bool keep = false) {
    batch.add(std::string(info(op).name) + " of " + label(x.value.dtype()) + to_string(x.value.sizes()) + " over " + to_string(axes), make(op, {x.expression}, ReduceAttributes{axes, false, keep}));
    inputs.emplace(name, x.stored);
    cases.push_back({op, x.value, axes, keep});
  }

  void check(const Tensor& result, const Reduction& c) const {
    Sizes sizes;
    for (size_t a = 0; a < c.x.sizes().size(); ++a) {
      bool reduced = std::find(c.axes.begin(), c.axes.end(), static_cast<int64_t>(a)) != c.axes.end();
      if (!reduced || c.keep) sizes.push_back(reduced ? 1 : c.x.sizes()[a]);
    }
    REQUIRE(result.sizes() == sizes);
    dispatch(c.x.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      auto all = groups<T>(c.x, c.axes);
      // Over no axes a float is what it was, to the sign of a zero; a sum over some begins with 0, and so is never -0.
      if constexpr (std::is_floating_point_v<T>) {
        if (c.axes.empty()) CHECK(same_bits(result, c.x));
        else if (c.op == Op::sum) CHECK(std::ranges::none_of(result.data<T>(), [](T v) { return v == 0 && std::signbit(v); }));
      }
      for (size_t i = 0; i < all.size(); ++i)
        if (std::string wrong = wrong_reduction<T>(c.op, all[i], result, i); !wrong.empty()) FAIL_CHECK("element " << i << " is " << wrong);
    });
  }

  void check() const {
    auto values = CompiledBatch(batch)(inputs);
    for (size_t i = 0; i < cases.size(); ++i) {
      INFO(batch.names[i]);
      {
        INFO("interpreted");
        check(values.interpreted[i], cases[i]);
      }
      INFO("compiled");
      check(values.compiled[i], cases[i]);
      // Integers have one right answer.
      if (!is_float(values.compiled[i].dtype())) CHECK(same_bits(values.compiled[i], values.interpreted[i]));
    }
  }
};

std::vector<Axes> subsets(size_t rank) {
  std::vector<Axes> all;
  for (size_t bits = 0; bits < size_t{1} << rank; ++bits) {
    all.emplace_back();
    for (size_t a = 0; a < rank; ++a)
      if (bits >> a & 1) all.back().push_back(static_cast<int64_t>(a));
  }
  return all;
}

}  // namespace

TEST_CASE("reductions over every set of axes") {
  const Sizes arrays[] = {{}, {1}, {5}, {40}, {3, 4}, {17, 9}, {2, 3, 5}, {2, 1, 3, 4}, {3, 2, 2, 17}};
  for (DType type : {f32, f64, i32, boolean}) {
    GraphScope scope;
    Reductions reductions;
    for (const Sizes& sizes : arrays)
      for (const Axes& axes : subsets(sizes.size()))
        for (Op op : reduction_rows()) {
          if (type != f32 && sizes.size() == 4 && op == Op::min) continue;  // to save compiling
          reductions.add(op, elements_for(op, type, sizes, reductions.cases.size() + 1), axes, reductions.cases.size() % 3 == 0);
        }
    reductions.check();
  }
}

TEST_CASE("reductions at ranks 0 to 6, of operands read in place, across, in steps and backwards") {
  for (DType type : {f32, f64, i32, u8}) {
    GraphScope scope;
    Reductions reductions;
    size_t number = 0;
    for (const Sizes& sizes : arrays_of_all_ranks())
      for (const Axes& axes : subsets(sizes.size())) {
        if (sizes.size() > 3 && number++ % 3 != 0) continue;  // to save compiling
        const std::string name = "x" + std::to_string(reductions.cases.size());
        const std::vector<Op> rows = reduction_rows();
        const Op op = rows[number % rows.size()];
        auto elements = [op](DType t, Sizes of, uint64_t seed) { return elements_for(op, t, std::move(of), seed); };
        reductions.add(op, read_as(reading(number), name, type, sizes, number, elements), name, axes, number % 2 == 0);
        ++number;
      }
    reductions.check();
  }
}

TEST_CASE("reductions of every type, of integers that overflow and of floats below the normal range") {
  for (DType type : computing_dtypes) {
    GraphScope scope;
    Reductions reductions;
    for (const Sizes& sizes : {Sizes{1000}, Sizes{7, 33}, Sizes{300, 3}})
      for (const Axes& axes : subsets(sizes.size()))
        for (Op op : reduction_rows()) {
          reductions.add(op, elements_for(op, type, sizes, 5), axes);
          if (is_float(type) && op != Op::prod) reductions.add(op, tiny_tensor(type, sizes, 6), axes);
        }
    reductions.check();
  }
}

TEST_CASE("reductions of nothing, of infinities and of NaN") {
  for (DType type : {f32, f64}) {
    GraphScope scope;
    Reductions reductions;
    auto with = [&](std::initializer_list<double> values, Sizes sizes) {
      Tensor x = Tensor::uninitialized(type, std::move(sizes));
      size_t i = 0;
      for (double v : values) {
        if (type == f32) x.data<float>()[i++] = static_cast<float>(v);
        else x.data<double>()[i++] = v;
      }
      return x;
    };
    constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
    for (Op op : reduction_rows()) {
      for (const Axes& axes : subsets(2)) reductions.add(op, zeros({0, 3}, type), axes), reductions.add(op, zeros({3, 0}, type), axes);
      for (const Axes& axes : subsets(2)) {
        reductions.add(op, with({1, nan, 3, -inf, inf, 2}, {2, 3}), axes);
        reductions.add(op, with({nan, nan, nan, -1, -2, nan}, {3, 2}), axes);
        reductions.add(op, with({-inf, -inf, inf, inf}, {2, 2}), axes);
        reductions.add(op, with({-0.0, 0.0, 0.0, -0.0}, {2, 2}), axes);
        reductions.add(op, with({-0.0, -0.0, -0.0, -0.0}, {2, 2}), axes);
        reductions.add(op, with({-0.0, 2, -3, 0.5, -0.0, -1}, {2, 3}), axes);
        reductions.add(op, with({inf, -2, -0.0, 3, 0.5, inf, -inf, -inf}, {4, 2}), axes);
      }
      for (int64_t at : {0, 1, 17, 31, 32, 63, 98}) {  // wherever the NaN stands in a vector
        Tensor x = elements_for(op, type, {99}, 3);
        if (type == f32) x.data<float>()[static_cast<size_t>(at)] = static_cast<float>(nan);
        else x.data<double>()[static_cast<size_t>(at)] = nan;
        reductions.add(op, x, {0});
      }
    }
    reductions.check();
  }
  GraphScope scope;
  Reductions reductions;
  for (const Axes& axes : subsets(2))
    for (Op op : reduction_rows()) reductions.add(op, zeros({0, 2}, boolean), axes), reductions.add(op, zeros({2, 0}, i32), axes);
  reductions.check();
}

TEST_CASE("reductions of symbolic sizes") {
  GraphScope scope;
  Variable x("x", f32, {"n", "m"}), y("y", u8, {"n"});
  const std::vector<Axes> sets = subsets(2);
  const std::vector<Op> rows = reduction_rows();
  Batch batch;
  for (const Axes& axes : sets)
    for (Op op : rows) batch.add(std::string(info(op).name) + " over " + to_string(axes), make(op, {x}, ReduceAttributes{axes, false, false}));
  for (const Axes& axes : sets) batch.add("sum of squares over " + to_string(axes), sum(x * x, axes));
  batch.add("sum of u8", sum(y));
  CompiledBatch compiled(batch);
  for (int64_t n : {0, 1, 2, 7, 64, 129, 1000})
    for (int64_t m : {0, 1, 3, 16, 33, 257}) {
      if (n * m > 100000) continue;
      // Of as many factors a product leaves the range of f32.
      Tensor a = elements_for(n * m > 1000 ? Op::sum : Op::prod, f32, {n, m}, static_cast<uint64_t>(n + m));
      auto values = compiled({{"x", a}, {"y", random_tensor(u8, {n}, 2)}});
      for (size_t i = 0; i < sets.size(); ++i) {
        auto all = groups<float>(a, sets[i]);
        for (const auto& results : {values.interpreted, values.compiled})
          for (size_t k = 0; k < all.size(); ++k) {
            INFO("n = " << n << ", m = " << m << ", axes " << to_string(sets[i]) << ", element " << k);
            for (size_t r = 0; r < rows.size(); ++r)
              if (rows[r] != Op::prod || n * m <= 1000) CHECK(wrong_reduction<float>(rows[r], all[k], results[rows.size() * i + r], k) == "");
            std::vector<long double> squares;
            for (float v : all[k]) squares.push_back(static_cast<long double>(v) * static_cast<long double>(v));
            CHECK(near_sum(results[rows.size() * sets.size() + i].data<float>()[k], squares, 2) == "");
          }
      }
      CHECK(same_bits(values.interpreted.back(), values.compiled.back()));
    }
}
