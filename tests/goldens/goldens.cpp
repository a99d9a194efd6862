#include "tests/goldens/goldens.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <sstream>

#include "graph/safetensors.h"

namespace sinter::goldens {
namespace {

// The number of the first element that is too far off, or -1.
template <class T>
int64_t first_off(std::span<const T> got, std::span<const T> want, double epsilons) {
  for (size_t i = 0; i < want.size(); ++i) {
    if (same_bits(Tensor::scalar(got[i]), Tensor::scalar(want[i]))) continue;
    double w = static_cast<double>(want[i]), off = std::abs(static_cast<double>(got[i]) - w);
    if (!(off <= epsilons * static_cast<double>(std::numeric_limits<T>::epsilon()) * std::max(1.0, std::abs(w)))) return static_cast<int64_t>(i);
  }
  return -1;
}

}  // namespace

// A result is named 'x + y <- 0 3': its expression, and the names of its inputs.
std::vector<Golden> read_goldens(const std::string& family) {
  SafetensorsFile file(fmt::format("tests/goldens/{}.safetensors", family));
  std::vector<Golden> all;
  for (const std::string& name : file.names()) {
    size_t arrow = name.find(" <- ");
    if (arrow == std::string::npos) continue;
    Golden golden{name.substr(0, arrow), {}, file.read(name)};
    std::istringstream numbers(name.substr(arrow + 4));
    for (std::string number; numbers >> number;) golden.inputs.push_back(file.read(number));
    all.push_back(golden);
  }
  return all;
}

Inputs inputs_of(const Golden& golden, const std::string& suffix, NamedTensors& values) {
  Inputs inputs;
  Expr* const each[] = {&inputs.x, &inputs.y, &inputs.z};
  for (size_t i = 0; i < golden.inputs.size(); ++i) {
    std::string name = "xyz"[i] + suffix;
    Type type = type_of(golden.inputs[i]);
    *each[i] = Variable(name, type.dtype, type.shape);
    values.emplace(name, golden.inputs[i]);
  }
  return inputs;
}

std::string fault(const Tensor& got, const Golden& golden, double epsilons) {
  const Tensor& want = golden.result;
  if (got.dtype() != want.dtype() || got.sizes() != want.sizes())
    return fmt::format("is {}{}, not {}{}", name(got.dtype()), to_string(got.sizes()), name(want.dtype()), to_string(want.sizes()));
  int64_t off = dispatch(want.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    return first_off<T>(got.data<T>(), want.data<T>(), epsilons);
  });
  return off < 0 ? "" : fmt::format("differs at element {}: {}, not {}", off, print_tensor(got, false), print_tensor(want, false));
}

void check(const std::string& family, const std::vector<Row>& rows, const std::set<Family>& holds) {
  std::map<std::string, const Row*> by_python;
  for (const Row& row : rows) {
    INFO(row.python);
    REQUIRE(by_python.emplace(row.python, &row).second);
  }
  GraphScope scope;
  conformance::Batch batch;
  NamedTensors inputs;
  std::vector<Golden> goldens = read_goldens(family);
  std::map<std::string, int> used;
  for (const Golden& golden : goldens) {
    INFO(golden.python);
    REQUIRE(by_python.contains(golden.python));
    ++used[golden.python];
    std::string shown;
    for (const Tensor& input : golden.inputs) shown += " " + print_tensor(input, false);
    INFO("of" << shown);
    Inputs given = inputs_of(golden, std::to_string(batch.outputs.size()), inputs);
    batch.add(golden.python + ", of" + shown, by_python.at(golden.python)->make(given));
  }
  for (const Row& row : rows) {
    INFO(row.python << ": no result of this is in the file");
    CHECK(used.contains(row.python));
  }
  std::set<Op> held;
  const Program program = program_of(batch.outputs);
  for (size_t i = 0; i < program.graph.size(); ++i) held.insert(program.graph.node(NodeId(i)).op);
  for (const OpInfo& row : op_table()) {
    INFO(row.name << ": no result is computed by this");
    CHECK((!holds.contains(row.family) || held.contains(row.op)));
  }
  auto values = conformance::CompiledBatch(batch)(inputs);
  for (size_t i = 0; i < goldens.size(); ++i) {
    INFO(batch.names[i]);
    double epsilons = by_python.at(goldens[i].python)->epsilons;
    CHECK(fault(values.interpreted[i], goldens[i], epsilons) == "");
    CHECK(fault(values.compiled[i], goldens[i], epsilons) == "");
  }
}

}  // namespace sinter::goldens
