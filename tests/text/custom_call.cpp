// Operations of a user's own, in text and in what is refused when they are declared.
#include <catch2/catch.hpp>

#include "autodiff/reverse.h"
#include "graph/expr.h"
#include "graph/interpreter.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "tests/raises.h"

using namespace sinter;

namespace {

CustomOperation half(std::function<std::vector<Expr>(const GradientRule&)> gradient = {}) {
  auto type = [](std::span<const Type> operands) {
    if (operands.size() != 1 || operands[0].dtype != f32) throw UserError("takes one value of f32");
    return operands[0];
  };
  auto function = [](const sinter_custom_call* call) -> int32_t {
    for (int64_t i = 0; i < call->result.sizes[0]; ++i) static_cast<float*>(call->result.data)[i] = static_cast<const float*>(call->operands[0].data)[i] / 2;
    return 0;
  };
  return CustomOperation({.name = "half", .type = type, .gradient = std::move(gradient), .function = function});
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a custom call prints, and is read as the operation that is given for its name", "[text]") {
  GraphScope scope;
  CustomOperation op = half();
  Variable x("x", f32, {"n"});
  Program program = program_of({custom_call(op, {x})});
  std::string text = print(program);
  CHECK(contains(text, "%1 = custom_call %x {operation=\"half\"} : f32[n]"));
  ParseOptions options;
  options.operations = {op};
  Program read = parse(text, "half.graph", options);
  CHECK(same(read.graph.node(NodeId(1)).attributes, program.graph.node(NodeId(1)).attributes));
  CHECK(interpret(read, {{"x", ones({3})}}).outputs[0].data<float>()[2] == 0.5f);
  CHECK(parse("sinter 1\n%x = variable : f32[n]\n%1 = custom_call %x {operation=\"half\"}\nreturn %1\n", "half.graph", options).graph.type(NodeId(1)).shape == Shape{"n"});
  Raised wrong = raised([&] { parse("sinter 1\n%x = variable : f32[n]\n%1 = custom_call %x {operation=\"half\"} : f32[2]\nreturn %1\n", "half.graph", options); });
  CHECK(wrong.message == "custom_call: its type is f32[n], not f32[2]");
  CHECK(wrong.where.line == 3);
}

TEST_CASE("a custom call of no operation that is given can be looked at, and not run", "[text]") {
  std::string text = "sinter 1\n%x = variable : f32[n]\n%1 = custom_call %x, %x {operation=\"half\"} : i64[n, 2]  # half.cpp:7\nreturn %1\n";
  Program read = parse(text, "half.graph");
  verify(read);
  CHECK(print(read) == text);
  CHECK(same(parse(text, "half.graph").graph.node(NodeId(1)).attributes, read.graph.node(NodeId(1)).attributes));
  Raised error = raised([&] { interpret(read, {{"x", ones({3})}}); });
  CHECK(contains(error.message, "custom_call: 'half' has no function in this process"));
  CHECK(error.where == Location("half.cpp", 7));
  CHECK(contains(raised([] { parse("sinter 1\n%x = variable : f32[n]\n%1 = custom_call %x {operation=\"half\"}\nreturn %1\n", "half.graph"); }).message,
                 "there is no custom operation 'half' here, so its line must say what type it gives"));
}

TEST_CASE("what is wrong with a custom operation is said where it is declared, called or differentiated", "[text]") {
  auto declared = [](CustomRules rules) { return raised([&] { CustomOperation made(rules); }).message; };
  auto type = [](std::span<const Type> operands) { return operands[0]; };
  auto function = [](const sinter_custom_call*) -> int32_t { return 0; };
  CHECK(declared({.type = type, .function = function}) == "the custom operation '' needs a name");
  CHECK(declared({.name = "a\"b", .type = type, .function = function}) == "the custom operation 'a\"b' has a quote, a backslash or a control character in its name");
  CHECK(contains(declared({.name = "f", .type = {}, .function = function}), "needs a type rule"));
  CHECK(contains(declared({.name = "f", .type = type, .function = {}}), "needs a function"));

  GraphScope scope;
  Variable x("x", f32, {"n"}), y("y", f64, {3});
  CHECK(contains(raised([&] { custom_call(CustomOperation(), {x}); }).message, "the operation is none"));
  Raised misfit = raised([&] { custom_call(half(), {y}); });
  CHECK(misfit.message == "custom_call of f64[3]: 'half': takes one value of f32");
  CHECK(misfit.where.line == __LINE__ - 2);
  CustomOperation typeless({.name = "typeless", .type = [](std::span<const Type>) { return Type::unknown(); }, .function = function});
  CHECK(contains(raised([&] { custom_call(typeless, {x}); }).message, "its type rule gives ?"));
  CustomOperation negative({.name = "negative", .type = [](std::span<const Type>) { return Type::of(f32, {-1}); }, .function = function});
  CHECK(contains(raised([&] { custom_call(negative, {x}); }).message, "negative"));

  auto gradient = [&](std::function<std::vector<Expr>(const GradientRule&)> rule) { return raised([&] { gradients(sum(custom_call(half(rule), {x})), {x}); }); };
  Raised none = gradient({});
  CHECK(none.message == "custom_call: 'half' has no gradient rule; give it one, or put stop_gradient() around it");
  CHECK(none.where.line == __LINE__ - 3);
  CHECK(contains(gradient([](const GradientRule&) { return std::vector<Expr>(); }).message, "has 1 operands, and its gradient rule returns 0 expressions"));
  CHECK(contains(gradient([](const GradientRule& r) { return r.each([&] { return sum(r.adjoint); }); }).message, "returns f32[] for operand 0, which is f32[n]"));
  gradients(sum(x * stop_gradient(custom_call(half(), {x}))), {x});  // nothing is asked of it
}
