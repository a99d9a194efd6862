#include "tests/accuracy/page.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "graph/support/file_writer.h"
#include "tests/accuracy/functions.h"

namespace sinter::accuracy {
namespace {

const char* committed = "graph/ops/ACCURACY.md";

const char* introduction = R"(# How far off the float functions are

In units in the last place of the exact result, as compiled code with fused multiply-add computes them: over all 2^32 inputs of f32, over 2^28
inputs of every sign and exponent of f64 and, where there are two operands, over 2^28 pairs and all pairs of special values. The last are NaN, infinities, zeros, the least and the largest,
and what rounds at a type's end. Beside the worst error is where it is; the bound is what the tests hold the function to.
Where x < 0 the errors of lgamma and digamma, and those of digamma between -1 and 1, are in the last place of the terms whose difference they are. sin, cos and tan of an
f64 are up to 2^45, and NaN beyond. A remainder is where the quotient is below 2^53, and NaN beyond, where floor_divide is the quotient itself. Of zeros
of both signs maximum and minimum give either.

`tools/accuracy` makes this page anew, in one to two hours on two cores, or the rows of the functions that it is given. The reference is the C library in the next wider type, so that the third
decimal may be its own.

| function | f32, bound | worst | at | f64, bound | worst | at |
|---|---|---|---|---|---|---|
)";

template <class T>
std::string place(Op op, const Worst<T>& w) {
  if (w.ulps == 0) return "-";
  return info(op).arity == 1 ? fmt::format("{:a}", w.at) : fmt::format("{:a}, {:a}", w.at, w.and_at);
}

std::string text_of(const std::string& file) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

std::string line_of(const Entry& e) {
  return fmt::format("| {} | {} | {:.3f} | {} | {} | {:.3f} | {} |", info(e.op).name, e.bound_f32, e.narrow.ulps, place(e.op, e.narrow), e.bound_f64, e.wide.ulps, place(e.op, e.wide));
}

std::string page_as_committed() { return text_of(committed); }

std::map<std::string, std::string> rows_of(const std::string& page) {
  std::map<std::string, std::string> rows;
  std::stringstream text(page);
  for (std::string line; std::getline(text, line);)
    if (line.starts_with("| ") && !line.starts_with("| function")) rows[line.substr(2, line.find(' ', 2) - 2)] = line;
  return rows;
}

void put_in_page(const std::string& file, const Entry& entry) {
  std::map<std::string, std::string> rows = rows_of(text_of(file));
  rows[std::string(info(entry.op).name)] = line_of(entry);
  std::string page = introduction;
  auto add = [&](const auto& functions) {
    for (const auto& f : functions)
      if (auto row = rows.find(std::string(info(f.op).name)); row != rows.end()) page += row->second + "\n";
  };
  add(functions_of_one());
  add(functions_of_two());
  FileWriter written(file);
  written.write(page);
  written.finish();
}

}  // namespace sinter::accuracy
