#include "graph/support/floating_point.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace sinter {
namespace {

#if defined(__x86_64__)
// Flush to zero (15), rounding (14:13), exception masks (12:7), denormals are zero (6); below them the sticky flags.
constexpr uint64_t controls = 0xFFC0, wanted = 0x1F80;
uint64_t read_word() { return _mm_getcsr(); }
void write_word(uint64_t word) { _mm_setcsr(static_cast<unsigned>(word)); }
#elif defined(__aarch64__)
// Alternative half precision (26), default NaN (25), flush to zero (24), rounding (23:22), flush f16 to zero (19), trap enables (15, 12:8),
// and the alternative handling of FEAT_AFP (2:0); the sticky flags are in another register.
constexpr uint64_t controls = 0x7C89F07, wanted = 0;
uint64_t read_word() {
  uint64_t word;
  asm volatile("mrs %0, fpcr" : "=r"(word));
  return word;
}
void write_word(uint64_t word) { asm volatile("msr fpcr, %0" : : "r"(word) : "memory"); }
#else
constexpr uint64_t controls = 0, wanted = 0;
uint64_t read_word() { return 0; }
void write_word(uint64_t) {}
#endif

// Gives the word that now is `now` the controls of `next`.
void set_controls(uint64_t now, uint64_t next) {
  if (((now ^ next) & controls) != 0) write_word((now & ~controls) | (next & controls));
}

}  // namespace

FloatingPointEnvironment::FloatingPointEnvironment() noexcept : saved_(read_word()) { set_controls(saved_, wanted); }

FloatingPointEnvironment::~FloatingPointEnvironment() { set_controls(read_word(), saved_); }

}  // namespace sinter
