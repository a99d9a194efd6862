#include "graph/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <optional>

#include "graph/builder.h"
#include "graph/verify.h"

namespace sinter {
namespace {

std::vector<std::string> names_of_operands(const OpInfo& row) {
  std::string_view rest = !row.operands.empty() ? row.operands : row.arity == 1 ? "x" : row.arity == 2 ? "a, b" : "";
  std::vector<std::string> names;
  while (!rest.empty()) {
    size_t comma = rest.find(", ");
    names.emplace_back(rest.substr(0, comma));
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 2);
  }
  return names;
}

std::string_view word_for(const bool&) { return "bool"; }
std::string_view word_for(const int64_t&) { return "int"; }
std::string_view word_for(const Axes&) { return "[int, ...]"; }
std::string_view word_for(const Dim&) { return "size"; }
std::string_view word_for(const Shape&) { return "[size, ...]"; }
std::string_view word_for(const DType&) { return "type"; }
std::string_view word_for(const std::string&) { return "text"; }
std::string_view word_for(const CustomOperation&) { return "text"; }
std::string_view word_for(const uint32_t&) { return "value"; }

// Calls visit(name, value) for each attribute that a line of text says in braces: not a name, which stands before the '='.
template <class F>
void each_attribute(Op op, F visit) {
  Attributes attributes = blank_attributes(op);
  std::visit(
      [&](auto& a) {
        std::decay_t<decltype(a)>::fields(a, [&](std::string_view field, auto& value) {
          if (field != "name") visit(field, value);
        });
      },
      attributes);
}

std::string signature_of(const OpInfo& row) {
  std::string attributes;
  each_attribute(row.op, [&](std::string_view field, auto& value) { attributes += fmt::format("{}{}={}", attributes.empty() ? "" : ", ", field, word_for(value)); });
  if (row.op == Op::constant) attributes = " ELEMENTS";
  else if (!attributes.empty()) attributes = " {" + attributes + "}";
  std::vector<std::string> operands = names_of_operands(row);
  return fmt::format("{}{}{}{}", row.name, operands.empty() ? "" : " ", fmt::join(operands, ", "), attributes);
}

std::string written_as(const OpInfo& row) {
  if (!row.written.empty()) return std::string(row.written);
  std::vector<std::string> arguments = names_of_operands(row);
  each_attribute(row.op, [&](std::string_view field, auto&) { arguments.emplace_back(field); });
  return fmt::format("{}({})", row.name, fmt::join(arguments, ", "));
}

// What the builder makes of operands of these types, whatever their shapes: the result's type, or nothing where it takes them in none.
std::optional<Type> result_of(const OpInfo& row, const std::vector<DType>& operands, const Attributes& attributes) {
  for (size_t ranks = 0; ranks < size_t{1} << operands.size(); ++ranks) {
    Graph graph;
    std::vector<NodeId> inputs;
    for (size_t i = 0; i < operands.size(); ++i) inputs.push_back(build_variable(graph, std::to_string(i), Type::of(operands[i], Shape(ranks >> i & 1, Dim(1)))));
    try {
      return graph.type(build(graph, row.op, inputs, attributes));
    } catch (const UserError&) {
    }
  }
  return {};
}

// Of types that compute: what becomes of those that are only stored is told by keeps_stored().
struct Accepted {
  std::vector<DType> operands;
  Type result;
};
std::vector<Accepted> accepted_by(const OpInfo& row) {
  std::vector<Accepted> accepted;
  std::vector<DType> operands(static_cast<size_t>(row.arity));
  size_t tuples = 1;
  for (int i = 0; i < row.arity; ++i) tuples *= std::size(computing_dtypes);
  for (size_t tuple = 0; tuple < tuples; ++tuple) {
    for (size_t i = 0, rest = tuple; i < operands.size(); ++i, rest /= std::size(computing_dtypes)) operands[i] = computing_dtypes[rest % std::size(computing_dtypes)];
    if (auto result = result_of(row, operands, blank_attributes(row.op))) accepted.push_back({operands, *result});
  }
  return accepted;
}

// Whether f16 comes out where it goes in in the place of f32, as f32 does.
bool keeps_stored(const OpInfo& row, const std::vector<Accepted>& accepted) {
  return std::ranges::any_of(accepted, [&](const Accepted& a) {
    std::vector<DType> stored = a.operands;
    std::ranges::replace(stored, f32, f16);
    if (a.result.dtype != f32 || stored == a.operands) return false;
    auto result = result_of(row, stored, blank_attributes(row.op));
    return result && result->dtype == f16;
  });
}

std::string word_for(const std::vector<DType>& types) {
  auto all_that = [&](auto holds) { return std::ranges::equal(types, [&] {
    std::vector<DType> those;
    std::ranges::copy_if(computing_dtypes, std::back_inserter(those), holds);
    return those;
  }()); };
  if (all_that([](DType) { return true; })) return "any";
  if (all_that([](DType t) { return t != boolean; })) return "number";
  if (all_that([](DType t) { return is_integer(t); })) return "integer";
  if (all_that([](DType t) { return is_float(t); })) return "float";
  if (all_that([](DType t) { return !is_float(t); })) return "integer or bool";
  std::vector<std::string_view> names;
  for (DType t : types) names.push_back(name(t));
  return fmt::format("{}", fmt::join(names, ", "));
}

bool are_of_one_type(const std::vector<Accepted>& accepted) {
  return std::ranges::all_of(accepted, [](const Accepted& a) { return std::ranges::all_of(a.operands, [&](DType t) { return t == a.operands[0]; }); });
}

std::string operands_taken(const std::vector<Accepted>& accepted, size_t arity) {
  std::vector<std::string> words;
  size_t combinations = 1;
  for (size_t k = 0; k < arity; ++k) {
    std::vector<DType> types;
    std::ranges::copy_if(computing_dtypes, std::back_inserter(types), [&](DType t) { return std::ranges::any_of(accepted, [&](const Accepted& a) { return a.operands[k] == t; }); });
    combinations *= types.size();
    words.push_back(word_for(types));
  }
  std::string text = fmt::format("{}", fmt::join(words, ", "));
  if (accepted.size() == combinations) return text;
  if (are_of_one_type(accepted)) return text + " of one type";
  auto all_bool = [](const Accepted& a) { return std::ranges::all_of(a.operands, [](DType t) { return t == boolean; }); };
  if (accepted.size() + 1 == combinations && std::ranges::none_of(accepted, all_bool)) return text + ", not all bool";
  throw InternalError("which types an operation takes cannot be said in the words there are");
}

// How a result's type follows from the common one of the operands: what is to be said beside that it is that one; nothing where it does not.
std::optional<std::string> from_common(const std::vector<Accepted>& accepted) {
  std::vector<std::optional<DType>> given(std::size(computing_dtypes));
  for (const Accepted& a : accepted) {
    auto& result = given[static_cast<size_t>(std::accumulate(a.operands.begin(), a.operands.end(), boolean, promote))];
    if (result && *result != a.result.dtype) return {};
    result = a.result.dtype;
  }
  auto is_float_of_it = [&](DType t) { return !given[static_cast<size_t>(t)] || given[static_cast<size_t>(t)] == float_for(t); };
  if (std::ranges::all_of(computing_dtypes, is_float_of_it) && given[static_cast<size_t>(i64)]) return " as float";
  std::string others;
  for (DType to : computing_dtypes) {
    std::vector<std::string_view> from;
    for (DType t : computing_dtypes)
      if (t != to && given[static_cast<size_t>(t)] == to) from.push_back(name(t));
    if (!from.empty()) others += fmt::format("{}{} -> {}", others.empty() ? "" : "; ", fmt::join(from, ", "), name(to));
  }
  return others.empty() ? "" : " (" + others + ")";
}

std::string result_given(const OpInfo& row, const std::vector<Accepted>& accepted) {
  auto always = [&](auto type_of) { return std::ranges::all_of(accepted, [&](const Accepted& a) { return a.result.dtype == type_of(a); }); };
  if (always([&](const Accepted&) { return accepted[0].result.dtype; })) return fmt::format("{}{}", accepted[0].result.weak ? "weak " : "", name(accepted[0].result.dtype));
  if (auto beside = from_common(accepted)) return (row.arity == 1 ? "the same" : are_of_one_type(accepted) ? "that type" : "their common type") + *beside;
  for (size_t k = 0; k < static_cast<size_t>(row.arity); ++k)
    if (always([&](const Accepted& a) { return a.operands[k]; })) return "the type of " + names_of_operands(row)[k];
  throw InternalError("which type an operation gives cannot be said in the words there are");
}

std::string types_of(const OpInfo& row) {
  bool by_attribute = false;
  each_attribute(row.op, [&](std::string_view, auto& value) { by_attribute = by_attribute || std::is_same_v<std::decay_t<decltype(value)>, DType>; });
  const std::string given = "the attribute `dtype`";
  if (row.arity == 0 && by_attribute) return given;
  if (row.family == Family::leaf && row.op != Op::dimension) return "any";
  if (row.arity == any_arity) return "by the operation's own rule";
  std::vector<Accepted> accepted = accepted_by(row);
  if (accepted.empty()) throw InternalError(fmt::format("the builder takes '{}' of no types at all", row.name));
  return (row.arity == 0 ? "" : operands_taken(accepted, static_cast<size_t>(row.arity)) + " -> ") + (by_attribute ? given : result_given(row, accepted)) +
         (keeps_stored(row, accepted) ? ", f16 and bf16 too" : "");
}

std::string shape_of(const OpInfo& row) {
  if (row.family != Family::elementwise) return std::string(row.shape);
  return row.arity == 1 ? "that of x" : "what the operands broadcast to";
}

std::string gradient_of(const OpInfo& row) {
  if (row.family == Family::leaf) return "none: it has no operands";
  if (row.family == Family::sugar) return "that of what it stands for";
  return std::string(row.derivative);
}

OpGroup heading_of(const OpInfo& row) {
  switch (row.family) {
    case Family::leaf: return {"Leaves", "What has no operands.", {}};
    case Family::elementwise:
      if (row.arity == 1) return {"Elementwise, of one operand", "The result has the shape of x.", {}};
      return {"Elementwise, of two or three operands", "The result has the shape that the operands broadcast to, as NumPy broadcasts.", {}};
    case Family::movement: return {"Movement", "Where elements go. In kernels these are index maps, and cost nothing by themselves.", {}};
    case Family::reduction: return {"Reductions", "Over some axes, or all.", {}};
    case Family::indexing: return {"Indexing", "By positions that are computed.", {}};
    case Family::contraction: return {"Contraction", "What every product of matrices becomes.", {}};
    case Family::identity: return {"Identity", "What changes no value.", {}};
    case Family::call: return {"Calls", "What the graph does not look into.", {}};
    case Family::sugar: return {"Short for others", "The builder puts other operations in their place as soon as it knows the operands' types.", {}};
  }
  throw InternalError("a family outside its enumeration");
}

// How many letters must be put in, left out, replaced, or exchanged with the next one to make one word of the other.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> of(a.size() + 1, std::vector<size_t>(b.size() + 1));  // of their beginnings
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        of[i][j] = i + j;
        continue;
      }
      of[i][j] = std::min({of[i - 1][j] + 1, of[i][j - 1] + 1, of[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) of[i][j] = std::min(of[i][j], of[i - 2][j - 2] + 1);
    }
  return of[a.size()][b.size()];
}

std::string cell(std::string_view text) {
  std::string escaped;
  for (char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

}  // namespace

OpDescription describe(const OpInfo& row) { return {signature_of(row), written_as(row), types_of(row), shape_of(row), gradient_of(row)}; }

std::vector<OpGroup> op_groups() {
  std::vector<OpGroup> groups;
  for (const OpInfo& row : op_table()) {
    OpGroup heading = heading_of(row);
    if (groups.empty() || groups.back().title != heading.title) groups.push_back(heading);
    groups.back().rows.push_back(&row);
  }
  return groups;
}

std::string_view description_legend() {
  return "Types are bool; u8, i32, i64, u32 and u64, which are integers; f32 and f64, which are floats. `any` is all of them, `number` all but bool. "
         "f16 and bf16 are only stored: where a row says so they stay what they are, elsewhere they are taken to f32 first. "
         "Operands of several types meet in their common one. `as float`: integers up to i32 and bool become f32, wider ones f64. Literals take the type of what they meet. "
         "In gradients g is the adjoint of the result y; there is one formula for each operand, and `none` where nothing flows to it.";
}

std::string reference_page() {
  std::string page = fmt::format(
      "# Operations\n\nMade by `sinter ops --markdown > graph/ops/REFERENCE.md` from the op table; a test holds the two to each other. What numbers mean at "
      "the edges (overflow, NaN, division by zero, rounding) stands in [README.md](README.md). What is made of these operations is declared, each with what "
      "it computes, in [../nn](../nn), [../arrays](../arrays) and [../../autodiff](../../autodiff).\n\n{}\n\n"
      "An operation is shown as a graph's text writes it, attributes in braces; those that are false or empty may be left out.\n",
      description_legend());
  for (const OpGroup& group : op_groups()) {
    bool one_shape = group.rows[0]->family == Family::elementwise;
    page += fmt::format("\n## {}\n\n{}\n\n| operation | in C++ | what it computes | types |{} gradient |\n|---|---|---|---|{}---|\n", group.title, group.about, one_shape ? "" : " shape |",
                        one_shape ? "" : "---|");
    for (const OpInfo* row : group.rows) {
      OpDescription d = describe(*row);
      auto code = [](const std::string& text) { return "`" + cell(text) + "`"; };
      bool formula = row->gradient && d.gradient != not_differentiable;
      page += fmt::format("| {} | {} | {} | {} |{} {} |\n", code(d.signature), code(d.written), cell(row->doc), cell(d.types), one_shape ? "" : " " + cell(d.shape) + " |",
                          formula ? code(d.gradient) : d.gradient);
    }
  }
  return page;
}

std::vector<std::string_view> names_near(std::string_view wanted) {
  std::vector<std::string_view> near;
  size_t least = std::max<size_t>(1, wanted.size() / 3);
  for (const OpInfo& row : op_table()) {
    size_t off = distance(wanted, row.name);
    if (off < least) near.clear(), least = off;
    if (off == least) near.push_back(row.name);
  }
  if (near.empty() && wanted.size() > 1)
    for (const OpInfo& row : op_table())
      if (row.name.find(wanted) != std::string_view::npos || wanted.find(row.name) != std::string_view::npos) near.push_back(row.name);
  return near;
}

}  // namespace sinter
