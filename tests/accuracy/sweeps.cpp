// Every float function over all 2^32 inputs of f32, and 2^28 of f64 and pairs: the worst error and where it is, as a page. Minutes each.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <tuple>

#include "tests/accuracy/inputs.h"
#include "tests/accuracy/measured.h"
#include "tests/accuracy/page.h"

using namespace sinter;
using namespace sinter::accuracy;

namespace {

constexpr int64_t all_f32 = (int64_t{1} << 32) / chunk, many = (int64_t{1} << 28) / chunk;

const Inputs<float> each_f32 = [](int64_t number, std::span<float> x, std::span<float>) {
  for (size_t i = 0; i < x.size(); ++i) x[i] = f32_of(static_cast<uint64_t>(number * chunk) + i);
  return x.size();
};

template <class T>
Inputs<T> stratified_inputs() {
  return [](int64_t number, std::span<T> x, std::span<T>) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = stratified<T>(static_cast<uint64_t>(number * chunk) + i);
    return x.size();
  };
}

template <class T>
Inputs<T> stratified_pairs() {
  return [](int64_t number, std::span<T> x, std::span<T> y) {
    for (size_t i = 0; i < x.size(); ++i) std::tie(x[i], y[i]) = pair<T>(static_cast<uint64_t>(number * chunk) + i);
    return x.size();
  };
}

// All pairs of special values, in one chunk.
template <class T>
const Inputs<T> special_pairs = [](int64_t, std::span<T> x, std::span<T> y) {
  const std::vector<T> special = conformance::special_values<T>();
  size_t i = 0;
  for (T a : special)
    for (T b : special) x[i] = a, y[i++] = b;
  return i;
};

// sin, cos and tan of an f64 beyond 2^45 are NaN.
std::function<bool(double, double)> counts_of(const OfOne& f) {
  if (f.op != Op::sin && f.op != Op::cos && f.op != Op::tan) return {};
  return [](double x, double) { return !(std::fabs(x) > 0x1p45) || std::isinf(x); };
}

void note(const Entry& entry) {
  fmt::print("{}\n", line_of(entry));
  std::fflush(stdout);
}

template <class T>
Worst<T> worst_pair(const OfTwo& f) {
  std::function<bool(T, T)> counts;
  if (f.counts) counts = f.counts;
  Worst<T> worst = worst_of<T>(f, 1, special_pairs<T>, counts), other = worst_of<T>(f, many, stratified_pairs<T>(), counts);
  return other.ulps > worst.ulps ? other : worst;
}

}  // namespace

TEST_CASE("every float function is within its bound over all f32, and very many f64 and pairs", "[exhaustive]") {
  std::vector<Entry> entries;
  for (const OfOne& f : functions_of_one()) {
    Worst<float> narrow = worst_of<float>(f, all_f32, each_f32);
    Worst<double> wide = worst_of<double>(f, many, stratified_inputs<double>(), counts_of(f));
    entries.push_back({f.op, f.bound_f32, f.bound_f64, narrow, wide});
    note(entries.back());
    CHECK(narrow.ulps <= f.bound_f32);
    CHECK(wide.ulps <= f.bound_f64);
  }
  for (const OfTwo& f : functions_of_two()) {
    entries.push_back({f.op, f.bound_f32, f.bound_f64, worst_pair<float>(f), worst_pair<double>(f)});
    note(entries.back());
    CHECK(entries.back().narrow.ulps <= f.bound_f32);
    CHECK(entries.back().wide.ulps <= f.bound_f64);
  }
  if (const char* file = std::getenv("SINTER_ACCURACY_PAGE")) write_page(file, entries);
  else CHECK(page_of(entries) == page_as_committed());
}
