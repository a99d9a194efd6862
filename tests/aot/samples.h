// Programs of one operation each: every row of the op table at every type that it takes.
#pragma once
#include <string>
#include <vector>

#include "graph/interpreter.h"

namespace sinter::aot {

struct Sample {
  std::string operation, name;  // "add", "add f32"
  Program program;
  Bindings bindings;            // of its symbolic sizes
};
// Under a sanitizer, which sees nothing of what happens in LLVM, every eighth.
std::vector<Sample> samples();

}  // namespace sinter::aot
