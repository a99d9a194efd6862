// What is wrong with a text is said in one line, with the line of the text and what would be right.
#include <catch2/catch.hpp>

#include "graph/text.h"
#include "tests/raises.h"

using namespace sinter;

namespace {

struct Case {
  std::string body;  // after "sinter 1\n%x = variable : f32[n, 3]\n%b = variable : bool[n, 3]\n%w = parameter : f32[2]\n", so from line 5 on
  uint32_t line;
  std::string message;
};

}  // namespace

TEST_CASE("a malformed line") {
  const Case cases[] = {
      {"%y = exq %x", 5, "there is no operation 'exq'; 'sinter ops' lists them"},
      {"%y = exp %z", 5, "%z is not defined above this line"},
      {"%y = exp %y", 5, "%y is not defined above this line"},
      {"\n%x = exp %x", 6, "%x is defined twice; first on line 2"},
      {"%\"x\" = exp %x", 5, "%x is defined twice; first on line 2"},
      {"%y = add %x", 5, "add takes 2 operands, not 1"},
      {"%y = exp %x, %x", 5, "exp takes 1 operand, not 2"},
      {"%y = exp", 5, "exp takes 1 operand, not 0"},
      {"%y exp %x", 5, "expected '=' after the name of a node, not 'exp %x'"},
      {"y = exp %x", 5, "expected a node such as '%3 = add %1, %2 : f32[]', 'update' or 'return', not 'y'"},
      {"%y = exp %x : f32[n, 3] f32", 5, "expected the end of the line, not 'f32'"},
      {"%y = exp %x : f32[n, 4]", 5, "exp: its type is f32[n, 3], not f32[n, 4]"},
      {"%y = exp %x : f64[n, 3]", 5, "exp: its type is f32[n, 3], not f64[n, 3]"},
      {"%y = exp %x : ?", 5, "exp: all its operands have types, so it has one too"},
      {"%y = exp %x : f33[n]", 5, "there is no type 'f33'; there are bool, u8, i32, i64, u32, u64, f32, f64, f16, bf16"},
      {"%y = exp %x : ", 5, "expected a type such as f32[batch, 10], or ?, not the end of the line"},
      {"%y = exp %x : f32[n, 3", 5, "expected ']' or ',' in a list, not the end of the line"},
      {"%y = exp %x : f32[n, 3!]", 5, "'3!' is not a dimension: write a number, a name, sums and products of those, or a quotient rounded up, as ceil(n/2)"},
      {"%y = exp %x : f32[n, -3]", 5, "exp: a size is negative: [n, -3]"},
      {"%y = exp %x : f32[99999999999999999999]", 5,
       "'99999999999999999999' is not a dimension: write a number, a name, sums and products of those, or a quotient rounded up, as ceil(n/2)"},
      {"%y = exp %b", 5, "exp: it takes floats, not bool; convert first"},
      {"%y = add %x, %b", 5, "add: operands have one type; here f32 and bool; convert one of them"},
      {"%y = add %x, %w", 5, "add: elementwise operands have one shape; here [n, 3] and [2]"},
      {"%y = matmul %x, %x : f32[n, n]", 5, "matmul: it is short for other operations, which must stand here now that the types are known"},
      {"%y = sum %x {axes=[0], axes=[1]}", 5, "axes is given twice"},
      {"%y = sum %x {axis=[0]}", 5, "sum has no attribute 'axis'; it has axes, all, keep"},
      {"%y = exp %x {axis=0}", 5, "exp has no attribute 'axis'; it has none"},
      {"%y = sum %x {axes=0}", 5, "expected '[' before a list, not '0}'"},
      {"%y = sum %x {axes=[q]}", 5, "'q' is not a number of type i64"},
      {"%y = sum %x {axes=[99999999999999999999]}", 5, "99999999999999999999 does not fit i64"},
      {"%y = sum %x {axes=[2]}", 5, "sum: axes [2] must ascend within 2 dimensions"},
      {"%y = sum %x {axes=[-1]} : f32[n]", 5, "sum: axes [-1] must ascend within 2 dimensions"},
      {"%y = sum %x {axes=[1, 0]}", 5, "sum: axes [1, 0] must ascend within 2 dimensions"},
      {"%y = sum %x {all=yes}", 5, "a bool is true or false, not 'yes'"},
      {"%y = sum %x {all=true}", 5, "sum: where the type is known, `all` is the axes themselves, and `keep` a reshape"},
      {"%y = convert %x", 5, "convert needs the attribute 'dtype'"},
      {"%y = convert %x {dtype=i16}", 5, "there is no type 'i16'; there are bool, u8, i32, i64, u32, u64, f32, f64, f16, bf16"},
      {"%y = broadcast %x {shape=[n, 3, 3], axes=[0, 7]}", 5, "broadcast: axes [0, 7] must ascend within the 3 dimensions of [n, 3, 3]"},
      {"%y = reshape %x {shape=[n, 4]}", 5, "reshape: [n, 3] holds 3*n elements, and [n, 4] takes 4*n"},
      {"%y = transpose %x {permutation=[0, 0]}", 5, "transpose: [0, 0] names an axis twice"},
      {"%y = iota {shape=[3], axis=1, dtype=i32}", 5, "iota: axis 1 is outside 1 dimensions"},
      {"%y = iota {shape=[3], dtype=i32}", 5, "iota needs the attribute 'axis'"},
      {"%y = constant 1", 5, "expected ':' and a type after a constant, not the end of the line"},
      {"%y = constant : f32[]", 5, "expected the elements of a constant, as in 0x1.8p+1 or [1, 2], not ': f32[]'"},
      {"%y = constant 1.5 : i32[]", 5, "'1.5' is not a number of type i32"},
      {"%y = constant 256 : u8[]", 5, "256 does not fit u8"},
      {"%y = constant 1e999 : f32[]", 5, "1e999 does not fit f32"},
      {"%y = constant 0x : f32[]", 5, "'0x' is not a number of type f32"},
      {"%y = constant --1 : f32[]", 5, "'--1' is not a number of type f32"},
      {"%y = constant [1, 2] : f32[3]", 5, "f32[3] takes 3 elements, or one outside brackets for all; here are 2"},
      {"%y = constant [1, 2 : f32[2]", 5, "expected ']' or ',' in a list, not ': f32[2]'"},
      {"%y = constant 1 : f32[n]", 5, "its sizes must be numbers, not n"},
      {"%y = constant 1 : ?", 5, "a constant needs a type, not ?"},
      {"%y = constant 1 : f32[1000000000000]", 5, "the constants and parameters up to here take more than the 4294967296 bytes allowed"},
      {"%y = constant 1 : f32[4000000000, 4000000000]", 5, "a size overflows 64 bits: 4000000000 * 4000000000"},
      {"%y = constant {file=\"a.safetensors\", tensor=\"t\"} : f32[2]", 5,
       "\"a.safetensors\" is not to be read from here: only files beside a graph's own are"},
      {"%y = constant {file=a} : f32[2]", 5, "expected a text in quotes, not 'a} : f32[2]'"},
      {"%y = constant {index=0} : f32[2]", 5, "constant has no attribute 'index'; it has file, tensor"},
      {"%v = parameter", 5, "expected ':' and a type after a parameter, not the end of the line"},
      {"%v = parameter : f32[batch]", 5, "its sizes must be numbers, not batch"},
      {"%v = parameter : weak f32[2]", 5, "parameter: only literals are weak"},
      {"%3 = variable : f32[]", 5, "a variable or parameter is called by its name, as in %x or %\"my x\", not by a number"},
      {"%v = variable", 5, "a variable needs a type, as in ': f32[batch, 10]', or ': ?' for one given at the call"},
      {"%v = variable : f32[2000000000, 2000000000, 2000000000]", 5,
       "variable: a value of shape [2000000000, 2000000000, 2000000000] has more than 2^63 bytes"},
      {"%\"a\\n\" = variable : f32[]", 5, "in quotes a backslash begins \\\", \\\\ or \\xNN"},
      {"%\"a\\x0a\" = variable : f32[]", 5, "variable: its name holds a quote, a backslash or a control character"},
      {"%\"a = variable : f32[]", 5, "a quote that opens here does not close on this line"},
      {"% = exp %x", 5, "a value is named %17, %name or %\"any name\""},
      {"%2x = exp %x", 5, "a value is named %17, %name or %\"any name\""},
      {"", 5, "the text ends without its last statement, 'return' and what is returned, if anything; was it cut short?"},
      {"return x", 5, "expected '%' before the name of a value, not 'x'"},
      {"return %x,", 5, "a value is missing after the last ','"},
      {"return %x %x", 5, "expected the end of the line, not '%x'"},
      {"return %x\nreturn %x", 6, "nothing comes after 'return', which is on line 5"},
      {"return\nupdate %w = %w", 6, "nothing comes after 'return', which is on line 5"},
      {"%l = constant 1 : weak i64[]\nreturn %l", 6, "node %3 = constant 1 : weak i64[]: an output is not weak"},
      {"update %x = %x", 5, "node %x = variable : f32[n, 3]: only a parameter is updated"},
      {"update %w = %x", 5, "node %x = variable : f32[n, 3]: what updates a parameter of type f32[2] has that type"},
      {"update %w = %w\nupdate %w = %w", 6, "this parameter is updated twice; first on line 5"},
      {"update %w %w", 5, "expected '=' between the parameter and its new value, not '%w'"},
  };
  for (const Case& c : cases) {
    INFO(c.body);
    Raised error = raised([&] {
      parse("sinter 1\n%x = variable : f32[n, 3]\n%b = variable : bool[n, 3]\n%w = parameter : f32[2]\n" + c.body + "\n", "dir/bad.graph");
    });
    CHECK(error.message == c.message);
    CHECK(to_string(error.where) == "dir/bad.graph:" + std::to_string(c.line));
  }
}

TEST_CASE("a text that is none") {
  const std::pair<std::string, std::string> cases[] = {
      {"", "the text is empty; it begins with the line 'sinter 1'"},
      {"# only a comment\n\n", "the text is empty; it begins with the line 'sinter 1'"},
      {"%x = variable : f32[]", "a graph's text begins with the line 'sinter 1'"},
      {"sinter", "a graph's text begins with the line 'sinter 1'"},
      {"sinter 2", "the text is of version 2; this reads version 1"},
      {"sinter 1 1", "expected the end of the line, not '1'"},
      {"sinter 1\n", "the text ends without its last statement, 'return' and what is returned, if anything; was it cut short?"},
      {"sinter 1\nreturn", "the last line does not end in a newline, so that it may have been cut short; add one where it is whole"},
      {std::string("\0\x01\xff", 3), "a graph's text begins with the line 'sinter 1'"},
  };
  for (const auto& [text, message] : cases) CHECK(raised([&, &body = text] { parse(body, "bad.graph"); }).message == message);
}

TEST_CASE("templates hold back what depends on types, and nothing else") {
  std::string head = "sinter 1\n%x = variable : ?\n";
  CHECK(print(parse(head + "%y = sum %x {axes=[-1], keep=true}\nreturn %y\n", "t.graph")).find("%1 = sum %x {axes=[-1], keep=true} : ?\n") !=
        std::string::npos);
  CHECK(raised([&] { parse(head + "%y = exp %x : f32[2]", "t.graph"); }).message == "exp: an operand has no type yet, so it has none");
}

TEST_CASE("no part of a text is taken for the whole") {
  const std::string texts[] = {
      "sinter 1\n%x = variable : f32[12]\n%w = parameter : f32[]\n%v = parameter : f32[]\nupdate %w = %v\nupdate %v = %w\nreturn\n",
      "sinter 1\r\n%x = variable : f32[12]\r\n%10 = exp %x\r\n%1 = exp %x\r\nreturn %x, %1, %10\r\n",
      "# of comments\n\nsinter 1\n%x = variable : ?  # a.cpp:31\n%1 = exp %x\nreturn %1  # the whole\n",
      print(parse("sinter 1\n%0 = constant [1, 2.5] : f32[2]\n%1 = sum %0 {axes=[0]}\nreturn %0, %1\n", "a.graph")),
  };
  for (const std::string& text : texts) {
    parse(text + "\n# a comment\n", "whole.graph");
    for (size_t i = 0; i < text.size(); ++i) {
      INFO(text.substr(0, i));
      CHECK_THROWS_AS(parse(text.substr(0, i), "cut.graph"), UserError);
    }
  }
}

TEST_CASE("every changed byte of a text either parses or is refused as a user's error") {
  std::string text = R"(sinter 1
%x = variable : f32[batch, 2*k + 3]  # a.cpp:3
%"my w" = parameter : f32[2, 2]
%2 = constant [0x1p+0, -inf] : f32[2]
%3 = broadcast %2 {shape=[2, 2], axes=[1]} : f32[2, 2]
%4 = contract %"my w", %3 {lhs_contracted=[1], rhs_contracted=[0]} : f32[2, 2]
%5 = slice %4 {starts=[0, 1], stops=[2, 2], steps=[1, 1]} : f32[2, 1]
update %"my w" = %4
return %5, %x
)";
  parse("\xEF\xBB\xBF" + text, "marked.graph");
  auto survives = [](const std::string& candidate) {
    try {
      print(parse(candidate, "fuzz.graph"));
    } catch (const UserError&) {
    }
  };
  for (size_t i = 0; i < text.size(); ++i)
    for (char c : {'\0', '\n', '"', '%', '[', ']', '{', '}', ',', '9', '-', '\xff', ' '}) {
      std::string changed = text;
      changed[i] = c;
      survives(changed);
    }
}

TEST_CASE("hostile sizes are refused without the memory or the time they ask for") {
  std::string head = "sinter 1\n";
  std::string largest = "9223372036854775807";
  Program step = parse(head + "%0 = constant [1, 2, 3] : f32[3]\n%1 = slice %0 {starts=[0], stops=[3], steps=[" + largest + "]}\nreturn %1\n", "h.graph");
  CHECK(to_string(step.graph.type(step.outputs[0])) == "f32[1]");
  std::string pad = "%s = constant 0 : f32[]\n%0 = constant [1] : f32[1]\n%1 = pad %0, %s {low=[0], high=[0], interior=[" + largest + "]}";
  CHECK(raised([&] { parse(head + pad, "h.graph"); }).message == "pad: " + largest + " elements between two are more than can be");
  std::string wide = "%x = variable : f32[a";
  for (int i = 0; i < 100; ++i) wide += ", a";
  CHECK(raised([&] { parse(head + wide + "]", "h.graph"); }).message == "a shape has at most 64 sizes");
  std::string involved = "%x = variable : f32[a + b + 1";
  for (int i = 0; i < 40; ++i) involved += ", a + b + " + std::to_string(i + 2);
  CHECK(raised([&] { parse(head + involved + "]\n%y = reshape %x {shape=[1]}", "h.graph"); }).message ==
        "reshape: a size of 97 terms would take more than 4000 characters to write");
  std::string quotients = "%x = variable : f32[ceil(2*a + 2*b/2)";
  for (int i = 0; i < 40; ++i) quotients += "*ceil(2*a" + std::to_string(i) + " + 2*b" + std::to_string(i) + "/2)";
  CHECK(raised([&] { parse(head + quotients + "]", "h.graph"); }).message == "a size of 92 terms would take more than 4000 characters to write");
  std::string long_size = "%x = variable : f32[a";
  for (int i = 0; i < 100000; ++i) long_size += "*a";
  CHECK(raised([&] { parse(head + long_size + "]", "h.graph"); }).message == "a size is written in at most 4000 characters");
  CHECK(raised([&] { parse(head + "%x = variable : " + std::string(1000000, '['), "h.graph"); }).where.line == 2);
  std::string parameters;
  for (int i = 0; i < 5; ++i) parameters += "%w" + std::to_string(i) + " = parameter : f32[200]\n";
  ParseOptions options;
  options.max_bytes = 3000;
  Raised error = raised([&] { parse(head + parameters, "h.graph", options); });
  CHECK(error.message == "the constants and parameters up to here take more than the 3000 bytes allowed");
  CHECK(error.where.line == 5);
}
