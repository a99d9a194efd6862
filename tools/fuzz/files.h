// A case as files: a .graph with a .npy for each input, so that `sinter opt` and `sinter run` take them, too.
#pragma once
#include "tools/fuzz/check.h"

namespace sinter::fuzz {

// Writes NAME.graph, and of each call but the first a number: NAME.x.npy, NAME.1.x.npy … Returns the path of the graph.
std::string write_case(const Case&, const std::string& folder, const std::string& name);
// The same back, but for the variant. Inputs that have no file are drawn at random, at sizes of 5.
Case read_case(const std::string& graph_file);

}  // namespace sinter::fuzz
