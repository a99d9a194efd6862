// Long calls that are interrupted at any moment: parameters are as they were, as they would be, or marked, and refused by name until set.
#include <csignal>
#include <sys/time.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "sinter.h"
#include "tests/raises.h"

using namespace sinter;
using namespace std::chrono_literals;

namespace {

// Some milliseconds of steps of every kind that update two parameters, of which the second takes the first's old value.
struct Long {
  GraphScope scope;
  Variable x{"x", f32, {"batch", 256}};
  Parameter w{"w", uniform({256, 256}, 1)}, v{"v", uniform({256, 256}, 2)};
  Tensor old_w = w.read(), old_v = v.read(), new_w;
  NamedTensors inputs = {{"x", uniform({256, 256}, 3)}};
  Function train, evaluate;

  Long(unsigned threads, bool transactional) {
    CompileOptions options;
    options.threads = threads;
    options.transactional = transactional;
    Expr y = softmax(matmul(tanh(matmul(x, w)), w)), next = w + matmul(transpose(x), y);
    train = compile(sum(y), {{w, next}, {v, w}}, options);
    evaluate = compile(sum(v));
    train(inputs);
    new_w = w.read();
    REQUIRE_FALSE(same_bits(old_w, new_w));
    REQUIRE(same_bits(v.read(), old_w));
    reset();
  }
  void reset() const { w.set(old_w), v.set(old_v); }
  bool is_old() const { return same_bits(w.read(), old_w) && same_bits(v.read(), old_v); }
  bool is_new() const { return same_bits(w.read(), new_w) && same_bits(v.read(), old_w); }
  bool is_torn() const { return w.storage()->torn || v.storage()->torn; }

  // A torn parameter is refused by name by all that would read it, until it is set.
  void refuses_torn() const {
    const std::string of_w = "the parameter 'w' was left half-updated by a step that failed; set() it first", of_v = "the parameter 'v'" + of_w.substr(17);
    REQUIRE(raised([&] { w.read(); }).message == of_w);
    REQUIRE(raised([&] { v.read(); }).message == of_v);
    REQUIRE(raised([&] { train(inputs); }).message == of_w);
    REQUIRE(raised([&] { evaluate({}); }).message == of_v);
    REQUIRE(raised([&] { train.bind(inputs)(); }).message == of_w);
    w.set(old_w);
    REQUIRE(raised([&] { train(inputs); }).message == of_v);
    v.set(old_v);
  }
};

}  // namespace

namespace {

std::atomic<const Function*> interrupted{nullptr};

// While it lives, an alarm's handler stops the function.
class Alarm {
 public:
  explicit Alarm(const Function& f) {
    interrupted = &f;
    struct sigaction handler {};
    handler.sa_handler = [](int) { interrupted.load()->stop(); };
    sigaction(SIGALRM, &handler, &before_);
  }
  ~Alarm() {
    set(0ns);
    sigaction(SIGALRM, &before_, nullptr);
  }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  void set(std::chrono::nanoseconds from_now) const {
    itimerval timer{};
    timer.it_value.tv_usec = std::chrono::duration_cast<std::chrono::microseconds>(from_now).count();
    setitimer(ITIMER_REAL, &timer, nullptr);
  }

 private:
  struct sigaction before_ {};
};

}  // namespace

TEST_CASE("a signal's handler stops calls at two hundred moments", "[interrupts]") {
  for (unsigned threads : {1u, 2u})
    for (bool transactional : {false, true}) {
      Long step(threads, transactional);
      auto whole = std::chrono::nanoseconds::max();
      for (int i = 0; i < 5; ++i) {
        auto begun = std::chrono::steady_clock::now();
        step.train(step.inputs);
        whole = std::min<std::chrono::nanoseconds>(whole, std::chrono::steady_clock::now() - begun);
      }
      step.reset();
      Alarm alarm(step.train);
      int stopped = 0, finished = 0, torn = 0;
      for (int i = 0; i < 50; ++i) {
        alarm.set(whole * (i * 7 % 50 + 1) / 45);  // from at once to when it is done
        bool ended = false;
        try {
          step.train(step.inputs);
          ended = true;
        } catch (const SystemError& error) {
          REQUIRE(error.message() == "the call was stopped");
        }
        alarm.set(0ns);
        ++(ended ? finished : stopped);
        CAPTURE(threads, transactional, i, ended);
        if (step.is_torn()) {
          ++torn;
          REQUIRE_FALSE(ended);
          REQUIRE_FALSE(transactional);
          step.refuses_torn();
        } else {
          REQUIRE((ended ? step.is_new() : step.is_old()));
        }
        step.reset();
      }
      CAPTURE(threads, transactional, stopped, finished, torn);
      CHECK(stopped > 0);
      if (!transactional) CHECK(torn > 0);
      step.train(step.inputs);
      CHECK(step.is_new());
    }
}

TEST_CASE("ten threads' calls are stopped over and over", "[interrupts]") {
  for (bool transactional : {false, true}) {
    Long step(2, transactional);
    std::atomic<int> stopped{0}, wrong{0};
    std::atomic<bool> done{false};
    std::vector<std::thread> callers;
    for (int t = 0; t < 10; ++t)
      callers.emplace_back([&] {
        while (!done) try {
            step.train(step.inputs);
          } catch (const SystemError&) {
            ++stopped;
          } catch (const UserError& error) {
            if (transactional || error.message().find("half-updated") == std::string::npos) ++wrong;
            step.reset();
          }
      });
    auto until = std::chrono::steady_clock::now() + 20s;
    while (stopped < 100 && std::chrono::steady_clock::now() < until) {
      step.train.stop();
      std::this_thread::sleep_for(500us);
    }
    done = true;
    for (std::thread& each : callers) each.join();
    CHECK(stopped >= 100);
    CHECK(wrong == 0);
    step.reset();
    step.train(step.inputs);
    CHECK(step.is_new());
  }
}
