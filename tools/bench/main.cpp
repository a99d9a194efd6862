// sinter-bench: times workloads and prints one JSON line for each, as the comparison with other frameworks reads it:
//   ms       median over samples of one call; a sample is as many calls in a row as fill 50 microseconds
//   first_s  from the data in memory to the first result: building, compiling, running once
//   peak_mb  high water of resident memory from then on, above what stood before
//   neighbour, where asked for: ms alone and beside a process that spins on one of the processors, and the latter over what is left should give
//   check    of each result the 2-norm, the inner product with fill(1234) over that norm, and the largest magnitude; a scalar alone
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iostream>

#include "tools/bench/measure.h"
#include "tools/bench/neighbour.h"
#include "tools/bench/scaling.h"
#include "tools/bench/workloads.h"

namespace {

std::string number(double v) { return std::isfinite(v) ? fmt::format("{:.9g}", v) : std::isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity"; }

std::string summary(const sinter::Tensor& t) {
  if (t.sizes().empty()) return "[" + number(t.item()) + "]";
  auto values = t.data<float>();
  double norm = 0, projection = 0, largest = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    double v = values[i];
    norm += v * v;
    projection += v * static_cast<double>(bench::filled(1234, static_cast<int64_t>(i)));
    largest = std::isnan(v) ? v : std::max(largest, std::fabs(v));
  }
  norm = std::sqrt(norm);
  return fmt::format("[{}, {}, {}]", number(norm), number(norm > 0 ? projection / norm : 0), number(largest));
}

void run(const std::string& name, unsigned threads, double seconds, bool neighbour) {
  bench::Workload workload = bench::load(name);
  bench::forget_peak();
  const double before = bench::resident_mb(), start = bench::now();
  bench::Job job = bench::make(workload, threads);
  job.call();
  const double first = bench::now() - start;
  std::string check;
  for (const auto& [result, tensor] : job.results()) check += fmt::format("{}\"{}\": {}", check.empty() ? "" : ", ", result, summary(tensor));
  const bench::Times times = bench::times_of(job.call, seconds);
  const double peak = bench::peak_resident_mb() - before;
  std::string more;
  if (neighbour) {
    const bench::Beside pair = bench::beside_a_neighbour(job.call, threads, seconds);
    more = fmt::format("\"neighbour\": {{\"alone_ms\": {:.4g}, \"beside_ms\": {:.4g}, \"over_share\": {:.3f}}}, ", pair.alone * 1e3, pair.beside * 1e3, pair.over_share);
  }
  fmt::print("{{\"peer\": \"sinter\", \"work\": \"{}\", \"threads\": {}, \"ms\": {:.9g}, \"min_ms\": {:.9g}, \"first_s\": {:.6g}, \"samples\": {}, \"peak_mb\": {:.4g}, {}\"check\": {{{}}}}}\n",
             name, threads, times.median * 1e3, times.least * 1e3, first, times.samples, peak, more, check);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times sinter's workloads; one JSON line each");
  unsigned threads = 2;
  double seconds = 3;
  std::vector<std::string> only;
  bool list = false, neighbour = false;
  std::string scaling;
  app.add_option("--threads", threads, "threads a call may use")->check(CLI::Range(1u, 1024u));
  app.add_option("--only", only, "workloads, or sweeps of --scaling, separated by commas; all where not given")->delimiter(',');
  app.add_option("--secs", seconds, "how long to time each")->check(CLI::Range(0.0, 3600.0));
  app.add_flag("--list", list, "print the workloads' names");
  app.add_flag("--neighbour", neighbour, "also what a process costs that spins on one of the processors");
  app.add_option("--scaling", scaling, "instead: how time, memory and compile time grow with size, depth and threads, as tables, and as data and pictures in this folder");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    for (const std::string& name : bench::workload_names()) fmt::print("{}\n", name);
    return 0;
  }
  if (threads == 1 && scaling.empty()) {
    if (const std::vector<int> allowed = bench::processors(); !allowed.empty()) bench::bind_to(allowed.front());
  }
  try {
    if (!scaling.empty()) {
      bench::scaling(scaling, only, threads, seconds);
      return 0;
    }
    for (const std::string& name : only.empty() ? bench::workload_names() : only) run(name, threads, seconds, neighbour);
  } catch (const std::exception& error) {
    std::cerr << "sinter-bench: " << error.what() << "\n";
    return 1;
  }
}
