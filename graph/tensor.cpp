#include "graph/tensor.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <new>
#include <numbers>

#include "graph/support/aligned_memory.h"
#include "graph/support/floating_point.h"

namespace sinter {
namespace {

// Elements and bytes of these sizes. UserError where they are negative or too many.
std::pair<int64_t, size_t> counted(DType type, const std::vector<int64_t>& sizes, Here where) {
  return at_line(where, [&] {
    int64_t count = element_count(sizes);
    return std::pair(count, static_cast<size_t>(checked_multiply(count, static_cast<int64_t>(size_of(type)))));
  });
}

// Philox-4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011, section 3.3.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t a = uint64_t{0xD2511F53} * counter[0], b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b), static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

// The deleter of what a tensor allocated itself.
void free_elements(void* memory) { std::free(memory); }

// Fills by f(two uniform numbers in (0, 1)), one pair of 64-bit draws an element.
template <class F>
Tensor random(std::vector<int64_t> sizes, uint64_t seed, DType type, Here where, F f) {
  FloatingPointEnvironment environment;
  if (!is_float(type)) throw UserError(fmt::format("random numbers are floats, not {}", name(type)), where);
  Tensor t = Tensor::uninitialized(type, std::move(sizes), where);
  std::array<uint32_t, 2> key = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  auto unit = [](uint32_t high, uint32_t low) { return (static_cast<double>((uint64_t{high} << 21) ^ (low >> 11)) + 0.5) * 0x1p-53; };
  dispatch_stored(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (int64_t i = 0; i < t.size(); ++i) {
      auto r = philox({static_cast<uint32_t>(i), static_cast<uint32_t>(i >> 32), 0, 0}, key);
      static_cast<T*>(t.raw())[i] = static_cast<T>(f(unit(r[0], r[1]), unit(r[2], r[3])));
    }
  });
  return t;
}

}  // namespace

Tensor Tensor::uninitialized(DType type, std::vector<int64_t> sizes, Here where) {
  Tensor t;
  auto [count, bytes] = counted(type, sizes, where);
  t.count_ = count;
  t.sizes_ = std::move(sizes);
  t.dtype_ = type;
  if (bytes > SIZE_MAX / 2) throw UserError(fmt::format("a tensor of sizes {} does not fit in memory", to_string(t.sizes_)), where);
  void* p = aligned_memory(bytes);
  if (!p) throw SystemError(fmt::format("out of memory: {} bytes for a tensor of sizes {}", bytes, to_string(t.sizes_)));
  t.data_ = std::shared_ptr<void>(p, free_elements);
  return t;
}

Tensor::Tensor(DType type, std::vector<int64_t> sizes, Here where) : Tensor(uninitialized(type, std::move(sizes), where)) { std::memset(data_.get(), 0, bytes()); }

Tensor Tensor::borrow(void* data, DType type, std::vector<int64_t> sizes, Here where) {
  Tensor t;
  t.count_ = counted(type, sizes, where).first;
  t.sizes_ = std::move(sizes);
  t.dtype_ = type;
  if (!data && t.count_ > 0) throw UserError("a tensor was given a null buffer", where);
  if (reinterpret_cast<uintptr_t>(data) % size_of(type) != 0) throw UserError(fmt::format("a buffer of {} must be aligned to {} bytes", name(type), size_of(type)), where);
  static char nothing;  // a place to point at where there are no elements
  t.data_ = std::shared_ptr<void>(data ? data : &nothing, [](void*) {});
  return t;
}

Tensor Tensor::clone() const {
  if (!defined()) return {};
  Tensor t = uninitialized(dtype_, sizes_);
  std::memcpy(t.raw(), raw(), bytes());
  return t;
}

Tensor Tensor::unshared() && {
  const auto* own = std::get_deleter<void (*)(void*)>(data_);
  if (own && *own == free_elements && data_.use_count() == 1) return std::move(*this);
  return clone();
}

Tensor Tensor::reshaped(std::vector<int64_t> sizes, Here where) const {
  if (counted(dtype_, sizes, where).first != count_)
    throw UserError(fmt::format("{} elements of sizes {} do not fit {}", count_, to_string(sizes_), to_string(sizes)), where);
  Tensor t = *this;
  t.sizes_ = std::move(sizes);
  return t;
}

double Tensor::item(Here where) const {
  if (!defined()) throw UserError("item() reads the one element of a tensor; this one is empty", where);
  if (count_ != 1) throw UserError(fmt::format("item() reads the one element of a tensor; this one has sizes {}", to_string(sizes_)), where);
  return dispatch_stored(dtype_, [&](auto tag) { return static_cast<double>(*static_cast<const typename decltype(tag)::type*>(raw())); });
}

void Tensor::check_is(DType wanted, Here where) const {
  if (!defined()) throw UserError("an empty Tensor has no elements; give it sizes first", where);
  if (wanted != dtype_) throw UserError(fmt::format("this tensor holds {}, not {}", name(dtype_), name(wanted)), where);
}

Type type_of(const Tensor& t) { return Type::of(t.dtype(), Shape(t.sizes().begin(), t.sizes().end())); }

Tensor full(std::vector<int64_t> sizes, double value, DType type, Here where) {
  FloatingPointEnvironment environment;
  Tensor t = Tensor::uninitialized(type, std::move(sizes), where);
  dispatch_stored(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    // 2^digits is the first whole number beyond an integer type, and exact.
    using Limits = std::numeric_limits<T>;
    if (std::is_integral_v<T> && type != boolean && !(value >= static_cast<double>(Limits::lowest()) && value < std::ldexp(1.0, Limits::digits)))
      throw UserError(fmt::format("{} does not hold {}", name(type), value), where);
    std::fill_n(static_cast<T*>(t.raw()), t.size(), static_cast<T>(value));
  });
  return t;
}
Tensor ones(std::vector<int64_t> sizes, DType type, Here where) { return full(std::move(sizes), 1, type, where); }
Tensor zeros(std::vector<int64_t> sizes, DType type, Here where) { return Tensor(type, std::move(sizes), where); }

Tensor uniform(std::vector<int64_t> sizes, uint64_t seed, double scale, DType type, Here where) {
  return random(std::move(sizes), seed, type, where, [scale](double u, double) { return scale * (2 * u - 1); });
}

// Box and Muller, "A note on the generation of random normal deviates", 1958.
Tensor normal(std::vector<int64_t> sizes, uint64_t seed, double deviation, DType type, Here where) {
  return random(std::move(sizes), seed, type, where,
                [deviation](double u, double v) { return deviation * std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v); });
}

bool same_bits(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype() || a.sizes() != b.sizes()) return false;
  return dispatch_stored(a.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T *x = static_cast<const T*>(a.raw()), *y = static_cast<const T*>(b.raw());
    for (int64_t i = 0; i < a.size(); ++i) {
      if constexpr (is_float(dtype_of<T>()))
        if (std::isnan(x[i]) && std::isnan(y[i])) continue;
      if (std::memcmp(&x[i], &y[i], sizeof(T)) != 0) return false;
    }
    return true;
  });
}

}  // namespace sinter
