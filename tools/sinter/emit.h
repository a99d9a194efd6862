// The stages that `sinter opt --emit` shows, as a table: a new stage is a row of emit.cpp.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "codegen/llvm/target.h"
#include "passes/manager.h"

namespace sinter::tool {

struct EmitRequest {
  const Program& program;  // as parsed
  PassOptions passes;
  bool time_passes = false;
  bool origins = true;
  Target target;                    // whose native code is shown
  std::string symbol = "graph";     // what the function of an object file is called
};

struct Emission {
  std::string_view name, doc;
  std::string (*emit)(const EmitRequest&);
  bool is_text = true;              // else bytes, for a file
};

std::span<const Emission> emissions();

}  // namespace sinter::tool
