// NumPy's .npy: what is read is written, and read back to the same bits.
#include "runtime/data/npy.h"
#include "tools/fuzz/parsers/finding.h"

using namespace sinter;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  Tensor t;
  fuzz::refusable([&] { t = read_npy(fuzz::MemoryFile(bytes, count).path()); });
  if (!t.defined()) return 0;
  fuzz::MemoryFile written(nullptr, 0);
  write_npy(written.path(), t);
  if (!same_bits(read_npy(written.path()), t)) fuzz::finding("what is written is read as something else");
  return 0;
}
