// Tensor: a counted, aligned, row-major buffer with a type and sizes. Copying shares the elements; clone() copies them.
#pragma once
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "graph/dim.h"
#include "graph/dtype.h"

namespace sinter {

class Tensor {
 public:
  Tensor() = default;                           // empty: no elements, no type to speak of; defined() is false
  Tensor(DType, std::vector<int64_t> sizes);    // zeros, 64-byte aligned. UserError where sizes are negative or overflow
  static Tensor uninitialized(DType, std::vector<int64_t> sizes);
  // A user's buffer, not copied: `data` must outlive every copy of this tensor and be aligned to an element.
  static Tensor borrow(void* data, DType, std::vector<int64_t> sizes);
  template <class T>
  static Tensor of(std::span<const T> values, std::vector<int64_t> sizes);
  template <class T>
  static Tensor scalar(T value) { return of<T>(std::span<const T>(&value, 1), {}); }

  Tensor(const Tensor&) = default;
  Tensor& operator=(const Tensor&) = default;
  Tensor(Tensor&& other) noexcept { swap(other); }  // what is moved from is empty
  Tensor& operator=(Tensor&& other) noexcept {
    Tensor taken(std::move(other));
    swap(taken);
    return *this;
  }
  ~Tensor() = default;

  bool defined() const { return data_ != nullptr; }
  DType dtype() const { return dtype_; }
  const std::vector<int64_t>& sizes() const { return sizes_; }
  int64_t size() const { return count_; }                                          // elements
  size_t bytes() const { return static_cast<size_t>(count_) * size_of(dtype_); }
  void* raw() { return data_.get(); }
  const void* raw() const { return data_.get(); }
  Tensor clone() const;
  Tensor reshaped(std::vector<int64_t> sizes) const;  // the same elements under other sizes; UserError where the counts differ

  // The elements. UserError where T is not the type that stores dtype().
  template <class T>
  std::span<T> data() {
    check_is(dtype_of<T>());
    return {static_cast<T*>(data_.get()), static_cast<size_t>(count_)};
  }
  template <class T>
  std::span<const T> data() const {
    check_is(dtype_of<T>());
    return {static_cast<const T*>(data_.get()), static_cast<size_t>(count_)};
  }
  // The one element of a one-element tensor, converted.
  double item() const;

 private:
  void check_is(DType) const;
  void swap(Tensor& other) noexcept {
    data_.swap(other.data_), sizes_.swap(other.sizes_);
    std::swap(count_, other.count_), std::swap(dtype_, other.dtype_);
  }
  std::shared_ptr<void> data_;
  std::vector<int64_t> sizes_;
  int64_t count_ = 0;
  DType dtype_ = f32;
};

template <class T>
Tensor Tensor::of(std::span<const T> values, std::vector<int64_t> sizes) {
  Tensor t = uninitialized(dtype_of<T>(), std::move(sizes));
  if (static_cast<int64_t>(values.size()) != t.size())
    throw UserError("a tensor of sizes " + to_string(t.sizes()) + " takes " + std::to_string(t.size()) + " values, not " + std::to_string(values.size()));
  if (!values.empty()) std::memcpy(t.raw(), values.data(), values.size_bytes());
  return t;
}

Tensor ones(std::vector<int64_t> sizes, DType = f32);
Tensor zeros(std::vector<int64_t> sizes, DType = f32);
Tensor full(std::vector<int64_t> sizes, double value, DType = f32);
// Uniform in [-scale, scale) and normal with the given deviation, by Philox-4x32-10 (Salmon et al. 2011) keyed by `seed`: the same
// numbers on every machine.
Tensor uniform(std::vector<int64_t> sizes, uint64_t seed, double scale = 1, DType = f32);
Tensor normal(std::vector<int64_t> sizes, uint64_t seed, double deviation = 1, DType = f32);

bool same_bits(const Tensor&, const Tensor&);  // type, sizes and every bit; any NaN equals any NaN

}  // namespace sinter
