// The page of errors: it has every function, and what it says of each is so.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cfloat>
#include <map>
#include <sstream>

#include "tests/accuracy/measured.h"
#include "tests/accuracy/page.h"

using namespace sinter;
using namespace sinter::accuracy;

namespace {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::stringstream stream(line.substr(1));
  for (std::string cell; std::getline(stream, cell, '|');) {
    const size_t begin = cell.find_first_not_of(' '), end = cell.find_last_not_of(' ');
    cells.push_back(begin == std::string::npos ? "" : cell.substr(begin, end - begin + 1));
  }
  return cells;
}

// The function at the input that the page names.
template <class T, class F>
void check(const F& f, double bound, const std::string& bound_cell, const std::string& worst, const std::string& at) {
  INFO(name(dtype_of<T>()));
  CHECK(bound_cell == fmt::format("{}", bound));
  if (at == "-") {
    CHECK(worst == "0.000");
    return;
  }
  char* rest = nullptr;
  const T x = static_cast<T>(std::strtod(at.c_str(), &rest)), y = *rest == ',' ? static_cast<T>(std::strtod(rest + 1, nullptr)) : T(0);
  NamedTensors given = {{"x", Tensor::scalar(x).reshaped({1})}};
  if constexpr (std::is_same_v<F, OfTwo>) given.emplace("y", Tensor::scalar(y).reshaped({1}));
  const double off = error_of(f, compiled(f, dtype_of<T>())(given).template data<T>()[0], x, y);
  CHECK(off == Approx(std::strtod(worst.c_str(), nullptr)).margin(0.002));
}

}  // namespace

TEST_CASE("the page of errors has every float function, and where it says is its worst error there is that") {
  std::map<std::string, std::string> rows = rows_of(page_as_committed());
  auto check_all = [&](const auto& functions) {
    for (const auto& f : functions) {
      const std::string row(info(f.op).name);
      INFO(row);
      REQUIRE(rows.contains(row));
      const std::vector<std::string> cells = cells_of(rows.at(row));
      REQUIRE(cells.size() == 7);
      if (host_target().has_fma) check<float>(f, f.bound_f32, cells[1], cells[2], cells[3]);
      if (host_target().has_fma && LDBL_MANT_DIG >= 64) check<double>(f, f.bound_f64, cells[4], cells[5], cells[6]);
      rows.erase(row);
    }
  };
  check_all(functions_of_one());
  check_all(functions_of_two());
  CHECK(rows.empty());
}

TEST_CASE("the functions whose error is measured are all there are") {
  const auto has = [](const auto& functions, Op op) { return std::any_of(functions.begin(), functions.end(), [&](const auto& f) { return f.op == op; }); };
  for (const OpInfo& row : op_table()) {
    const bool of_numbers = row.promotion == Promotion::numeric || row.promotion == Promotion::floating;
    if (row.family != Family::elementwise || row.arity > 2 || !of_numbers || row.op == Op::convert) continue;
    INFO(row.name);
    CHECK((row.arity == 1 ? has(functions_of_one(), row.op) : has(functions_of_two(), row.op)));
  }
}
