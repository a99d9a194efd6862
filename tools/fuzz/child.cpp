#include "tools/fuzz/child.h"

#include <fmt/format.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

#include "graph/support/errors.h"
#include "tools/fuzz/clock.h"

namespace sinter::fuzz {
namespace {

[[noreturn]] void be_child(const std::function<std::string(Progress&)>& work, Progress& progress, int out) {
  mallopt(M_PERTURB, 0x5A);  // what nobody wrote is no zero
  std::string text;
  try {
    text = work(progress);
  } catch (const std::exception& error) {
    text = error.what();
  }
  for (size_t written = 0; written < text.size();) {
    ssize_t n = write(out, text.data() + written, text.size() - written);
    if (n <= 0) break;
    written += static_cast<size_t>(n);
  }
  _exit(0);
}

}  // namespace

ChildResult in_child(const std::function<std::string(Progress&)>& work, double seconds) {
  void* shared = mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int ends[2];
  if (shared == MAP_FAILED || pipe(ends) != 0) throw SystemError("no memory or no pipe for a child");
  auto* progress = new (shared) Progress;
  pid_t child = fork();
  if (child < 0) throw SystemError("no process for a child");
  if (child == 0) be_child(work, *progress, ends[1]);
  close(ends[1]);

  ChildResult result;
  auto where = [&] { return *static_cast<volatile uint64_t*>(&progress->at); };
  uint64_t at = where();
  for (double since = now(); !result.died;) {
    pollfd wait{ends[0], POLLIN, 0};
    int ready = poll(&wait, 1, 200);
    if (where() != at) at = where(), since = now();
    if (ready > 0) {
      char buffer[4096];
      ssize_t n = read(ends[0], buffer, sizeof buffer);
      if (n <= 0) break;
      result.text.append(buffer, static_cast<size_t>(n));
    } else if (now() - since > seconds) {
      kill(child, SIGKILL);
      result.died = true;
      result.text = fmt::format("no result after {:.0f} s", seconds);
    }
  }
  int status = 0;
  waitpid(child, &status, 0);
  close(ends[0]);
  if (!result.died && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
    result.died = true;
    result.text = WIFSIGNALED(status) ? fmt::format("killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status))) : fmt::format("exit {}", WEXITSTATUS(status));
  }
  result.progress = *progress;
  munmap(shared, sizeof(Progress));
  return result;
}

}  // namespace sinter::fuzz
