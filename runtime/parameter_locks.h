// The locks that a call holds on the parameters it touches.
#pragma once
#include <span>

#include "graph/parameter.h"

namespace sinter {

struct LockedParameter {
  ParameterStorage* storage = nullptr;
  bool updated = false;
};

// Locks each for itself alone where it is updated, shared where it is read. All calls lock in the order of ids, so none waits for another
// that waits for it. UserError where a parameter was left half-updated; then nothing stays locked.
class ParameterLocks {
 public:
  explicit ParameterLocks(std::span<const LockedParameter> by_id);
  ~ParameterLocks() { unlock(); }
  ParameterLocks(const ParameterLocks&) = delete;
  ParameterLocks& operator=(const ParameterLocks&) = delete;

  void mark_torn(bool torn) const noexcept;  // those that are updated

 private:
  void unlock() noexcept;
  std::span<const LockedParameter> parameters_;
  size_t locked_ = 0;
};

}  // namespace sinter
