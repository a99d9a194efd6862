// What a bug of ours leaves behind: the program that was being compiled, in a file that can be sent with a report.
#pragma once
#include <string>

#include "graph/graph.h"

namespace sinter {

// Writes the program as text, without its parameters' values, to a new file in the directory for temporary files (TMPDIR, else /tmp) that its
// user alone may read, and returns the path; "" where it can't, or the program is not sound. `sinter opt PATH` takes it.
std::string write_dump(const Program&) noexcept;

}  // namespace sinter
