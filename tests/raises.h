// The UserError that something raises.
#pragma once
#include <catch2/catch.hpp>
#include <string>

#include "graph/support/errors.h"

namespace sinter {

struct Raised {
  std::string message;
  Location where;
};

template <class F>
Raised raised(F f) {
  try {
    f();
  } catch (const UserError& error) {
    return {error.message(), error.where()};
  }
  FAIL("nothing was raised");
  return {};
}

}  // namespace sinter
