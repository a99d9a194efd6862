#include "graph/support/floating_point.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cfenv>
#include <chrono>
#include <limits>

#include "runtime/thread_pool.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace sinter {
namespace {

// Volatile, so that it is neither computed at compile time nor moved out of the environment it is tested in.
float divide(float a, float b) {
  volatile float x = a, y = b, quotient = x / y;
  return quotient;
}

// 1/3 rounded to nearest is just above it; half the smallest normal number is denormal (compared as bits: a comparison would flush too).
bool rounds_to_nearest() { return divide(1, 3) == 0x1.555556p-2f && divide(-1, 3) == -0x1.555556p-2f; }
bool keeps_denormals() { return std::bit_cast<uint32_t>(divide(std::numeric_limits<float>::min(), 2)) == 0x00400000; }

}  // namespace

TEST_CASE("rounding is to nearest inside, and the host's again outside", "[floating_point]") {
  for (int rounding : {FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO, FE_TONEAREST}) {
    REQUIRE(std::fesetround(rounding) == 0);
    bool inside;
    int within;
    {
      FloatingPointEnvironment environment;
      inside = rounds_to_nearest();
      within = std::fegetround();
    }
    int after = std::fegetround();
    std::fesetround(FE_TONEAREST);
    CHECK(inside);
#if defined(__aarch64__)
    CHECK(within == FE_TONEAREST);
#else
    static_cast<void>(within);  // x86-64 reports the x87 unit's rounding, which nothing here uses
#endif
    CHECK(after == rounding);
  }
}

#if defined(__x86_64__)
TEST_CASE("denormals are kept inside, whatever the host does", "[floating_point]") {
  unsigned host = _mm_getcsr();
  // Flush to zero, denormals are zero, both, both and rounding to zero, division by zero unmasked with nothing else wrong, nothing wrong.
  for (unsigned before : {0x9F80u, 0x1FC0u, 0x9FC0u, 0xFFC0u, 0x1D80u, 0x1F80u}) {
    _mm_setcsr(before);
    bool inside, nearest;
    unsigned within;
    {
      FloatingPointEnvironment environment;
      within = _mm_getcsr();
      inside = keeps_denormals();
      nearest = rounds_to_nearest();
      divide(1, 0);  // would trap where not masked
    }
    unsigned after = _mm_getcsr();
    _mm_setcsr(host);
    CHECK((within & 0xFFC0u) == 0x1F80u);
    CHECK(inside);
    CHECK(nearest);
    CHECK((after & 0xFFC0u) == (before & 0xFFC0u));
  }
}

TEST_CASE("workers compute in the right environment even where their starter does not", "[floating_point]") {
  struct Context {
    std::atomic<int> begun{0}, workers{0}, right{0};
    std::thread::id caller = std::this_thread::get_id();
  } context;
  auto body = [](void* p, int64_t) noexcept {
    auto& c = *static_cast<Context*>(p);
    ++c.begun;
    for (auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20); c.begun < 2 && std::chrono::steady_clock::now() < until;)
      std::this_thread::yield();
    if (std::this_thread::get_id() == c.caller) return;
    ++c.workers;
    c.right += rounds_to_nearest() && keeps_denormals();
  };
  unsigned host = _mm_getcsr();
  _mm_setcsr(host | 0xE040u);  // a thread begins with the control word of the one that starts it
  ThreadPool(2).parallel_for(body, &context, 2);
  _mm_setcsr(host);
  CHECK(context.workers == 1);
  CHECK(context.right == 1);
}
#endif

}  // namespace sinter
