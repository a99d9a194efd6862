#pragma once
#include "tools/fuzz/check.h"

namespace sinter::fuzz {

// Every pass alone, and all of them: the output verified, the interpreter's bits kept, idempotent, "unchanged" true, and settled.
std::string check_passes(Subject&);

}  // namespace sinter::fuzz
