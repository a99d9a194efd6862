// The text form: what parses is a program that verifies, prints, and parses back to the same program and the same text.
#include <algorithm>
#include <optional>

#include "graph/text.h"
#include "graph/verify.h"
#include "tools/fuzz/parsers/finding.h"

using namespace sinter;

namespace {

bool same_node(const Graph& a, const Graph& b, NodeId id) {
  const Node &x = a.node(id), &y = b.node(id);
  if (x.op != y.op || x.type != y.type || !std::ranges::equal(a.inputs(id), b.inputs(id))) return false;
  return x.op == Op::constant ? same_bits(a.constant_value(id), b.constant_value(id)) : same(x.attributes, y.attributes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t count) {
  ParseOptions options;
  options.max_bytes = size_t{1} << 20;
  std::string text(reinterpret_cast<const char*>(bytes), count);
  std::optional<Program> program;
  fuzz::refusable([&] { program = parse(text, "input.graph", options); });
  if (!program) return 0;
  verify(*program);
  std::string printed = print(*program);
  try {
    Program again = parse(printed, "printed.graph", options);
    if (again.graph.size() != program->graph.size()) fuzz::finding("another number of nodes is read from:\n" + printed);
    for (size_t i = 0; i < again.graph.size(); ++i)
      if (!same_node(program->graph, again.graph, NodeId(i))) fuzz::finding("another node is read from:\n" + print_node(program->graph, NodeId(i)));
    std::string twice = print(again);
    if (twice != printed) fuzz::finding("printed:\n" + printed + "and, parsed and printed again:\n" + twice);
  } catch (const UserError& error) {
    fuzz::finding("printed:\n" + printed + "which is refused: " + error.what());
  }
  return 0;
}
