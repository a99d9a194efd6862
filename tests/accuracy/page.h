// graph/ops/ACCURACY.md: an entry for each function, made by the sweeps.
#pragma once
#include <map>
#include <string>

#include "graph/op.h"
#include "tests/scalar/support.h"

namespace sinter::accuracy {

struct Entry {
  Op op;
  double bound_f32, bound_f64;
  Worst<float> narrow;
  Worst<double> wide;
};

std::string line_of(const Entry&);
std::string page_as_committed();
std::map<std::string, std::string> rows_of(const std::string& page);  // a function's line by its name
void put_in_page(const std::string& file, const Entry&);              // in the place of its line, or as a new one; the others stay

}  // namespace sinter::accuracy
