#include "tools/fuzz/files.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "graph/text.h"
#include "runtime/data/npy.h"
#include "tools/fuzz/turned.h"

namespace sinter::fuzz {
namespace {

constexpr std::string_view whole_values = "# every value is a small whole number\n";  // the end of the graph's text, where that is so

std::string input_file(const std::string& stem, size_t call, const std::string& name) { return call == 0 ? fmt::format("{}.{}.npy", stem, name) : fmt::format("{}.{}.{}.npy", stem, call, name); }

Bindings all_five(const Program& program) {
  Bindings bindings;
  for (size_t i = 0; i < program.graph.size(); ++i)
    for (const Dim& d : program.graph.type(NodeId(i)).shape)
      for (const std::string& symbol : d.symbols()) bindings[symbol] = 5;
  return bindings;
}

}  // namespace

std::string write_case(const Case& made, const std::string& folder, const std::string& name) {
  std::filesystem::create_directories(folder);
  std::string stem = folder + "/" + name;
  write_graph(made.program, stem + ".graph");
  if (made.whole) std::ofstream(stem + ".graph", std::ios::app) << whole_values;
  for (size_t call = 0; call < made.calls.size(); ++call)
    for (const auto& [input, tensor] : made.calls[call]) write_npy(input_file(stem, call, input), tensor);
  return stem + ".graph";
}

Case read_case(const std::string& graph_file) {
  Case made;
  ParseOptions options;
  options.operations = {turned()};
  made.program = read_graph(graph_file, options);
  std::ostringstream text;
  text << std::ifstream(graph_file).rdbuf();
  made.whole = text.view().ends_with(whole_values);
  std::string stem = std::filesystem::path(graph_file).replace_extension().string();
  for (size_t call = 0;; ++call) {
    NamedTensors inputs = random_inputs(made.program, all_five(made.program), Values::plain, 1);
    bool found = false;
    for (auto& [name, tensor] : inputs)
      if (std::string file = input_file(stem, call, name); std::filesystem::exists(file)) tensor = read_npy(file), found = true;
    if (call > 0 && !found) return made;
    made.calls.push_back(std::move(inputs));
  }
}

}  // namespace sinter::fuzz
