// Memory for a call's temporary values, and how much of it a function holds.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "graph/support/sanitizers.h"

namespace sinter {

// Bytes held now, and the most held at once so far.
class HighWater {
 public:
  void add(int64_t bytes);  // negative: given back
  int64_t most() const { return most_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> now_{0}, most_{0};
};

// Bytes of an arena.
struct ArenaPlace {
  int64_t offset = 0, bytes = 0;
};

// Behind each buffer of an arena lie so many bytes that nobody may touch, where the address sanitizer sees to it.
inline constexpr int64_t red_zone = address_sanitized ? 64 : 0;

// One block of aligned_memory. Counts itself in `counter`, which must outlive it. SystemError where the memory is refused.
class Arena {
 public:
  Arena() = default;
  Arena(int64_t bytes, HighWater& counter);
  Arena(Arena&&) noexcept;
  Arena& operator=(Arena&&) noexcept;
  ~Arena();
  // From here on none of its bytes may be touched, or these may again, of which the address sanitizer alone takes note.
  void forbid() const noexcept;
  void allow(const ArenaPlace&) const noexcept;
  std::byte* base() const { return base_; }
  int64_t bytes() const { return bytes_; }

 private:
  std::byte* base_ = nullptr;
  int64_t bytes_ = 0;
  HighWater* counter_ = nullptr;
};

}  // namespace sinter
