// Programs from text. Each line appends the node that it writes and is checked at once; nothing recurses and nothing is trusted.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

#include "graph/builder.h"
#include "graph/safetensors.h"
#include "graph/support/floating_point.h"
#include "graph/text.h"
#include "graph/text_lexer.h"
#include "graph/verify.h"

namespace sinter {
namespace {

// Whole numbers in decimal; floats in decimal or hexadecimal, inf and nan.
template <class T>
T parse_number(std::string_view word) {
  using Parsed = std::conditional_t<is_stored_only(dtype_of<T>()), double, T>;
  std::string_view digits = word;
  Parsed value{};
  std::from_chars_result result{};
  if constexpr (std::is_same_v<T, bool>) {
    if (word == "true" || word == "false") return word == "true";
    throw UserError(fmt::format("a bool is true or false, not '{}'", word));
  } else if constexpr (std::is_integral_v<T>) {
    result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  } else {
    bool negative = digits.starts_with('-');
    if (negative) digits.remove_prefix(1);
    bool hexadecimal = digits.starts_with("0x");
    if (hexadecimal) digits.remove_prefix(2);
    if (digits.starts_with('-') || digits.starts_with('+')) digits = {};
    result = std::from_chars(digits.data(), digits.data() + digits.size(), value, hexadecimal ? std::chars_format::hex : std::chars_format::general);
    if (negative) value = -value;
  }
  if (result.ec == std::errc::result_out_of_range) throw UserError(fmt::format("{} does not fit {}", word, name(dtype_of<T>())));
  if (digits.empty() || result.ec != std::errc() || result.ptr != digits.data() + digits.size())
    throw UserError(fmt::format("'{}' is not a number of type {}", word, name(dtype_of<T>())));
  const T held = static_cast<T>(value);
  if constexpr (is_stored_only(dtype_of<T>()))
    if (std::isinf(held) && !std::isinf(value)) throw UserError(fmt::format("{} does not fit {}", word, name(dtype_of<T>())));
  return held;
}

// The items of a list in brackets.
template <class F>
void parse_list(Cursor& line, std::string_view purpose, F item) {
  line.expect('[', purpose);
  if (line.eat(']')) return;
  do item(line.until(",]}#:"));
  while (line.eat(','));
  line.expect(']', "or ',' in a list");
}

DType parse_dtype(std::string_view word) {
  if (auto dtype = dtype_named(word)) return *dtype;
  std::string known;
  for (DType d : all_dtypes) known += (known.empty() ? "" : ", ") + std::string(name(d));
  throw UserError(fmt::format("there is no type '{}'; there are {}", word, known));
}

Shape parse_shape(Cursor& line) {
  Shape shape;
  parse_list(line, "before a shape", [&](std::string_view item) {
    if (shape.size() == most_axes) throw UserError(fmt::format("a shape has at most {} sizes", most_axes));
    shape.push_back(parse_dim(item));
  });
  return shape;
}

void parse_value(Cursor& line, bool& v) { v = parse_number<bool>(line.word()); }
void parse_value(Cursor& line, int64_t& v) { v = parse_number<int64_t>(line.word()); }
void parse_value(Cursor& line, DType& v) { v = parse_dtype(line.word()); }
void parse_value(Cursor& line, Dim& v) { v = parse_dim(line.until(",}#")); }
void parse_value(Cursor& line, Shape& v) { v = parse_shape(line); }
void parse_value(Cursor& line, Axes& v) {
  v.clear();
  parse_list(line, "before a list", [&](std::string_view item) {
    if (v.size() == most_axes) throw UserError(fmt::format("a list of axes, or of numbers by axis, has at most {}", most_axes));
    v.push_back(parse_number<int64_t>(item));
  });
}
void parse_value(Cursor& line, std::string& v) {
  if (!line.next_is('"')) throw UserError(fmt::format("expected a text in quotes, not {}", line.excerpt()));
  v = line.quoted_text();
}
// Which operation of that name it is, the parser knows.
void parse_value(Cursor& line, CustomOperation& v) {
  std::string name;
  parse_value(line, name);
  v = CustomOperation::without_function(name, Type::unknown());
}
void parse_value(Cursor&, uint32_t&) { throw UserError("a constant is written as its elements, or as a tensor of a file"); }

template <class T>
constexpr bool may_be_left_out = std::is_same_v<T, bool> || std::is_same_v<T, Axes> || std::is_same_v<T, Shape>;

// {field=value, ...}, as the struct's fields() name them.
template <class A>
void parse_fields(Cursor& line, std::string_view owner, A& attributes) {
  std::vector<std::string> seen;
  if (line.eat('{') && !line.eat('}')) {
    do {
      std::string field(line.identifier()), known;
      line.expect('=', fmt::format("after the attribute '{}'", field));
      if (std::find(seen.begin(), seen.end(), field) != seen.end()) throw UserError(fmt::format("{} is given twice", field));
      seen.push_back(field);
      bool found = false;
      A::fields(attributes, [&](std::string_view candidate, auto& value) {
        known += (known.empty() ? "" : ", ") + std::string(candidate);
        if (candidate == field) parse_value(line, value), found = true;
      });
      if (!found) throw UserError(fmt::format("{} has no attribute '{}'; it has {}", owner, field, known.empty() ? "none" : known));
    } while (line.eat(','));
    line.expect('}', "or ',' after an attribute");
  }
  A::fields(attributes, [&](std::string_view field, auto& value) {
    if (!may_be_left_out<std::decay_t<decltype(value)>> && std::find(seen.begin(), seen.end(), field) == seen.end())
      throw UserError(fmt::format("{} needs the attribute '{}'", owner, field));
  });
}

Type parse_type(Cursor& line) {
  if (line.eat('?')) return Type::unknown();
  std::string_view word = line.identifier();
  Type type;
  if (word == "weak") type.weak = true, word = line.identifier();
  if (word.empty()) throw UserError(fmt::format("expected a type such as f32[batch, 10], or ?, not {}", line.excerpt()));
  type.dtype = parse_dtype(word);
  type.shape = parse_shape(line);
  return type;
}

// FILE:LINE, FILE:LINE ... where that is what the comment is; nothing where it is anything else.
std::vector<Location> parse_origins(std::string_view comment) {
  std::vector<Location> places;
  if (comment.empty()) return places;
  Cursor line(comment.substr(1));
  do {
    std::string file;
    std::string_view number;
    if (line.next_is('"')) {
      try {
        file = line.quoted_text();
      } catch (const UserError&) {
        return {};
      }
      if (!line.eat(':')) return {};
      number = line.until(",");
    } else {
      std::string_view item = line.until(",");
      size_t colon = item.rfind(':');
      if (colon == std::string_view::npos || !is_bare_file(item.substr(0, colon))) return {};
      file = item.substr(0, colon);
      number = item.substr(colon + 1);
    }
    uint32_t at = 0;
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), at);
    if (file.empty() || number.empty() || error != std::errc() || end != number.data() + number.size()) return {};
    places.emplace_back(std::move(file), at);
  } while (line.eat(','));
  return places;
}

struct FileReference {
  std::string file, tensor;
  template <class Self, class F>
  static void fields(Self& self, F&& f) { f("file", self.file), f("tensor", self.tensor); }
};

class Parser {
 public:
  Parser(std::string_view file_name, const ParseOptions& options) : file_name_(file_name), options_(options) {}

  Program run(std::string_view text) {
    bool headed = false, ended = text.ends_with('\n');
    uint32_t number = 0;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // the mark that some editors set before UTF-8
    while (!text.empty()) {
      size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      here_ = Location(file_name_, ++number);
      try {
        Cursor cursor(line);
        if (cursor.at_end()) continue;
        if (headed) statement(cursor);
        else header(cursor), headed = true;
      } catch (const UserError& error) {
        throw UserError(printable(error.message()), here_);
      }
    }
    here_ = Location(file_name_, number == 0 ? 1 : number);
    if (!headed) throw UserError("the text is empty; it begins with the line 'sinter 1'", here_);
    // So that no part of a text is taken for the whole.
    if (returned_ == 0) throw UserError("the text ends without its last statement, 'return' and what is returned, if anything; was it cut short?", here_);
    if (!ended) throw UserError("the last line does not end in a newline, so that it may have been cut short; add one where it is whole", here_);
    return std::move(program_);
  }

 private:
  static void header(Cursor& line) {
    std::string_view word = line.identifier(), version = line.identifier();
    if (word != "sinter" || version.empty()) throw UserError("a graph's text begins with the line 'sinter 1'");
    if (version != "1") throw UserError(fmt::format("the text is of version {}; this reads version 1", version));
    end(line);
  }

  static void end(Cursor& line) {
    if (!line.at_end()) throw UserError(fmt::format("expected the end of the line, not {}", line.excerpt()));
  }

  void statement(Cursor& line) {
    if (returned_ != 0) throw UserError(fmt::format("nothing comes after 'return', which is on line {}", returned_));
    if (line.next_is('%')) return node(line);
    std::string_view word = line.identifier();
    if (word == "return") {
      returned_ = here_.line;
      while (!line.at_end()) {
        program_.outputs.push_back(operand(line));
        if (auto fault = fault_of_output(program_.graph, program_.outputs.back())) throw UserError(*fault);
        if (!line.eat(',')) break;
        if (line.at_end()) throw UserError("a value is missing after the last ','");
      }
    } else if (word == "update") {
      NodeId parameter = operand(line);
      line.expect('=', "between the parameter and its new value");
      program_.updates.push_back({parameter, operand(line)});
      if (auto fault = fault_of_update(program_.graph, program_.updates.back())) throw UserError(*fault);
      auto [earlier, is_new] = updated_.try_emplace(parameter, here_.line);
      if (!is_new) throw UserError(fmt::format("this parameter is updated twice; first on line {}", earlier->second));
    } else {
      throw UserError(
          fmt::format("expected a node such as '%3 = add %1, %2 : f32[]', 'update' or 'return', not '{}'", word.empty() ? line.excerpt() : word));
    }
    end(line);
  }

  // A label as it is looked up: identifiers and numbers bare, all else in quotes. `name`: what it names if it labels a variable.
  std::string label(Cursor& line, std::string& name) {
    line.expect('%', "before the name of a value");
    if (line.next_is('"')) {
      name = line.quoted_text();
      return is_identifier(name) ? name : in_quotes(name);
    }
    std::string label(line.identifier());
    bool is_number = !label.empty() && std::all_of(label.begin(), label.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number && !is_identifier(label)) throw UserError("a value is named %17, %name or %\"any name\"");
    name = is_number ? "" : label;
    return label;
  }

  NodeId operand(Cursor& line) {
    std::string name, key = label(line, name);
    auto found = labels_.find(key);
    if (found == labels_.end()) throw UserError(fmt::format("%{} is not defined above this line", key));
    return found->second.id;
  }

  void node(Cursor& line) {
    std::string name, key = label(line, name);
    if (auto earlier = labels_.find(key); earlier != labels_.end())
      throw UserError(fmt::format("%{} is defined twice; first on line {}", key, earlier->second.line));
    line.expect('=', "after the name of a node");
    std::string_view op_name = line.identifier();
    const OpInfo* row = op_named(op_name);
    if (!row) throw UserError(fmt::format("there is no operation '{}'; 'sinter ops' lists them", op_name));
    std::vector<NodeId> inputs;
    if (line.next_is('%')) {
      do inputs.push_back(operand(line));
      while (line.eat(','));
    }
    if (row->arity != any_arity && static_cast<int>(inputs.size()) != row->arity)
      throw UserError(fmt::format("{} takes {} operand{}, not {}", row->name, row->arity, row->arity == 1 ? "" : "s", inputs.size()));
    Attributes attributes = blank_attributes(row->op);
    NodeId id;
    if (row->op == Op::constant) id = constant(line);
    else if (row->op == Op::parameter) id = parameter(line, name);
    else {
      if (row->op == Op::variable) attributes = VariableAttributes{named(name)};
      else std::visit([&](auto& a) { parse_fields(line, row->name, a); }, attributes);
      auto* call = std::get_if<CustomCallAttributes>(&attributes);
      if (call) find_operation(line, call->operation);
      Type type = type_or_inferred(line, row->op, inputs, attributes);
      if (call && !call->operation.can_be_called()) call->operation = CustomOperation::without_function(call->operation.name(), type);
      id = program_.graph.append(row->op, inputs, attributes, type, {});
    }
    end(line);
    if (auto fault = fault_of(program_.graph, id)) throw UserError(fmt::format("{}: {}", row->name, *fault));
    Origins origins;
    for (const Location& place : parse_origins(line.comment())) origins = united(origins, {program_.graph.intern(place)});
    if (origins.empty() && options_.lines_as_origins) origins = {program_.graph.intern(here_)};
    program_.graph.add_origins(id, origins);
    labels_.emplace(std::move(key), Label{id, here_.line});
  }

  // The operation of that name among those given, if there is one; without it the line must say the type.
  void find_operation(Cursor& line, CustomOperation& operation) const {
    auto found = std::ranges::find(options_.operations, operation.name(), &CustomOperation::name);
    if (found != options_.operations.end()) operation = *found;
    else if (!line.next_is(':'))
      throw UserError(fmt::format("there is no custom operation '{}' here, so its line must say what type it gives, as in ': f32[batch, 10]'", operation.name()));
  }

  static std::string named(const std::string& name) {
    if (name.empty()) throw UserError("a variable or parameter is called by its name, as in %x or %\"my x\", not by a number");
    return name;
  }

  // What the line says, or what follows from the operands where it says nothing.
  Type type_or_inferred(Cursor& line, Op op, const std::vector<NodeId>& inputs, const Attributes& attributes) {
    if (line.eat(':')) return parse_type(line);
    if (op == Op::variable) throw UserError("a variable needs a type, as in ': f32[batch, 10]', or ': ?' for one given at the call");
    std::vector<Type> types;
    for (NodeId i : inputs) types.push_back(program_.graph.type(i));
    if (std::any_of(types.begin(), types.end(), [](const Type& t) { return !t.known; })) return Type::unknown();
    auto refuse = [&](const std::string& why) { throw UserError(fmt::format("{}: {}", info(op).name, why)); };
    if (auto fault = fault_of_operands(op, types, attributes)) refuse(*fault);
    try {
      return infer_type(op, types, attributes);
    } catch (const UserError& error) {
      refuse(error.message());
    }
    return {};
  }

  std::vector<int64_t> sizes_of(const Type& type) {
    std::vector<int64_t> sizes;
    for (const Dim& d : type.shape) {
      if (!d.is_number()) throw UserError(fmt::format("its sizes must be numbers, not {}", to_string(d)));
      sizes.push_back(d.number());
    }
    allocated_ += static_cast<size_t>(checked_multiply(element_count(sizes), static_cast<int64_t>(size_of(type.dtype))));
    if (allocated_ > options_.max_bytes)
      throw UserError(fmt::format("the constants and parameters up to here take more than the {} bytes allowed", options_.max_bytes));
    return sizes;
  }

  Type leaf_type(Cursor& line, std::string_view what) {
    line.expect(':', fmt::format("and a type after a {}", what));
    Type type = parse_type(line);
    if (!type.known) throw UserError(fmt::format("a {} needs a type, not ?", what));
    return type;
  }

  Tensor referenced(Cursor& line, std::string_view what, Type& type) {
    FileReference reference;
    parse_fields(line, what, reference);
    type = leaf_type(line, what);
    std::filesystem::path file(reference.file);
    bool climbs = file.is_absolute() || std::find(file.begin(), file.end(), "..") != file.end();
    bool is_odd = printable(reference.file) != reference.file;  // a zero in it would end it for the system, and not here
    if (options_.directory.empty() || climbs || is_odd)
      throw UserError(fmt::format("{} is not to be read from here: only files beside a graph's own are", in_quotes(reference.file)));
    std::vector<int64_t> sizes = sizes_of(type);
    auto at = files_.find(reference.file);
    if (at == files_.end()) at = files_.try_emplace(reference.file, (std::filesystem::path(options_.directory) / file).string(), Here()).first;
    const Type held = at->second.type(reference.tensor, Here());
    if (held.dtype != type.dtype || held.shape != type.shape)
      throw UserError(
          fmt::format("the tensor {} of {} is {}, not {}", in_quotes(reference.tensor), in_quotes(reference.file), to_string(held), to_string(type)));
    return at->second.read(reference.tensor, Here());
  }

  NodeId parameter(Cursor& line, const std::string& name) {
    named(name);
    Type type;
    Tensor value;
    if (line.next_is('{')) value = referenced(line, "parameter", type);
    else {
      type = leaf_type(line, "parameter");
      value = Tensor(type.dtype, sizes_of(type));
      if (options_.without_value) options_.without_value->push_back(name);
    }
    program_.graph.add_parameter(std::make_shared<ParameterStorage>(name, value));
    return program_.graph.append(Op::parameter, {}, ParameterAttributes{name}, type, {});
  }

  NodeId constant(Cursor& line) {
    Type type;
    Tensor value;
    if (line.next_is('{')) value = referenced(line, "constant", type);
    else {
      std::vector<std::string_view> words;
      bool is_list = line.next_is('[');
      if (is_list) parse_list(line, "before elements", [&](std::string_view item) { words.push_back(item); });
      else words.push_back(line.word());
      if (words.size() == 1 && words[0].empty())
        throw UserError(fmt::format("expected the elements of a constant, as in 0x1.8p+1 or [1, 2], not {}", line.excerpt()));
      type = leaf_type(line, "constant");
      value = elements(words, is_list, type);
    }
    return program_.graph.append(Op::constant, {}, ConstantAttributes{program_.graph.add_constant(value)}, type, {});
  }

  Tensor elements(const std::vector<std::string_view>& words, bool is_list, const Type& type) {
    std::vector<int64_t> sizes = sizes_of(type);
    int64_t count = element_count(sizes);
    if (is_list && static_cast<int64_t>(words.size()) != count)
      throw UserError(fmt::format("{} takes {} elements, or one outside brackets for all; here are {}", to_string(type), count, words.size()));
    Tensor value = Tensor::uninitialized(type.dtype, sizes);
    dispatch_stored(type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      std::span<T> to = value.data<T>();
      if (is_list) std::transform(words.begin(), words.end(), to.begin(), [](std::string_view w) { return parse_number<T>(w); });
      else std::fill(to.begin(), to.end(), parse_number<T>(words[0]));
    });
    return value;
  }

  struct Label {
    NodeId id;
    uint32_t line;
  };
  std::string file_name_;
  const ParseOptions& options_;
  Location here_;
  Program program_;
  std::unordered_map<std::string, Label> labels_;
  std::map<std::string, SafetensorsFile> files_;
  std::unordered_map<NodeId, uint32_t> updated_;  // parameters, and on which line
  uint32_t returned_ = 0;
  size_t allocated_ = 0;
};

}  // namespace

Program parse(std::string_view text, std::string_view file_name, const ParseOptions& options) {
  FloatingPointEnvironment environment;
  return Parser(file_name, options).run(text);
}

namespace {

std::string bytes_of_graph(const std::string& path) {
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    bool missing = !error || error == std::errc::no_such_file_or_directory;
    throw SystemError(fmt::format("{}: {}", path, missing ? "there is no such file" : error.message()));
  }
  if (std::filesystem::is_directory(status)) throw SystemError(fmt::format("{}: this is a folder, not a graph's file", path));
  if (!std::filesystem::is_regular_file(status)) throw SystemError(fmt::format("{}: this is a pipe or a device; a graph is read from an ordinary file", path));
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file && file.peek() != std::ifstream::traits_type::eof()) text << file.rdbuf();  // which fails where there is nothing
  if (file.bad() || !file.is_open() || !text) throw SystemError(fmt::format("{}: cannot be read", path));
  return std::move(text).str();
}

}  // namespace

Program read_graph(const std::string& path, ParseOptions options, Here where) {
  const std::string text = at_line(where, [&] { return bytes_of_graph(path); });
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  options.directory = folder.empty() ? "." : folder.string();
  return parse(text, path, options);
}

}  // namespace sinter
