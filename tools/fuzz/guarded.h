// Buffers with no memory beside them: an access past their end, or before their beginning, is a segmentation fault. In builds
// without sanitizers this is what watches compiled code.
#pragma once
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "graph/tensor.h"

namespace sinter::fuzz {

enum class Edge : uint8_t { begin, end };

// Owns what it hands out.
class GuardedMemory {
 public:
  GuardedMemory() = default;
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  ~GuardedMemory() {
    for (const Block& b : blocks_) munmap(b.memory, b.bytes);
  }

  // A copy of `t` whose first element follows a page that cannot be touched, or whose last precedes one. Aligned to an element only.
  Tensor copy(const Tensor& t, Edge edge) {
    Tensor made = poisoned(t, edge);
    if (t.bytes() > 0) std::memcpy(made.raw(), t.raw(), t.bytes());
    return made;
  }

  // The same, every byte odd, of the type and sizes of `like`.
  Tensor poisoned(const Tensor& like, Edge edge) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE)), inside = (like.bytes() + page - 1) / page * page, all = inside + 2 * page;
    void* memory = mmap(nullptr, all, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw SystemError("no memory for a guarded buffer");
    blocks_.push_back({memory, all});
    char* first = static_cast<char*>(memory) + page;
    if (inside > 0 && mprotect(first, inside, PROT_READ | PROT_WRITE) != 0) throw SystemError("no memory for a guarded buffer");
    if (edge == Edge::end) first += inside - like.bytes();
    std::memset(first, 0xA5, like.bytes());
    return Tensor::borrow(first, like.dtype(), like.sizes());
  }

 private:
  struct Block {
    void* memory;
    size_t bytes;
  };
  std::vector<Block> blocks_;
};

}  // namespace sinter::fuzz
