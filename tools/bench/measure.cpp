#include "tools/bench/measure.h"

#include <sched.h>

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

double median(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  const size_t half = of.size() / 2;
  return of.size() % 2 ? of[half] : (of[half - 1] + of[half]) / 2;
}

std::vector<int> processors() {
  std::vector<int> found;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return found;
  for (int each = 0; each < CPU_SETSIZE; ++each)
    if (CPU_ISSET(each, &allowed)) found.push_back(each);
  return found;
}

bool bind_to(int processor) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(processor, &one);
  return sched_setaffinity(0, sizeof one, &one) == 0;
}

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
  return {median(samples), *std::min_element(samples.begin(), samples.end()), samples.size()};
}

double resident_mb() { return status_mb("VmRSS:"); }
void forget_peak() { std::ofstream("/proc/self/clear_refs") << "5"; }
double peak_resident_mb() { return status_mb("VmHWM:"); }

}  // namespace bench
