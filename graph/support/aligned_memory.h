// Memory for elements.
#pragma once
#include <cstddef>

namespace sinter {

constexpr size_t memory_alignment = 64;  // bytes; a cache line and the widest vector

// At least one byte, aligned to `memory_alignment`; what std::free frees. Null where there is none. Of huge pages where it fills some and the system
// grants them: a page is a fault when it is first touched, and an entry of the TLB from then on, be it 4 KiB or 2 MiB.
void* aligned_memory(size_t bytes);

}  // namespace sinter
