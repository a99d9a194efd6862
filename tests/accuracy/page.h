// graph/ops/ACCURACY.md: an entry for each function, made by the sweeps.
#pragma once
#include <string>
#include <vector>

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
std::string page_of(const std::vector<Entry>&);
void write_page(const std::string& file, const std::vector<Entry>&);
std::string page_as_committed();

}  // namespace sinter::accuracy
