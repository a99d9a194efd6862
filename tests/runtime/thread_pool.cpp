#include "runtime/thread_pool.h"

#include <pthread.h>
#include <signal.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <vector>

#include "graph/support/errors.h"
#include "runtime/cpu_count.h"

namespace sinter {
namespace {

using namespace std::chrono_literals;

// Counts the calls of each chunk, without atomics: the pool itself must make what the chunks wrote visible, which the thread sanitizer checks.
struct Calls {
  std::vector<int> of_chunk;
  explicit Calls(int64_t chunks) : of_chunk(static_cast<size_t>(chunks)) {}
  static void count(void* context, int64_t chunk) noexcept { ++static_cast<Calls*>(context)->of_chunk[static_cast<size_t>(chunk)]; }
  bool all_once() const {
    return std::all_of(of_chunk.begin(), of_chunk.end(), [](int n) { return n == 1; });
  }
};

bool every_chunk_once(ThreadPool& pool, int64_t chunks) {
  Calls calls(chunks);
  pool.parallel_for(Calls::count, &calls, chunks);
  return calls.all_once();
}

// Runs f in every thread of the pool that takes part, at least two where `chunks` is 2 or more: each chunk waits until another has begun.
template <class F>
void in_two_threads(ThreadPool& pool, F f) {
  struct Context {
    F& f;
    std::atomic<int> begun{0};
  } context{f};
  auto body = [](void* p, int64_t) noexcept {
    auto& c = *static_cast<Context*>(p);
    ++c.begun;
    for (auto until = std::chrono::steady_clock::now() + 20s; c.begun < 2 && std::chrono::steady_clock::now() < until;) std::this_thread::yield();
    c.f();
  };
  pool.parallel_for(body, &context, 2);
  REQUIRE(context.begun == 2);
}

void spin_for(std::chrono::microseconds time) {
  for (auto until = std::chrono::steady_clock::now() + time; std::chrono::steady_clock::now() < until;) {}
}

}  // namespace

TEST_CASE("every chunk runs exactly once", "[thread_pool]") {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(threads);
    CHECK(pool.threads() == threads);
    for (int64_t chunks : {0, 1, 2, 3, 1000})
      for (int i = 0; i < 200; ++i) REQUIRE(every_chunk_once(pool, chunks));
    CHECK(every_chunk_once(pool, 100000));
    pool.parallel_for(Calls::count, nullptr, -1);  // no chunks, no calls
  }
}

TEST_CASE("workers that sleep between loops are woken and take part", "[thread_pool]") {
  ThreadPool pool(2);
  for (int i = 0; i < 50; ++i) {
    std::atomic<int> others{0};
    auto me = std::this_thread::get_id();
    in_two_threads(pool, [&] { others += std::this_thread::get_id() != me; });
    REQUIRE(others == 1);
    std::this_thread::sleep_for(1ms);
  }
}

TEST_CASE("loops of several callers run on one pool at once", "[thread_pool]") {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(threads);
    std::atomic<int> wrong{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < 6; ++caller)
      callers.emplace_back([&, caller] {
        for (int i = 0; i < 300; ++i) {
          const int64_t counts[] = {0, 1, 2, 7, 1000};
          wrong += !every_chunk_once(pool, counts[(i + caller) % 5]);
        }
      });
    for (auto& each : callers) each.join();
    CHECK(wrong == 0);
  }
}

TEST_CASE("a chunk may run a loop on the pool that runs it", "[thread_pool]") {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(threads);
    struct Context {
      ThreadPool& pool;
      std::atomic<int> right{0};
    } context{pool};
    auto body = [](void* p, int64_t) noexcept {
      auto& c = *static_cast<Context*>(p);
      c.right += every_chunk_once(c.pool, 10);
    };
    for (int i = 0; i < 50; ++i) pool.parallel_for(body, &context, 20);
    CHECK(context.right == 1000);
  }
}

TEST_CASE("no two threads in one loop have the same worker number", "[thread_pool]") {
  for (unsigned threads : {1u, 2u, 3u, 8u}) {
    ThreadPool pool(threads);
    struct Loop {
      ThreadPool& pool;
      std::vector<std::atomic<int>> inside, calls;
      std::atomic<int> wrong{0};
      explicit Loop(ThreadPool& p) : pool(p), inside(p.threads()), calls(p.threads()) {}
    };
    static const WorkerChunkBody body = [](void* p, int64_t, int64_t worker) noexcept {
      auto& loop = *static_cast<Loop*>(p);
      if (worker < 0 || worker >= loop.pool.threads()) {
        ++loop.wrong;
        return;
      }
      loop.wrong += loop.inside[static_cast<size_t>(worker)]++ != 0;
      spin_for(1us);
      ++loop.calls[static_cast<size_t>(worker)];
      loop.inside[static_cast<size_t>(worker)]--;
    };
    std::vector<std::thread> callers;
    std::atomic<int> wrong{0};
    for (int caller = 0; caller < 3; ++caller)
      callers.emplace_back([&] {
        for (int i = 0; i < 30; ++i) {
          Loop loop(pool);
          pool.parallel_for(body, &loop, 100);
          int calls = 0;
          for (auto& each : loop.calls) calls += each;
          wrong += loop.wrong + (calls != 100);
        }
      });
    for (auto& each : callers) each.join();
    CHECK(wrong == 0);
  }
}

TEST_CASE("a neighbour that spins on every processor does not stop the pool", "[thread_pool]") {
  std::atomic<bool> stop{false};
  std::vector<std::thread> neighbours;
  for (unsigned i = 0; i < 2 * available_cpus(); ++i) neighbours.emplace_back([&] { while (!stop) {} });
  {
    ThreadPool pool(3);
    for (int i = 0; i < 100; ++i) {
      REQUIRE(every_chunk_once(pool, 16));
      spin_for(100us);  // long enough for the workers to go to sleep
    }
  }
  stop = true;
  for (auto& each : neighbours) each.join();
}

TEST_CASE("a caller waits for a chunk that a worker has begun", "[thread_pool]") {
  ThreadPool pool(2);
  std::atomic<int> ended{0};
  auto me = std::this_thread::get_id();
  in_two_threads(pool, [&] {
    if (std::this_thread::get_id() != me) std::this_thread::sleep_for(20ms);  // past all spinning
    ++ended;
  });
  CHECK(ended == 2);
}

TEST_CASE("pools come and go", "[thread_pool]") {
  for (int i = 0; i < 100; ++i) {
    ThreadPool pool(4);
    if (i % 3 == 0) continue;  // a pool whose threads never started
    REQUIRE(every_chunk_once(pool, i % 7));
  }
}

TEST_CASE("workers take no signals of the host's", "[thread_pool]") {
  ThreadPool pool(2);
  std::atomic<int> blocked{0};
  auto me = std::this_thread::get_id();
  in_two_threads(pool, [&] {
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, nullptr, &mask);
    if (std::this_thread::get_id() != me) blocked += sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM) && !sigismember(&mask, SIGSEGV);
  });
  CHECK(blocked == 1);
  sigset_t mask;
  pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  CHECK(!sigismember(&mask, SIGINT));
}

#if defined(__GLIBC__) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
TEST_CASE("a pool whose threads the system refuses goes on without them", "[thread_pool]") {
  pthread_attr_t usual, enormous;
  REQUIRE(pthread_getattr_default_np(&usual) == 0);
  REQUIRE(pthread_getattr_default_np(&enormous) == 0);
  REQUIRE(pthread_attr_setstacksize(&enormous, size_t{1} << 50) == 0);
  REQUIRE(pthread_setattr_default_np(&enormous) == 0);
  ThreadPool pool(4);
  bool right = every_chunk_once(pool, 100) && every_chunk_once(pool, 100);
  REQUIRE(pthread_setattr_default_np(&usual) == 0);
  CHECK(right);
  pthread_attr_destroy(&usual);
  pthread_attr_destroy(&enormous);
}
#endif

TEST_CASE("a pool of too many threads is refused", "[thread_pool]") {
  CHECK_THROWS_AS(ThreadPool(5000), UserError);
  CHECK_THROWS_AS(ThreadPool(~0u), UserError);
}

TEST_CASE("a shared pool is one for each number of threads, and goes with its last holder", "[thread_pool]") {
  auto a = shared_pool(2), b = shared_pool(2), c = shared_pool(3);
  CHECK(a == b);
  CHECK(a != c);
  CHECK(c->threads() == 3);
  CHECK(shared_pool()->threads() == available_cpus());
  CHECK(shared_pool(available_cpus()) == shared_pool(0));
  std::weak_ptr<ThreadPool> watch = c;
  c.reset();
  CHECK(watch.expired());
  CHECK(every_chunk_once(*shared_pool(3), 10));
}

}  // namespace sinter
