// The locks that a call holds on the parameters it touches, or a parameter's own read() and set().
#pragma once
#include <cstdint>
#include <span>

#include "graph/parameter.h"

namespace sinter {

struct LockedParameter {
  ParameterStorage* storage = nullptr;
  bool updated = false;
};

enum class Torn : uint8_t { refused, replaced };  // a parameter that was left half-updated

// Locks each for itself alone where it is updated, shared where it is read. A call locks in the order of ids, so none waits for another that
// waits for it. A custom operation of a call may make calls of its own: what both read stays locked by the outer one, and what either updates
// is a UserError, as the thread would wait for itself. What the inner call alone touches is locked out of order: custom_operation.h warns.
// UserError, too, where one is torn and that is refused. After a UserError nothing stays locked.
class ParameterLocks {
 public:
  explicit ParameterLocks(std::span<const LockedParameter> by_id, Torn torn = Torn::refused) : parameters_(by_id) {
    if (!by_id.empty()) lock_all(torn);  // a call without takes some ten nanoseconds
  }
  ~ParameterLocks() {
    if (!parameters_.empty()) unlock_all();
  }
  ParameterLocks(const ParameterLocks&) = delete;
  ParameterLocks& operator=(const ParameterLocks&) = delete;

  void mark_torn(bool torn) const noexcept;  // those that are updated

 private:
  void lock_all(Torn);
  void lock_one(const LockedParameter&);
  void unlock_all() noexcept;
  const LockedParameter* of_outer_call(const ParameterStorage*) const noexcept;
  std::span<const LockedParameter> parameters_;
  size_t locked_ = 0;
  const ParameterLocks* outer_ = nullptr;  // what a call holds that this thread is within
};

}  // namespace sinter
