// What a row of the op table must say of itself, beside what other areas ask of it: an oracle (conformance, goldens), a gradient that is
// right (gradients), operands to be drawn with (fuzz), text (text).
#include <algorithm>
#include <catch2/catch.hpp>
#include <fstream>
#include <regex>
#include <sstream>

#include "graph/describe.h"

namespace sinter {
namespace {

std::string contents(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

size_t pieces(std::string_view list, char separator) { return list.empty() ? 0 : 1 + static_cast<size_t>(std::ranges::count(list, separator)); }

}  // namespace

TEST_CASE("every row says what it does, to what, in which shape, and what its gradient is", "[graph]") {
  for (const OpInfo& row : op_table()) {
    INFO(row.name);
    CHECK(row.doc.ends_with('.'));
    CHECK(row.shape.empty() == (row.family == Family::elementwise));
    CHECK(row.derivative.empty() == (row.family == Family::leaf || row.family == Family::sugar));
    CHECK((row.gradient != nullptr) == (!row.derivative.empty() && row.derivative != not_differentiable));
    if (row.gradient && row.arity != any_arity) CHECK(pieces(row.derivative, ';') == static_cast<size_t>(row.arity));
    CHECK(row.domains.size() == (row.family == Family::elementwise ? static_cast<size_t>(row.arity) : 0));
    OpDescription d = describe(row);
    std::string operands = d.signature.substr(0, d.signature.find(" {")).substr(row.name.size());
    if (row.op != Op::constant && row.arity != any_arity) CHECK(pieces(operands, ',') == static_cast<size_t>(row.arity));
    for (const std::string& said : {d.types, d.shape, d.gradient}) CHECK(!said.empty());
  }
}

TEST_CASE("types are described as the builder takes them", "[graph]") {
  auto types_of = [](std::string_view name) { return describe(*op_named(name)).types; };
  CHECK(types_of("tanh") == "any -> the same as float");
  CHECK(types_of("add") == "any, any -> their common type (bool -> i32)");
  CHECK(types_of("power") == "any, any -> their common type as float");
  CHECK(types_of("abs") == "any -> the same (bool -> i32)");
  CHECK(types_of("less") == "any, any -> bool");
  CHECK(types_of("bitwise_and") == "integer or bool, integer or bool -> their common type");
  CHECK(types_of("shift_left") == "integer or bool, integer or bool, not all bool -> their common type");
  CHECK(types_of("select") == "bool, any, any -> their common type, f16 and bf16 too");
  CHECK(types_of("convert") == "any -> the attribute `dtype`");
  CHECK(types_of("sum") == "any -> the same (bool, u8, i32 -> i64; u32 -> u64)");
  CHECK(types_of("gather") == "any, integer -> the type of x, f16 and bf16 too");
  CHECK(types_of("contract") == "number, number of one type -> that type");
  CHECK(types_of("size") == "any -> weak i64");
}

TEST_CASE("what a row says users write is declared for them", "[graph]") {
  const std::string header = contents("graph/expr.h");
  for (const OpInfo& row : op_table()) {
    const std::string written = describe(row).written;
    INFO(row.name << ": " << written);
    std::smatch parts;
    std::string declared;
    if (std::regex_match(written, parts, std::regex("([a-z0-9_]+)\\(.*\\)"))) declared = "Expr " + parts[1].str() + "(";
    else if (std::regex_match(written, parts, std::regex("([A-Z][a-z]+)\\(.*\\)"))) declared = "class " + parts[1].str() + " ";
    else if (std::regex_match(written, parts, std::regex("[a-z] ?([^a-z ]+) ?[a-z]|([^a-z])x"))) declared = "Expr operator" + parts[1].str() + parts[2].str() + "(";
    REQUIRE(!declared.empty());
    CHECK(header.find(declared) != std::string::npos);
  }
}

TEST_CASE("the reference page is what the table says", "[graph]") {
  INFO("make it anew: build/release/sinter ops --markdown > graph/ops/REFERENCE.md");
  const bool same = contents("graph/ops/REFERENCE.md") == reference_page();
  CHECK(same);
}

TEST_CASE("a misspelled operation has others near it", "[graph]") {
  using Names = std::vector<std::string_view>;
  CHECK(names_near("tahn") == Names{"tan", "tanh"});
  CHECK(names_near("transpos") == Names{"transpose"});
  CHECK(names_near("scatter") == Names{"scatter_add"});
  CHECK(names_near("zzzzzz") == Names{});
  CHECK(names_near("") == Names{});
}

}  // namespace sinter
