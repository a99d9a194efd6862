// Random programs: what holds of every pass, and of the text form.
#include <catch2/catch.hpp>

#include "graph/text.h"
#include "tools/fuzz/check.h"

using namespace sinter;

namespace {

void check_programs(uint64_t first, uint64_t last) {
  static const std::string_view only[] = {"text", "passes"};
  for (uint64_t seed = first; seed < last; ++seed) {
    fuzz::Case made = fuzz::case_of(fuzz::random_program(seed));
    auto failure = fuzz::failure_of(made, only);
    INFO("seed " << seed << "\n" << print(made.program));
    if (failure) FAIL(failure->check << ": " << failure->what);
  }
}

}  // namespace

TEST_CASE("passes keep the interpreter's bits on random programs, and are idempotent") { check_programs(1, 401); }

TEST_CASE("passes keep the interpreter's bits on many random programs", "[exhaustive]") { check_programs(1000, 21000); }
