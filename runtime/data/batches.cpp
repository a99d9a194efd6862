#include "runtime/data/batches.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

namespace sinter {
namespace {

// splitmix64's output function.
uint64_t mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

struct SplitMix {
  uint64_t state;
  uint64_t next() { return mix(state += 0x9E3779B97F4A7C15); }
  // Uniform in [0, bound): the lowest 2^64 mod bound draws, which would favour some values, are drawn again.
  uint64_t below(uint64_t bound) {
    uint64_t uneven = (0 - bound) % bound, draw;
    while ((draw = next()) < uneven) {}
    return draw % bound;
  }
};

}  // namespace

Tensor gather_rows(const Tensor& t, std::span<const int64_t> rows, Here where) {
  if (!t.defined() || t.sizes().empty()) throw UserError("rows are gathered from a tensor that has a dimension; this one has none", where);
  std::vector<int64_t> sizes = t.sizes();
  int64_t count = std::exchange(sizes[0], static_cast<int64_t>(rows.size()));
  for (int64_t row : rows)
    if (row < 0 || row >= count) throw UserError(fmt::format("row {} was asked of a tensor of sizes {}", row, to_string(t.sizes())), where);
  Tensor gathered = Tensor::uninitialized(t.dtype(), sizes);
  size_t width = rows.empty() ? 0 : gathered.bytes() / rows.size();
  if (width == 0) return gathered;
  char* to = static_cast<char*>(gathered.raw());
  for (int64_t row : rows) {
    std::memcpy(to, static_cast<const char*>(t.raw()) + static_cast<size_t>(row) * width, width);
    to += width;
  }
  return gathered;
}

std::vector<int64_t> shuffled_rows(int64_t count, uint64_t seed, uint64_t epoch) {
  std::vector<int64_t> rows(static_cast<size_t>(std::max<int64_t>(count, 0)));
  std::iota(rows.begin(), rows.end(), int64_t{0});
  SplitMix random{mix(mix(seed) + epoch)};
  for (size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.below(i)]);
  return rows;
}

std::span<const int64_t> Epoch::rows(int64_t batch, Here where) const {
  if (batch < 0 || batch >= count_) throw UserError(fmt::format("batch {} was asked of an epoch of {}", batch, count_), where);
  if (tensors_.empty()) throw UserError("this Epoch was moved elsewhere", where);
  size_t first = static_cast<size_t>(batch * batch_size_);
  return std::span(rows_).subspan(first, std::min(static_cast<size_t>(batch_size_), rows_.size() - first));
}

std::vector<Tensor> Epoch::operator[](int64_t batch) const {
  std::span<const int64_t> which = rows(batch);
  std::vector<Tensor> gathered;
  for (const Tensor& each : tensors_) gathered.push_back(gather_rows(each, which));
  return gathered;
}

Batches::Batches(std::vector<Tensor> tensors, BatchOptions options, Here where) : tensors_(std::move(tensors)), options_(options) {
  if (tensors_.empty()) throw UserError("batches are made of one tensor or more, not of none", where);
  if (options_.size < 1) throw UserError(fmt::format("a batch has one row or more, not {}", options_.size), where);
  for (const Tensor& each : tensors_) {
    if (!each.defined() || each.sizes().empty()) throw UserError("batches are made of tensors that have a first dimension; one of these has none", where);
    if (each.sizes()[0] != rows())
      throw UserError(fmt::format("batches are made of tensors of one first dimension, not of {} and {}", to_string(tensors_[0].sizes()),
                                  to_string(each.sizes())), where);
  }
}

int64_t Batches::rows(Here where) const {
  if (tensors_.empty()) throw UserError("these Batches were moved elsewhere", where);
  return tensors_[0].sizes()[0];
}

int64_t Batches::size(Here where) const { return rows(where) / options_.size + (options_.keep_last && rows(where) % options_.size != 0); }

Epoch Batches::epoch(int64_t number, Here where) const {
  int64_t count = rows(where);
  Epoch epoch;
  epoch.tensors_ = tensors_;
  if (options_.shuffle) {
    epoch.rows_ = shuffled_rows(count, options_.seed, static_cast<uint64_t>(number));
  } else {
    epoch.rows_.resize(static_cast<size_t>(count));
    std::iota(epoch.rows_.begin(), epoch.rows_.end(), int64_t{0});
  }
  epoch.batch_size_ = std::min(options_.size, std::max<int64_t>(count, 1));
  epoch.count_ = size(where);
  return epoch;
}

}  // namespace sinter
