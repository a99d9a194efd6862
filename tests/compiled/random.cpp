// Random programs compiled in every way: against the interpreter, and against each other. Plans are checked on the way.
#include <catch2/catch.hpp>

#include "graph/text.h"
#include "tools/fuzz/check.h"

using namespace sinter;

namespace {

void check_programs(uint64_t first, uint64_t last) {
  static const std::string_view only[] = {"compiled", "again", "threads", "memory", "transactional", "unoptimized", "unfused", "narrower"};
  fuzz::Counts counts;
  for (uint64_t seed = first; seed < last; ++seed) {
    fuzz::Case made = fuzz::case_of(fuzz::random_program(seed));
    auto failure = fuzz::failure_of(made, only, &counts);
    INFO("seed " << seed << "\n" << print(made.program));
    if (failure) FAIL(failure->check << ": " << failure->what);
  }
  // Most of what is compared must be of use.
  CHECK(counts.known * 10 > counts.elements * 8);
}

}  // namespace

TEST_CASE("random programs compiled and interpreted") { check_programs(1, 121); }

TEST_CASE("many random programs compiled and interpreted", "[exhaustive]") { check_programs(2000, 12000); }
