// sinter-bench: times workloads and prints one JSON line for each, as the comparison with other frameworks reads it:
//   ms       median over samples of one call; a sample is as many calls in a row as fill 50 microseconds
//   first_s  from the data in memory to the first result: building, compiling, running once
//   peak_mb  high water of resident memory from then on, above what stood before
//   check    of each result the 2-norm, the inner product with fill(1234) over that norm, and the largest magnitude; a scalar alone
#include <sched.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <iostream>

#include "tools/bench/workloads.h"

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double status_mb(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(key, 0) == 0) return std::stod(line.substr(key.size() + 1)) / 1024;
  return 0;
}

std::string number(double v) { return std::isfinite(v) ? fmt::format("{:.9g}", v) : std::isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity"; }

std::string summary(const sinter::Tensor& t) {
  if (t.sizes().empty()) return "[" + number(t.item()) + "]";
  auto values = t.data<float>();
  sinter::Tensor direction = bench::fill(1234, t.sizes());
  auto along = direction.data<float>();
  double norm = 0, projection = 0, largest = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    double v = values[i];
    norm += v * v;
    projection += v * static_cast<double>(along[i]);
    largest = std::isnan(v) ? v : std::max(largest, std::fabs(v));
  }
  norm = std::sqrt(norm);
  return fmt::format("[{}, {}, {}]", number(norm), number(norm > 0 ? projection / norm : 0), number(largest));
}

void run(const std::string& name, unsigned threads, double seconds) {
  bench::Workload workload = bench::load(name);
  std::ofstream("/proc/self/clear_refs") << "5";
  double before = status_mb("VmRSS:"), start = now();
  bench::Job job = bench::make(workload, threads);
  job.call();
  double first = now() - start;
  std::string check;
  for (const auto& [result, tensor] : job.results()) check += fmt::format("{}\"{}\": {}", check.empty() ? "" : ", ", result, summary(tensor));
  start = now();
  job.call();
  int calls = std::max(1, static_cast<int>(50e-6 / std::max(now() - start, 1e-9)));
  std::vector<double> samples;
  for (double end = now() + seconds; (now() < end && samples.size() < 5000) || samples.size() < 5;) {
    start = now();
    for (int i = 0; i < calls; ++i) job.call();
    samples.push_back((now() - start) / calls);
  }
  std::sort(samples.begin(), samples.end());
  double median = samples.size() % 2 ? samples[samples.size() / 2] : (samples[samples.size() / 2 - 1] + samples[samples.size() / 2]) / 2;
  fmt::print("{{\"peer\": \"sinter\", \"work\": \"{}\", \"threads\": {}, \"ms\": {:.9g}, \"min_ms\": {:.9g}, \"first_s\": {:.6g}, \"samples\": {}, \"peak_mb\": {:.4g}, \"check\": {{{}}}}}\n",
             name, threads, median * 1e3, samples.front() * 1e3, first, samples.size(), status_mb("VmHWM:") - before, check);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Times sinter's workloads; one JSON line each");
  unsigned threads = 2;
  double seconds = 3;
  std::vector<std::string> only;
  bool list = false;
  app.add_option("--threads", threads, "threads a call may use")->check(CLI::Range(1u, 1024u));
  app.add_option("--only", only, "workloads, separated by commas; all where not given")->delimiter(',');
  app.add_option("--secs", seconds, "how long to time each")->check(CLI::Range(0.0, 3600.0));
  app.add_flag("--list", list, "print the workloads' names");
  CLI11_PARSE(app, argc, argv);
  if (list) {
    for (const std::string& name : bench::workload_names()) fmt::print("{}\n", name);
    return 0;
  }
  if (threads == 1) {
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0)
      for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &allowed)) {
          CPU_SET(cpu, &one);
          sched_setaffinity(0, sizeof one, &one);
          break;
        }
  }
  try {
    for (const std::string& name : only.empty() ? bench::workload_names() : only) run(name, threads, seconds);
  } catch (const std::exception& error) {
    std::cerr << "sinter-bench: " << error.what() << "\n";
    return 1;
  }
}
