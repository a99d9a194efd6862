// Every float function over all 2^32 inputs of f32, and 2^28 of f64 and pairs: the worst error and where it is, as a page. Minutes each.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstring>
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

template <class T>
Worst<T> worst_pair(const OfTwo& f) {
  std::function<bool(T, T)> counts;
  if (f.counts) counts = f.counts;
  Worst<T> worst = worst_of<T>(f, 1, special_pairs<T>, counts), other = worst_of<T>(f, many, stratified_pairs<T>(), counts);
  return other.ulps > worst.ulps ? other : worst;
}

// Holds the entry to its bounds and to the page, or puts it there.
void settle(const Entry& entry) {
  fmt::print("{}\n", line_of(entry));
  std::fflush(stdout);
  CHECK(entry.narrow.ulps <= entry.bound_f32);
  CHECK(entry.wide.ulps <= entry.bound_f64);
  if (const char* file = std::getenv("SINTER_ACCURACY_PAGE")) put_in_page(file, entry);
  else CHECK(rows_of(page_as_committed())[std::string(info(entry.op).name)] == line_of(entry));
}

// What converted() of a float is, by the contract: saturated, NaN 0.
template <class To>
To wanted_of(float x) {
  if constexpr (std::is_same_v<To, bool>) return x != 0;
  else if constexpr (std::is_integral_v<To>) {
    const double wide = static_cast<double>(x), above = std::ldexp(1.0, std::numeric_limits<To>::digits);
    if (std::isnan(x)) return 0;
    return wide >= above ? std::numeric_limits<To>::max() : wide < (std::is_signed_v<To> ? -above : 0) ? std::numeric_limits<To>::min() : static_cast<To>(x);
  } else return static_cast<To>(static_cast<double>(x));
}

}  // namespace

// A section a function, so that -c NAME asks for one.
TEST_CASE("every float function is within its bound over all f32, and very many f64 and pairs", "[exhaustive]") {
  for (const OfOne& f : functions_of_one())
    DYNAMIC_SECTION(info(f.op).name) {
      settle({f.op, f.bound_f32, f.bound_f64, worst_of<float>(f, all_f32, each_f32), worst_of<double>(f, many, stratified_inputs<double>(), counts_of(f))});
    }
  for (const OfTwo& f : functions_of_two())
    DYNAMIC_SECTION(info(f.op).name) { settle({f.op, f.bound_f32, f.bound_f64, worst_pair<float>(f), worst_pair<double>(f)}); }
}

TEST_CASE("all f32 are converted to every type as the contract says", "[exhaustive]") {
  for (DType to : all_dtypes)
    DYNAMIC_SECTION(name(to)) {
      GraphScope scope;
      Variable x("x", f32, {"n"});
      Function function = compile(convert(x, to), {}, {.threads = 1});
      std::atomic<int64_t> next{0}, wrong{0};
      on_all_cpus([&] {
        Tensor from(f32, {chunk}), result(to, {chunk});
        BoundFunction call = function.bind({{"x", from}}, {result});
        for (int64_t number = next++; number < all_f32; number = next++) {
          each_f32(number, from.data<float>(), {});
          call();
          dispatch_stored(to, [&](auto tag) {
            using To = typename decltype(tag)::type;
            for (size_t i = 0; i < static_cast<size_t>(chunk); ++i) {
              const To want = wanted_of<To>(from.data<float>()[i]), got = result.data<To>()[i];
              bool both_nan = false;
              if constexpr (is_float(dtype_of<To>())) both_nan = std::isnan(want) && std::isnan(got);
              wrong += !both_nan && std::memcmp(&want, &got, sizeof want) != 0;
            }
          });
        }
      });
      CHECK(wrong == 0);
    }
}
