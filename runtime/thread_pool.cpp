#include "runtime/thread_pool.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

#include "graph/support/errors.h"
#include "runtime/cpu_count.h"
#include "graph/support/floating_point.h"

namespace sinter {
namespace {

// How long an idle thread looks for work before it sleeps: longer than the pauses between the steps of one call, and about what it takes
// to get a sleeper running again, so that at worst twice the processor time of the best choice is spent.
constexpr std::chrono::microseconds patience{50};

// finished_ counts in 32 bits; a longer loop is served in several turns.
constexpr int64_t most_at_once = int64_t{1} << 30;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Until done() or the time has run out; says whether done().
template <class Done>
bool spin(Done done, std::chrono::nanoseconds time = patience) {
  auto start = std::chrono::steady_clock::now();
  do {
    for (int i = 0; i < 16; ++i) {
      if (done()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() - start < time);
  return done();
}

// A host's signal handlers expect the host's own threads, so threads started within this scope take no signals, but for those that their own
// instructions raise and the profiler's.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (int each : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF}) sigdelset(&blocked, each);
    pthread_sigmask(SIG_BLOCK, &blocked, &saved_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &saved_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t saved_;
};

unsigned count_of(unsigned threads) {
  if (threads > ThreadPool::most_threads) throw UserError(fmt::format("a thread pool of {} threads was asked for; {} is the most", threads, ThreadPool::most_threads));
  return threads == 0 ? std::min(available_cpus(), ThreadPool::most_threads) : threads;
}

}  // namespace

bool Sleepers::pick_one() noexcept {
  int64_t n = asleep_.load();
  while (n > 0)
    if (asleep_.compare_exchange_weak(n, n - 1)) return true;
  return false;
}

template <class Ready>
void Sleepers::sleep(Ready ready) noexcept {
  asleep_.fetch_add(1);
  // Either this sees what wake()'s caller stored, or wake() sees asleep_. Who finds nobody left to pick has been picked: its token comes.
  if (ready() && pick_one()) return;
  for (;;) {
    uint32_t n = tokens_.load();
    while (n > 0)
      if (tokens_.compare_exchange_weak(n, n - 1)) return;
    tokens_.wait(0);
  }
}

void Sleepers::wake(int64_t at_most) noexcept {
  for (int64_t i = 0; i < at_most && pick_one(); ++i) {
    tokens_.fetch_add(1);
    tokens_.notify_one();
  }
}

ThreadPool::ThreadPool(unsigned threads)
    : threads_(count_of(threads)), most_workers_(threads_ - 1), spins_(threads == 0 || threads_ <= available_cpus()), processors_(threads_) {}

ThreadPool::~ThreadPool() {
  stopping_.store(true);
  sleepers_.wake(threads_);
  for (Worker& each : workers_) each.thread.join();
}

void ThreadPool::start_workers(int64_t wanted) noexcept {
  wanted = std::min<int64_t>(wanted, most_workers_);
  if (static_cast<int64_t>(workers_.size()) >= wanted) return;
  SignalsBlocked blocked;
  try {
    while (static_cast<int64_t>(workers_.size()) < wanted) {
      Worker& added = workers_.emplace_back();
      added.thread = std::thread([this, worker = static_cast<int64_t>(workers_.size()), &added] { work(worker, added.progress); });
    }
  } catch (const std::exception&) {  // std::system_error, or no memory for the thread's state
    if (!workers_.empty() && !workers_.back().thread.joinable()) workers_.pop_back();
    most_workers_ = static_cast<unsigned>(workers_.size());
  }
}

void ThreadPool::parallel_for(ChunkBody body, void* context, int64_t chunks) noexcept {
  struct Plain {
    ChunkBody body;
    void* context;
    static void run(void* plain, int64_t chunk, int64_t) noexcept { static_cast<Plain*>(plain)->body(static_cast<Plain*>(plain)->context, chunk); }
  } plain{body, context};
  parallel_for(&Plain::run, &plain, chunks);
}

// Whoever calls is worker 0 of its own loop: a worker of the pool that calls from within a chunk finds the pool busy and is alone in it.
void ThreadPool::parallel_for(WorkerChunkBody body, void* context, int64_t chunks) noexcept {
  for (int64_t next = 0; next < chunks;) {
    int64_t left = chunks - next;
    if (left > 1 && threads_ > 1 && !busy_.load(std::memory_order_relaxed) && !busy_.exchange(true, std::memory_order_acquire)) {
      int64_t count = std::min(left, most_at_once);
      share(body, context, next, count);
      busy_.store(false, std::memory_order_release);
      next += count;
    } else {
      body(context, next++, 0);
    }
  }
}

void ThreadPool::share(WorkerChunkBody body, void* context, int64_t first, int64_t count) noexcept {
  start_workers(count - 1);
  finished_.store(0, std::memory_order_relaxed);
  body_ = body;
  context_ = context;
  end_ = first + count;
  remaining_.store(count);
  int64_t workers = static_cast<int64_t>(workers_.size()), awake = workers - sleepers_.count();
  if (awake < workers && awake < count - 1) sleepers_.wake(count - 1 - awake);
  wait_for_workers(static_cast<uint32_t>(count - take_chunks(0)));
}

void ThreadPool::wait_for_workers(uint32_t chunks) noexcept {
  auto finished = [&] { return finished_.load(std::memory_order_acquire) == chunks; };
  if (finished()) return;
  if (spins_) {
    if (spin(finished, patience / 2)) return;
    for (Worker& each : workers_) each.progress.look(each.thread);
    if (spin(finished, patience / 2)) return;
    unsigned number = 0;
    for (Worker& each : workers_)
      if (++number; !finished() && each.progress.put_off(each.thread)) processors_.move_here(number, each.thread);
  }
  for (uint32_t now; (now = finished_.load(std::memory_order_acquire)) != chunks;) finished_.wait(now, std::memory_order_acquire);
}

// The fields are read only once a chunk is taken: until that chunk is reported, the loop it belongs to cannot end and they cannot change.
int64_t ThreadPool::take_chunks(int64_t worker) noexcept {
  int64_t taken = 0;
  while (remaining_.load(std::memory_order_relaxed) > 0) {
    if (spins_ && processors_.crowded(static_cast<unsigned>(worker)) && taken > 0) break;  // reports first: a move may take long
    int64_t r = remaining_.fetch_sub(1, std::memory_order_acquire);
    if (r <= 0) break;
    body_(context_, end_ - r, worker);
    ++taken;
  }
  return taken;
}

void ThreadPool::work(int64_t worker, Progress& progress) noexcept {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "sinter");
#endif
  FloatingPointEnvironment environment;
  auto called = [this] { return remaining_.load() > 0 || stopping_.load(); };
  unsigned number = static_cast<unsigned>(worker);
  while (!stopping_.load()) {
    if (spins_) processors_.spread(number);
    progress.begin();
    int64_t taken = take_chunks(worker);
    if (taken > 0) {
      finished_.fetch_add(static_cast<uint32_t>(taken));
      finished_.notify_one();
    }
    progress.end();
    if (spins_) processors_.spread(number);  // who waited for the report may have taken it in
    if (spins_ && spin(called)) continue;
    processors_.forget(number);
    sleepers_.sleep(called);
  }
}

std::shared_ptr<ThreadPool> shared_pool(unsigned threads) {
  struct Registry {
    std::mutex mutex;
    std::map<unsigned, std::weak_ptr<ThreadPool>> pools;
  };
  static Registry* registry = new Registry;  // never destroyed: other static objects' destructors may still call
  unsigned count = count_of(threads);
  std::lock_guard lock(registry->mutex);
  if (auto found = registry->pools.find(count); found != registry->pools.end())
    if (auto pool = found->second.lock()) return pool;
  auto pool = std::make_shared<ThreadPool>(count);
  registry->pools[count] = pool;
  return pool;
}

}  // namespace sinter
