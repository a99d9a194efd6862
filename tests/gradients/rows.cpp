// Elementwise rows whose operands are all floats of one shape, so that the table itself says how to test them, and where else to.
#include <catch2/catch.hpp>

#include "tests/gradients/check.h"

namespace sinter {
namespace {

const std::vector<int64_t> sizes = {3, 4};

// Branches of a derivative that the row's own domains, which are its value's, do not reach.
struct Elsewhere {
  Op op;
  const char* where;
  std::vector<Domain> domains;
};
const Elsewhere elsewhere[] = {
    {Op::divide, "by negative numbers", {{}, {-3, -0.5}}},
    {Op::remainder, "by negative numbers", {{}, {-3, -0.5}}},
    {Op::cbrt, "of negative numbers", {{-5, -0.1}}},
    {Op::lgamma, "below its first pole", {{-0.7, -0.3}}},
    {Op::lgamma, "between further poles", {{-2.7, -2.3}}},
    {Op::digamma, "below its first pole", {{-0.7, -0.3}}},
    {Op::digamma, "between further poles", {{-2.7, -2.3}}},
};

Case of_row(Op op, const std::string& where, const std::vector<Domain>& domains) {
  return {op, where, std::vector(domains.size(), sizes), [op](const Inputs& x) { return x.size() == 1 ? make(op, {x[0]}) : make(op, {x[0], x[1]}); }, domains};
}

}  // namespace

std::vector<Case> row_cases() {
  std::vector<Case> all;
  for (const OpInfo& row : op_table()) {
    if (row.family != Family::elementwise || !row.gradient || (row.promotion != Promotion::numeric && row.promotion != Promotion::floating)) continue;
    INFO(row.name);
    REQUIRE(row.domains.size() == static_cast<size_t>(row.arity));
    all.push_back(of_row(row.op, "where its row says", row.domains));
  }
  for (const Elsewhere& e : elsewhere) all.push_back(of_row(e.op, e.where, e.domains));
  // Of a negative base only whole exponents have a power, and none near them has.
  for (double exponent : {3.0, 2.0, -1.0, -2.0})
    all.push_back({Op::power, "of negative numbers, to " + std::to_string(static_cast<int>(exponent)), {sizes}, [=](const Inputs& x) { return pow(x[0], exponent); }, {{-3, -0.5}}});
  return all;
}

}  // namespace sinter
