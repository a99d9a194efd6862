// sinter run: the values of a graph's outputs, from .npy files to .npy files.
#include <fmt/format.h>

#include <algorithm>

#include "codegen/compile.h"
#include "graph/builder.h"
#include "graph/interpreter.h"
#include "graph/text.h"
#include "passes/check_positions.h"
#include "runtime/data/npy.h"
#include "tools/sinter/commands.h"

namespace sinter::tool {
namespace {

struct RunOptions {
  std::string file;
  std::vector<std::string> inputs, outputs, updates;
  bool zeros = false, hexadecimal = false, interpret = false, checks_positions = false;
};

// NAME=FILE
std::pair<std::string, std::string> named_file(const std::string& text, std::string_view option) {
  size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size())
    throw UserError(fmt::format("{} takes NAME=FILE, not '{}'", option, text));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

// Tensors of that name become a parameter's value; the rest are left, for variables.
NamedTensors set_parameters(const Program& program, NamedTensors inputs) {
  for (auto at = inputs.begin(); at != inputs.end();) {
    NodeId id = program.graph.named(at->first);
    if (!id.valid() || program.graph.node(id).op != Op::parameter) {
      ++at;
      continue;
    }
    Tensor& own = program.graph.parameter(id)->value;
    if (at->second.dtype() != own.dtype() || at->second.sizes() != own.sizes())
      throw UserError(fmt::format("the parameter '{}' is {}{}, not {}{}", at->first, name(own.dtype()), to_string(own.sizes()),
                                  name(at->second.dtype()), to_string(at->second.sizes())));
    own = at->second;
    at = inputs.erase(at);
  }
  return inputs;
}

std::unordered_map<std::string, Type> types_of(const NamedTensors& inputs) {
  std::unordered_map<std::string, Type> types;
  for (const auto& [name, value] : inputs) types.emplace(name, type_of(value));
  return types;
}

// The variables that are declared with a type.
std::vector<NamedType> typed_inputs(const Program& program) {
  std::vector<NamedType> typed;
  std::vector<bool> needed = reachable(program);
  for (size_t i = 0; i < program.graph.size(); ++i)
    if (auto* variable = std::get_if<VariableAttributes>(&program.graph.node(NodeId(i)).attributes); variable && needed[i] && program.graph.type(NodeId(i)).known)
      typed.push_back({variable->name, program.graph.type(NodeId(i)), program.graph.where(NodeId(i))});
  return typed;
}

// Refuses, all at once, what neither the graph's file nor the command gives a value.
void refuse_missing(const Program& program, const std::vector<std::string>& without_value, const NamedTensors& inputs, bool zeros) {
  std::vector<bool> needed = reachable(program);
  std::vector<std::string> missing;
  bool parameters = false;
  for (size_t i = 0; i < program.graph.size(); ++i) {
    NodeId id(i);
    const Node& node = program.graph.node(id);
    auto say = [&](const char* what, const std::string& of) { missing.push_back(fmt::format("the {} '{}' ({})", what, of, to_string(node.type))); };
    if (!needed[i]) continue;
    if (auto* variable = std::get_if<VariableAttributes>(&node.attributes); variable && !inputs.contains(variable->name)) say("variable", variable->name);
    auto* parameter = std::get_if<ParameterAttributes>(&node.attributes);
    if (!parameter || zeros || inputs.contains(parameter->name)) continue;
    if (std::find(without_value.begin(), without_value.end(), parameter->name) != without_value.end()) say("parameter", parameter->name), parameters = true;
  }
  if (!missing.empty())
    throw UserError(fmt::format("no value is given for {}; give each by --input NAME=FILE.npy{}", fmt::join(missing, ", "),
                                parameters ? ", or --zeros for the parameters" : ""));
}

Interpreted compiled(const Program& program, const NamedTensors& inputs) {
  Interpreted result;
  result.outputs = Executor(executable_of(program)).call(inputs);  // no line of this file is a user's
  for (const Update& u : program.updates) result.updates.push_back(program.graph.parameter(u.parameter)->value);
  return result;
}

void run(const RunOptions& options) {
  ParseOptions parse_options;
  parse_options.lines_as_origins = true;
  std::vector<std::string> without_value;
  parse_options.without_value = &without_value;
  Program program = read_graph(options.file, parse_options, Here());
  NamedTensors inputs;
  for (const std::string& text : options.inputs) {
    auto [name, path] = named_file(text, "--input");
    if (!inputs.emplace(name, read_npy(path, Here())).second) throw UserError(fmt::format("the input '{}' is given twice", name));
  }
  refuse_missing(program, without_value, inputs, options.zeros);
  inputs = set_parameters(program, std::move(inputs));
  refuse_unbound(program);
  if (is_template(program)) program = specialize(program, types_of(inputs), bind_inputs(typed_inputs(program), inputs));
  if (options.outputs.size() > program.outputs.size())
    throw UserError(fmt::format("{} returns {} values, not {}", options.file, program.outputs.size(), options.outputs.size()));
  std::vector<std::pair<size_t, std::string>> updates;
  for (const std::string& text : options.updates) {
    auto [name, path] = named_file(text, "--update");
    NodeId id = program.graph.named(name);
    size_t at = 0;
    while (at < program.updates.size() && program.updates[at].parameter != id) ++at;
    if (at == program.updates.size()) throw UserError(fmt::format("{} does not update '{}'", options.file, name));
    updates.emplace_back(at, path);
  }
  if (options.checks_positions) program = check_positions(program);
  Interpreted result = options.interpret ? interpret(program, inputs) : compiled(program, inputs);
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    if (i < options.outputs.size()) write_npy(options.outputs[i], result.outputs[i], Here());
    else fmt::print("{}\n", print_tensor(result.outputs[i], options.hexadecimal));
  }
  for (const auto& [at, path] : updates) write_npy(path, result.updates[at], Here());
}

}  // namespace

void add_run(CLI::App& app) {
  auto options = std::make_shared<RunOptions>();
  CLI::App* command = app.add_subcommand("run", "Computes a graph's outputs");
  command->add_option("FILE", options->file, "The graph, as text")->required();
  command->add_option("--input", options->inputs, "NAME=FILE.npy: a variable's value, or a parameter's");
  command->add_option("--output", options->outputs, "FILE.npy: where to write an output, in the order they are returned; those left are printed");
  command->add_option("--update", options->updates, "NAME=FILE.npy: where to write the new value of a parameter");
  command->add_flag("--zeros", options->zeros, "Take zeros for parameters that have no value in the graph's file and no --input");
  command->add_flag("--hex", options->hexadecimal, "Print floats in hexadecimal, as in a graph's text");
  command->add_flag("--interpret", options->interpret, "Run node by node by the operations' reference semantics, not compiled");
  command->add_flag("--check-positions", options->checks_positions, "Refuse positions outside of what gather and scatter_add read and write, naming the line");
  command->callback([options] { run(*options); });
}

}  // namespace sinter::tool
