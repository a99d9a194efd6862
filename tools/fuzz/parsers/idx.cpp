// IDX, gzipped or not: every element of what is read is looked at.
#include "runtime/data/idx.h"
#include "tools/fuzz/parsers/finding.h"

using namespace sinter;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  fuzz::refusable([&] {
    Tensor t = read_idx(fuzz::MemoryFile(bytes, count).path());
    if (!same_bits(t, t.clone())) fuzz::finding("a copy is not equal");
  });
  return 0;
}
