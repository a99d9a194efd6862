// What there is to say of an operation, derived from its row and from what the builder makes of it: what `sinter ops` and the reference
// page (graph/ops/REFERENCE.md) print. In formulas y is the result and g its adjoint.
#pragma once
#include <string>
#include <vector>

#include "graph/op.h"

namespace sinter {

struct OpDescription {
  std::string signature;  // as in the text form: pad x, value {low=[size, ...], high=[size, ...], interior=[int, ...]}
  std::string written;    // as users write it in C++: a + b
  std::string types;      // which types it takes, as the builder was seen to take them, and what they give: any, any -> their common type (bool -> i32)
  std::string shape;
  std::string gradient;
};
OpDescription describe(const OpInfo&);

// Rows that are read together, under one title.
struct OpGroup {
  std::string title, about;
  std::vector<const OpInfo*> rows;
};
std::vector<OpGroup> op_groups();

// What the words in descriptions mean.
std::string_view description_legend();

std::string reference_page();                                    // all of it, as Markdown
std::vector<std::string_view> names_near(std::string_view name);  // of operations: those spelled most like it, or holding it; may be none

}  // namespace sinter
