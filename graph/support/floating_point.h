// The processor's floating-point control word, which a host may have changed and on which every bit of a result depends.
#pragma once
#include <cstdint>

namespace sinter {

// While one of these lives, this thread rounds to nearest (ties to even), keeps denormals, and traps no floating-point exception;
// afterwards the control word is what it was. The sticky exception flags are left to accrue, as any arithmetic does. MXCSR on x86-64
// (Intel SDM volume 1, section 10.2.3), FPCR on aarch64 (Arm ARM, C5.2.8); on other processors nothing is done. Costs a read of the
// control word at each end, and a write only where it is not right already.
// The compiler may move arithmetic across it: what it protects belongs in a function of its own, as generated code is.
class FloatingPointEnvironment {
 public:
  FloatingPointEnvironment() noexcept;
  ~FloatingPointEnvironment();
  FloatingPointEnvironment(const FloatingPointEnvironment&) = delete;
  FloatingPointEnvironment& operator=(const FloatingPointEnvironment&) = delete;

 private:
  uint64_t saved_;
};

}  // namespace sinter
