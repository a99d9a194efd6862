// sinter: look at what the compiler makes of a graph, run one, list the operations.
#include <fmt/format.h>

#include "graph/support/errors.h"
#include "tools/sinter/commands.h"

int main(int argc, char** argv) {
  CLI::App app("Compiles graphs of tensor operations.", "sinter");
  app.require_subcommand(1);
  sinter::tool::add_opt(app);
  sinter::tool::add_run(app);
  sinter::tool::add_ops(app);
  try {
    app.parse(argc, argv);
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
