// The benchmark's workloads: the data that all competitors share, and the graph of each.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <sinter/sinter.h>

namespace bench {

// Uniform in [-scale, scale) by a counter-based hash that every competitor shares; see spec.py's fill(). Element i, and all of a tensor.
float filled(uint32_t seed, int64_t i, double scale = 1);
sinter::Tensor fill(uint32_t seed, std::vector<int64_t> sizes, double scale = 1);

// A chain of elementwise operations on three operands of one shape.
sinter::Expr chain(const sinter::Expr& x, const sinter::Expr& y, const sinter::Expr& z);

using Named = std::vector<std::pair<std::string, sinter::Tensor>>;

struct Workload {
  std::string name;
  Named parameters, data;                          // in the order of spec.py's workload()
};

// What one workload does once it is compiled.
struct Job {
  std::function<void()> call;                      // runs once; the result is ready when it returns
  std::function<Named()> results;                  // what is checked; may run what is missing
};

std::vector<std::string> workload_names();
Workload load(const std::string& name);            // UserError where there is none of that name
Job make(const Workload&, unsigned threads);       // builds the graph and compiles it

}  // namespace bench
