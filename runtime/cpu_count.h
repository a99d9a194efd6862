// How many processors this process may use.
#pragma once
#include <string>

namespace sinter {

// The processors of this thread's affinity mask, or as many whole ones as the control group's quota grants where that is fewer; at least 1.
unsigned available_cpus();

// The whole processors that the quota of this process's control group grants, at least 1, or 0 where it has no quota. Reads
// `membership` (the form of /proc/self/cgroup) and, under `root`, cpu.max (version 2) or cpu.cfs_quota_us (version 1) of the group and of
// every group above it; the smallest rules. Files that are missing or malformed grant without limit.
unsigned cgroup_cpu_quota(const std::string& membership = "/proc/self/cgroup", const std::string& root = "/sys/fs/cgroup");

}  // namespace sinter
