// Tensor: a counted, aligned, row-major buffer with a type and sizes. Copying shares the elements; clone() copies them.
#pragma once
#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "graph/type.h"

namespace sinter {

class Tensor {
 public:
  Tensor() = default;                           // empty: no elements, no type to speak of; defined() is false
  // Zeros, 64-byte aligned. UserError, as wherever sizes are given here, where they are negative or overflow.
  Tensor(DType, std::vector<int64_t> sizes, Here = Here::current());
  static Tensor uninitialized(DType, std::vector<int64_t> sizes, Here = Here::current());
  // A user's buffer, not copied: `data` must outlive every copy of this tensor and be aligned to an element.
  static Tensor borrow(void* data, DType, std::vector<int64_t> sizes, Here = Here::current());
  // The values in row-major order: of<float>({1, 2, 3, 4}, {2, 2}), or by rows, of<float>({{1, 2}, {3, 4}}), which must be equally long.
  template <class T>
  static Tensor of(std::span<const T> values, std::vector<int64_t> sizes, Here = Here::current());
  template <class T>
  static Tensor of(const std::vector<T>& values, std::vector<int64_t> sizes, Here where = Here::current()) { return of(std::span<const T>(values), std::move(sizes), where); }
  template <class T>
  static Tensor of(std::initializer_list<T> values, std::vector<int64_t> sizes, Here where = Here::current()) {
    return of(std::span<const T>(values.begin(), values.size()), std::move(sizes), where);
  }
  template <class T>
  static Tensor of(std::initializer_list<T> values, Here where = Here::current()) { return of<T>(values, {static_cast<int64_t>(values.size())}, where); }
  template <class T>
  static Tensor of(std::initializer_list<std::initializer_list<T>> rows, Here = Here::current());
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
  Tensor unshared() &&;  // the same elements if it owns them and nobody else has them, else a clone
  Tensor reshaped(std::vector<int64_t> sizes, Here = Here::current()) const;  // the same elements under other sizes; UserError where the counts differ

  // The elements. UserError where T is not the type that stores dtype().
  template <class T>
  std::span<T> data(Here where = Here::current()) {
    check_is(dtype_of<T>(), where);
    return {static_cast<T*>(data_.get()), static_cast<size_t>(count_)};
  }
  template <class T>
  std::span<const T> data(Here where = Here::current()) const {
    check_is(dtype_of<T>(), where);
    return {static_cast<const T*>(data_.get()), static_cast<size_t>(count_)};
  }
  // The one element of a one-element tensor, converted.
  double item(Here = Here::current()) const;

 private:
  void check_is(DType, Here) const;
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
Tensor Tensor::of(std::span<const T> values, std::vector<int64_t> sizes, Here where) {
  Tensor t = uninitialized(dtype_of<T>(), std::move(sizes), where);
  if (static_cast<int64_t>(values.size()) != t.size())
    throw UserError("a tensor of sizes " + to_string(t.sizes()) + " takes " + std::to_string(t.size()) + " values, not " + std::to_string(values.size()), where);
  if (!values.empty()) std::memcpy(t.raw(), values.data(), values.size_bytes());
  return t;
}

template <class T>
Tensor Tensor::of(std::initializer_list<std::initializer_list<T>> rows, Here where) {
  size_t width = rows.size() == 0 ? 0 : rows.begin()->size();
  Tensor t = uninitialized(dtype_of<T>(), {static_cast<int64_t>(rows.size()), static_cast<int64_t>(width)}, where);
  T* to = static_cast<T*>(t.raw());
  for (const auto& row : rows) {
    if (row.size() != width)
      throw UserError("the rows of a tensor are equally long, not of " + std::to_string(width) + " and " + std::to_string(row.size()) + " values", where);
    to = std::copy(row.begin(), row.end(), to);
  }
  return t;
}

Type type_of(const Tensor&);  // of one that is defined

Tensor ones(std::vector<int64_t> sizes, DType = f32, Here = Here::current());
Tensor zeros(std::vector<int64_t> sizes, DType = f32, Here = Here::current());
Tensor full(std::vector<int64_t> sizes, double value, DType = f32, Here = Here::current());
// Uniform in [-scale, scale) and normal with the given deviation, by Philox-4x32-10 (Salmon et al. 2011) keyed by `seed`: the same
// numbers on every machine.
Tensor uniform(std::vector<int64_t> sizes, uint64_t seed, double scale = 1, DType = f32, Here = Here::current());
Tensor normal(std::vector<int64_t> sizes, uint64_t seed, double deviation = 1, DType = f32, Here = Here::current());

bool same_bits(const Tensor&, const Tensor&);  // type, sizes and every bit; any NaN equals any NaN

}  // namespace sinter
