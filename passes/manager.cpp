#include "passes/manager.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "graph/verify.h"
#include "passes/structural_hash.h"

namespace sinter {
namespace {

// Enough for what the passes leave to each other: a program that still changes then is right, only not yet as small as it could be.
constexpr int most_rounds = 16;

void check_name(std::span<const PipelineRow> pipeline, const std::string& wanted) {
  std::string names;
  for (const PipelineRow& row : pipeline) {
    if (row.pass.name == wanted) return;
    names += (names.empty() ? "" : ", ") + std::string(row.pass.name);
  }
  throw UserError(fmt::format("there is no pass '{}'; there are {}", wanted, names));
}

class Manager {
 public:
  Manager(const Program& program, std::span<const PipelineRow> pipeline, const PassOptions& options) : options_(options), pipeline_(pipeline) {
    for (const std::string& name : options.disabled) check_name(pipeline, name);
    if (!options.stop_after.empty()) check_name(pipeline, options.stop_after);
    if (options.verify) verify(program);
    result_.program = program;
    hash_ = structural_hash(program);
    timing_of_row_.assign(pipeline.size(), none);
  }

  PassRun run() && {
    for (size_t first = 0, last = 0; first < pipeline_.size() && !stopped_; first = last) {
      int group = pipeline_[first].repeat;
      for (last = first + 1; group != 0 && last < pipeline_.size() && pipeline_[last].repeat == group;) ++last;
      bool changed = true;
      for (int round = 1; changed && !stopped_ && round <= (group == 0 ? 1 : most_rounds); ++round) {
        changed = false;
        for (size_t row = first; row < last && !stopped_; ++row) changed = run_row(row, round) || changed;
      }
    }
    return std::move(result_);
  }

 private:
  bool is_disabled(std::string_view name) const {
    return std::find(options_.disabled.begin(), options_.disabled.end(), name) != options_.disabled.end();
  }

  PassTiming& timing(size_t row) {
    if (timing_of_row_[row] == none) {
      timing_of_row_[row] = result_.timings.size();
      result_.timings.push_back({});
      result_.timings.back().pass = pipeline_[row].pass.name;
      result_.timings.back().nodes_before = result_.program.graph.size();
    }
    return result_.timings[timing_of_row_[row]];
  }

  bool run_row(size_t row, int round) {
    const Pass& pass = pipeline_[row].pass;
    bool changed = false;
    if (!is_disabled(pass.name)) {
      PassTiming& time = timing(row);
      auto start = std::chrono::steady_clock::now();
      PassResult result = pass.run(result_.program);
      time.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      changed = result.changed;
      check(pass, result);
      result_.program = std::move(result.program);
      ++time.runs;
      time.changes += changed;
      time.nodes_after = result_.program.graph.size();
      if (options_.dump) options_.dump({pass.name, round, changed, result_.program});
    }
    stopped_ = pass.name == options_.stop_after;
    return changed;
  }

  void check(const Pass& pass, const PassResult& result) {
    uint64_t after = structural_hash(result.program);
    if (!result.changed && after != hash_)
      throw InternalError(fmt::format("the pass '{}' says that it changed nothing, but the program is another", pass.name));
    hash_ = after;
    if (!result.changed || !options_.verify) return;
    try {
      verify(result.program);
    } catch (const InternalError& error) {
      throw InternalError(fmt::format("the pass '{}' broke the program: {}", pass.name, error.what()));
    }
  }

  static constexpr size_t none = ~size_t{0};
  const PassOptions& options_;
  std::span<const PipelineRow> pipeline_;
  PassRun result_;
  std::vector<size_t> timing_of_row_;
  uint64_t hash_ = 0;
  bool stopped_ = false;
};

}  // namespace

PassRun run_passes(const Program& program, std::span<const PipelineRow> pipeline, const PassOptions& options) {
  return Manager(program, pipeline, options).run();
}

std::string to_string(std::span<const PassTiming> timings) {
  std::string text = fmt::format("{:<16}{:>10}{:>6}{:>9}{:>9}{:>9}\n", "pass", "ms", "runs", "changes", "nodes", "then");
  for (const PassTiming& t : timings)
    text += fmt::format("{:<16}{:>10.3f}{:>6}{:>9}{:>9}{:>9}\n", t.pass, t.seconds * 1e3, t.runs, t.changes, t.nodes_before, t.nodes_after);
  return text;
}

}  // namespace sinter
