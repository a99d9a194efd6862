// sinter ops: the op table.
#include <fmt/format.h>

#include "graph/op.h"
#include "tools/sinter/commands.h"

namespace sinter::tool {

void add_ops(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("ops", "Lists the operations: name, operands, derivative (g is the adjoint of the result y), what it computes");
  command->callback([] {
    fmt::print("{:<14}{:>4}  {:<82}{}\n", "name", "args", "derivative", "what it computes");
    for (const OpInfo& row : op_table())
      fmt::print("{:<14}{:>4}  {:<82}{}\n", row.name, row.arity, row.derivative.empty() ? "-" : row.derivative, row.doc);
  });
}

}  // namespace sinter::tool
