// The program's memory under the tests' control: how much is held, and a request for more that is refused. This whole executable's malloc is
// replaced (memory.cpp); under the address sanitizer, whose own it must stay, operator new alone is, and under the thread sanitizer nothing is.
#pragma once
#include <cstdint>

namespace sinter::memory {

// Which requests are counted, and can be refused: C++'s, or C's as well (tensors', arenas', zlib's, the C library's).
enum class Watched : uint8_t { nothing, operator_new, malloc };
extern const Watched watched;

int64_t blocks_held();
int64_t bytes_held();

// The most bytes held at once while it lives, beyond those held at its beginning.
class Peak {
 public:
  Peak();
  int64_t bytes() const;

 private:
  int64_t before_;
};

enum class Refuse : uint8_t { one, all_from_there_on };

// While it lives, one request is refused, or all from there on: the `number`-th, of any thread, or the first after it that neither LLVM made,
// directly or through another library, nor what runs LLVM's passes, into which LLVM's templates are inlined. LLVM is written and built without
// exceptions, and where memory is refused to it the process ends.
class Refusal {
 public:
  explicit Refusal(int64_t number, Refuse = Refuse::one);
  ~Refusal() { end(); }
  Refusal(const Refusal&) = delete;
  Refusal& operator=(const Refusal&) = delete;
  void end();              // refuses nothing from here on
  int64_t requests() const;  // so far
  int64_t refused() const;   // the number of the first request that was refused, -1 where there were not so many
};

}  // namespace sinter::memory
