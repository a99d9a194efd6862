// Work in a process of its own, so that a signal or a hang is one more result.
#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace sinter::fuzz {

// Where a child is, in memory that it shares with its parent.
struct Progress {
  uint64_t at = 0;        // what it works on now
  int64_t done = 0;       // pieces of work so far
  int64_t elements = 0, known = 0;
};

struct ChildResult {
  std::string text;       // what the work returned, or how the child ended
  bool died = false;      // by a signal, or stopped because a piece took too long
  Progress progress;
};

// `work` sets Progress::at before each piece, which may take `seconds`. Call it from a process with one thread only.
ChildResult in_child(const std::function<std::string(Progress&)>& work, double seconds);

}  // namespace sinter::fuzz
