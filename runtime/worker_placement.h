// Moves threads of a pool between processors where the system does not, so that a neighbour on one of them costs what it takes and no more.
//
// With one thread more than processors, two share one, and Linux does not mind which two: the caller of a loop and its worker may take turns on one
// processor for seconds while the neighbour has another to itself. And a thread that is put off its processor in the midst of a chunk stays there for
// milliseconds, while the one that waits for the chunk sleeps and leaves its own idle. Here threads of one pool leave each other's processors, and who
// waits takes in who was put off. Every move is one: where a thread may run is afterwards what it was. On other systems than Linux nothing is moved, nor
// under a seccomp filter: there are some that end a process that asks for it.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

namespace sinter {

// The processors that the threads of a pool were last seen on, and moves between them. Thread 0 is the caller, the others are workers. A thread is moved
// by one at a time: of two that narrow where it may run, one would take the other's for what to put back.
class Processors {
 public:
  explicit Processors(unsigned threads);
  // Of the calling thread, which is number `thread`.
  void note(unsigned thread) noexcept;     // that it runs here
  void forget(unsigned thread) noexcept;   // that it is about to sleep
  bool crowded(unsigned thread) noexcept;  // the same, and whether a thread with a lower number is noted here
  void spread(unsigned thread) noexcept;   // if so, moves it to a processor where no other thread of the pool is noted, and notes that
  // Moves `worker`, which is number `thread`, to the processor of the calling thread, if it may run there.
  void move_here(unsigned thread, std::thread& worker) noexcept;

 private:
  bool noted_on(int processor, unsigned below) const noexcept;  // by a thread with a number below
  template <class Native, class Suits>
  void move(unsigned thread, Native, Suits) noexcept;
  struct Place {
    std::atomic<int> processor{-1};  // -1: not known
    std::atomic_flag moving;
  };
  unsigned threads_;
  std::unique_ptr<Place[]> of_;
};

// Whether a worker that someone waits for is being run.
class Progress {
 public:
  void begin() noexcept { has_chunks_.store(true, std::memory_order_relaxed); }  // the worker: is about to take chunks
  void end() noexcept { has_chunks_.store(false, std::memory_order_relaxed); }   // the worker: has reported them
  void look(std::thread& worker) noexcept;     // the one that waits: how long the worker has been run so far
  bool put_off(std::thread& worker) noexcept;  // the one that waits: whether the worker had chunks at look(), and was not run since

 private:
  std::atomic<bool> has_chunks_{false};
  std::chrono::nanoseconds run_time_{-1};
};

}  // namespace sinter
