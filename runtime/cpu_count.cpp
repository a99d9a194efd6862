#include "runtime/cpu_count.h"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <sstream>
#include <thread>

namespace sinter {
namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();

double quota_of(double quota, double period) { return quota > 0 && period > 0 ? quota / period : unlimited; }  // version 1 writes -1 for none

// cpu.max is "quota period" or "max period".
double version_2_quota(const std::string& folder) {
  std::ifstream file(folder + "/cpu.max");
  double quota = 0, period = 0;
  return file >> quota >> period ? quota_of(quota, period) : unlimited;
}

double version_1_quota(const std::string& folder) {
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double quota = 0, period = 0;
  return quota_file >> quota && period_file >> period ? quota_of(quota, period) : unlimited;
}

// The smallest quota of `group` ("/a/b") and the groups above it. In a container the path may be the host's while the mount shows only
// the container's own part: then the deeper folders are missing, and the root of the mount is the one that counts.
template <class Quota>
double smallest(const std::string& mount, std::string group, Quota quota) {
  double least = quota(mount);
  while (group.size() > 1) {
    least = std::min(least, quota(mount + group));
    group.resize(group.find_last_of('/'));
  }
  return least;
}

#if defined(__linux__)
// The mask grows until the kernel finds it large enough for its own.
unsigned affinity_count() {
  for (size_t cpus = 1024; cpus <= (size_t{1} << 20); cpus *= 2) {
    std::unique_ptr<cpu_set_t, void (*)(cpu_set_t*)> set(CPU_ALLOC(cpus), [](cpu_set_t* s) { CPU_FREE(s); });
    if (!set) break;
    size_t bytes = CPU_ALLOC_SIZE(cpus);
    if (sched_getaffinity(0, bytes, set.get()) == 0) return static_cast<unsigned>(CPU_COUNT_S(bytes, set.get()));
  }
  return std::thread::hardware_concurrency();
}
#else
unsigned affinity_count() { return std::thread::hardware_concurrency(); }
#endif

}  // namespace

unsigned cgroup_cpu_quota(const std::string& membership, const std::string& root) {
  double least = unlimited;
  std::ifstream file(membership);
  // Each line is "hierarchy:controllers:path"; version 2 has hierarchy 0 and no controllers.
  for (std::string line; std::getline(file, line);) {
    size_t first = line.find(':'), second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || line.compare(second + 1, 1, "/") != 0) continue;
    std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
    if (controllers.empty()) {
      for (const char* mount : {"", "/unified"}) least = std::min(least, smallest(root + mount, group, version_2_quota));
      continue;
    }
    std::istringstream names(controllers);
    bool has_cpu = false;
    for (std::string each; std::getline(names, each, ',');) has_cpu |= each == "cpu";
    if (!has_cpu) continue;
    for (const std::string& mount : {std::string("/cpu"), "/" + controllers}) least = std::min(least, smallest(root + mount, group, version_1_quota));
  }
  if (least == unlimited) return 0;
  return static_cast<unsigned>(std::clamp(least, 1.0, 1e9));
}

unsigned available_cpus() {
  unsigned cpus = std::max(1u, affinity_count()), quota = cgroup_cpu_quota();
  return quota == 0 ? cpus : std::min(cpus, quota);
}

}  // namespace sinter
