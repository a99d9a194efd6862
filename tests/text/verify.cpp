// The verifier finds what is broken: a case or more for each item of its checklist.
#include "graph/verify.h"

#include <catch2/catch.hpp>
#include <functional>

#include "graph/builder.h"

using namespace sinter;

namespace {

// A sound program to break: nodes x, y of f32[n, 3], c of bool[n, 3], a scalar s, a parameter w of f32[2].
struct Broken {
  Program program;
  Graph& graph = program.graph;
  NodeId x = build_variable(graph, "x", Type::of(f32, {"n", 3})), y = build_variable(graph, "y", Type::of(f32, {"n", 3})),
         c = build_variable(graph, "c", Type::of(boolean, {"n", 3})), s = build_variable(graph, "s", Type::of(f32, {})),
         w = build_parameter(graph, std::make_shared<ParameterStorage>("w", zeros({2}))), u = build_variable(graph, "u", Type::unknown());

  NodeId add(Op op, const std::vector<NodeId>& inputs, Attributes attributes, Type type) {
    return graph.append(op, inputs, std::move(attributes), std::move(type), {});
  }
  NodeId variable(const std::string& name, const Type& type) { return add(Op::variable, {}, VariableAttributes{name}, type); }

  // What verify() says, without where it says it.
  std::string fault() const {
    try {
      verify(program);
    } catch (const InternalError& error) {
      std::string text = error.what();
      size_t from = text.find("): ") + 3;
      return text.substr(from, text.rfind("; please") - from);
    }
    return "";
  }
};

Type weak(Type type) {
  type.weak = true;
  return type;
}

}  // namespace

TEST_CASE("a sound program passes") {
  Broken b;
  b.program.outputs = {b.x, b.u};
  b.program.updates = {{b.w, b.w}};
  CHECK(b.fault() == "");
}

TEST_CASE("each broken item of the checklist is found") {
  const Type same = Type::of(f32, {"n", 3});
  struct Case {
    const char* item;
    std::function<void(Broken&)> break_it;
    const char* message;
  };
  const Case cases[] = {
      {"1 arity", [&](Broken& b) { b.add(Op::add, {b.x}, NoAttributes{}, same); }, "node %6 = add %x : f32[n, 3]: it takes 2 operands, not 1"},
      {"1 operation", [&](Broken& b) { b.add(Op::count_, {}, NoAttributes{}, same); }, "node %6 = ? : f32[n, 3]: its operation is not in the table"},
      {"1 attributes", [&](Broken& b) { b.add(Op::exp, {b.x}, ShapeAttributes{}, same); },
       "node %6 = exp %x : f32[n, 3]: its attributes are of another operation's kind"},
      {"2 device", [&](Broken& b) { Type t = same; t.device = 1; b.add(Op::exp, {b.x}, NoAttributes{}, t); },
       "node %6 = exp %x : f32[n, 3]: a value lies row-major on device 0"},
      {"2 negative", [&](Broken& b) { b.variable("v", Type::of(f32, {-1})); }, "node %v = variable : f32[-1]: a size is negative: [-1]"},
      {"2 overflow", [&](Broken& b) { b.variable("v", Type::of(f32, {int64_t{1} << 40, int64_t{1} << 40})); },
       "node %v = variable : f32[1099511627776, 1099511627776]: a value of shape [1099511627776, 1099511627776] has more than 2^63 bytes"},
      {"3 no type", [&](Broken& b) { b.add(Op::exp, {b.x}, NoAttributes{}, Type::unknown()); },
       "node %6 = exp %x : ?: all its operands have types, so it has one too"},
      {"3 a type", [&](Broken& b) { b.add(Op::exp, {b.u}, NoAttributes{}, same); },
       "node %6 = exp %u : f32[n, 3]: an operand has no type yet, so it has none"},
      {"4 twice", [&](Broken& b) { b.variable("x", same); }, "node %x = variable : f32[n, 3]: the name 'x' is taken"},
      {"4 empty", [&](Broken& b) { b.variable("", same); }, "node %\"\" = variable : f32[n, 3]: it needs a name"},
      {"4 quote", [&](Broken& b) { b.variable("a\"", same); },
       "node %\"a\\\"\" = variable : f32[n, 3]: its name holds a quote, a backslash or a control character"},
      {"4 weak", [&](Broken& b) { b.variable("v", weak(same)); }, "node %v = variable : weak f32[n, 3]: only literals are weak"},
      {"5 no value", [&](Broken& b) { b.add(Op::constant, {}, ConstantAttributes{7}, same); }, "node %6 = constant ? : f32[n, 3]: it has no value"},
      {"5 another type", [&](Broken& b) { b.add(Op::constant, {}, ConstantAttributes{b.graph.add_constant(ones({2}))}, Type::of(f32, {3})); },
       "node %6 = constant 0x1p+0 : f32[3]: its value is f32[2]"},
      {"5 no storage", [&](Broken& b) { b.add(Op::parameter, {}, ParameterAttributes{"v"}, same); },
       "node %v = parameter : f32[n, 3]: it has no storage"},
      {"5 another storage", [&](Broken& b) {
         b.graph.add_parameter(std::make_shared<ParameterStorage>("v", zeros({2}, f64)));
         b.add(Op::parameter, {}, ParameterAttributes{"v"}, Type::of(f32, {2}));
       },
       "node %v = parameter : f32[2]: its storage is f64[2]"},
      {"6 sugar", [&](Broken& b) { b.add(Op::matmul, {b.x, b.y}, NoAttributes{}, same); },
       "node %6 = matmul %x, %y : f32[n, 3]: it is short for other operations, which must stand here now that the types are known"},
      {"7 order", [&](Broken& b) { b.add(Op::sum, {b.x}, ReduceAttributes{{1, 0}}, Type::of(f32, {})); },
       "node %6 = sum %x {axes=[1, 0]} : f32[]: axes [1, 0] must ascend within 2 dimensions"},
      {"7 back", [&](Broken& b) { b.add(Op::sum, {b.x}, ReduceAttributes{{-1}}, Type::of(f32, {"n"})); },
       "node %6 = sum %x {axes=[-1]} : f32[n]: axes [-1] must ascend within 2 dimensions"},
      {"7 all", [&](Broken& b) { b.add(Op::sum, {b.x}, ReduceAttributes{{}, true}, Type::of(f32, {})); },
       "node %6 = sum %x {all=true} : f32[]: where the type is known, `all` is the axes themselves, and `keep` a reshape"},
      {"7 open", [&](Broken& b) { b.add(Op::reshape, {b.x}, ShapeAttributes{{-1}}, Type::of(f32, {Dim("n") * Dim(3)})); },
       "node %6 = reshape %x {shape=[-1]} : f32[3*n]: a size in [-1] is negative"},
      {"7 broadcast", [&](Broken& b) { b.add(Op::broadcast, {b.s}, BroadcastAttributes{{3}, {5}}, Type::of(f32, {3})); },
       "node %6 = broadcast %s {shape=[3], axes=[5]} : f32[3]: axes [5] must ascend within the 1 dimensions of [3]"},
      {"7 iota", [&](Broken& b) { b.add(Op::iota, {}, IotaAttributes{{3}, 1, i32}, Type::of(i32, {3})); },
       "node %6 = iota {shape=[3], axis=1, dtype=i32} : i32[3]: axis 1 is outside 1 dimensions"},
      {"7 contraction", [&](Broken& b) { b.add(Op::contract, {b.x, b.y}, ContractionAttributes{{}, {}, {5}, {0}}, Type::of(f32, {"n", 3})); },
       "node %6 = contract %x, %y {lhs_contracted=[5], rhs_contracted=[0]} : f32[n, 3]: axis 5 is outside a value of 2 dimensions"},
      {"8 shapes", [&](Broken& b) { b.add(Op::add, {b.x, b.s}, NoAttributes{}, same); },
       "node %6 = add %x, %s : f32[n, 3]: elementwise operands have one shape; here [n, 3] and []"},
      {"8 types", [&](Broken& b) { b.add(Op::add, {b.x, b.c}, NoAttributes{}, same); },
       "node %6 = add %x, %c : f32[n, 3]: operands have one type; here f32 and bool; convert one of them"},
      {"8 numeric", [&](Broken& b) { b.add(Op::add, {b.c, b.c}, NoAttributes{}, Type::of(boolean, {"n", 3})); },
       "node %6 = add %c, %c : bool[n, 3]: it takes numbers, not bool; convert them first"},
      {"8 floating", [&](Broken& b) { b.add(Op::exp, {b.c}, NoAttributes{}, Type::of(boolean, {"n", 3})); },
       "node %6 = exp %c : bool[n, 3]: it takes floats, not bool; convert first"},
      {"8 logical", [&](Broken& b) { b.add(Op::logical_not, {b.x}, NoAttributes{}, same); },
       "node %6 = logical_not %x : f32[n, 3]: it takes bool, not f32"},
      {"8 select", [&](Broken& b) { b.add(Op::select, {b.x, b.x, b.y}, NoAttributes{}, same); },
       "node %6 = select %x, %x, %y : f32[n, 3]: it chooses by bool, not by f32"},
      {"9 shape", [&](Broken& b) { b.add(Op::exp, {b.x}, NoAttributes{}, Type::of(f32, {"n", 4})); },
       "node %6 = exp %x : f32[n, 4]: its type is f32[n, 3], not f32[n, 4]"},
      {"9 dtype", [&](Broken& b) { b.add(Op::less, {b.x, b.y}, NoAttributes{}, same); }, "node %6 = less %x, %y : f32[n, 3]: its type is bool[n, 3], not f32[n, 3]"},
      {"9 weak", [&](Broken& b) { b.add(Op::exp, {b.x}, NoAttributes{}, weak(same)); }, "node %6 = exp %x : weak f32[n, 3]: its type is f32[n, 3], not weak f32[n, 3]"},
      {"10 no node", [&](Broken& b) { b.program.outputs = {NodeId(99)}; }, "an output is not a node"},
      {"10 invalid", [&](Broken& b) { b.program.outputs = {NodeId()}; }, "an output is not a node"},
      {"10 weak", [&](Broken& b) { b.program.outputs = {build_constant(b.graph, Tensor::scalar(1.0), true)}; },
       "node %6 = constant 0x1p+0 : weak f64[]: an output is not weak"},
      {"11 no parameter", [&](Broken& b) { (b.program.updates = {{b.x, b.y}}); }, "node %x = variable : f32[n, 3]: only a parameter is updated"},
      {"11 no node", [&](Broken& b) { (b.program.updates = {{b.w, NodeId()}}); }, "an update's parameter or value is not a node"},
      {"11 type", [&](Broken& b) { (b.program.updates = {{b.w, b.s}}); },
       "node %s = variable : f32[]: what updates a parameter of type f32[2] has that type"},
      {"11 twice", [&](Broken& b) { (b.program.updates = {{b.w, b.w}, {b.w, b.w}}); }, "node %w = parameter : f32[2]: it is updated twice"},
  };
  for (const Case& c : cases) {
    INFO(c.item);
    Broken broken;
    c.break_it(broken);
    CHECK(broken.fault() == c.message);
  }
  Broken broken;
  CHECK_THROWS_AS(broken.add(Op::exp, {NodeId(99)}, NoAttributes{}, same), InternalError);  // item 1's order: append() itself refuses it
}

TEST_CASE("each operation has one kind of attributes, which differ from nothing only where the row needs some") {
  for (const OpInfo& row : op_table()) {
    bool none = std::holds_alternative<NoAttributes>(blank_attributes(row.op));
    CHECK((none || row.family != Family::elementwise || row.op == Op::convert));
    CHECK((!none || row.family != Family::leaf));
  }
}
