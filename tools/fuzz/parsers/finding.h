// What the targets share. A UserError or a SystemError is how a parser refuses; anything else that comes out of one, or a sanitizer's word,
// is a finding.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

#include "graph/support/errors.h"

namespace sinter::fuzz {

// A finding that no exception tells: libFuzzer keeps the input of a process that aborts.
[[noreturn]] inline void finding(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::abort();
}

// f(), which may refuse.
template <class F>
void refusable(F&& f) {
  try {
    std::forward<F>(f)();
  } catch (const UserError&) {
  } catch (const SystemError&) {
  }
}

// A file of these bytes that lies in memory, for readers that take a path.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* bytes, size_t count) : descriptor_(memfd_create("input", 0)), path_("/proc/self/fd/" + std::to_string(descriptor_)) {
    for (size_t done = 0; done < count;) {
      ssize_t n = write(descriptor_, bytes + done, count - done);
      if (n <= 0) finding("the input could not be written to a file");
      done += static_cast<size_t>(n);
    }
  }
  ~MemoryFile() { close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  int descriptor_;
  std::string path_;
};

}  // namespace sinter::fuzz
