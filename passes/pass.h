// A pass: a free function from program to program.
#pragma once
#include <string_view>

#include "graph/graph.h"

namespace sinter {

struct PassResult {
  Program program;
  bool changed = false;  // false: what `program` reaches is what was given; the manager checks it against structural_hash()
};

struct Pass {
  std::string_view name;
  PassResult (*run)(const Program&);
};

}  // namespace sinter
