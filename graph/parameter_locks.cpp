#include "graph/parameter_locks.h"

#include <fmt/format.h>

#include "graph/support/errors.h"

namespace sinter {
namespace {

thread_local const ParameterLocks* innermost = nullptr;

}  // namespace

void ParameterLocks::lock_all(Torn torn) {
  outer_ = innermost;
  try {
    for (const LockedParameter& p : parameters_) {
      lock_one(p);
      ++locked_;
      if (torn == Torn::refused && p.storage->torn)
        throw UserError(fmt::format("the parameter '{}' was left half-updated by a step that failed; set() it first", p.storage->name));
    }
  } catch (...) {
    unlock_all();
    throw;
  }
  innermost = this;
}

const LockedParameter* ParameterLocks::of_outer_call(const ParameterStorage* storage) const noexcept {
  for (const ParameterLocks* call = outer_; call; call = call->outer_)
    for (const LockedParameter& held : call->parameters_)
      if (held.storage == storage) return &held;
  return nullptr;
}

void ParameterLocks::lock_one(const LockedParameter& p) {
  if (const LockedParameter* held = of_outer_call(p.storage)) {
    if (held->updated || p.updated)
      throw UserError(fmt::format("the parameter '{}' is {} by a call whose custom operation is running; that can{} it",
                                  p.storage->name, held->updated ? "updated" : "read", held->updated ? " neither read nor set" : "not set"));
  } else if (p.updated) {
    p.storage->lock.lock();
  } else {
    p.storage->lock.lock_shared();
  }
}

void ParameterLocks::mark_torn(bool torn) const noexcept {
  for (const LockedParameter& p : parameters_)
    if (p.updated) p.storage->torn = torn;
}

void ParameterLocks::unlock_all() noexcept {
  innermost = outer_;
  while (locked_ > 0) {
    const LockedParameter& p = parameters_[--locked_];
    if (of_outer_call(p.storage)) continue;
    if (p.updated) p.storage->lock.unlock();
    else p.storage->lock.unlock_shared();
  }
}

}  // namespace sinter
