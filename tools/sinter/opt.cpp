// sinter opt: what each stage of the compiler makes of a graph.
#include <fmt/format.h>

#include "graph/support/file_writer.h"
#include "graph/text.h"
#include "tools/sinter/commands.h"
#include "tools/sinter/emit.h"

namespace sinter::tool {
namespace {

struct OptOptions {
  std::string file, emit = "opt", output, target, cpu, features, symbol = "graph";
  std::vector<std::string> disabled;
  std::string stop_after;
  bool print_after_all = false, time_passes = false, no_origins = false;
};

Target target_of(const OptOptions& options) {
  if (options.target.empty() && options.cpu.empty() && options.features.empty()) return host_target();
  return target_for(options.target.empty() ? host_target().triple : options.target, options.cpu, options.features);
}

void opt(const OptOptions& options) {
  const Emission* emission = nullptr;
  for (const Emission& e : emissions())
    if (e.name == options.emit) emission = &e;
  if (!emission->is_text && options.output.empty()) throw UserError(fmt::format("--emit={} writes a file: name it with -o", options.emit));
  Program program = read_graph(options.file, {}, Here());
  EmitRequest request{program, {}, options.time_passes, !options.no_origins, target_of(options), options.symbol};
  request.passes.disabled = options.disabled;
  request.passes.stop_after = options.stop_after;
  if (options.print_after_all)
    request.passes.dump = [&](const PassDump& dump) {
      PrintOptions print_options;
      print_options.origins = request.origins;
      fmt::print(stderr, "# after {}, round {}{}\n{}\n", dump.pass, dump.round, dump.changed ? "" : ": unchanged",
                 dump.changed ? print(dump.program, print_options) : "");
    };
  std::string emitted = emission->emit(request);
  if (options.output.empty()) return fmt::print("{}", emitted);
  FileWriter file(options.output);
  file.write(emitted);
  file.finish();
}

}  // namespace

void add_opt(CLI::App& app) {
  auto options = std::make_shared<OptOptions>();
  CLI::App* command = app.add_subcommand("opt", "Shows what a stage of the compiler makes of a graph");
  std::vector<std::string> names;
  std::string doc = "The stage to show:";
  for (const Emission& e : emissions()) {
    names.emplace_back(e.name);
    doc += fmt::format("\n{}: {}", e.name, e.doc);
  }
  command->add_option("FILE", options->file, "The graph, as text")->required();
  command->add_option("--emit", options->emit, doc)->check(CLI::IsMember(names))->capture_default_str();
  command->add_option("-o,--output", options->output, "The file to write it to, instead of printing it");
  command->add_option("--target", options->target, "What native code is for, as LLVM names it: riscv64-linux-gnu, thumbv7em-none-eabihf, wasm32 … (this machine)");
  command->add_option("--cpu", options->cpu, "The CPU, as LLVM names it: x86-64-v3, cortex-m7 …; without it the least that the target names");
  command->add_option("--features", options->features, "What the CPU has besides, or has not: +v,-fma");
  command->add_option("--symbol", options->symbol, "What the function in the object file is called")->capture_default_str();
  command->add_option("--disable", options->disabled, "Passes to leave out, separated by commas")->delimiter(',');
  command->add_option("--stop-after", options->stop_after, "The pass after whose first run to stop");
  command->add_flag("--print-after-all", options->print_after_all, "Print the graph after each pass, to stderr");
  command->add_flag("--time-passes", options->time_passes, "Print what each pass took, to stderr");
  command->add_flag("--no-origins", options->no_origins, "Leave out where nodes come from");
  command->callback([options] { opt(*options); });
}

}  // namespace sinter::tool
