// ThreadPool: runs the chunks of one loop on several threads, and lets a thread that the system does not schedule cost nothing.
#pragma once
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>

#include "runtime/worker_placement.h"

namespace sinter {

// One chunk of a loop. It crosses the C ABI and must not throw: what goes wrong is recorded in the context.
using ChunkBody = void (*)(void* context, int64_t chunk) noexcept;
// The same for who needs scratch memory: `worker` is from 0 to threads() - 1, and no two threads in one loop have the same.
using WorkerChunkBody = void (*)(void* context, int64_t chunk, int64_t worker) noexcept;

// Where idle threads sleep until they are called. Nothing here holds a lock, so that a sleeper that is slow to get up delays nobody.
class Sleepers {
 public:
  // Sleeps until wake() picks this thread, unless ready() holds already. Whatever makes ready() true must be a sequentially consistent
  // store that comes before a wake().
  template <class Ready>
  void sleep(Ready ready) noexcept;
  void wake(int64_t at_most) noexcept;
  int64_t count() const noexcept { return asleep_.load(std::memory_order_seq_cst); }  // those no wake() has picked yet

 private:
  bool pick_one() noexcept;
  std::atomic<int64_t> asleep_{0};
  std::atomic<uint32_t> tokens_{0};  // one for each thread picked that has not left yet
};

class ThreadPool {
 public:
  static constexpr unsigned most_threads = 4096;

  // `threads` counts the caller: 1 runs everything inline, 0 stands for available_cpus(). UserError where above most_threads.
  // The others start when a loop first needs them; where the system refuses one, the pool goes on with those it has.
  explicit ThreadPool(unsigned threads = 0);
  ~ThreadPool();  // joins; no loop may be running
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  unsigned threads() const { return threads_; }

  // Calls body(context, chunk[, worker]) once for each chunk in [0, chunks), on this thread and on any others that are free, in no promised order,
  // and returns when all calls have returned; what they wrote is then visible here. This thread always takes part and waits only for chunks
  // that another has begun, so with no help it does the whole loop. Any number of threads may call at once, a chunk's body too: while the
  // pool serves one loop, the others run on their callers, and go parallel if it gets free. Throws nothing, and allocates only to start threads.
  void parallel_for(WorkerChunkBody body, void* context, int64_t chunks) noexcept;
  void parallel_for(ChunkBody body, void* context, int64_t chunks) noexcept;

 private:
  void share(WorkerChunkBody body, void* context, int64_t first, int64_t count) noexcept;
  void start_workers(int64_t wanted) noexcept;
  struct Worker {
    std::thread thread;
    alignas(64) Progress progress;
  };
  void work(int64_t worker, Progress& progress) noexcept;
  int64_t take_chunks(int64_t worker) noexcept;
  void wait_for_workers(uint32_t chunks) noexcept;

  unsigned threads_;
  unsigned most_workers_;             // fewer than threads_ - 1 where the system refused one
  bool spins_;                        // not where there are more threads than processors: a spinner would hold up who has work
  std::deque<Worker> workers_;        // grown by the holder of busy_ only
  Processors processors_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> busy_{false};  // held by the thread whose loop the pool serves; it alone writes what follows

  // The loop being served. Chunk end_ - r is taken by lowering remaining_ from r; the other fields hold still until it is reported done.
  alignas(64) std::atomic<int64_t> remaining_{0};  // 0 or less: nothing to take
  WorkerChunkBody body_ = nullptr;
  void* context_ = nullptr;
  int64_t end_ = 0;

  alignas(64) std::atomic<uint32_t> finished_{0};  // chunks that workers have finished
  alignas(64) Sleepers sleepers_;
};

// The pool of `threads` threads (0: available_cpus()) that everyone in this process shares; it goes with its last holder.
std::shared_ptr<ThreadPool> shared_pool(unsigned threads = 0);

}  // namespace sinter
