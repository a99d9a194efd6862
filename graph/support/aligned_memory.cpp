#include "graph/support/aligned_memory.h"

#include <algorithm>
#include <cstdlib>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace sinter {

void* aligned_memory(size_t bytes) {
  constexpr size_t huge_page = size_t{2} << 20;
  void* memory = nullptr;
  if (posix_memalign(&memory, bytes >= huge_page ? huge_page : memory_alignment, std::max<size_t>(bytes, 1)) != 0) return nullptr;
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  // Whole ones alone: what is left over is no reason to take a page's worth more. A refusal does no harm.
  if (bytes >= huge_page) madvise(memory, bytes / huge_page * huge_page, MADV_HUGEPAGE);
#endif
  return memory;
}

}  // namespace sinter
