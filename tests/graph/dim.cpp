// Dimensions: quotients rounded up, their canonical form and their text.
#include "graph/dim.h"

#include <catch2/catch.hpp>

using namespace sinter;

namespace {
const Dim n("n"), m("m");
}

TEST_CASE("a quotient rounded up is the number it should be") {
  for (const Dim& d : {n, n + 1, n * 3 + 5, n * 64 + 7, n * m + 1, n * -1 + 200, ceil_divide(n, 3) * m + 2})
    for (int64_t divisor : {1, 2, 7, 64})
      for (int64_t a : {0, 1, 6, 7, 8, 63, 64, 65, 129})
        for (int64_t b : {1, 5}) {
          const Bindings bindings{{"n", a}, {"m", b}};
          const int64_t value = d.evaluate(bindings), expected = value >= 0 ? (value + divisor - 1) / divisor : -(-value / divisor);
          CAPTURE(to_string(d), divisor, a, b);
          CHECK(ceil_divide(d, divisor).evaluate(bindings) == expected);
          CHECK((ceil_divide(d, divisor) * d + 3).evaluate(bindings) == expected * value + 3);
        }
  CHECK(ceil_divide(Dim(65), 64) == Dim(2));
  CHECK(ceil_divide(Dim(-65), 64) == Dim(-1));
}

TEST_CASE("equal quotients are equal values") {
  CHECK(ceil_divide(n, 1) == n);
  CHECK(ceil_divide(n * 6, 3) == n * 2);
  CHECK(ceil_divide(n * 6 + 1, 3) == n * 2 + 1);
  CHECK(ceil_divide(n + 64, 64) == ceil_divide(n, 64) + 1);
  CHECK(ceil_divide(ceil_divide(n, 4), 16) == ceil_divide(n, 64));
  CHECK_FALSE(ceil_divide(n, 64) == ceil_divide(n, 32));
  CHECK_FALSE(ceil_divide(n, 64).symbol());
  CHECK(ceil_divide(n + m, 2).symbols() == std::vector<std::string>{"m", "n"});
  CHECK((ceil_divide(n, 64) * 10).divided_by(ceil_divide(n, 64)) == Dim(10));
}

TEST_CASE("quotients are written and read back") {
  for (const Dim& d : {ceil_divide(n, 64), ceil_divide(n * 2 + m * -1 + 1, 4) * 10 + 3, ceil_divide(ceil_divide(n + 1, 4) + 1, 7) * n}) {
    CAPTURE(to_string(d));
    CHECK(parse_dim(to_string(d)) == d);
  }
  CHECK(to_string(ceil_divide(n, 64) * 10) == "10*ceil(n/64)");
  for (const char* text : {"ceil(n)", "ceil(n/0)", "ceil(n/-2)", "ceil(n/m)", "ceil(n/2", "ceil(/2)", "ceil n/2", "n/2", "ceil(n/2))", "ceil(n/9999999999999999999)", "n +", "* n", "n n"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(parse_dim(text), UserError);
  }
}

TEST_CASE("numbers take the place of symbols, in quotients too") {
  const Dim d = ceil_divide(n + 1, 4) * m + n;
  CHECK(d.with({{"n", 8}}) == m * 3 + 8);
  CHECK(d.with({{"m", 2}}) == ceil_divide(n + 1, 4) * 2 + n);
  CHECK(d.with({{"n", 8}, {"m", 2}}) == Dim(14));
}

TEST_CASE("a size that would be too long to write is refused, not built") {
  Dim doubles = 1, adds = 0, nests = n, powers = 1;
  CHECK_THROWS_AS([&] { for (int i = 0; i < 60; ++i) doubles = doubles * (Dim("a" + std::to_string(i)) + Dim("b" + std::to_string(i))); }(), UserError);
  CHECK_THROWS_AS([&] { for (int i = 0; i < 1000; ++i) adds = adds + Dim("a" + std::to_string(i)); }(), UserError);
  CHECK_THROWS_AS([&] { for (int i = 0; i < 10000; ++i) nests = ceil_divide(nests + 1, 2); }(), UserError);
  CHECK_THROWS_AS([&] { for (int i = 0; i < 10000; ++i) powers = powers * n; }(), UserError);
  CHECK_THROWS_AS(Dim(std::string(5000, 'n')), UserError);
  for (const Dim& longest : {doubles, adds, nests, powers}) {
    CHECK(to_string(longest).size() > 500);
    CHECK(parse_dim(to_string(longest)) == longest);
  }
}
