// Programs print, and parse back to the same program.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <set>

#include "graph/builder.h"
#include "graph/expr.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "passes/structural_hash.h"

using namespace sinter;

namespace {

// The same nodes, one by one.
void check_same(const Program& a, const Program& b) {
  REQUIRE(a.graph.size() == b.graph.size());
  for (size_t i = 0; i < a.graph.size(); ++i) {
    NodeId id(i);
    INFO(print_node(a.graph, id));
    const Node &x = a.graph.node(id), &y = b.graph.node(id);
    CHECK(x.op == y.op);
    CHECK(x.type == y.type);
    CHECK(std::ranges::equal(a.graph.inputs(id), b.graph.inputs(id)));
    if (x.op == Op::constant) CHECK(same_bits(a.graph.constant_value(id), b.graph.constant_value(id)));
    else CHECK(same(x.attributes, y.attributes));
    std::set<std::string> from_x, from_y;
    for (uint32_t o : a.graph.origins(id)) from_x.insert(to_string(a.graph.location(o)));
    for (uint32_t o : b.graph.origins(id)) from_y.insert(to_string(b.graph.location(o)));
    CHECK(from_x == from_y);
  }
  CHECK(a.outputs == b.outputs);
  REQUIRE(a.updates.size() == b.updates.size());
  for (size_t i = 0; i < a.updates.size(); ++i) CHECK((a.updates[i].parameter == b.updates[i].parameter && a.updates[i].value == b.updates[i].value));
}

Program round_trip(const Program& program) {
  std::string text = print(program);
  INFO(text);
  Program parsed = parse(text, "test.graph");
  check_same(program, parsed);
  CHECK(print(parsed) == text);
  return parsed;
}

Attributes example_attributes(Op op) {
  switch (op) {
    case Op::dimension: return DimensionAttributes{Dim("n") * Dim(2) + Dim(3)};
    case Op::iota: return IotaAttributes{{"n", 3}, 1, u32};
    case Op::convert: return ConvertAttributes{i64};
    case Op::broadcast: return BroadcastAttributes{{4, "n", 3}, {1, 2}};
    case Op::reshape: return ShapeAttributes{{-1}};
    case Op::transpose: return TransposeAttributes{};
    case Op::slice: return SliceAttributes{{0, 1}, {"n", 3}, {1, 2}};
    case Op::reverse: return ReverseAttributes{{1}};
    case Op::pad: return PadAttributes{{1, 0}, {0, "n"}, {0, 1}};
    case Op::gather: return GatherAttributes{1};
    case Op::scatter_add: return ScatterAttributes{1, Dim("n") + Dim(1)};
    case Op::sum: case Op::prod: case Op::max: case Op::min: case Op::size: return ReduceAttributes{{-1}, false, true};
    case Op::contract: return ContractionAttributes{{0}, {0}, {1}, {1}};
    default: return NoAttributes{};
  }
}

// One node of each operation, on operands of its liking: typed, or as a template.
Program program_of_all(bool typed) {
  Program program;
  Graph& graph = program.graph;
  auto variable = [&](const char* name, DType dtype, Shape shape) {
    return build_variable(graph, name, typed ? Type::of(dtype, shape) : Type::unknown());
  };
  NodeId x = variable("x", f32, {"n", 3}), whole = variable("i", i32, {"n", 3}), c = variable("c", boolean, {"n", 3}), s = variable("s", f32, {});
  program.outputs = {build_parameter(graph, std::make_shared<ParameterStorage>("w", zeros({2, 2}))), build_constant(graph, ones({2}))};
  for (const OpInfo& row : op_table()) {
    if (row.op == Op::variable || row.op == Op::parameter || row.op == Op::constant || row.op == Op::custom_call) continue;
    std::vector<NodeId> inputs;
    for (int i = 0; i < row.arity; ++i)
      inputs.push_back(row.promotion == Promotion::logical || (row.promotion == Promotion::select && i == 0) ? c : x);
    if (row.op == Op::pad) inputs[1] = s;
    if (row.promotion == Promotion::bits) inputs.assign(inputs.size(), whole);
    if (row.op == Op::gather) inputs[1] = whole;
    if (row.op == Op::scatter_add) inputs[0] = whole;
    if (row.op == Op::matmul && typed) inputs[1] = build(graph, Op::transpose, {x}, TransposeAttributes{});
    NodeId made = build(graph, row.op, inputs, example_attributes(row.op), {graph.intern(Location("all.cpp", static_cast<uint32_t>(row.op) + 1))});
    if (!graph.type(made).weak) program.outputs.push_back(made);
  }
  program.updates = {{program.outputs[0], program.outputs[0]}};
  return program;
}

template <class T>
Program program_of_constant(std::vector<T> values) {
  Program program;
  Tensor t = Tensor::uninitialized(dtype_of<T>(), {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), static_cast<T*>(t.raw()));
  program.outputs = {build_constant(program.graph, t)};
  return program;
}

}  // namespace

TEST_CASE("every operation prints and parses back, typed and as a template") {
  Program typed = program_of_all(true), untyped = program_of_all(false);
  verify(typed);
  verify(untyped);
  round_trip(typed);
  round_trip(untyped);
}

TEST_CASE("an expression prints as the program that it is") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  CHECK(print(x * 2) == print(program_of({x * 2})));
  CHECK(print(Constant(1)).find("return %") != std::string::npos);
}

TEST_CASE("constants keep every bit") {
  using F = std::numeric_limits<float>;
  using D = std::numeric_limits<double>;
  round_trip(program_of_constant<float>(
      {0.0f, -0.0f, 1.5f, -0.1f, F::denorm_min(), -F::denorm_min(), F::min(), F::max(), F::lowest(), F::infinity(), -F::infinity(), F::quiet_NaN()}));
  round_trip(program_of_constant<double>({0.0, -0.0, 0.1, D::denorm_min(), D::min() / 3, D::max(), D::infinity(), -D::infinity(), D::quiet_NaN()}));
  round_trip(program_of_constant<int64_t>({INT64_MIN, -1, 0, INT64_MAX}));
  round_trip(program_of_constant<uint64_t>({0, UINT64_MAX}));
  round_trip(program_of_constant<int32_t>({INT32_MIN, INT32_MAX}));
  round_trip(program_of_constant<uint32_t>({0, UINT32_MAX}));
  round_trip(program_of_constant<uint8_t>({0, 255}));
  round_trip(program_of_constant<bool>({true, false}));
  round_trip(program_of_constant<float>({}));
  // NaNs of other payloads are any NaN, alone and among others.
  round_trip(program_of_constant<float>({F::quiet_NaN(), std::copysign(F::quiet_NaN(), -1.0f)}));
  Program negative = program_of_constant<double>({std::copysign(D::quiet_NaN(), -1.0)});
  CHECK(structural_hash(parse(print(negative), "nan.graph")) == structural_hash(negative));
}

TEST_CASE("a constant of equal elements is written once") {
  Program program = program_of_constant<float>(std::vector<float>(1000, 2.5f));
  CHECK(print(program) == "sinter 1\n%0 = constant 0x1.4p+1 : f32[1000]\nreturn %0\n");
  round_trip(program);
}

TEST_CASE("a program as it looks") {
  GraphScope scope;
  OriginScope origin(std::vector<Location>{{"examples/a.cpp", 12}, {"b.cpp", 3}});
  Variable x("x", f32, {"batch", 784});
  Parameter w("my w", zeros({784, 10}));
  Expr y = maximum(matmul(x, w), 0);
  Expr columns = sum(y, {0}), halved = w * 0.5;
  Program program = program_of({columns}, {{w, halved}});
  PrintOptions bare;
  bare.origins = false;
  CHECK(print(program, bare) == R"(sinter 1
%x = variable : f32[batch, 784]
%"my w" = parameter : f32[784, 10]
%2 = contract %x, %"my w" {lhs_contracted=[1], rhs_contracted=[0]} : f32[batch, 10]
%3 = constant 0x0p+0 : f32[]
%4 = broadcast %3 {shape=[batch, 10]} : f32[batch, 10]
%5 = maximum %2, %4 : f32[batch, 10]
%6 = sum %5 {axes=[0]} : f32[10]
%7 = constant 0x1p-1 : f32[]
%8 = broadcast %7 {shape=[784, 10]} : f32[784, 10]
%9 = multiply %"my w", %8 : f32[784, 10]
update %"my w" = %9
return %6
)");
  CHECK(print(program).find("%5 = maximum %2, %4 : f32[batch, 10]  # b.cpp:3, examples/a.cpp:12\n") != std::string::npos);
  round_trip(program);
}

TEST_CASE("names and origins of any spelling") {
  Program program;
  Graph& graph = program.graph;
  for (const char* name : {"plain", "with.dot_1", "0", "17", "a b", "layer/1:w", "\xc3\xa9t\xc3\xa9", "#", "%x", "return", "x, y", "2x"})
    program.outputs.push_back(build_variable(graph, name, Type::of(f32, {Dim("batch") * Dim(2) + Dim(1)}),
                                             {graph.intern(Location(std::string("a file, \"") + name + "\\\n#.cpp", 7))}));
  round_trip(program);
}

TEST_CASE("a hand-written text may be terse") {
  Program program = parse(R"(
# A comment, and no types where they follow.
sinter 1

%x = variable : f32[n, 2]   # an input: twice
%"y" = variable : f32[2]
   %h   =broadcast %y{shape=[n,2],axes=[1]}# comment
%sum = add %x,%h
%c = constant 1.5 : f32[]
return %sum, %c
)", "terse.graph");
  CHECK(print(program) == R"(sinter 1
%x = variable : f32[n, 2]
%y = variable : f32[2]
%2 = broadcast %y {shape=[n, 2], axes=[1]} : f32[n, 2]
%3 = add %x, %2 : f32[n, 2]
%4 = constant 0x1.8p+0 : f32[]
return %3, %4
)");
  CHECK(parse("sinter 1\r\n%x = variable : f32[]\r\nreturn %x\r\n", "dos.graph").outputs.size() == 1);
}

TEST_CASE("sizes that follow may be longer than those that were written") {
  std::string n(900, 'n'), m(900, 'm');
  Program program = parse("sinter 1\n%x = variable : f32[" + n + "]\n%z = constant 0 : f32[]\n%y = pad %x, %z {low=[" + m + "], high=[0], interior=[0]}\nreturn %y\n", "long.graph");
  CHECK(print(program).find(": f32[" + m + " + " + n + "]") != std::string::npos);
  round_trip(program);
}

TEST_CASE("a line is where its node comes from, if asked for") {
  ParseOptions options;
  options.lines_as_origins = true;
  Program program = parse("sinter 1\n%x = variable : f32[]\n%y = exp %x  # user.cpp:9\nreturn %y\n", "a.graph", options);
  CHECK(to_string(program.graph.where(NodeId(0))) == "a.graph:2");
  CHECK(to_string(program.graph.where(NodeId(1))) == "user.cpp:9");
}

TEST_CASE("a hundred thousand nodes") {
  Program program;
  NodeId at = build_variable(program.graph, "x", Type::of(f32, {"n"}), {program.graph.intern(Location("a.cpp", 1))});
  for (int i = 0; i < 100000; ++i)
    at = build(program.graph, i % 2 ? Op::exp : Op::negate, {at}, NoAttributes{}, {program.graph.intern(Location("a.cpp", 2))});
  program.outputs = {at};
  std::string text = print(program);
  Program parsed = parse(text, "long.graph");
  CHECK(parsed.graph.size() == 100001);
  CHECK(print(parsed) == text);
}
