// Positions outside of what is gathered from or scattered to: errors at the user's line where a function is compiled to check them.
#include "graph/interpreter.h"
#include "passes/check_positions.h"
#include "tests/errors/expected.h"

using namespace sinter;

namespace {

CompileOptions checked() {
  CompileOptions options;
  options.checks_positions = true;
  return options;
}

// That a call, and the interpreter's, raise a UserError with all of `parts` at `line` of this file.
void refused(const Expr& output, const NamedTensors& inputs, int line, std::initializer_list<std::string> parts) {
  Function f = compile(output, {}, checked());
  Program program = check_positions(program_of({output}));
  for (const Raised& error : {says([&] { f(inputs); }, parts), says([&] { interpret(program, inputs); }, parts)}) {
    INFO(error.message << " at " << to_string(error.where));
    CHECK(error.where == Location(__FILE__, static_cast<uint32_t>(line)));
  }
}

Tensor i32_of(std::vector<int32_t> values) { return Tensor::of(values, {static_cast<int64_t>(values.size())}); }

}  // namespace

TEST_CASE("a position outside is refused at the line of what reads there, and only where that was asked for") {
  GraphScope scope;
  Variable x("x", f32, {4, 3}), at("at", i32, {"n"});
  const int line = __LINE__ + 1;
  Expr rows = take(x, at, 0);
  Tensor table = ones({4, 3});
  for (int32_t outside : {-1, 4, 1 << 30})
    refused(rows * 2, {{"x", table}, {"at", i32_of({0, 3, outside, 9})}}, line, {"take: the position " + std::to_string(outside) + " of element [2] is outside of an axis of size 4"});
  Function f = compile(rows, {}, checked()), unchecked = compile(rows);
  for (const Tensor& inside : {i32_of({0, 3, 3}), i32_of({})}) CHECK(same_bits(f({{"x", table}, {"at", inside}}), unchecked({{"x", table}, {"at", inside}})));
  CHECK_NOTHROW(unchecked({{"x", table}, {"at", i32_of({-1, 4})}}));
}

TEST_CASE("positions are held to symbolic sizes, at all their types, along inner axes") {
  for (DType type : {u8, i32, i64, u32, u64}) {
    GraphScope scope;
    Variable x("x", f64, {2, "n"}), at("at", type, {2, 2});
    const int line = __LINE__ + 1;
    Expr y = gather(x, at, 1);
    Tensor values = ones({2, 5}, f64), places = full({2, 2}, 4, type);
    CHECK(same_bits(compile(y, {}, checked())({{"x", values}, {"at", places}}), ones({2, 2}, f64)));
    for (int64_t outside : {5, 200}) {
      dispatch(type, [&](auto tag) { places.data<typename decltype(tag)::type>()[2] = static_cast<typename decltype(tag)::type>(outside); });
      refused(y, {{"x", values}, {"at", places}}, line, {"gather: the position " + std::to_string(outside) + " of element [1, 0]", "size 5"});
    }
    refused(y, {{"x", ones({2, 0}, f64)}, {"at", full({2, 2}, 0, type)}}, line, {"the position 0 of element [0, 0]", "size 0"});
  }
}

TEST_CASE("positions that two read with are held to the sizes of both") {
  GraphScope scope;
  Variable wide("wide", f32, {6}), narrow("narrow", f32, {4}), at("at", i32, {2});
  Expr first = take(wide, at, 0);
  const int line = __LINE__ + 1;
  Expr second = take(narrow, at, 0);
  refused(first + second, {{"wide", ones({6})}, {"narrow", ones({4})}, {"at", i32_of({1, 5})}}, line, {"the position 5 of element [1]", "size 4"});
}

TEST_CASE("a dropped update is refused, too") {
  GraphScope scope;
  Variable at("at", u64, {3}), updates("updates", f32, {3, 2});
  const int line = __LINE__ + 1;
  Expr sums = scatter_add(at, updates, 4);
  Tensor places = full({3}, 1, u64);
  CHECK(compile(sum(sums), {}, checked())({{"at", places}, {"updates", ones({3, 2})}}).data<float>()[0] == 6);
  places.data<uint64_t>()[1] = ~uint64_t{0};
  refused(sums, {{"at", places}, {"updates", ones({3, 2})}}, line, {"scatter_add: the position 18446744073709551615 of element [1]", "size 4"});
}

TEST_CASE("a training step names the line of its embedding") {
  GraphScope scope;
  Parameter table("table", ones({10, 2}));
  Variable words("words", i64, {"batch"});
  const int line = __LINE__ + 1;
  Expr read = embedding(table, words);
  Expr loss = mean(read * read);
  CompileOptions options = checked();
  options.transactional = true;  // so that the step that is refused changes nothing
  Function train = compile(loss, sgd(loss, {table}), options);
  Tensor inside = full({2}, 3, i64), outside = full({2}, 10, i64);
  train({{"words", inside}});
  Tensor before = table.read();
  Raised error = says([&] { train({{"words", outside}}); }, {"embedding: the position 10 of element [0] is outside of an axis of size 10"});
  CHECK(error.where == Location(__FILE__, static_cast<uint32_t>(line)));
  CHECK(same_bits(table.read(), before));
  train({{"words", inside}});
  CHECK_FALSE(same_bits(table.read(), before));
}

TEST_CASE("one check serves all that read at the same positions") {
  GraphScope scope;
  Variable x("x", f32, {4}), y("y", f32, {4}), at("at", i32, {3});
  Program program = check_positions(program_of({gather(x, at), gather(y, at), gather(concatenate({x, y}, 0), at)}));
  size_t calls = 0;
  for (size_t i = 0; i < program.graph.size(); ++i) calls += program.graph.node(NodeId(i)).op == Op::custom_call;
  CHECK(calls == 2);
}
