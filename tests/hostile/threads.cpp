// Ten threads at once: what each gets is what it would get alone.
#include <algorithm>
#include <atomic>
#include <barrier>
#include <catch2/catch.hpp>
#include <optional>
#include <thread>

#include "sinter.h"

using namespace sinter;

namespace {

constexpr int most = 10;

// Runs work(0 … 9) on ten threads that begin together, and throws what one of them threw.
template <class Work>
void on_ten(Work work) {
  std::barrier begin(most);
  std::vector<std::exception_ptr> thrown(most);
  std::vector<std::thread> threads;
  for (int t = 0; t < most; ++t)
    threads.emplace_back([&, t] {
      begin.arrive_and_wait();
      try {
        work(t);
      } catch (...) {
        thrown[static_cast<size_t>(t)] = std::current_exception();
      }
    });
  for (std::thread& each : threads) each.join();
  for (const std::exception_ptr& each : thrown)
    if (each) std::rethrow_exception(each);
}

CompileOptions with_threads(unsigned threads, bool transactional = false) {
  CompileOptions options;
  options.threads = threads;
  options.transactional = transactional;
  return options;
}

// A loop, rows and a contraction.
Expr layer(const Expr& x, const Expr& w) { return softmax(tanh(matmul(x, w)) * 3 - x); }

}  // namespace

TEST_CASE("ten threads call one function at sizes of their own", "[threads]") {
  for (unsigned threads : {1u, 2u, 3u}) {
    GraphScope scope;
    Variable x("x", f32, {"batch", 12});
    Parameter w("w", uniform({12, 12}, 1));
    Expr y = layer(x, w);
    Function f = compile({y, sum(y * y, {0})}, {}, with_threads(threads));
    auto input = [](int64_t rows) { return uniform({rows, 12}, static_cast<uint64_t>(rows) + 7); };
    std::vector<std::vector<Tensor>> expected;
    const int sizes = 90;  // more than an executor remembers the tables of
    for (int64_t rows = 0; rows < sizes; ++rows) expected.push_back(f.all({{"x", input(rows * 9)}}));
    std::atomic<int> wrong{0};
    on_ten([&](int t) {
      for (int i = 0; i < 60; ++i) {
        size_t rows = static_cast<size_t>((t * 37 + i * (t + 1)) % sizes);
        std::vector<Tensor> got = f.all({{"x", input(static_cast<int64_t>(rows) * 9)}});
        for (size_t k = 0; k < 2; ++k) wrong += !same_bits(got[k], expected[rows][k]);
      }
      BoundFunction bound = f.bind({{"x", input(9 * t)}});
      for (int i = 0; i < 20; ++i) {
        bound();
        wrong += !same_bits(bound.outputs()[0], expected[static_cast<size_t>(t)][0]);
      }
    });
    CHECK(wrong == 0);
  }
}

TEST_CASE("ten threads train at once: every step counts once, and who evaluates sees whole steps", "[threads]") {
  for (bool transactional : {false, true})
    for (unsigned threads : {1u, 2u}) {
      GraphScope scope;
      Variable x("x", f32, {"n"});
      Parameter w("w", zeros({400'000})), steps("steps", zeros({}));
      Function train = compile(steps + sum(x) * 0, {{w, w + 1}, {steps, steps + 1}}, with_threads(threads, transactional));
      Function evaluate = compile({max(w) - min(w), max(w) - steps}, {}, with_threads(threads));
      const int calls = 25;
      std::vector<std::vector<double>> seen(most);
      std::atomic<int> torn{0};
      on_ten([&](int t) {
        for (int i = 0; i < calls; ++i) {
          if (t % 2) {
            seen[static_cast<size_t>(t)].push_back(train({{"x", ones({t + i})}}).item());
          } else {
            std::vector<Tensor> differences = evaluate.all({});
            torn += differences[0].item() != 0 || differences[1].item() != 0;
          }
        }
      });
      CHECK(torn == 0);
      std::vector<double> all;
      for (const auto& each : seen) {
        CHECK(std::is_sorted(each.begin(), each.end()));
        all.insert(all.end(), each.begin(), each.end());
      }
      std::sort(all.begin(), all.end());
      bool each_once = all.size() == most / 2 * calls;
      for (size_t i = 0; i < all.size(); ++i) each_once = each_once && all[i] == static_cast<double>(i);
      CHECK(each_once);
      CHECK(w.read().data<float>()[123456] == most / 2 * calls);
    }
}

TEST_CASE("functions, graphs and parameters go while others run what they made", "[threads]") {
  for (int round = 0; round < 20; ++round) {
    std::optional<Function> f;
    std::optional<Parameter> w;
    {
      GraphScope scope;
      Variable x("x", f32, {"n", 8});
      w.emplace("w", full({8, 8}, 0.125));
      f.emplace(compile(sum(matmul(x, *w)), {}, with_threads(2)));
    }
    std::atomic<int> wrong{0}, held{0};
    std::barrier begin(most + 1);
    std::vector<std::thread> threads;
    for (int t = 0; t < most; ++t)
      threads.emplace_back([&, t] {
        Function mine = *f;  // a copy each
        BoundFunction bound = mine.bind({{"x", ones({t + 1, 8})}});
        begin.arrive_and_wait();
        if (t % 2) mine = Function();  // the bound call keeps what it needs
        for (int i = 0; i < 10; ++i) {
          bound();
          wrong += bound.outputs()[0].item() != 8.0 * (t + 1);
          if (t % 2 == 0) wrong += mine({{"x", ones({i, 8})}}).item() != 8.0 * i;
        }
        ++held;
      });
    begin.arrive_and_wait();
    f.reset();
    w.reset();
    for (std::thread& each : threads) each.join();
    CHECK(wrong == 0);
    CHECK(held == most);
  }
}

TEST_CASE("ten threads build, differentiate and compile graphs of their own", "[threads]") {
  std::atomic<int> wrong{0};
  on_ten([&](int t) {
    for (int i = 0; i < 2; ++i) {
      GraphScope scope;
      Variable x("x", f32, {"n", t + 2});
      Parameter w("w", full({t + 2, 3}, 0.5));
      Expr loss = sum(matmul(x, w) * (t + i + 1));
      Function f = compile({loss, gradients(loss, w)}, {}, with_threads(t % 2 ? 2 : 1));
      std::vector<Tensor> got = f.all({{"x", ones({4, t + 2})}});
      wrong += got[0].item() != 4 * 3 * 0.5 * (t + 2) * (t + i + 1);
      for (float g : got[1].data<float>()) wrong += g != 4.0f * static_cast<float>(t + i + 1);
    }
  });
  CHECK(wrong == 0);
}

TEST_CASE("ten threads call one template at shapes of their own", "[threads]") {
  GraphScope scope;
  Variable a("a"), b("b");
  Function f = compile(a * b + 1, {}, with_threads(1));
  std::atomic<int> wrong{0};
  on_ten([&](int t) {
    for (int64_t n : {1, t % 3 + 1, 2, t % 4 + 1}) {
      Tensor got = f({{"a", full({n, 2}, 3)}, {"b", full({n, 2}, t)}});
      for (float v : got.data<float>()) wrong += v != 3.0f * static_cast<float>(t) + 1;
    }
    try {
      f({{"a", ones({2, 2})}, {"b", ones({3, 3})}});
      ++wrong;
    } catch (const UserError&) {
    }
  });
  CHECK(wrong == 0);
}
