// How time, memory and compile time grow with size, depth and threads.
#pragma once
#include <string>
#include <vector>

namespace bench {

// Prints a table for each sweep, of those in `only` if there are any, and writes it into `folder` as NAME.tsv and, where there is gnuplot, as a picture,
// NAME.svg. Every point is measured in a process of its own, `seconds` long, so that compiling includes LLVM's start; where threads are not what is
// swept, with as many as given. UserError where there is no such sweep, SystemError where the folder cannot be written.
void scaling(const std::string& folder, const std::vector<std::string>& only, unsigned threads, double seconds);

}  // namespace bench
