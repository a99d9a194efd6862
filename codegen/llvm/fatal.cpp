#include "codegen/llvm/fatal.h"

#include <cstdio>
#include <mutex>
#include <utility>

#include <llvm/Support/ErrorHandling.h>

namespace sinter {
namespace {

thread_local const FatalReport* current = nullptr;  // LLVM's handler is the process's, and what is being compiled a thread's

void on_fatal_error(void*, const char* reason, bool) {
  if (auto* report = std::exchange(current, nullptr); report && *report) (*report)(reason);  // once, should the report fail as well
  else std::fprintf(stderr, "LLVM ERROR: %s\n", reason);
}

}  // namespace

FatalErrorScope::FatalErrorScope(const FatalReport& report) : outer_(std::exchange(current, &report)) {
  static std::once_flag installed;
  std::call_once(installed, [] { llvm::install_fatal_error_handler(on_fatal_error); });
}
FatalErrorScope::~FatalErrorScope() { current = outer_; }

}  // namespace sinter
