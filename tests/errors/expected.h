// An error that is expected: what it says, and the line it names.
#pragma once
#include <initializer_list>

#include "sinter.h"
#include "tests/raises.h"

namespace sinter {

// That `mistake` raises a UserError whose message has all of `parts`.
template <class F>
Raised says(F mistake, std::initializer_list<std::string> parts) {
  Raised error = raised(mistake);
  for (const std::string& part : parts) {
    INFO(error.message);
    CHECK(error.message.find(part) != std::string::npos);
  }
  return error;
}

// The same, naming the line of the call: write the mistake on it.
template <class F>
void says_here(F mistake, std::initializer_list<std::string> parts, Here here = Here::current()) {
  Raised error = says(mistake, parts);
  INFO(error.message << " at " << to_string(error.where));
  CHECK(error.where == Location(here));
}

}  // namespace sinter
