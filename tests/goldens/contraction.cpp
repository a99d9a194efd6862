#include <algorithm>

#include "tests/goldens/goldens.h"

using namespace sinter;
using namespace sinter::goldens;

TEST_CASE("products of matrices, and every einsum, are NumPy's") {
  using I = const Inputs&;
  std::vector<Row> rows = {
    {"np.matmul(x, y)", [](I i) { return matmul(i.x, i.y); }},
    {"np.matmul(np.swapaxes(x, -1, -2), y)", [](I i) { return matmul(transpose(i.x, {0, 2, 1}), i.y); }},
    {"np.matmul(x, np.swapaxes(y, -1, -2))", [](I i) { return matmul(i.x, transpose(i.y, {0, 2, 1})); }},
  };
  // An einsum is called alike in both: the specification is read from the file.
  for (const Golden& golden : read_goldens("contraction")) {
    if (!golden.python.starts_with("np.einsum('") || std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.python == golden.python; })) continue;
    std::string specification = golden.python.substr(11, golden.python.rfind('\'') - 11);
    rows.push_back({golden.python, [specification](I i) {
                      std::vector<Expr> operands;
                      for (const Expr& e : {i.x, i.y, i.z})
                        if (e.defined()) operands.push_back(e);
                      return einsum(specification, operands);
                    }});
  }
  REQUIRE(rows.size() > 50);
  check("contraction", rows, {Family::contraction});
}
