#include "runtime/data/batches.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>

namespace sinter {
namespace {

// Row i is {100 i, 100 i + 1 …}.
Tensor numbered(int64_t rows, std::vector<int64_t> row_sizes = {3}) {
  row_sizes.insert(row_sizes.begin(), rows);
  Tensor t(i64, row_sizes);
  int64_t width = rows > 0 ? t.size() / rows : 0;
  for (int64_t i = 0; i < t.size(); ++i) t.data<int64_t>()[static_cast<size_t>(i)] = 100 * (i / width) + i % width;
  return t;
}

std::vector<int64_t> values(const Tensor& t) {
  auto span = t.data<int64_t>();
  return {span.begin(), span.end()};
}

static_assert(std::input_iterator<Epoch::Iterator>);

}  // namespace

TEST_CASE("rows are gathered", "[batches]") {
  const std::vector<int64_t> rows = {2, 0, 2};
  Tensor t = gather_rows(numbered(3, {2}), rows);
  CHECK(t.sizes() == std::vector<int64_t>{3, 2});
  CHECK(values(t) == std::vector<int64_t>{200, 201, 0, 1, 200, 201});
  CHECK(values(gather_rows(numbered(3, {}), rows)) == std::vector<int64_t>{200, 0, 200});
  CHECK(gather_rows(numbered(3), {}).sizes() == std::vector<int64_t>{0, 3});
  CHECK(gather_rows(numbered(3, {0, 4}), rows).sizes() == std::vector<int64_t>{3, 0, 4});
  for (DType type : all_dtypes) CHECK(same_bits(gather_rows(full({4, 5}, 1, type), rows), full({3, 5}, 1, type)));
  CHECK_THROWS_AS(gather_rows(numbered(3), std::vector<int64_t>{3}), UserError);
  CHECK_THROWS_AS(gather_rows(numbered(3), std::vector<int64_t>{-1}), UserError);
  CHECK_THROWS_AS(gather_rows(Tensor::scalar(1.0f), rows), UserError);
  CHECK_THROWS_AS(gather_rows(Tensor(), rows), UserError);
}

TEST_CASE("a shuffle is a permutation that depends on seed and epoch alone", "[batches]") {
  for (int64_t count : {0, 1, 2, 3, 10, 1000}) {
    auto rows = shuffled_rows(count, 1, 0);
    CHECK(rows == shuffled_rows(count, 1, 0));
    std::sort(rows.begin(), rows.end());
    std::vector<int64_t> all(static_cast<size_t>(count));
    std::iota(all.begin(), all.end(), 0);
    CHECK(rows == all);
  }
  CHECK(shuffled_rows(1000, 1, 0) != shuffled_rows(1000, 2, 0));
  CHECK(shuffled_rows(1000, 1, 0) != shuffled_rows(1000, 1, 1));
  CHECK(shuffled_rows(1000, 1, 2) != shuffled_rows(1000, 2, 1));
  CHECK(shuffled_rows(10, 0, 0) == std::vector<int64_t>{6, 3, 2, 9, 8, 1, 4, 7, 0, 5});  // as computed by an independent program
  CHECK(shuffled_rows(10, 42, 7) == std::vector<int64_t>{0, 2, 4, 1, 5, 3, 8, 7, 6, 9});
}

TEST_CASE("a shuffle favours no order", "[batches]") {
  // Each of the 24 orders of 4 is expected 1000 times; chi-squared with 23 degrees of freedom exceeds 50 once in 1000.
  std::vector<int> seen(256);
  for (uint64_t epoch = 0; epoch < 24000; ++epoch) {
    auto rows = shuffled_rows(4, 5, epoch);
    ++seen[static_cast<size_t>(rows[0] + 4 * rows[1] + 16 * rows[2] + 64 * rows[3])];
  }
  double chi = 0;
  for (int n : seen)
    if (n > 0) chi += (n - 1000.0) * (n - 1000.0) / 1000;
  CHECK(std::count_if(seen.begin(), seen.end(), [](int n) { return n > 0; }) == 24);
  CHECK(chi < 50);
}

TEST_CASE("an epoch's batches hold every row once, with those of the other tensors beside it", "[batches]") {
  Batches batches({numbered(10), numbered(10, {})}, {.size = 4, .seed = 3});
  CHECK(batches.size() == 3);
  for (int number = 0; number < 3; ++number) {
    std::vector<int64_t> seen;
    std::vector<int64_t> sizes;
    for (const auto& batch : batches.epoch(number)) {
      REQUIRE(batch.size() == 2);
      sizes.push_back(batch[0].sizes()[0]);
      for (int64_t i = 0; i < batch[1].size(); ++i) {
        int64_t row = values(batch[1])[static_cast<size_t>(i)];
        seen.push_back(row / 100);
        CHECK(values(batch[0])[static_cast<size_t>(3 * i)] == row);
      }
    }
    CHECK(sizes == std::vector<int64_t>{4, 4, 2});
    CHECK(seen == shuffled_rows(10, 3, static_cast<uint64_t>(number)));
  }
}

TEST_CASE("the last short batch is kept or dropped", "[batches]") {
  Batches dropped({numbered(10)}, {.size = 4, .keep_last = false});
  CHECK(dropped.size() == 2);
  CHECK(dropped.epoch(0).size() == 2);
  CHECK(dropped.epoch(0)[1][0].sizes() == std::vector<int64_t>{4, 3});
  CHECK_THROWS_AS(dropped.epoch(0)[2], UserError);
  CHECK_THROWS_AS(dropped.epoch(0)[-1], UserError);
  CHECK(Batches({numbered(8)}, {.size = 4, .keep_last = false}).size() == 2);
  CHECK(Batches({numbered(8)}, {.size = 4}).size() == 2);
  CHECK(Batches({numbered(3)}, {.size = INT64_MAX, .keep_last = false}).size() == 0);
  CHECK(Batches({numbered(3)}, {.size = INT64_MAX}).epoch(0)[0][0].sizes() == std::vector<int64_t>{3, 3});
  CHECK(Batches({numbered(0)}).epoch(0).size() == 0);
}

TEST_CASE("unshuffled batches come in order, and an epoch outlives its batches", "[batches]") {
  std::vector<int64_t> seen;
  for (const auto& batch : Batches({numbered(5, {})}, {.size = 2, .shuffle = false}).epoch(9))
    for (int64_t value : values(batch[0])) seen.push_back(value);
  CHECK(seen == std::vector<int64_t>{0, 100, 200, 300, 400});
}

TEST_CASE("batches and epochs that were moved elsewhere are refused", "[batches]") {
  Batches batches({numbered(5, {})}, {.size = 2}), taken = std::move(batches);
  CHECK(taken.size() == 3);
  CHECK_THROWS_AS(batches.rows(), UserError);
  CHECK_THROWS_AS(batches.size(), UserError);
  CHECK_THROWS_AS(batches.epoch(0), UserError);
  Epoch epoch = taken.epoch(0), kept = std::move(epoch);
  CHECK(kept[2].size() == 1);
  CHECK_THROWS_AS(epoch[0], UserError);
  CHECK_THROWS_AS(epoch.rows(1), UserError);
}

TEST_CASE("tensors that do not go together are refused", "[batches]") {
  CHECK_THROWS_AS(Batches({}), UserError);
  CHECK_THROWS_AS(Batches({Tensor()}), UserError);
  CHECK_THROWS_AS(Batches({Tensor::scalar(1.0f)}), UserError);
  CHECK_THROWS_AS(Batches({numbered(3), numbered(4)}), UserError);
  CHECK_THROWS_AS(Batches({numbered(3)}, {.size = 0}), UserError);
}

}  // namespace sinter
