// Programs as text.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <set>

#include "graph/safetensors.h"
#include "graph/support/file_writer.h"
#include "graph/support/floating_point.h"
#include "graph/text.h"
#include "graph/text_lexer.h"

namespace sinter {
namespace {

// Floats in hexadecimal, or in the fewest decimal digits that read back to the same value.
template <class T>
std::string value_text(T v, bool hexadecimal = true) {
  if constexpr (std::is_same_v<T, bool>) return v ? "true" : "false";
  else if constexpr (std::is_integral_v<T>) return std::to_string(v);
  else if constexpr (is_stored_only(dtype_of<T>())) return value_text(static_cast<float>(v), hexadecimal);
  else {
    if (std::isnan(v)) return "nan";
    if (std::isinf(v)) return v < 0 ? "-inf" : "inf";
    char digits[64];
    if (!hexadecimal) return {digits, std::to_chars(digits, digits + sizeof digits, v).ptr};
    auto end = std::to_chars(digits, digits + sizeof digits, std::abs(v), std::chars_format::hex).ptr;
    return (std::signbit(v) ? "-0x" : "0x") + std::string(digits, end);
  }
}

template <class T>
bool all_alike(std::span<const T> values) {
  auto alike = [&](T v) {
    if constexpr (is_float(dtype_of<T>())) {
      if (std::isnan(v) || std::isnan(values[0])) return std::isnan(v) && std::isnan(values[0]);
    }
    return std::memcmp(&v, &values[0], sizeof(T)) == 0;
  };
  return std::all_of(values.begin(), values.end(), alike);
}

// A single value stands for every element.
bool is_splat(const Tensor& t) {
  return t.size() > 0 && dispatch_stored(t.dtype(), [&](auto tag) { return all_alike(t.data<typename decltype(tag)::type>()); });
}

std::string elements_text(const Tensor& t, int64_t limit, bool hexadecimal = true) {
  return dispatch_stored(t.dtype(), [&](auto tag) -> std::string {
    using T = typename decltype(tag)::type;
    std::span<const T> values = t.data<T>();
    if (!values.empty() && all_alike(values)) return value_text(values[0], hexadecimal);
    std::string text = "[";
    for (size_t i = 0; i < values.size(); ++i) {
      if (static_cast<int64_t>(i) == limit) return text + ", ...]";
      text += (i ? ", " : "") + value_text(values[i], hexadecimal);
    }
    return text + "]";
  });
}

std::string value_text(const std::string& v) { return in_quotes(v); }
std::string value_text(const CustomOperation& v) { return in_quotes(v.name()); }
std::string value_text(const Dim& v) { return to_string(v); }
std::string value_text(DType v) { return std::string(name(v)); }
std::string value_text(const Shape& v) { return to_string(v); }
std::string value_text(const Axes& v) { return to_string(v); }

bool is_left_out(const bool& v) { return !v; }
template <class T>
bool is_left_out(const std::vector<T>& v) { return v.empty(); }
template <class T>
bool is_left_out(const T&) { return false; }

// Fields named by the line itself (a name), and those that are false or empty, are left out.
std::string attributes_text(const Attributes& attributes) {
  std::string text;
  std::visit(
      [&](const auto& a) {
        std::decay_t<decltype(a)>::fields(a, [&](std::string_view field, const auto& v) {
          if (field != "name" && !is_left_out(v)) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", field, value_text(v));
        });
      },
      attributes);
  return text.empty() ? text : " {" + text + "}";
}

class Printer {
 public:
  Printer(const Graph& graph, const PrintOptions& options) : graph_(graph), options_(options) {}

  std::string label(NodeId id) const {
    const Attributes& attributes = graph_.node(id).attributes;
    const std::string* name = nullptr;
    if (auto* variable = std::get_if<VariableAttributes>(&attributes)) name = &variable->name;
    if (auto* parameter = std::get_if<ParameterAttributes>(&attributes)) name = &parameter->name;
    if (!name) return fmt::format("%{}", id.index);
    return "%" + (is_identifier(*name) ? *name : in_quotes(*name));
  }

  // `cut`: a constant shows no more elements than that.
  std::string node(NodeId id, int64_t cut = INT64_MAX) const {
    const Node& n = graph_.node(id);
    std::string text = fmt::format("{} = {}", label(id), n.op < Op::count_ ? info(n.op).name : "?");
    for (size_t i = 0; i < graph_.inputs(id).size(); ++i) text += (i ? ", " : " ") + label(graph_.inputs(id)[i]);
    if (n.op == Op::constant) {
      const Tensor* value = constant(id);
      std::string name = tensor_name(id);
      text += name.empty() ? (value ? " " + elements_text(*value, cut) : " ?") : reference(name);
    } else {
      text += attributes_text(n.attributes);
      if (n.op == Op::parameter && !options_.tensors.empty()) text += reference(tensor_name(id));
    }
    return text + " : " + to_string(n.type);
  }

  std::string origins(NodeId id) const {
    std::vector<const Location*> places;
    for (uint32_t o : graph_.origins(id)) places.push_back(&graph_.location(o));
    std::sort(places.begin(), places.end(), [](auto* a, auto* b) { return std::tie(a->file, a->line) < std::tie(b->file, b->line); });
    places.erase(std::unique(places.begin(), places.end(), [](auto* a, auto* b) { return *a == *b; }), places.end());
    std::string text;
    for (const Location* place : places)
      text += (text.empty() ? "  # " : ", ") + fmt::format("{}:{}", is_bare_file(place->file) ? place->file : in_quotes(place->file), place->line);
    return text;
  }

  // The name in the file of tensors of what this node refers to it for; empty where it does not.
  const std::string& tensor_name(NodeId id) const {
    static const std::string none;
    const Node& n = graph_.node(id);
    if (options_.tensors.empty()) return none;
    if (auto* parameter = std::get_if<ParameterAttributes>(&n.attributes)) return parameter->name;
    const Tensor* value = constant(id);
    if (!value || value->size() <= options_.inline_limit) return none;
    uint32_t index = graph_.attributes<ConstantAttributes>(id).index;
    auto [at, is_new] = constant_names_.try_emplace(index);
    if (!is_new) return at->second;
    if (is_splat(*value)) return at->second;
    at->second = fmt::format("c{}", id.index);
    while (graph_.has_parameter(at->second)) at->second += '_';
    return at->second;
  }

 private:
  const Tensor* constant(NodeId id) const {
    auto* a = std::get_if<ConstantAttributes>(&graph_.node(id).attributes);
    return a && a->index < graph_.constant_count() ? &graph_.constant(a->index) : nullptr;
  }
  std::string reference(const std::string& name) const {
    return fmt::format(" {{file={}, tensor={}}}", in_quotes(options_.tensors), in_quotes(name));
  }

  const Graph& graph_;
  const PrintOptions& options_;
  mutable std::unordered_map<uint32_t, std::string> constant_names_;  // by index; those of the text are empty
};

}  // namespace

std::string print_node(const Graph& graph, NodeId id) {
  PrintOptions options;
  return Printer(graph, options).node(id, 8);
}

std::string print_tensor(const Tensor& t, bool hexadecimal, Here where) {
  FloatingPointEnvironment environment;
  if (!t.defined()) throw UserError("an empty Tensor has nothing to print", where);
  return fmt::format("{} : {}", elements_text(t, PrintOptions().inline_limit, hexadecimal),
                     to_string(Type::of(t.dtype(), Shape(t.sizes().begin(), t.sizes().end()))));
}

std::string print(const Program& program, const PrintOptions& options) {
  FloatingPointEnvironment environment;
  Printer printer(program.graph, options);
  std::string text = "sinter 1\n";
  for (size_t i = 0; i < program.graph.size(); ++i) {
    text += printer.node(NodeId(i));
    if (options.origins) text += printer.origins(NodeId(i));
    text += '\n';
  }
  for (const Update& u : program.updates) text += fmt::format("update {} = {}\n", printer.label(u.parameter), printer.label(u.value));
  text += "return";
  for (size_t i = 0; i < program.outputs.size(); ++i) text += (i ? ", " : " ") + printer.label(program.outputs[i]);
  return text + '\n';
}

std::vector<std::pair<std::string, Tensor>> referenced(const Program& program, const PrintOptions& options) {
  Printer printer(program.graph, options);
  std::vector<std::pair<std::string, Tensor>> tensors;
  std::set<std::string> seen;
  for (size_t i = 0; i < program.graph.size(); ++i) {
    NodeId id(i);
    const std::string& name = printer.tensor_name(id);
    if (name.empty() || !seen.insert(name).second) continue;
    tensors.emplace_back(name, program.graph.node(id).op == Op::parameter ? program.graph.parameter(id)->value : program.graph.constant_value(id));
  }
  return tensors;
}

void write_graph(const Program& program, const std::string& path, PrintOptions options, Here where) {
  std::filesystem::path beside = std::filesystem::path(path).replace_extension(".safetensors");
  options.tensors = beside.filename().string();
  auto tensors = referenced(program, options);
  if (tensors.empty()) options.tensors.clear();
  at_line(where, [&] {
    FileWriter file(path);
    file.write(print(program, options));
    if (!tensors.empty()) write_safetensors(beside.string(), tensors, where);  // now that the text, which names them, has found room
    file.finish();
  });
}

}  // namespace sinter
