// The error of one compiled function over many inputs, and where it is worst.
#pragma once
#include <atomic>
#include <cmath>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "codegen/compile.h"
#include "runtime/cpu_count.h"
#include "tests/accuracy/functions.h"
#include "tests/scalar/support.h"

namespace sinter::accuracy {

constexpr int64_t chunk = int64_t{1} << 17;

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;

template <class T>
Wide<T> wanted(const OfOne& f, T x, T) {
  if constexpr (std::is_same_v<T, float>) return f.of_f32(static_cast<double>(x));
  else return f.of_f64(static_cast<long double>(x));
}
template <class T>
Wide<T> wanted(const OfTwo& f, T x, T y) {
  if constexpr (std::is_same_v<T, float>) return f.of_f32(static_cast<double>(x), static_cast<double>(y));
  else return f.of_f64(static_cast<long double>(x), static_cast<long double>(y));
}

// In ulps; where a function has a `size`, in its last place if it is more than the result.
template <class T>
double error_of(const OfOne& f, T got, T x, T y) {
  const Wide<T> want = wanted(f, x, y);
  if (!f.size || !std::isfinite(static_cast<T>(want)) || !std::isfinite(got)) return ulps(got, want);
  const long double size = f.size(static_cast<long double>(x)), exact = static_cast<long double>(want);
  if (!(size > std::fabs(exact))) return ulps(got, want);
  return static_cast<double>(std::fabs(static_cast<long double>(got) - exact) / size / static_cast<long double>(std::numeric_limits<T>::epsilon()));
}
template <class T>
double error_of(const OfTwo& f, T got, T x, T y) { return ulps(got, wanted(f, x, y)); }

template <class F>
Function compiled(const F& f, DType type) {
  GraphScope scope;
  Variable x("x", type, {"n"}), y("y", type, {"n"});
  if constexpr (std::is_same_v<F, OfOne>) return compile(make(f.op, {x}), {}, {.threads = 1});
  else return compile(make(f.op, {x, y}), {}, {.threads = 1});
}

// Writes the inputs of a chunk; returns how many there are.
template <class T>
using Inputs = std::function<size_t(int64_t number, std::span<T> x, std::span<T> y)>;

// Calls work() on every CPU at once, and waits for all.
template <class F>
void on_all_cpus(F work) {
  std::vector<std::jthread> threads;
  for (unsigned i = 1; i < available_cpus(); ++i) threads.emplace_back(work);
  work();
}

// Over the inputs of `chunks` chunks, on all CPUs. `counts(x, y)` says whether there is a bound at them.
template <class T, class F>
Worst<T> worst_of(const F& f, int64_t chunks, const Inputs<T>& inputs, const std::function<bool(T, T)>& counts = {}) {
  Function function = compiled(f, dtype_of<T>());
  std::atomic<int64_t> next{0};
  std::mutex mutex;
  Worst<T> worst;
  int64_t first = chunks;  // the chunk that the worst is of: of equal ones the first, whoever came to it
  on_all_cpus([&] {
    Tensor x(dtype_of<T>(), {chunk}), y(dtype_of<T>(), {chunk}), result(dtype_of<T>(), {chunk});
    NamedTensors given = {{"x", x}};
    if constexpr (std::is_same_v<F, OfTwo>) given.emplace("y", y);
    BoundFunction call = function.bind(given, {result});
    Worst<T> here;
    int64_t of = chunks;
    for (int64_t number = next++; number < chunks; number = next++) {
      const size_t count = inputs(number, x.data<T>(), y.data<T>());
      call();
      auto xs = x.data<T>(), ys = y.data<T>(), results = result.data<T>();
      const double before = here.ulps;
      for (size_t i = 0; i < count; ++i)
        if (!counts || counts(xs[i], ys[i])) here.note(error_of(f, results[i], xs[i], ys[i]), xs[i], ys[i]);
      if (here.ulps > before) of = number;
    }
    std::lock_guard lock(mutex);
    if (here.ulps > worst.ulps || (here.ulps == worst.ulps && of < first)) worst = here, first = of;
  });
  return worst;
}

}  // namespace sinter::accuracy
