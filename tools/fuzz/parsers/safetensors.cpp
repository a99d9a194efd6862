// Files of named tensors: each tensor of a file that is taken is read, or refused by itself; where all are read, they are written, and read back to
// the same bits.
#include "graph/safetensors.h"
#include "tools/fuzz/parsers/finding.h"

using namespace sinter;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  std::vector<std::pair<std::string, Tensor>> tensors;
  bool whole = false;
  fuzz::refusable([&] {
    fuzz::MemoryFile input(bytes, count);
    SafetensorsFile file(input.path());
    whole = true;
    for (const std::string& name : file.names()) {
      Tensor t;
      fuzz::refusable([&] { t = file.read(name); });
      if (t.defined()) tensors.emplace_back(name, t);
      else whole = false;
    }
  });
  if (!whole) return 0;
  fuzz::MemoryFile written(nullptr, 0);
  write_safetensors(written.path(), tensors);
  SafetensorsFile again(written.path());
  for (const auto& [name, t] : tensors)
    if (!again.holds(name) || !same_bits(again.read(name), t)) fuzz::finding("what is written is read as something else");
  return 0;
}
