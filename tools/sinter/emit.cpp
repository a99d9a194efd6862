#include "tools/sinter/emit.h"

#include <fmt/format.h>

#include "graph/text.h"
#include "passes/pipeline.h"

namespace sinter::tool {
namespace {

PrintOptions print_options(const EmitRequest& request) {
  PrintOptions options;
  options.origins = request.origins;
  return options;
}

Program optimized(const EmitRequest& request) {
  PassRun run = optimize(request.program, request.passes);
  if (request.time_passes) fmt::print(stderr, "{}", to_string(run.timings));
  return std::move(run.program);
}

std::string emit_graph(const EmitRequest& request) { return print(request.program, print_options(request)); }
std::string emit_opt(const EmitRequest& request) { return print(optimized(request), print_options(request)); }

}  // namespace

std::span<const Emission> emissions() {
  static const Emission table[] = {
      {"graph", "the graph as it was read", emit_graph},
      {"opt", "the graph after the passes", emit_opt},
  };
  return table;
}

}  // namespace sinter::tool
