#include "runtime/worker_placement.h"

#include <algorithm>

#include <pthread.h>
#if defined(__linux__)
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>
#endif

namespace sinter {
namespace {
#if defined(__linux__)

int this_processor() { return sched_getcpu(); }

std::chrono::nanoseconds run_time(std::thread& thread) {
  clockid_t clock;
  timespec time;
  if (pthread_getcpuclockid(thread.native_handle(), &clock) != 0 || clock_gettime(clock, &time) != 0) return std::chrono::nanoseconds(-1);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

#else
int this_processor() { return -1; }
std::chrono::nanoseconds run_time(std::thread&) { return std::chrono::nanoseconds(-1); }
#endif
}  // namespace

Processors::Processors(unsigned threads) : threads_(threads), of_(new Place[threads]) {}

// Written only where it changes, so that all threads may read it at no cost.
void Processors::note(unsigned thread) noexcept {
  std::atomic<int>& noted = of_[thread].processor;
  int now = this_processor();
  if (noted.load(std::memory_order_relaxed) != now) noted.store(now, std::memory_order_relaxed);
}

void Processors::forget(unsigned thread) noexcept { of_[thread].processor.store(-1, std::memory_order_relaxed); }

// To one of those processors that it may run on and that suit; then it may run on all of them again.
template <class Native, class Suits>
void Processors::move([[maybe_unused]] unsigned thread, [[maybe_unused]] Native native, [[maybe_unused]] Suits suits) noexcept {
#if defined(__linux__)
  if (prctl(PR_GET_SECCOMP) != 0 || of_[thread].moving.test_and_set(std::memory_order_acquire)) return;
  cpu_set_t allowed, chosen;
  CPU_ZERO(&chosen);
  if (pthread_getaffinity_np(native, sizeof allowed, &allowed) == 0) {  // not with more processors than a cpu_set_t has room for
    for (int each = 0; each < CPU_SETSIZE; ++each)
      if (CPU_ISSET(each, &allowed) && suits(each)) CPU_SET(each, &chosen);
    if (CPU_COUNT(&chosen) > 0 && pthread_setaffinity_np(native, sizeof chosen, &chosen) == 0) pthread_setaffinity_np(native, sizeof allowed, &allowed);
  }
  of_[thread].moving.clear(std::memory_order_release);
#endif
}

bool Processors::noted_on(int processor, unsigned below) const noexcept {
  return std::any_of(&of_[0], &of_[below], [&](const Place& each) { return each.processor.load(std::memory_order_relaxed) == processor; });
}

bool Processors::crowded(unsigned thread) noexcept {
  note(thread);
  int here = of_[thread].processor.load(std::memory_order_relaxed);
  return here >= 0 && noted_on(here, thread);
}

void Processors::spread(unsigned thread) noexcept {
  if (!crowded(thread)) return;
  move(thread, pthread_self(), [&](int processor) { return !noted_on(processor, threads_); });
  note(thread);
}

void Processors::move_here(unsigned thread, std::thread& worker) noexcept {
  move(thread, worker.native_handle(), [here = this_processor()](int processor) { return processor == here; });
}

void Progress::look(std::thread& worker) noexcept {
  run_time_ = has_chunks_.load(std::memory_order_relaxed) ? run_time(worker) : std::chrono::nanoseconds(-1);
}

bool Progress::put_off(std::thread& worker) noexcept {
  return run_time_.count() >= 0 && run_time(worker) == run_time_;
}

}  // namespace sinter
