#include "runtime/arena.h"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "graph/support/aligned_memory.h"
#include "graph/support/errors.h"
#include "runtime/arena_layout.h"

extern "C" {  // of the address sanitizer's runtime
void __asan_poison_memory_region(const volatile void*, size_t);
void __asan_unpoison_memory_region(const volatile void*, size_t);
}

namespace sinter {

void HighWater::add(int64_t bytes) {
  int64_t now = now_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t most = most_.load(std::memory_order_relaxed);
  while (now > most && !most_.compare_exchange_weak(most, now, std::memory_order_relaxed)) {}
}

Arena::Arena(int64_t bytes, HighWater& counter) : bytes_(bytes), counter_(&counter) {
  size_t wanted = static_cast<size_t>(bytes > 0 ? bytes : 1);
  void* base = aligned_memory(wanted);
  if (!base) throw SystemError(fmt::format("out of memory: {} bytes for the temporary values of a call", bytes));
  base_ = static_cast<std::byte*>(base);
  counter.add(bytes_);
}

Arena::Arena(Arena&& other) noexcept : base_(std::exchange(other.base_, nullptr)), bytes_(std::exchange(other.bytes_, 0)), counter_(other.counter_) {}

Arena& Arena::operator=(Arena&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  std::swap(counter_, other.counter_);
  return *this;
}

void Arena::forbid() const noexcept {
  if constexpr (address_sanitized) __asan_poison_memory_region(base_, static_cast<size_t>(bytes_));
}

void Arena::allow(const ArenaPlace& place) const noexcept {
  if constexpr (address_sanitized) __asan_unpoison_memory_region(base_ + place.offset, static_cast<size_t>(place.bytes));
}

Arena::~Arena() {
  if (!base_) return;
  allow({0, bytes_});
  std::free(base_);
  counter_->add(-bytes_);
}

}  // namespace sinter
