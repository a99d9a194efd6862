// Moves threads of a pool between processors where the system does not, so that a neighbour on one of them costs what it takes and no more.
//
// With one thread more than processors, two share one, and Linux does not mind which two: the caller of a loop and its worker may take turns on one
// processor for seconds while the neighbour has another to itself. And a thread that is put off its processor in the midst of a chunk stays there for
// milliseconds, while the one that waits for the chunk sleeps and leaves its own idle. Here threads of one pool leave each other's processors, and who
// waits takes in who was put off. Every move is one: where a thread may run is afterwards what it was. On other systems nothing is moved.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>

namespace sinter {

// The processors that the threads of a pool were last seen on. Thread 0 is the caller, the others are workers.
class Processors {
 public:
  explicit Processors(unsigned threads);
  // Of the calling thread, which is number `thread`.
  void note(unsigned thread) noexcept;    // that it runs here
  void forget(unsigned thread) noexcept;  // that it is about to sleep
  // Notes it, and first moves it to a processor where no other thread of the pool is, if it may use one and one with a lower number is here.
  void spread(unsigned thread) noexcept;

 private:
  unsigned threads_;
  std::unique_ptr<std::atomic<int>[]> of_;  // -1: not known
};

// Whether a worker that someone waits for is being run.
class Progress {
 public:
  void begin() noexcept { has_chunks_.store(true, std::memory_order_relaxed); }  // the worker: is about to take chunks
  void end() noexcept { has_chunks_.store(false, std::memory_order_relaxed); }   // the worker: has reported them
  void look(std::thread& worker) noexcept;     // the one that waits: how long the worker has been run so far
  bool put_off(std::thread& worker) noexcept;  // the one that waits: whether the worker has chunks, had them at look(), and was not run since

 private:
  std::atomic<bool> has_chunks_{false};
  std::chrono::nanoseconds run_time_{-1};
};

// Moves `thread` to the processor of the caller, if it may run there.
void move_here(std::thread& thread) noexcept;

}  // namespace sinter
