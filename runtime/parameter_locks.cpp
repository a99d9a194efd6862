#include "runtime/parameter_locks.h"

#include <fmt/format.h>

#include "graph/support/errors.h"

namespace sinter {

ParameterLocks::ParameterLocks(std::span<const LockedParameter> by_id) : parameters_(by_id) {
  try {
    for (const LockedParameter& p : parameters_) {
      if (p.updated) p.storage->lock.lock();
      else p.storage->lock.lock_shared();
      ++locked_;
      if (p.storage->torn) throw UserError(fmt::format("the parameter '{}' was left half-updated by a step that failed; set() it first", p.storage->name));
    }
  } catch (...) {
    unlock();
    throw;
  }
}

void ParameterLocks::mark_torn(bool torn) const noexcept {
  for (const LockedParameter& p : parameters_)
    if (p.updated) p.storage->torn = torn;
}

void ParameterLocks::unlock() noexcept {
  while (locked_ > 0) {
    const LockedParameter& p = parameters_[--locked_];
    if (p.updated) p.storage->lock.unlock();
    else p.storage->lock.unlock_shared();
  }
}

}  // namespace sinter
