#include "runtime/cpu_count.h"

#include <catch2/catch.hpp>
#include <thread>

#include "tests/runtime/temporary_folder.h"

#if defined(__linux__)
#include <sched.h>
#endif

namespace sinter {

TEST_CASE("there is always a processor", "[cpu_count]") {
  CHECK(available_cpus() >= 1);
  CHECK(available_cpus() <= std::max(1u, std::thread::hardware_concurrency()));
}

#if defined(__linux__)
TEST_CASE("an affinity mask limits the processors", "[cpu_count]") {
  unsigned count = 0;
  std::thread([&] {
    cpu_set_t mask;
    if (sched_getaffinity(0, sizeof mask, &mask) != 0) return;
    int first = 0;
    while (!CPU_ISSET(first, &mask)) ++first;
    CPU_ZERO(&mask);
    CPU_SET(first, &mask);
    if (sched_setaffinity(0, sizeof mask, &mask) == 0) count = available_cpus();
  }).join();
  CHECK(count == 1);
}
#endif

TEST_CASE("a control group's quota is read", "[cpu_count]") {
  TemporaryFolder folder;
  auto quota = [&](const std::string& membership) { return cgroup_cpu_quota(folder.write("membership", membership), folder.path()); };
  SECTION("version 2, the smallest of the group and those above it") {
    folder.write("a/b/cpu.max", "800000 100000\n");
    folder.write("a/cpu.max", "350000 100000\n");
    CHECK(quota("0::/a/b\n") == 3);
    CHECK(quota("0::/a\n") == 3);
    CHECK(quota("0::/c\n") == 0);
    folder.write("cpu.max", "50000 100000\n");  // as a container sees its own
    CHECK(quota("0::/host/path/of/a/container\n") == 1);
    CHECK(quota("0::/\n") == 1);
  }
  SECTION("version 2 without a limit") {
    folder.write("a/cpu.max", "max 100000\n");
    CHECK(quota("0::/a\n") == 0);
  }
  SECTION("version 1") {
    folder.write("cpu,cpuacct/a/cpu.cfs_quota_us", "250000\n");
    folder.write("cpu,cpuacct/a/cpu.cfs_period_us", "100000\n");
    CHECK(quota("5:memory:/x\n3:cpu,cpuacct:/a\n0::/\n") == 2);
    CHECK(quota("5:memory:/a\n3:cpuset:/a\n") == 0);
    folder.write("cpu,cpuacct/a/cpu.cfs_quota_us", "-1\n");
    CHECK(quota("3:cpu,cpuacct:/a\n") == 0);
  }
  SECTION("what makes no sense grants without limit") {
    folder.write("a/cpu.max", "many 100000\n");
    folder.write("b/cpu.max", "1000 0\n");
    folder.write("c/cpu.max", "");
    for (const char* membership : {"0::/a\n", "0::/b\n", "0::/c\n", "", ":", "::", "0:", "0::", "0::a\n", "nonsense"}) CHECK(quota(membership) == 0);
    CHECK(cgroup_cpu_quota(folder.file("missing"), folder.path()) == 0);
    folder.write("d/cpu.max", "1e300 1\n");
    CHECK(quota("0::/d\n") == 1000000000);
  }
}

}  // namespace sinter
