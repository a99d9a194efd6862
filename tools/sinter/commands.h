// The subcommands of `sinter`. Each adds itself to the command line; what it does runs after parsing.
#pragma once
#include <CLI/CLI.hpp>

namespace sinter::tool {

void add_opt(CLI::App&);
void add_run(CLI::App&);
void add_ops(CLI::App&);

}  // namespace sinter::tool
