// The text form: what parses is a program that verifies, prints, and parses back to the same text.
#include <optional>

#include "graph/text.h"
#include "graph/verify.h"
#include "tools/fuzz/parsers/finding.h"

using namespace sinter;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  ParseOptions options;
  options.max_bytes = size_t{1} << 20;
  std::string text(reinterpret_cast<const char*>(bytes), count);
  std::optional<Program> program;
  fuzz::refusable([&] { program = parse(text, "input.graph", options); });
  if (!program) return 0;
  verify(*program);
  std::string printed = print(*program);
  try {
    std::string twice = print(parse(printed, "printed.graph", options));
    if (twice != printed) fuzz::finding("printed:\n" + printed + "and, parsed and printed again:\n" + twice);
  } catch (const UserError& error) {
    fuzz::finding("printed:\n" + printed + "which is refused: " + error.what());
  }
  return 0;
}
