#include "tests/hostile/memory.h"

#include <link.h>
#include <malloc.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <string_view>

// The address sanitizer's operator new is weak, and gives way to another; the thread sanitizer's is not.
#if defined(__SANITIZE_ADDRESS__)
#define SINTER_REPLACES_NEW 1
#elif defined(__SANITIZE_THREAD__)
#define SINTER_REPLACES_NOTHING 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SINTER_REPLACES_NEW 1
#elif __has_feature(thread_sanitizer)
#define SINTER_REPLACES_NOTHING 1
#endif
#endif

// The functions of codegen/llvm that do nothing but have LLVM work.
namespace llvm {
class Module;
class TargetMachine;
}  // namespace llvm
namespace sinter {
struct Target;
struct Generated;
void optimize(llvm::Module&, llvm::TargetMachine&);
Generated generate(llvm::Module&, llvm::TargetMachine&, bool);
std::unique_ptr<llvm::TargetMachine> machine_for(const Target&);
}  // namespace sinter

namespace sinter::memory {
namespace {

constinit std::atomic<int64_t> held_blocks{0}, held_bytes{0}, most_bytes{0};
constinit std::atomic<int64_t> counted{0};      // since a Refusal began
constinit std::atomic<int64_t> refuse_at{-1};   // -1: none
constinit std::atomic<int64_t> first_refused{-1};
constinit std::atomic<bool> refuse_all{false};
constinit thread_local bool looking = false;

struct Range {
  uintptr_t begin = 0, end = 0;
};

// Where LLVM's code lies.
Range llvm_code() {
  Range range;
  dl_iterate_phdr(
      [](dl_phdr_info* library, size_t, void* found) {
        if (std::string_view(library->dlpi_name).find("libLLVM") == std::string_view::npos) return 0;
        for (int i = 0; i < library->dlpi_phnum; ++i)
          if (const auto& part = library->dlpi_phdr[i]; part.p_type == PT_LOAD && (part.p_flags & PF_X)) {
            static_cast<Range*>(found)->begin = library->dlpi_addr + part.p_vaddr;
            static_cast<Range*>(found)->end = library->dlpi_addr + part.p_vaddr + part.p_memsz;
          }
        return 1;
      },
      &range);
  return range;
}
const Range llvm_range = llvm_code();

void* const llvm_callers[] = {reinterpret_cast<void*>(&optimize), reinterpret_cast<void*>(&generate), reinterpret_cast<void*>(&machine_for)};

// Whether a frame of LLVM's is on the stack, or one that LLVM's templates are part of.
bool within_llvm() {
  struct Walk {
    bool found = false;
    static _Unwind_Reason_Code step(_Unwind_Context* frame, void* walk) {
      uintptr_t at = _Unwind_GetIP(frame);
      void* function = _Unwind_FindEnclosingFunction(reinterpret_cast<void*>(at - 1));
      bool is_llvm = (at >= llvm_range.begin && at < llvm_range.end) || std::find(std::begin(llvm_callers), std::end(llvm_callers), function) != std::end(llvm_callers);
      if (!is_llvm) return _URC_NO_REASON;
      static_cast<Walk*>(walk)->found = true;
      return _URC_END_OF_STACK;
    }
  } walk;
  _Unwind_Backtrace(&Walk::step, &walk);
  return walk.found;
}

[[maybe_unused]] bool is_refused() {
  int64_t at = refuse_at.load(std::memory_order_relaxed);
  if (at < 0 || looking) return false;
  int64_t number = counted.fetch_add(1, std::memory_order_relaxed);
  if (number < at || (first_refused.load(std::memory_order_relaxed) >= 0 && !refuse_all.load(std::memory_order_relaxed))) return false;
  looking = true;
  bool inside = within_llvm();
  looking = false;
  if (inside) return false;
  int64_t none = -1;
  return first_refused.compare_exchange_strong(none, number) || refuse_all.load(std::memory_order_relaxed);
}

[[maybe_unused]] void* taken(void* block) {
  if (!block) return nullptr;
  held_blocks.fetch_add(1, std::memory_order_relaxed);
  int64_t size = static_cast<int64_t>(malloc_usable_size(block)), now = held_bytes.fetch_add(size, std::memory_order_relaxed) + size;
  for (int64_t most = most_bytes.load(std::memory_order_relaxed); now > most && !most_bytes.compare_exchange_weak(most, now, std::memory_order_relaxed);) {}
  return block;
}

[[maybe_unused]] void given_back(void* block) {
  if (!block) return;
  held_blocks.fetch_sub(1, std::memory_order_relaxed);
  held_bytes.fetch_sub(static_cast<int64_t>(malloc_usable_size(block)), std::memory_order_relaxed);
}

}  // namespace

int64_t blocks_held() { return held_blocks.load(); }
int64_t bytes_held() { return held_bytes.load(); }

Peak::Peak() : before_(held_bytes.load()) { most_bytes.store(before_); }
int64_t Peak::bytes() const { return most_bytes.load() - before_; }

Refusal::Refusal(int64_t number, Refuse which) {
  counted.store(0);
  first_refused.store(-1);
  refuse_all.store(which == Refuse::all_from_there_on);
  refuse_at.store(number);
}
int64_t Refusal::requests() const { return counted.load(); }
void Refusal::end() { refuse_at.store(-1); }
int64_t Refusal::refused() const { return first_refused.load(); }

#if defined(SINTER_REPLACES_NOTHING)
const Watched watched = Watched::nothing;
#elif defined(SINTER_REPLACES_NEW)
const Watched watched = Watched::operator_new;

namespace {
void* request(size_t size, size_t alignment, bool throws) {
  void* block = nullptr;
  if (is_refused() || posix_memalign(&block, alignment < sizeof(void*) ? sizeof(void*) : alignment, size ? size : 1) != 0) {
    if (throws) throw std::bad_alloc();
    return nullptr;
  }
  return taken(block);
}
void release(void* block) {
  given_back(block);
  std::free(block);
}
constexpr size_t usual = __STDCPP_DEFAULT_NEW_ALIGNMENT__;
}  // namespace

#else
const Watched watched = Watched::malloc;
#endif

}  // namespace sinter::memory

using namespace sinter::memory;

#if defined(SINTER_REPLACES_NEW)

void* operator new(size_t n) { return request(n, usual, true); }
void* operator new[](size_t n) { return request(n, usual, true); }
void* operator new(size_t n, const std::nothrow_t&) noexcept { return request(n, usual, false); }
void* operator new[](size_t n, const std::nothrow_t&) noexcept { return request(n, usual, false); }
void* operator new(size_t n, std::align_val_t a) { return request(n, static_cast<size_t>(a), true); }
void* operator new[](size_t n, std::align_val_t a) { return request(n, static_cast<size_t>(a), true); }
void* operator new(size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return request(n, static_cast<size_t>(a), false); }
void* operator new[](size_t n, std::align_val_t a, const std::nothrow_t&) noexcept { return request(n, static_cast<size_t>(a), false); }
void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, size_t) noexcept { release(p); }
void operator delete[](void* p, size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, size_t, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, size_t, std::align_val_t) noexcept { release(p); }

#elif !defined(SINTER_REPLACES_NOTHING)

// The C library's own, under the names that it gives them; the C++ library's operator new calls malloc.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t size) noexcept {
  if (!is_refused()) return taken(__libc_malloc(size));
  errno = ENOMEM;
  return nullptr;
}
void* calloc(size_t count, size_t size) noexcept {
  if (!is_refused()) return taken(__libc_calloc(count, size));
  errno = ENOMEM;
  return nullptr;
}
void* realloc(void* block, size_t size) noexcept {
  if (is_refused()) {
    errno = ENOMEM;
    return nullptr;
  }
  int64_t before = block ? static_cast<int64_t>(malloc_usable_size(block)) : 0;
  void* moved = __libc_realloc(block, size);
  if (!moved && size > 0) return nullptr;
  if (block) held_blocks.fetch_sub(1), held_bytes.fetch_sub(before);
  return taken(moved);
}
void* memalign(size_t alignment, size_t size) noexcept {
  if (!is_refused()) return taken(__libc_memalign(alignment, size));
  errno = ENOMEM;
  return nullptr;
}
void* aligned_alloc(size_t alignment, size_t size) noexcept { return memalign(alignment, size); }
int posix_memalign(void** block, size_t alignment, size_t size) noexcept {
  void* made = memalign(alignment, size);
  if (!made) return ENOMEM;
  *block = made;
  return 0;
}
void free(void* block) noexcept {
  given_back(block);
  __libc_free(block);
}
}

#endif
