// From a case that fails to the least one that still does.
#pragma once
#include "tools/fuzz/check.h"

namespace sinter::fuzz {

// Takes away calls, outputs, updates and nodes, makes sizes numbers and small, and values alike, as long as `fails` holds of what is left: until
// nothing more can go, or for so many seconds.
Case shrunk(Case, const std::function<bool(const Case&)>& fails, double seconds);

}  // namespace sinter::fuzz
