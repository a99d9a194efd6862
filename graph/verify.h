// Whether a program is what every stage may take it for.
#pragma once
#include <optional>
#include <span>
#include <string>

#include "graph/graph.h"

namespace sinter {

constexpr size_t most_axes = 64;  // of a value

// Throws InternalError, naming the node, where an item of the checklist in verify.cpp does not hold.
void verify(const Program&);

// The same piece by piece, saying what is wrong; nothing where nothing is. A node is judged given that those before it are right.
using Fault = std::optional<std::string>;
Fault fault_of(const Graph&, NodeId);
Fault fault_of_sizes(const Type&);  // too many of them, negative ones, and more bytes than there can be
Fault fault_of_operands(Op, std::span<const Type>, const Attributes&);  // what infer_type() relies on: operands that all have types
Fault fault_of_output(const Graph&, NodeId);
Fault fault_of_update(const Graph&, const Update&);

// The attributes that nodes of `op` carry, empty.
Attributes blank_attributes(Op);

}  // namespace sinter
