// sinter-fuzz: random programs, each held to every check of check.h in a process of its own. A failure is shrunk, written and printed.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <random>

#include "graph/text.h"
#include "tools/fuzz/child.h"
#include "tools/fuzz/clock.h"
#include "tools/fuzz/files.h"
#include "tools/fuzz/shrink.h"

namespace sinter::fuzz {
namespace {

struct Options {
  uint64_t seed = 0;
  int64_t count = -1;
  double seconds = 0, hang = 120, shrink = 120;
  int failures = 1;
  std::string folder = "build/fuzz-found", file;
};

// How a failure tells itself from others: the check, how it ended, and the words of what was thrown.
struct Found {
  std::string check, what;
  bool died = false;
  std::string signature() const {
    std::string words = check + (died ? "died" : "");
    if (what.starts_with("threw"))
      for (char c : what.substr(0, 90))
        if (c >= 'a' && c <= 'z') words += c;
    return words;
  }
};

std::string text_of(const std::optional<Failure>& failure) { return failure ? failure->check + "\n" + failure->what : ""; }

std::optional<Found> found_in(const ChildResult& result) {
  if (result.died) return Found{"", result.text, true};
  if (result.text.empty()) return std::nullopt;
  size_t line = result.text.find('\n');
  return Found{result.text.substr(0, line), result.text.substr(line + 1)};
}

std::optional<Found> run_case(const Case& made, std::span<const std::string_view> only, double seconds) {
  return found_in(in_child([&](Progress&) { return text_of(failure_of(made, only)); }, seconds));
}

// Which check a child died in.
std::string deadly_check(const Case& made, double seconds) {
  for (const Check& check : checks())
    if (auto found = run_case(made, std::span(&check.name, 1), seconds); found && found->died) return std::string(check.name);
  return "";
}

void report(const Case& made, Found found, const std::string& name, const Options& options) {
  if (found.died) found.check = deadly_check(made, options.hang);
  std::string_view only = found.check;
  double start = now();
  std::string last = found.what;
  Case least = shrunk(made, [&](const Case& smaller) {
    auto again = run_case(smaller, only.empty() ? std::span<const std::string_view>() : std::span(&only, 1), options.hang / 4);
    if (again && again->died) again->check = found.check;
    if (!again || again->signature() != found.signature()) return false;
    last = again->what;
    return true;
  }, options.shrink);
  fmt::print("{}: {}: {}\n  the least of {} nodes, after {:.0f} s: {}\n{}  again: sinter-fuzz {}\n", name, found.check, found.what, made.program.graph.size(), now() - start, last,
             print(least.program), write_case(least, options.folder, name));
  std::fflush(stdout);
}

int replay(const Options& options) {
  Case made = read_case(options.file);
  for (uint64_t variant = 0; variant < variants; ++variant) {
    made.variant = variant;
    if (auto found = run_case(made, {}, options.hang)) {
      report(made, *found, "again", options);
      return 1;
    }
  }
  fmt::print("{}: every check holds\n", options.file);
  return 0;
}

int fuzz(const Options& options) {
  constexpr uint64_t batch = 40;  // programs a child
  double start = now();
  int failures = 0;
  Progress total;
  auto more = [&](uint64_t seed) {
    return (options.count < 0 || seed < options.seed + static_cast<uint64_t>(options.count)) && (options.seconds <= 0 || now() - start < options.seconds);
  };
  fmt::print("seed {}\n", options.seed);
  std::fflush(stdout);
  for (uint64_t seed = options.seed; more(seed) && failures < options.failures;) {
    ChildResult result = in_child([&](Progress& progress) {
      for (uint64_t s = seed; s < seed + batch && more(s); ++s) {
        progress.at = s;
        Counts counts;
        if (auto failure = failure_of(case_of(random_program(s)), {}, &counts)) return text_of(failure);
        ++progress.done, progress.elements += counts.elements, progress.known += counts.known;
      }
      return std::string();
    }, options.hang);
    total.done += result.progress.done, total.elements += result.progress.elements, total.known += result.progress.known;
    seed = std::max(seed, result.progress.at) + 1;
    if (auto found = found_in(result)) {
      ++failures, ++total.done;
      std::string name = std::to_string(result.progress.at);
      try {
        report(case_of(random_program(result.progress.at)), *found, name, options);
      } catch (const Error& error) {
        fmt::print("{}: there is no program: {}\n", name, error.what());
      }
    }
  }
  double seconds = now() - start;
  fmt::print("{} programs in {:.0f} s ({:.1f} a second) from seed {}: {} failures; of {} elements compared, {:.0f} % were known\n", total.done, seconds,
             static_cast<double>(total.done) / seconds, options.seed, failures, total.elements, 100.0 * static_cast<double>(total.known) / static_cast<double>(std::max<int64_t>(total.elements, 1)));
  return failures > 0;
}

}  // namespace
}  // namespace sinter::fuzz

int main(int argc, char** argv) {
  sinter::fuzz::Options options;
  options.seed = std::random_device{}();
  CLI::App app("Holds random programs to the interpreter, or one again.", "sinter-fuzz");
  app.add_option("FILE", options.file, "A .graph to check instead, with the inputs written beside it");
  app.add_option("--seed", options.seed, "Of the first program; the others follow. Without it: a fresh one, which is printed");
  app.add_option("--count", options.count, "How many programs");
  app.add_option("--seconds", options.seconds, "How long, at most");
  app.add_option("--failures", options.failures, "After how many to stop");
  app.add_option("--hang", options.hang, "After how many seconds a program hangs");
  app.add_option("--shrink", options.shrink, "How many seconds to shrink one failure");
  app.add_option("--out", options.folder, "Where failures are written");
  CLI11_PARSE(app, argc, argv);
  try {
    return options.file.empty() ? sinter::fuzz::fuzz(options) : sinter::fuzz::replay(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "sinter-fuzz: {}\n", error.what());
    return 2;
  }
}
