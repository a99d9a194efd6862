// What fails is shrunk to the least that fails, and read back from where it is written.
#include <catch2/catch.hpp>
#include <filesystem>

#include "graph/text.h"
#include "tests/runtime/temporary_folder.h"
#include "tools/fuzz/files.h"
#include "tools/fuzz/shrink.h"

using namespace sinter;

namespace {

// Whether a transposed value is squared anywhere in it: stands for a compiler that gets just that wrong.
bool squares_a_transpose(const fuzz::Case& made) {
  const Graph& graph = made.program.graph;
  for (const NamedTensors& inputs : made.calls) interpret(made.program, inputs);  // each candidate can be run
  for (size_t i = 0; i < graph.size(); ++i)
    if (NodeId id(i); graph.node(id).op == Op::multiply && graph.inputs(id)[0] == graph.inputs(id)[1] && graph.node(graph.inputs(id)[0]).op == Op::transpose) return true;
  return false;
}

const char* large = R"(sinter 1
%x = variable : f32[n, 5]
%y = variable : f32[5, n]
%w = parameter : f32[5, 7]
%0 = contract %x, %w {lhs_contracted=[1], rhs_contracted=[0]} : f32[n, 7]
%1 = tanh %0 : f32[n, 7]
%2 = transpose %1 {permutation=[1, 0]} : f32[7, n]
%3 = multiply %2, %2 : f32[7, n]
%4 = sum %3 {axes=[1]} : f32[7]
%5 = exp %y : f32[5, n]
%6 = broadcast %4 {shape=[5, 7], axes=[1]} : f32[5, 7]
%7 = add %6, %w : f32[5, 7]
update %w = %7
return %4, %5, %3
)";

}  // namespace

TEST_CASE("a failure is shrunk to what it needs") {
  fuzz::Case made{parse(large, "large.graph"), {}};
  for (int64_t n : {9, 4}) made.calls.push_back(fuzz::random_inputs(made.program, {{"n", n}}, fuzz::Values::plain, 1));
  REQUIRE(squares_a_transpose(made));
  fuzz::Case least = fuzz::shrunk(made, squares_a_transpose, 60);
  REQUIRE(squares_a_transpose(least));
  const Graph& graph = least.program.graph;
  REQUIRE(graph.size() == 3);
  CHECK(graph.node(NodeId(0)).op == Op::variable);
  CHECK(graph.type(NodeId(2)) == Type::of(f32, {1, 1}));
  CHECK(least.calls.size() == 1);
}

TEST_CASE("a case is read back as it was written") {
  TemporaryFolder folder;
  fuzz::Case made{parse(large, "large.graph"), {}};
  for (int64_t n : {9, 4}) made.calls.push_back(fuzz::random_inputs(made.program, {{"n", n}}, fuzz::Values::special, 1));
  made.whole = GENERATE(false, true);
  fuzz::Case read = fuzz::read_case(fuzz::write_case(made, folder.file("cases"), "7"));
  CHECK(print(read.program) == print(made.program));
  CHECK(read.whole == made.whole);
  REQUIRE(read.calls.size() == 2);
  for (size_t i = 0; i < 2; ++i)
    for (const auto& [name, tensor] : made.calls[i]) CHECK(same_bits(read.calls[i].at(name), tensor));
}
