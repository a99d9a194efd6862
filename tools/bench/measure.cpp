#include "tools/bench/measure.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <vector>

namespace bench {
namespace {

double status_mb(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.rfind(key, 0) == 0) return std::stod(line.substr(key.size() + 1)) / 1024;
  return 0;
}

}  // namespace

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

Times times_of(const std::function<void()>& call, double seconds) {
  double start = now();
  call();
  const int calls = std::max(1, static_cast<int>(50e-6 / std::max(now() - start, 1e-9)));
  std::vector<double> samples;
  for (double end = now() + seconds; (now() < end && samples.size() < 5000) || samples.size() < 5;) {
    start = now();
    for (int i = 0; i < calls; ++i) call();
    samples.push_back((now() - start) / calls);
  }
  std::sort(samples.begin(), samples.end());
  const size_t half = samples.size() / 2;
  return {samples.size() % 2 ? samples[half] : (samples[half - 1] + samples[half]) / 2, samples.front(), samples.size()};
}

double resident_mb() { return status_mb("VmRSS:"); }
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }
double peak_resident_mb() { return status_mb("VmHWM:"); }

}  // namespace bench
