// sinter: look at what the compiler makes of a graph, run one, list the operations.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "graph/support/errors.h"
#include "tools/sinter/commands.h"

int main(int argc, char** argv) {
  CLI::App app("Compiles graphs of tensor operations.", "sinter");
  app.require_subcommand(1);
  sinter::tool::add_opt(app);
  sinter::tool::add_run(app);
  sinter::tool::add_ops(app);
  app.set_version_flag("--version", "sinter " SINTER_VERSION);
  const std::string command = argc > 1 ? argv[1] : "";
  if (!command.starts_with('-') && app.get_subcommands([&](const CLI::App* one) { return one->get_name() == command; }).empty()) {
    fmt::print(stderr, "sinter: {}; there are opt, run and ops ('sinter --help' says more)\n",
               command.empty() ? "name a command" : fmt::format("there is no command '{}'", command));
    return 2;
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow so long is an error like a full disk, not the end of the process
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) throw sinter::SystemError("what was printed could not all be written");
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help
    fmt::print(stderr, "sinter: {}\n", error.what());
    return 2;
  } catch (const sinter::InternalError& error) {
    fmt::print(stderr, "sinter: {}\n", error.what());
    return 3;
  } catch (const std::exception& error) {
    fmt::print(stderr, "sinter: {}\n", error.what());
    return 1;
  }
}
