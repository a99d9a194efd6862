#include "tools/fuzz/random.h"

#include <limits>
#include <numeric>

namespace sinter::fuzz {
namespace {

template <class T>
T special(Random& random) {
  using Limits = std::numeric_limits<T>;
  if constexpr (std::is_floating_point_v<T>) {
    static constexpr T odd[] = {0, -T(0), 1, -1, 2, T(0.5), T(1.5), -T(2.5), -7, T(1e-3), Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN(), Limits::denorm_min(),
                                -Limits::denorm_min(), Limits::min() / 4, Limits::min(), Limits::max(), Limits::lowest(), Limits::epsilon(), 1 + Limits::epsilon(), T(88.8), -T(104),
                                T(710), -T(746), T(255.5), T(0x1p31), -T(0x1p31), T(0x1p32), T(0x1p63), T(0x1p64), T(3e9), T(16777217)};
    if (random.chance(2)) return random.of(odd);
    T scale = random.chance(8) ? T(1e20) : random.chance(8) ? T(1e-20) : T(8);
    return static_cast<T>(random.unit() * 2 - 1) * scale;
  } else {
    static constexpr T odd[] = {0, 1, 2, 3, 31, 32, 33, 63, 64, 65, static_cast<T>(-1), static_cast<T>(-7), Limits::max(), Limits::min(), static_cast<T>(Limits::max() - 1)};
    return random.chance(2) ? random.of(odd) : random.chance(2) ? static_cast<T>(random.bits()) : static_cast<T>(random.number(-9, 9));
  }
}

template <class T>
T value(Random& random, Values values) {
  if constexpr (std::is_same_v<T, bool>) return random.chance(2);
  else if constexpr (is_stored_only(dtype_of<T>())) return static_cast<T>(value<float>(random, values));
  else if (values == Values::special) return special<T>(random);
  else if constexpr (std::is_floating_point_v<T>) {
    if (values == Values::whole) return static_cast<T>(random.number(-3, 3));
    return random.chance(24) ? (random.chance(2) ? T(0) : -T(0)) : static_cast<T>(random.unit() * 4 - 2);
  }
  else return static_cast<T>(random.number(std::is_signed_v<T> ? -3 : 0, 6));
}

}  // namespace

std::vector<int64_t> Random::permutation(size_t rank) {
  std::vector<int64_t> axes(rank);
  std::iota(axes.begin(), axes.end(), 0);
  for (size_t i = rank; i > 1; --i) std::swap(axes[i - 1], axes[below(i)]);
  return axes;
}

std::vector<int64_t> Random::some_axes(size_t rank) {
  std::vector<int64_t> axes = permutation(rank);
  axes.resize(below(rank + 1));
  return axes;
}

Tensor random_tensor(Random& random, DType type, std::vector<int64_t> sizes, Values values) {
  Tensor t = Tensor::uninitialized(type, std::move(sizes));
  bool alike = random.chance(12);
  dispatch_stored(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T common = value<T>(random, values);
    for (T& v : t.data<T>()) v = alike ? common : value<T>(random, values);
  });
  return t;
}

}  // namespace sinter::fuzz
