#include "runtime/worker_placement.h"

#include <algorithm>

#if defined(__linux__)
#include <pthread.h>
#include <sched.h>
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

// Moves `thread` to one of those processors that choose() leaves of the set it may run on, and then lets it run on all of them again.
template <class Choose>
void move(pthread_t thread, Choose choose) {
  cpu_set_t allowed, chosen;
  if (pthread_getaffinity_np(thread, sizeof allowed, &allowed) != 0) return;  // more processors than a cpu_set_t has room for
  chosen = allowed;
  choose(chosen);
  if (CPU_COUNT(&chosen) > 0 && pthread_setaffinity_np(thread, sizeof chosen, &chosen) == 0) pthread_setaffinity_np(thread, sizeof allowed, &allowed);
}

void move_off(const std::atomic<int>* processors, unsigned count) {  // of the calling thread, from all of them
  move(pthread_self(), [&](cpu_set_t& set) {
    for (unsigned i = 0; i < count; ++i)
      if (int each = processors[i].load(std::memory_order_relaxed); each >= 0 && each < CPU_SETSIZE) CPU_CLR(each, &set);
  });
}

#else
int this_processor() { return -1; }
std::chrono::nanoseconds run_time(std::thread&) { return std::chrono::nanoseconds(-1); }
void move_off(const std::atomic<int>*, unsigned) {}
#endif
}  // namespace

Processors::Processors(unsigned threads) : threads_(threads), of_(new std::atomic<int>[threads]) {
  for (unsigned i = 0; i < threads; ++i) of_[i].store(-1, std::memory_order_relaxed);
}

// Written only where it changes, so that all threads may read it at no cost.
void Processors::note(unsigned thread) noexcept {
  int now = this_processor();
  if (of_[thread].load(std::memory_order_relaxed) != now) of_[thread].store(now, std::memory_order_relaxed);
}

void Processors::forget(unsigned thread) noexcept { of_[thread].store(-1, std::memory_order_relaxed); }

void Processors::spread(unsigned thread) noexcept {
  note(thread);
  int here = of_[thread].load(std::memory_order_relaxed);
  if (here < 0 || std::none_of(&of_[0], &of_[thread], [&](const std::atomic<int>& each) { return each.load(std::memory_order_relaxed) == here; })) return;
  move_off(of_.get(), threads_);
  note(thread);
}

void Progress::look(std::thread& worker) noexcept {
  run_time_ = has_chunks_.load(std::memory_order_relaxed) ? run_time(worker) : std::chrono::nanoseconds(-1);
}

// A worker that had chunks and was not run since has them still.
bool Progress::put_off(std::thread& worker) noexcept {
  return run_time_.count() >= 0 && run_time(worker) == run_time_;
}

void move_here([[maybe_unused]] std::thread& thread) noexcept {
#if defined(__linux__)
  move(thread.native_handle(), [here = this_processor()](cpu_set_t& set) {
    bool may = here >= 0 && here < CPU_SETSIZE && CPU_ISSET(here, &set);
    CPU_ZERO(&set);
    if (may) CPU_SET(here, &set);
  });
#endif
}

}  // namespace sinter
