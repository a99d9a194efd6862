// sinter: look at what the compiler makes of a graph, run one, list the operations.
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <iostream>

#include "graph/support/errors.h"
#include "tools/sinter/commands.h"

namespace {

// Where nothing can be written there either, there is nothing left to do.
int failed(int status, std::string_view what) {
  std::fputs(fmt::format("sinter: {}\n", what).c_str(), stderr);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Compiles graphs of tensor operations.", "sinter");
  app.require_subcommand(1);
  sinter::tool::add_opt(app);
  sinter::tool::add_run(app);
  sinter::tool::add_ops(app);
  app.set_version_flag("--version", "sinter " SINTER_VERSION);
  const std::string command = argc > 1 ? argv[1] : "";
  if (!command.starts_with('-') && app.get_subcommands([&](const CLI::App* one) { return one->get_name() == command; }).empty()) {
    return failed(2, fmt::format("{}; there are opt, run and ops ('sinter --help' says more)", command.empty() ? "name a command" : fmt::format("there is no command '{}'", command)));
  }
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow so long is an error like a full disk, not the end of the process
  try {
    app.parse(argc, argv);
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) throw sinter::SystemError("what was printed could not all be written");
    return 0;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // help
      const int status = app.exit(error);
      return std::cout.flush() ? status : failed(1, "what was printed could not all be written");
    }
    return failed(2, error.what());
  } catch (const sinter::InternalError& error) {
    return failed(3, error.what());
  } catch (const std::exception& error) {
    return failed(1, error.what());
  }
}
