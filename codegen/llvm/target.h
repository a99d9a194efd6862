// What code is made for: one CPU, as LLVM names it, and what emission must know of it. No LLVM type here, so that all of codegen sees it.
#pragma once
#include <cstdint>
#include <string>

namespace sinter {

struct Target {
  std::string triple;             // "x86_64-pc-linux-gnu"
  std::string cpu;                // "znver4"
  std::string features;           // "+avx2,-sse4a,…"
  unsigned vector_bytes = 16;     // of the registers that kernels use: 64 AVX-512, 32 AVX2, 16 SSE2 and NEON, 1 where there are no vectors
  unsigned vector_registers = 16;
  bool has_fma = false;           // a fused multiply-add of vectors and scalars
  bool has_masks = false;         // loads and stores under a mask cost what plain ones do
  bool has_rounding = false;      // floor, ceil, truncate and round to even are instructions
  bool has_square_root = true;    // likewise
  bool has_wide_conversions = true;  // between 64-bit integers and floats, likewise, but for vectors, which have theirs
  unsigned division_bits = 64;    // of the widest integers whose division is an instruction; 0 where none is. Vectors have theirs
  bool has_doubles = true;        // arithmetic on f64 is instructions, and what the other fields say of floats is true of it
  unsigned index_bits = 64;       // of addresses, and so of loop counters
  int64_t l1_bytes = 32 << 10;    // data
  int64_t l2_bytes = 256 << 10;
  bool operator==(const Target&) const = default;

  // Elements of `element_bytes` in a vector register; at least 1.
  unsigned lanes(size_t element_bytes) const { return element_bytes >= vector_bytes ? 1 : static_cast<unsigned>(vector_bytes / element_bytes); }
};

// This machine. SystemError where LLVM cannot make code for it.
const Target& host_target();
// The same CPU, taken for one that has nothing of what `Target` tells of: no vectors, no division, no square root, addresses of 32 bits. Its code
// runs where the CPU's does, so that what small CPUs get can be run anywhere, on less than 2 GiB.
Target plainest(Target);
// UserError where this machine cannot run what is made for the target.
void check_runs_here(const Target&);
// A named CPU of an architecture ("x86_64-pc-linux-gnu", "x86-64-v3"), without the caches' sizes; with no name the least that the triple stands
// for. UserError where LLVM has no such thing, or no code is made for it.
Target target_for(const std::string& triple, const std::string& cpu, const std::string& features = "");

}  // namespace sinter
