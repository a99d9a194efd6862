// Runs passes, and does for all of them what none does itself: timing, dumps, verification, stopping, disabling, repeating.
#pragma once
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "passes/pass.h"

namespace sinter {

// A row of a pipeline.
struct PipelineRow {
  Pass pass;
  std::string_view why_here;
  int repeat = 0;  // rows of one number other than 0 that follow each other are run again, together, until none changes anything
};

struct PassDump {
  std::string_view pass;
  int round = 1;  // of its repetition
  bool changed = false;
  const Program& program;
};

struct PassOptions {
  std::vector<std::string> disabled;            // by name
  std::string stop_after;                       // the first run of this pass is the last of all; empty: none
  bool verify = true;                           // the program at the start, and after each change
  std::function<void(const PassDump&)> dump;    // after each run of a pass
};

struct PassTiming {
  std::string_view pass;
  double seconds = 0;  // in the pass itself, over all its runs
  int runs = 0, changes = 0;
  size_t nodes_before = 0, nodes_after = 0;  // of its first run, of its last
};

struct PassRun {
  Program program;
  std::vector<PassTiming> timings;  // a row each that ran, in the pipeline's order
};

// UserError where an option names no pass of the pipeline; InternalError, naming the pass, where one breaks the program or says that it changed
// nothing when it did.
PassRun run_passes(const Program&, std::span<const PipelineRow>, const PassOptions& = {});

// The timings as a table, a line each.
std::string to_string(std::span<const PassTiming>);

}  // namespace sinter
