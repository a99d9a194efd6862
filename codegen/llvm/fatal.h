// LLVM's fatal errors. It is built without exceptions, so nothing may be thrown through it: after one it ends the process, and all that can
// be done is to say why, and to leave behind what a report needs.
#pragma once
#include <functional>

namespace sinter {

using FatalReport = std::function<void(const char* reason)>;

// While it lives, a fatal error of LLVM's on this thread calls `report` first. Scopes nest; errors of threads without one end as LLVM does it.
class FatalErrorScope {
 public:
  explicit FatalErrorScope(const FatalReport& report);
  ~FatalErrorScope();
  FatalErrorScope(const FatalErrorScope&) = delete;
  FatalErrorScope& operator=(const FatalErrorScope&) = delete;

 private:
  const FatalReport* outer_;
};

}  // namespace sinter
