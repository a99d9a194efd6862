// sinter opt: what each stage of the compiler makes of a graph.
#include <fmt/format.h>

#include "graph/text.h"
#include "tools/sinter/commands.h"
#include "tools/sinter/emit.h"

namespace sinter::tool {
namespace {

struct Options {
  std::string file, emit = "opt";
  std::vector<std::string> disabled;
  std::string stop_after;
  bool print_after_all = false, time_passes = false, no_origins = false;
};

void opt(const Options& options) {
  Program program = read_graph(options.file);
  EmitRequest request{program, {}, options.time_passes, !options.no_origins};
  request.passes.disabled = options.disabled;
  request.passes.stop_after = options.stop_after;
  if (options.print_after_all)
    request.passes.dump = [&](const PassDump& dump) {
      PrintOptions print_options;
      print_options.origins = request.origins;
      fmt::print(stderr, "# after {}, round {}{}\n{}\n", dump.pass, dump.round, dump.changed ? "" : ": unchanged",
                 dump.changed ? print(dump.program, print_options) : "");
    };
  for (const Emission& e : emissions())
    if (e.name == options.emit) fmt::print("{}", e.emit(request));
}

}  // namespace

void add_opt(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("opt", "Shows what a stage of the compiler makes of a graph");
  std::vector<std::string> names;
  std::string doc = "The stage to show:";
  for (const Emission& e : emissions()) {
    names.emplace_back(e.name);
    doc += fmt::format("\n{}: {}", e.name, e.doc);
  }
  command->add_option("FILE", options->file, "The graph, as text")->required();
  command->add_option("--emit", options->emit, doc)->check(CLI::IsMember(names))->capture_default_str();
  command->add_option("--disable", options->disabled, "Passes to leave out, separated by commas")->delimiter(',');
  command->add_option("--stop-after", options->stop_after, "The pass after whose first run to stop");
  command->add_flag("--print-after-all", options->print_after_all, "Print the graph after each pass, to stderr");
  command->add_flag("--time-passes", options->time_passes, "Print what each pass took, to stderr");
  command->add_flag("--no-origins", options->no_origins, "Leave out where nodes come from");
  command->callback([options] { opt(*options); });
}

}  // namespace sinter::tool
