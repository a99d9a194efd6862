// The errors that something raises.
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

// What its error says, with the place; nothing where there is none.
template <class F>
std::string message_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

}  // namespace sinter
