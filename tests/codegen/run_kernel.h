// Compiling and running one kernel on plain memory, and memory that catches whoever leaves it.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/llvm/jit.h"

namespace sinter {

class CompiledKernel {
 public:
  explicit CompiledKernel(Kernel kernel, const Target& target = host_target())
      : kernel_(std::move(kernel)), compiled_(jit_compile({kernel_}, {}, target, 1)) {}

  int64_t chunks(const Bindings& bindings = {}) const { return chunks_of(kernel_).evaluate(bindings); }

  // Runs all chunks: in order on this thread, or dealt out to `threads` of them that never wait for each other, so that the thread sanitizer sees
  // what two chunks do to one element.
  void run(const std::vector<void*>& arguments, const Bindings& bindings = {}, int threads = 1) const {
    std::vector<int64_t> sizes;
    for (const Dim& size : kernel_.sizes) sizes.push_back(size.evaluate(bindings));
    const int64_t count = chunks(bindings);
    const auto work = [&](int64_t worker) {
      for (int64_t chunk = worker; chunk < count; chunk += threads) compiled_.kernels[0](arguments.data(), sizes.data(), chunk, worker);
    };
    std::vector<std::thread> pool;
    for (int i = 1; i < threads; ++i) pool.emplace_back(work, i);
    work(0);
    for (std::thread& thread : pool) thread.join();
  }

  const Kernel& kernel() const { return kernel_; }
  const CompileTimes& times() const { return compiled_.times; }

 private:
  Kernel kernel_;
  Compiled compiled_;
};

// Elements that end where a page begins that may not be touched.
template <class T>
class Guarded {
 public:
  explicit Guarded(int64_t count, T value = T()) : count_(count) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    size_ = (bytes + page - 1) / page * page + 2 * page;
    base_ = static_cast<char*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED) throw std::runtime_error("no memory for a test");
    data_ = reinterpret_cast<T*>(base_ + size_ - page - bytes);
    mprotect(base_, page, PROT_NONE);
    mprotect(base_ + size_ - page, page, PROT_NONE);
    std::fill_n(data_, count, value);
  }
  ~Guarded() { munmap(base_, size_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return data_; }
  T& operator[](int64_t i) { return data_[i]; }
  int64_t size() const { return count_; }
  T* begin() { return data_; }
  T* end() { return data_ + count_; }

 private:
  int64_t count_;
  size_t size_ = 0;
  char* base_ = nullptr;
  T* data_ = nullptr;
};

// Small numbers that look random, the same for every run.
class Numbers {
 public:
  explicit Numbers(uint64_t seed = 1) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  uint64_t bits() {
    state_ ^= state_ << 13, state_ ^= state_ >> 7, state_ ^= state_ << 17;
    return state_;
  }
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  template <class T>
  T next() {
    if constexpr (std::is_floating_point_v<T>) return static_cast<T>(unit() * 2 - 1);
    else if constexpr (std::is_same_v<T, bool>) return bits() % 2 != 0;
    else return static_cast<T>(bits());
  }
  template <class Container>
  void fill(Container& container) {
    for (auto& element : container) element = next<std::remove_reference_t<decltype(element)>>();
  }

 private:
  uint64_t state_;
};

template <class T>
bool same_bits(const T& a, const T& b) {
  if constexpr (std::is_floating_point_v<T>)
    if (a != a && b != b) return true;
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

}  // namespace sinter
