#include "runtime/arena_layout.h"

#include <catch2/catch.hpp>
#include <ctime>
#include <cstdio>
#include <limits>
#include <random>

#include "graph/support/errors.h"

namespace sinter {
namespace {

ArenaLayout checked(const std::vector<ArenaRequest>& requests) {
  ArenaLayout layout = layout_arena(requests);
  check(requests, layout);
  CHECK(layout.bytes >= layout.lower_bound);
  return layout;
}

uint32_t below(std::mt19937& engine, uint32_t n) { return static_cast<uint32_t>(engine() % n); }

// Buffers as a training step has them: activations live from their forward step to their backward one, everything else briefly.
std::vector<ArenaRequest> training_like(uint32_t steps, std::mt19937& engine) {
  std::vector<ArenaRequest> requests;
  for (uint32_t i = 0; i < steps; ++i) {
    int64_t bytes = int64_t{64} << below(engine, 12);
    if (i < steps / 2 && below(engine, 2)) requests.push_back({bytes, i, steps - 1 - i});
    else requests.push_back({bytes, i, i + below(engine, 4)});
  }
  return requests;
}

}  // namespace

TEST_CASE("buffers that are not live together share memory", "[arena_layout]") {
  CHECK(checked({}).bytes == 0);
  CHECK(checked({{100, 0, 0}}).bytes == 128);
  CHECK(checked({{100, 0, 1}, {100, 2, 3}}).bytes == 128);
  CHECK(checked({{100, 0, 1}, {100, 1, 3}}).bytes == 256);
  CHECK(checked({{0, 0, 9}, {64, 3, 3}, {0, 3, 3}}).bytes == 64);
  CHECK(checked({{64, 0, 2}, {64, 1, 3}, {128, 3, 4}, {64, 4, 5}}).bytes == 192);
}

TEST_CASE("layouts of random requests hold and come near the lower bound", "[arena_layout]") {
  std::mt19937 engine(1);
  double total = 0, bound = 0;
  for (int i = 0; i < 300; ++i) {
    std::vector<ArenaRequest> requests;
    for (uint32_t n = below(engine, 100); n-- > 0;) {
      uint32_t first = below(engine, 50);
      requests.push_back({static_cast<int64_t>(below(engine, 5000)), first, first + below(engine, 20)});
    }
    ArenaLayout layout = checked(requests);
    total += static_cast<double>(layout.bytes), bound += static_cast<double>(layout.lower_bound);
    layout = checked(training_like(200, engine));
    total += static_cast<double>(layout.bytes), bound += static_cast<double>(layout.lower_bound);
  }
  CHECK(total < 1.06 * bound);
}

TEST_CASE("ten thousand buffers are laid out in milliseconds", "[arena_layout]") {
  std::mt19937 engine(2);
  std::vector<ArenaRequest> requests = training_like(10000, engine);
  const std::clock_t start = std::clock();  // the time of this process: what else runs is none of it
  ArenaLayout layout = layout_arena(requests);
  double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  check(requests, layout);
  CHECK(static_cast<double>(layout.bytes) < 1.05 * static_cast<double>(layout.lower_bound));
  CHECK(seconds < 1);
  if (std::getenv("SINTER_SHOW_TIMES")) std::printf("10000 buffers: %.1f ms, %.4f of the bound\n", seconds * 1e3, static_cast<double>(layout.bytes) / static_cast<double>(layout.lower_bound));
}

TEST_CASE("sizes that overflow are refused", "[arena_layout]") {
  constexpr int64_t huge = std::numeric_limits<int64_t>::max();
  CHECK_THROWS_AS(layout_arena(std::vector<ArenaRequest>{{huge, 0, 0}}), UserError);
  CHECK_THROWS_AS(layout_arena(std::vector<ArenaRequest>{{huge / 3, 0, 0}, {huge / 3, 0, 0}}), UserError);
  CHECK_THROWS_AS(layout_arena(std::vector<ArenaRequest>{{-1, 0, 0}}), InternalError);
  CHECK_THROWS_AS(layout_arena(std::vector<ArenaRequest>{{1, 1, 0}}), InternalError);
}

TEST_CASE("the checker of layouts finds what is wrong with one", "[arena_layout]") {
  std::vector<ArenaRequest> requests = {{64, 0, 1}, {64, 1, 2}, {100, 1, 1}, {64, 2, 3}};
  ArenaLayout right = layout_arena(requests);
  auto broken = [&](auto change) {
    ArenaLayout wrong = right;
    change(wrong);
    CHECK_THROWS_AS(check(requests, wrong), InternalError);
  };
  broken([](ArenaLayout& l) { l.offsets[0] = l.offsets[1]; });       // two at one place
  broken([](ArenaLayout& l) { l.offsets[1] = l.offsets[2] + 64; });  // in the tail of another
  broken([](ArenaLayout& l) { l.offsets[0] += 8; });                 // misaligned
  broken([](ArenaLayout& l) { l.offsets[0] = -64; });
  broken([](ArenaLayout& l) { l.bytes = 64; });                      // outside
  broken([](ArenaLayout& l) { l.offsets.pop_back(); });
}

}  // namespace sinter
