#include "tools/sinter/emit.h"

#include <fmt/format.h>

#include <cstdio>

#include "codegen/compile.h"
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
  if (request.time_passes) std::fputs(to_string(run.timings).c_str(), stderr);
  return std::move(run.program);
}

std::string emit_graph(const EmitRequest& request) { return print(request.program, print_options(request)); }
std::string emit_opt(const EmitRequest& request) { return print(optimized(request), print_options(request)); }

Stages stages(const EmitRequest& request) {
  if (is_template(request.program))
    throw UserError("a graph with untyped variables is compiled when it is called; give its variables types to see more than the graph");
  Stages all = stages_of(request.program, {0, request.passes, &request.target});
  if (request.time_passes) std::fputs(to_string(all.optimized.timings).c_str(), stderr);
  return all;
}

std::string emit_fusion(const EmitRequest& request) {
  Stages all = stages(request);
  return to_string(all.optimized.program, all.fusion);
}
std::string emit_plan(const EmitRequest& request) {
  Stages all = stages(request);
  return to_string(all.optimized.program, all.fusion, all.memory);
}
std::string emit_kernels(const EmitRequest& request) {
  std::string text;
  for (const Kernel& kernel : stages(request).kernels) text += to_string(kernel) + "\n";
  return text;
}
std::string emit_native(const EmitRequest& request, std::string (*emit)(const std::vector<Kernel>&, const std::vector<CallStep>&, const Target&)) {
  Stages all = stages(request);
  return emit(all.kernels, calls_of(all.steps), request.target);
}
std::string emit_ir(const EmitRequest& request) { return emit_native(request, emit_llvm); }
std::string emit_assembly(const EmitRequest& request) { return emit_native(request, emit_asm); }
std::string emit_object_file(const EmitRequest& request) {
  Stages all = stages(request);
  return emit_object(all.kernels, linked_calls_of(all), request.target, request.symbol);
}

}  // namespace

std::span<const Emission> emissions() {
  static const Emission table[] = {
      {"graph", "the graph as it was read", emit_graph},
      {"opt", "the graph after the passes", emit_opt},
      {"fusion", "which nodes become one kernel", emit_fusion},
      {"plan", "the order of the kernels, and where each value lives", emit_plan},
      {"kernels", "the kernels as loops, index maps and scalar expressions", emit_kernels},
      {"llvm", "the kernels as LLVM's intermediate code for the target", emit_ir},
      {"asm", "the kernels as the target's assembly", emit_assembly},
      {"obj", "an object file for the target", emit_object_file, false},
  };
  return table;
}

}  // namespace sinter::tool
