#include "runtime/worker_placement.h"

#include <catch2/catch.hpp>

#if defined(__linux__)
#include <pthread.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <fstream>
#include <vector>

namespace sinter {
namespace {

using namespace std::chrono_literals;

cpu_set_t allowed(pthread_t thread = pthread_self()) {
  cpu_set_t set;
  REQUIRE(pthread_getaffinity_np(thread, sizeof set, &set) == 0);
  return set;
}

void allow(const cpu_set_t& set) { REQUIRE(pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0); }

bool same(const cpu_set_t& a, const cpu_set_t& b) { return CPU_EQUAL(&a, &b); }

std::vector<int> processors() {
  cpu_set_t set = allowed();
  std::vector<int> found;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(i, &set)) found.push_back(i);
  if (prctl(PR_GET_SECCOMP) != 0) {
    WARN("skipped: under a seccomp filter nothing moves");
    return {};
  }
  if (found.size() < 2) WARN("skipped: one processor, from which nothing can move");
  return found;
}

cpu_set_t set_of(std::vector<int> members) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int each : members) CPU_SET(each, &set);
  return set;
}

// Where f() says that it ended, of a thread that began on `from`; the system may move it meanwhile, so it has 20 tries to end on `to`.
template <class F>
bool ends_on(int to, int from, F f) {
  bool ended = false;
  std::thread([&] {
    cpu_set_t before = allowed();
    for (int i = 0; i < 20 && !ended; ++i) {
      allow(set_of({from}));
      allow(before);
      f();
      ended = sched_getcpu() == to;
      CHECK(same(allowed(), before));  // moved, not bound
    }
  }).join();
  return ended;
}

// Where the system has put a thread, whether or not it runs it.
int processor_of(pid_t thread) {
  std::ifstream stat("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string line, field;
  std::getline(stat, line);
  std::istringstream rest(line.substr(line.rfind(')') + 2));
  for (int i = 0; i < 37; ++i) rest >> field;
  return std::stoi(field);
}

}  // namespace

TEST_CASE("a thread leaves a processor where one with a lower number is noted", "[worker_placement]") {
  std::vector<int> cpu = processors();
  if (cpu.size() < 2) return;
  cpu.resize(2);
  std::thread([&] {
    allow(set_of({cpu[0]}));
    Processors noted(3);
    noted.note(1);
    noted.spread(2);  // it has nowhere to go
    CHECK(same(allowed(), set_of({cpu[0]})));
    noted.forget(2);
    allow(set_of(cpu));
    CHECK(ends_on(cpu[1], cpu[0], [&] { noted.spread(2); }));
    CHECK(ends_on(cpu[0], cpu[0], [&] { noted.spread(0); }));  // nobody has a lower number
    noted.forget(0);
    noted.forget(1);
    CHECK(ends_on(cpu[0], cpu[0], [&] { noted.spread(2); }));  // nobody is noted any more
  }).join();
}

TEST_CASE("nothing is moved under a seccomp filter", "[worker_placement]") {
  std::vector<int> cpu = processors();
  if (cpu.size() < 2) return;
  cpu.resize(2);
  std::thread([&] {
    allow(set_of(cpu));
    sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};  // this one would not mind
    sock_fprog filter{1, all};
    REQUIRE(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    REQUIRE(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
    Processors noted(2);
    CHECK(ends_on(cpu[0], cpu[0], [&] {
      noted.note(0);
      noted.spread(1);
    }));
  }).join();
}

TEST_CASE("a worker is moved to who waits for it", "[worker_placement]") {
  std::vector<int> cpu = processors();
  if (cpu.size() < 2) return;
  cpu.resize(2);
  std::atomic<bool> stop{false};
  std::atomic<pid_t> id{0};
  std::thread worker([&] {
    allow(set_of(cpu));
    id = gettid();
    while (!stop) {}
  });
  while (id == 0) std::this_thread::yield();
  Processors noted(2);
  bool came = false;
  for (int i = 0; i < 20 && !came; ++i) {
    int here = cpu[static_cast<size_t>(i) % 2];
    std::thread([&] {
      allow(set_of({here}));
      for (int tries = 0; tries < 20 && processor_of(id) == here; ++tries) std::this_thread::sleep_for(1ms);  // the system may move it away
      int before = processor_of(id);
      noted.move_here(1, worker);
      came = before != here && processor_of(id) == here;
    }).join();
    CHECK(same(allowed(worker.native_handle()), set_of(cpu)));
  }
  CHECK(came);
  stop = true;
  worker.join();
}

TEST_CASE("a worker is put off if it has chunks and is not run", "[worker_placement]") {
  enum { runs, sleeps_with_chunks, sleeps };
  std::atomic<int> wanted{runs}, is{-1};
  Progress progress;
  std::thread worker([&] {
    progress.begin();
    for (is = runs; wanted == runs;) {}
    is = sleeps_with_chunks;
    wanted.wait(sleeps_with_chunks);
    progress.end();
    is = sleeps;
    wanted.wait(sleeps);
  });
  auto put_off_after = [&](std::chrono::milliseconds time) {
    progress.look(worker);
    std::this_thread::sleep_for(time);
    return progress.put_off(worker);
  };
  auto go = [&](int state) {
    wanted = state;
    wanted.notify_all();
    while (is != state) std::this_thread::yield();
    std::this_thread::sleep_for(20ms);  // to fall asleep
  };
  go(runs);
  CHECK(!put_off_after(200ms));
  go(sleeps_with_chunks);
  CHECK(put_off_after(1ms));
  go(sleeps);
  CHECK(!put_off_after(1ms));
  wanted = -1;
  wanted.notify_all();
  worker.join();
}

}  // namespace sinter
#endif
