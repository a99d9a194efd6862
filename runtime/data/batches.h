// Minibatches: the rows of some tensors in an order that is shuffled anew for every epoch, the same on every machine.
#pragma once
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <vector>

#include "graph/tensor.h"

namespace sinter {

// Row i of the result is row rows[i] of the tensor, along its first dimension. UserError where it has none or a row is out of range.
Tensor gather_rows(const Tensor&, std::span<const int64_t> rows, Here = Here::current());

// 0 … count - 1, shuffled: Fisher and Yates's shuffle (Durstenfeld, "Algorithm 235", 1964) with splitmix64 (Steele, Lea and Flood, "Fast
// splittable pseudorandom number generators", OOPSLA 2014). It depends on its arguments alone.
std::vector<int64_t> shuffled_rows(int64_t count, uint64_t seed, uint64_t epoch);

struct BatchOptions {
  int64_t size = 32;      // rows a batch
  uint64_t seed = 0;
  bool shuffle = true;    // else every epoch takes the rows as they come
  bool keep_last = true;  // the rows left over at an epoch's end as a shorter batch; else they are dropped
};

// One pass over the rows. Each batch is gathered when it is asked for: one tensor for each of those batched, of the same type, and of
// the same sizes but for the first.
class Epoch {
 public:
  class Iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using value_type = std::vector<Tensor>;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    Iterator(const Epoch* epoch, int64_t batch) : epoch_(epoch), batch_(batch) {}
    value_type operator*() const { return (*epoch_)[batch_]; }
    Iterator& operator++() { return ++batch_, *this; }
    Iterator operator++(int) { return {epoch_, batch_++}; }
    bool operator==(const Iterator&) const = default;

   private:
    const Epoch* epoch_ = nullptr;
    int64_t batch_ = 0;
  };

  int64_t size() const { return count_; }                  // batches
  std::vector<Tensor> operator[](int64_t batch) const;     // UserError where out of range, or this was moved from
  std::span<const int64_t> rows(int64_t batch, Here = Here::current()) const;  // which rows these are; UserError as above
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, count_}; }

 private:
  friend class Batches;
  std::vector<Tensor> tensors_;
  std::vector<int64_t> rows_;
  int64_t batch_size_ = 1, count_ = 0;
};

// for (int epoch = 0; epoch < 10; ++epoch)
//   for (const auto& batch : batches.epoch(epoch)) train({{"x", batch[0]}, {"y", batch[1]}});
class Batches {
 public:
  // UserError where there are no tensors, they have no or different first dimensions, or the batch size is not positive.
  explicit Batches(std::vector<Tensor> tensors, BatchOptions = {}, Here = Here::current());

  // UserError, from here on, where this was moved from.
  int64_t rows(Here = Here::current()) const;
  int64_t size(Here = Here::current()) const;  // batches an epoch
  // Holds the tensors itself. Depends on the seed and the number alone, so a run may be taken up again at any epoch.
  Epoch epoch(int64_t number, Here = Here::current()) const;

 private:
  std::vector<Tensor> tensors_;
  BatchOptions options_;
};

}  // namespace sinter
