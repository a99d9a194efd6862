// The smallest programs that once failed, most of them found by random ones. Each is compiled and held against the interpreter at several sizes.
#include "tests/compiled/check.h"

using namespace sinter;
using namespace sinter::test;

namespace {

struct Found {
  const char* what;
  const char* text;
};

const Found found[] = {
    {"a contraction over nothing, spread over a vector", R"(
%x = variable : f32[0, 2]
%y = variable : f32[0, 2]
%z = variable : f32[n]
%3 = contract %x, %y {lhs_contracted=[1, 0], rhs_contracted=[1, 0]} : f32[]
%4 = broadcast %3 {shape=[n]} : f32[n]
%5 = multiply %z, %4 : f32[n]
return %5)"},
    {"an input that the passes drop", R"(
%0 = constant 0 : u8[2, 2]
%1 = equal %0, %0 : bool[2, 2]
%x = variable : bool[2, 2]
%3 = logical_or %x, %1 : bool[2, 2]
return %3)"},
    {"a contraction of a scalar over no axis", R"(
%x = variable : f64[]
%y = variable : i32[2, 3]
%2 = convert %y {dtype=f64} : f64[2, 3]
%3 = contract %x, %2 : f64[2, 3]
return %3)"},
    {"a comparison of what was computed beside a contraction, and of its result", R"(
%x = variable : f32[n]
%1 = constant 0x1.9p+1 : f32[]
%2 = convert %x {dtype=i64} : i64[n]
%3 = convert %2 {dtype=f64} : f64[n]
%y = variable : f64[n]
%5 = equal %3, %y : bool[n]
%6 = convert %2 {dtype=f32} : f32[n]
%7 = contract %1, %6 : f32[n]
%8 = convert %5 {dtype=f32} : f32[n]
%9 = less %8, %7 : bool[n]
return %9)"},
    {"a contraction of an iota that is an output, too", R"(
%0 = iota {shape=[n, 1, 2], axis=0, dtype=f32} : f32[n, 1, 2]
%x = variable : f32[]
%2 = contract %0, %x : f32[n, 1, 2]
%y = variable : bool[n]
return %2, %0, %y)"},
    {"two sums over different numbers of loops, added", R"(
%x = variable : f32[n, 2]
%y = variable : f32[1, 1, 1, 1]
%z = variable : f32[n]
%3 = sum %y {axes=[0, 1, 2, 3]} : f32[]
%4 = sum %x {axes=[0, 1]} : f32[]
%5 = sum %z {axes=[0]} : f32[]
%6 = add %3, %4 : f32[]
%7 = add %6, %5 : f32[]
return %7)"},
    {"a contraction with two batch axes, one of a symbolic size", R"(
%x = variable : f32[n, 9]
%y = variable : f32[3, 9, n, 1]
%2 = contract %x, %y {lhs_batch=[0, 1], rhs_batch=[2, 1]} : f32[n, 9, 3, 1]
%3 = contract %x, %x {lhs_batch=[0, 1], rhs_batch=[0, 1]} : f32[n, 9]
return %2, %3)"},
    {"sums of constants, of no whole number of vectors", R"(
%x = variable : f32[15]
%1 = constant 0x1p+0 : f32[]
%2 = broadcast %1 {shape=[15, 24]} : f32[15, 24]
%3 = sum %2 {axes=[1]} : f32[15]
%4 = multiply %x, %3 : f32[15]
%5 = constant 0x1p+0 : f64[]
%6 = broadcast %5 {shape=[8]} : f64[8]
%7 = sum %6 {axes=[0]} : f64[]
return %4, %3, %7)"},
    {"a row that reads a slice of a value which another reads whole", R"(
%x = variable : f32[3, 15]
%1 = add %x, %x : f32[3, 15]
%2 = abs %1 : f32[3, 15]
%3 = slice %1 {starts=[0, 0], stops=[1, 15], steps=[1, 1]} : f32[1, 15]
%4 = sum %3 {axes=[1]} : f32[1]
%5 = reshape %4 {shape=[1, 1]} : f32[1, 1]
%6 = broadcast %5 {shape=[1, 15], axes=[0, 1]} : f32[1, 15]
%7 = subtract %3, %6 : f32[1, 15]
%8 = sum %2 {axes=[0]} : f32[15]
return %7, %8)"},
    {"a row of 54 that is one of 3 by 18 as well", R"(
%x = variable : f32[54]
%1 = tanh %x : f32[54]
%2 = sum %1 {axes=[0]} : f32[]
%3 = reshape %1 {shape=[3, 18]} : f32[3, 18]
%4 = sum %3 {axes=[0, 1]} : f32[]
%5 = convert %4 {dtype=f64} : f64[]
%6 = convert %5 {dtype=f32} : f32[]
%7 = broadcast %6 {shape=[3, 18]} : f32[3, 18]
%8 = multiply %3, %7 : f32[3, 18]
return %2, %8)"},
    {"a cycle through a group whose first members came before", R"(
%x = variable : f32[3, 19]
%y = variable : f32[3, 19]
%2 = minimum %x, %y : f32[3, 19]
%z = variable : f32[3, 8, 19]
%w = variable : f64[19, 19]
%5 = convert %2 {dtype=f64} : f64[3, 19]
%6 = contract %5, %w {lhs_contracted=[1], rhs_contracted=[0]} : f64[3, 19]
%7 = contract %z, %z {lhs_contracted=[0, 1, 2], rhs_contracted=[0, 1, 2]} : f32[]
%8 = broadcast %7 {shape=[3, 19]} : f32[3, 19]
%9 = add %2, %8 : f32[3, 19]
%10 = sum %6 {axes=[0, 1]} : f64[]
%11 = convert %7 {dtype=f64} : f64[]
%12 = add %11, %10 : f64[]
return %9, %12)"},
    {"a value of a row of one that a contraction computes again", R"(
%x = variable : f32[1]
%1 = abs %x : f32[1]
%2 = contract %1, %1 {lhs_contracted=[0], rhs_contracted=[0]} : f32[]
%3 = negate %1 : f32[1]
%4 = sum %1 {axes=[0]} : f32[]
%5 = add %2, %4 : f32[]
return %3, %5)"},
    {"a scalar that joins what has loops", R"(
%x = variable : f32[]
%y = variable : f32[n, 17]
%2 = subtract %x, %x : f32[]
%3 = reshape %y {shape=[17*n]} : f32[17*n]
%4 = reshape %2 {shape=[1]} : f32[1]
%5 = sum %3 {axes=[0]} : f32[]
%6 = reshape %5 {shape=[1]} : f32[1]
%z = variable : f32[1]
%8 = multiply %z, %4 : f32[1]
%9 = minimum %6, %8 : f32[1]
%10 = reshape %9 {shape=[]} : f32[]
return %10)"},
    {"paddings with computed values", R"(
%x = variable : f32[1, 2]
%y = variable : f32[n]
%z = variable : f32[]
%3 = exp %z : f32[]
%4 = pad %x, %3 {low=[0, 1], high=[1, 1], interior=[0, 0]} : f32[2, 4]
%5 = cos %4 : f32[2, 4]
%6 = sum %y {axes=[0]} : f32[]
%7 = pad %5, %6 {low=[0, 1], high=[1, 1], interior=[0, 0]} : f32[3, 6]
%8 = broadcast %6 {shape=[3, 6]} : f32[3, 6]
%9 = add %7, %8 : f32[3, 6]
%10 = sum %7 {axes=[0]} : f32[6]
%11 = slice %x {starts=[0, 0], stops=[1, 1], steps=[1, 1]} : f32[1, 1]
%12 = reshape %11 {shape=[]} : f32[]
%13 = pad %x, %12 {low=[0, 1], high=[1, 1], interior=[0, 0]} : f32[2, 4]
%14 = exp %13 : f32[2, 4]
return %5, %9, %10, %14)"},
    {"contractions of paddings that pad nothing", R"(
%x = variable : f32[n]
%y = variable : f32[]
%2 = exp %y : f32[]
%3 = pad %x, %2 {low=[0], high=[0], interior=[0]} : f32[n]
%4 = contract %3, %3 {lhs_contracted=[0], rhs_contracted=[0]} : f32[]
%5 = pad %y, %2 : f32[]
%6 = reshape %5 {shape=[1]} : f32[1]
%7 = contract %6, %x : f32[1, n]
return %4, %7)"},
    {"a padded reshape of what no gradient flows through", R"(
%x = variable : f32[17, n]
%1 = stop_gradient %x : f32[17, n]
%2 = reshape %1 {shape=[17*n]} : f32[17*n]
%y = variable : f32[]
%4 = pad %2, %y {low=[0], high=[1], interior=[0]} : f32[17*n + 1]
return %4)"},
};

NamedTensors inputs_of(const Program& program, int64_t n) {
  NamedTensors inputs;
  for (size_t i = 0; i < program.graph.size(); ++i) {
    NodeId id(i);
    if (program.graph.node(id).op != Op::variable) continue;
    const Type& type = program.graph.type(id);
    Tensor random = values(evaluate(type.shape, {{"n", n}}), i + 1, f64), t = Tensor::uninitialized(type.dtype, random.sizes());
    dispatch(type.dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (size_t k = 0; k < static_cast<size_t>(t.size()); ++k) t.data<T>()[k] = static_cast<T>(random.data<double>()[k]);
    });
    inputs.emplace(program.graph.attributes<VariableAttributes>(id).name, std::move(t));
  }
  return inputs;
}

}  // namespace

TEST_CASE("programs that once failed") {
  for (const Found& f : found)
    for (bool passes : {true, false}) {
      INFO(f.what << (passes ? "" : ", without passes"));
      Program program = parse("sinter 1" + std::string(f.text) + "\n", "found.graph");
      verify(program);
      CompileOptions options;
      if (!passes) options.passes.disabled = {"simplify", "fold", "cse"};
      Function function = compile(program, options);
      for (int64_t n : {0, 1, 3, 33}) check_call(program, function, inputs_of(program, n));
    }
}

// An epilogue that reads many vectors along the columns, and kernels with many inputs that are the same for a whole row or column: their stack
// is 4 KiB.
TEST_CASE("kernels that read many values at once") {
  for (DType type : {f32, f64}) {
    GraphScope scope;
    Variable x("x", type, {"n", 40}), w("w", type, {40, "m"});
    NamedTensors inputs = {{"x", values({9, 40}, 1, type)}, {"w", values({40, 33}, 2, type)}};
    Expr product = matmul(x, w), other = tanh(product), rows = other;
    for (int i = 0; i < 130; ++i) {
      std::string number = std::to_string(i);
      Variable c("c" + number, type, {"m"}), r("r" + number, type, {"n", 1});
      inputs.emplace("c" + number, values({33}, static_cast<uint64_t>(i) + 10, type));
      inputs.emplace("r" + number, values({9, 1}, static_cast<uint64_t>(i) + 500, type));
      if (i < 20) product = product * c + 1;
      other = maximum(other, c) - r;
      rows = minimum(rows + c, r);
    }
    CompiledProgram c = compiled({product, other, max(rows, {0}), max(rows, {1})});
    check_call(c.program, c.function, inputs);
  }
}
