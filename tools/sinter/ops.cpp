// sinter ops: the op table.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "graph/describe.h"
#include "tools/sinter/commands.h"

namespace sinter::tool {
namespace {

constexpr size_t width = 100;

struct OpsOptions {
  std::vector<std::string> names;
  bool markdown = false;
};

// A paragraph, its lines broken between words; those after the first begin `indent` columns in.
std::string wrapped(std::string_view text, size_t indent) {
  std::string lines;
  size_t column = indent;
  while (!text.empty()) {
    std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (column > indent && column + 1 + word.size() > width) lines += "\n" + std::string(indent, ' '), column = indent;
    else if (column > indent) lines += ' ', ++column;
    lines += word;
    column += word.size();
  }
  return lines;
}

void print_table() {
  fmt::print("{}\n'sinter ops NAME' shows one operation.\n", wrapped(description_legend(), 0));
  for (const OpGroup& group : op_groups()) {
    fmt::print("\n{}\n", wrapped(group.title + ": " + group.about, 2));
    for (const OpInfo* row : group.rows) {
      OpDescription d = describe(*row);
      std::string shape = row->family == Family::elementwise ? "" : " Shape: " + d.shape + ".";
      std::string gradient = row->family == Family::leaf ? "" : " Gradient: " + d.gradient + ".";
      fmt::print("  {}\n      {}\n", wrapped(d.signature + " : " + d.types, 6), wrapped(fmt::format("{}{}{}", row->doc, shape, gradient), 6));
    }
  }
}

const OpInfo& found(const std::string& name) {
  if (const OpInfo* row = op_named(name)) return *row;
  std::vector<std::string_view> near = names_near(name);
  throw UserError(fmt::format("there is no operation '{}'; {}'sinter ops' lists them", name, near.empty() ? "" : fmt::format("did you mean {}? ", fmt::join(near, ", "))));
}

void print_one(const OpInfo& row) {
  OpDescription d = describe(row);
  for (auto [label, text] : {std::pair("", std::string(row.doc)), {"text", d.signature}, {"C++", d.written}, {"types", d.types}, {"shape", d.shape}, {"gradient", d.gradient}})
    fmt::print("{:<10}{}\n", *label ? label : row.name, wrapped(text, 10));
}

void ops(const OpsOptions& options) {
  if (options.markdown) return fmt::print("{}", reference_page());
  if (options.names.empty()) return print_table();
  std::vector<const OpInfo*> rows;
  for (const std::string& name : options.names) rows.push_back(&found(name));
  for (const OpInfo* row : rows) {
    if (row != rows[0]) fmt::print("\n");
    print_one(*row);
  }
}

}  // namespace

void add_ops(CLI::App& app) {
  auto options = std::make_shared<OpsOptions>();
  CLI::App* command = app.add_subcommand("ops", "Lists the operations: operands, attributes, types, shape, gradient, what each computes");
  CLI::Option* names = command->add_option("NAME", options->names, "Operations to show by themselves");
  command->add_flag("--markdown", options->markdown, "Print the reference page, graph/ops/REFERENCE.md")->excludes(names);
  command->callback([options] { ops(*options); });
}

}  // namespace sinter::tool
