// What the builder infers, and what it says where it cannot.
#include "graph/builder.h"

#include <catch2/catch.hpp>
#include <functional>

#include "graph/expr.h"
#include "tests/evaluate.h"
#include "tests/raises.h"

namespace sinter {
namespace {

// What `f`, on the line of the call, is refused with.
std::string refused(const std::function<void()>& f, Here where = Here::current()) {
  Raised e = raised(f);
  INFO(e.message);
  CHECK(e.where == Location(where));
  return e.message;
}

struct Promoted {
  DType left, right, common;
};

}  // namespace

// A list in braces would become a Here in place of what it was meant for, or be ambiguous.
static_assert(!std::is_aggregate_v<Here> && !std::is_constructible_v<Here, const char*> && !std::is_constructible_v<Here, const char*, uint32_t> &&
              !std::is_constructible_v<Here, const char*, uint32_t, const char*>);

TEST_CASE("an error names the operation, the operands' types, both sizes, and the user's file and line", "[builder]") {
  GraphScope scope;
  Variable a("a", f32, {"batch", 784}), b("b", f32, {10, 10}), v("v", f32, {3}), s("s", f32, {}), flag("flag", boolean, {3}), n("n", i32, {3});
  CHECK(refused([&] { return matmul(a, b); }) ==
        "matmul of f32[batch, 784], f32[10, 10]: [batch, 784] and [10, 10] do not fit: the inner sizes are 784 and 10");
  CHECK(refused([&] { return a + b; }) ==
        "add of f32[batch, 784], f32[10, 10]: [batch, 784] and [10, 10] do not broadcast: their sizes along axis -2 are batch and 10");
  CHECK(refused([&] { return b * v; }).find("multiply of f32[10, 10], f32[3]: [10, 10] and [3] do not broadcast") == 0);
  CHECK(refused([&] { return b / a; }).find("divide of f32[10, 10], f32[batch, 784]") == 0);
  CHECK(refused([&] { return v < b; }).find("less of f32[3], f32[10, 10]") == 0);
  CHECK(refused([&] { return v > b; }).find("less of f32[10, 10], f32[3]") == 0);
  CHECK(refused([&] { return maximum(v, b); }).find("maximum of ") == 0);
  CHECK(refused([&] { return select(flag, v, b); }).find("select of bool[3], f32[3], f32[10, 10]") == 0);
  CHECK(refused([&] { return select(v, v, v); }) == "select of f32[3], f32[3], f32[3]: chooses by a bool, not f32");
  CHECK(refused([&] { return matmul(flag, flag); }) == "matmul of bool[3], bool[3]: multiplies numbers, not bool; convert() them first");
  CHECK(refused([&] { return v && flag; }) == "logical_and of f32[3], bool[3]: takes bool, not f32; write x != 0 for a number x");
  CHECK(refused([&] { return matmul(s, v); }) == "matmul of f32[], f32[3]: multiplies matrices and vectors, not scalars; use *");
  CHECK(refused([&] {
          return contract(v, n, {{}, {}, {0}, {0}});
        }) == "contract of f32[3], i32[3]: multiplies two values of one type, not f32 with i32; convert() one of them");
  CHECK(refused([&] { return contract(v, v, {{}, {}, {1}, {0}}); }) == "contract of f32[3], f32[3]: axis 1 is outside a value of 1 dimensions");
  CHECK(refused([&] { return sum(a, {2}); }) == "sum of f32[batch, 784]: axis 2 is outside a value of 2 dimensions");
  CHECK(refused([&] { return sum(a, {1, -1}); }) == "sum of f32[batch, 784]: an axis is named twice");
  CHECK(refused([&] { return max(a, {-3}); }) == "max of f32[batch, 784]: axis -3 is outside a value of 2 dimensions");
  CHECK(refused([&] {
          return reshape(a, {-1, 100});
        }) == "reshape of f32[batch, 784]: [batch, 784] holds 784*batch elements, which are no multiple of the 100 that [-1, 100] takes beside its open size at every value of its symbols");
  CHECK(refused([&] { return reshape(b, {3, 3}); }) == "reshape of f32[10, 10]: [10, 10] holds 100 elements, and [3, 3] takes 9");
  CHECK(refused([&] { return reshape(b, {-1, -1}); }) == "reshape of f32[10, 10]: a reshape can leave one size open, not two");
  CHECK(refused([&] { return broadcast_to(b, {10}); }).find("broadcast of f32[10, 10]: a value of shape [10, 10] cannot be broadcast to [10]") == 0);
  CHECK(refused([&] { return broadcast_to(v, {4}); }) == "broadcast of f32[3]: the size 3 of axis 0 cannot become 4 in [4]; only a size of 1 is stretched");
  CHECK(refused([&] { return transpose(b, {1}); }) == "transpose of f32[10, 10]: [1] does not permute 2 axes: each is named once");
  CHECK(refused([&] { return transpose(b, {0, 0}); }).find("transpose of f32[10, 10]: [0, 0] names an axis twice") == 0);
  CHECK(refused([&] { return slice(v, {0}, {4}); }) == "slice of f32[3]: along axis 0, of size 3, the stop 4 lies beyond the end");
  CHECK(refused([&] { return slice(v, {2}, {1}); }) == "slice of f32[3]: along axis 0, of size 3, the stop 1 lies before the start 2");
  CHECK(refused([&] { return slice(v, {-4}, {2}); }) == "slice of f32[3]: along axis 0, of size 3, the start lies 1 before the beginning");
  CHECK(refused([&] { return slice(v, {0}, {3}, {0}); }) == "slice of f32[3]: along axis 0, of size 3, the step 0 is not at least 1");
  CHECK(refused([&] { return slice(v, {0, 0}, {3}); }) == "slice of f32[3]: takes a start, a stop and a step for each of 1 axes, not 2, 1 and 2 of them");
  CHECK(refused([&] { return slice(a, {0, 0}, {2, 784}); }).find("the stop 2 may lie beyond the end") != std::string::npos);
  CHECK(refused([&] { return pad(v, v, {1}, {1}); }) == "pad of f32[3], f32[3]: pads with one value, a scalar");
  CHECK(refused([&] { return pad(v, 0, {Dim("n") - 1}, {1}); }).find("of which one may be negative at a call") != std::string::npos);
  CHECK(refused([&] { return pad(v, 0, {-2}, {-2}); }).find("takes more away than there is along axis 0") != std::string::npos);
  CHECK(refused([&] { return pad(v, 0, {0}, {0}, {-1}); }).find("pads between elements by 0 or more") != std::string::npos);
  CHECK(refused([&] { return flip(v, {0, -1}); }) == "reverse of f32[3]: an axis is named twice");
  CHECK(refused([&] { return v & 1; }).find("takes integers or bool, not f32") != std::string::npos);
  CHECK(refused([&] { return bitwise_count(v > 0); }).find("takes integers, not bool") != std::string::npos);
  CHECK(refused([&] { return iota({3}, 1); }).find("iota: axis 1 is outside a value of 1 dimensions") == 0);
  CHECK(refused([&] { return iota({3}, 0, boolean); }).find("counts in a number type") != std::string::npos);
  CHECK(refused([&] { return iota({2, 257}, 1, u8); }) == "iota: u8 does not hold numbers up to 256");
  CHECK(iota({300, 256}, 1, u8).type() == Type::of(u8, {300, 256}));
}

TEST_CASE("operators name the line they stand on, in an expression of several", "[builder]") {
  GraphScope scope;
  Variable a("a", f32, {2}), b("b", f32, {3});
  uint32_t line = 0;
  Raised e = raised([&] {
    line = Here::current().line() + 3;
    Expr fine = (a + a) * 2 -  // fits
                (a +           // does not:
                 b);
  });
  CHECK(e.where.line == line);
  CHECK(e.where.file == Location(Here::current()).file);
  Expr sum = a +  // where the right operand stands
             a;
  CHECK(sum.graph()->where(sum.id()).line == Here::current().line() - 1);
}

TEST_CASE("types promote by the table", "[builder]") {
  const Promoted table[] = {
      {boolean, u8, u8}, {boolean, i32, i32}, {boolean, f32, f32}, {u8, i32, i32},      {u8, u32, u32},      {u8, i64, i64},      {u8, u64, u64},
      {u8, f32, f32},    {i32, i64, i64},     {i32, u32, i64},     {i32, u64, i64},     {i32, f32, f32},     {i32, f64, f64},     {u32, i64, i64},
      {u32, u64, u64},   {u32, f32, f64},     {i64, u64, i64},     {i64, f32, f64},     {i64, f64, f64},     {u64, f32, f64},     {u64, f64, f64},
      {f32, f64, f64},   {u8, f64, f64},      {u32, f64, f64},     {boolean, i64, i64}, {boolean, u32, u32}, {boolean, u64, u64}, {boolean, f64, f64},
  };
  static_assert(std::size(table) == 28, "every pair of the 8 types");
  for (const Promoted& p : table) {
    GraphScope scope;
    Variable left("left", p.left, {2}), right("right", p.right, {2});
    INFO(name(p.left) << " with " << name(p.right));
    CHECK((left + right).dtype() == p.common);
    CHECK((right * left).dtype() == p.common);
    CHECK(maximum(left, right).dtype() == p.common);
    CHECK(select(left == right, left, right).dtype() == p.common);
    CHECK((left < right).dtype() == boolean);
  }
  for (DType t : all_dtypes) {
    GraphScope scope;
    Variable x("x", t, {2}), flag("flag", boolean, {2});
    INFO(name(t));
    CHECK((x + x).dtype() == (t == boolean ? i32 : computing(t)));
    CHECK(exp(x).dtype() == (t == f64 || t == i64 || t == u32 || t == u64 ? f64 : f32));
    for (const Expr& e : {sum(x), prod(x)}) CHECK(e.dtype() == (t == boolean || t == u8 || t == i32 ? i64 : t == u32 ? u64 : computing(t)));
    CHECK(max(x).dtype() == computing(t));
    for (const Expr& e : {floor(x), ceil(x), trunc(x), round(x)}) CHECK(e.dtype() == (t == boolean ? i32 : computing(t)));
  }
}

TEST_CASE("literals take the type of what they meet", "[builder]") {
  GraphScope scope;
  for (DType t : {u8, i32, i64, u32, u64, f32, f64}) {
    Variable x(std::string("x_") + std::string(name(t)), t, {2});
    INFO(name(t));
    CHECK((x + 1).dtype() == t);
    CHECK((1 - x).dtype() == t);
    CHECK((x * Constant(2)).dtype() == t);
    CHECK(maximum(0, x).dtype() == t);
    CHECK((x + (Constant(1) + Constant(2))).dtype() == t);
    CHECK((x + 0.5).dtype() == (t == f32 || t == u8 || t == i32 ? f32 : f64));
    CHECK((x * size(x)).dtype() == t);
    CHECK((x * dimension("batch")).dtype() == t);
    CHECK((x == 1).dtype() == boolean);
    CHECK(!(x + 1).type().weak);
  }
  Variable flag("flag", boolean, {2}), x("x", f32, {2});
  CHECK((flag + 1).dtype() == i32);
  CHECK((flag == true).dtype() == boolean);
  CHECK((-flag).dtype() == i32);
  CHECK(select(flag, 1, 0).type() == Type::of(i32, {2}));
  CHECK(matmul(x, x * 2).dtype() == f32);
  SECTION("and by themselves are f32, or i32 where they are whole; sizes are i64") {
    auto alone = [](const Expr& e) { return value_of(e).dtype(); };
    CHECK(alone(Constant(1.5)) == f32);
    CHECK(alone(Constant(1)) == i32);
    CHECK(alone(Constant(true)) == boolean);
    CHECK(alone(exp(Constant(1))) == f32);
    CHECK(alone(size(broadcast_to(Constant(1), {4, 5}))) == i64);
    CHECK(value_of(size(broadcast_to(Constant(1), {4, 5}))).item() == 20);
    CHECK(alone(Constant(5000000000)) == i64);
    CHECK(value_of(Constant(-5000000000)).item() == -5e9);
    CHECK(alone(Constant(INT32_MIN)) == i32);
    CHECK(alone(Constant(UINT64_MAX)) == u64);
    CHECK(value_of(sum(Constant(5000000000))).item() == 5e9);
    CHECK(value_of(broadcast_to(Constant(5000000000), {2})).dtype() == i64);
    CHECK(select(flag, 1, 5000000000).dtype() == i64);
    CHECK(select(flag, 1, 0.5).dtype() == f32);
    CHECK(select(flag, 0.5, size(x)).dtype() == f32);
    CHECK(alone(stop_gradient(Constant(1))) == i32);
    CHECK(value_of(iota({2}, 0, i64) + (int64_t{1} << 40)).data<int64_t>()[1] == (int64_t{1} << 40) + 1);
  }
  SECTION("and with each other they stay literals") {
    auto alone = [](const Expr& e, DType dtype, double value) {
      Tensor t = value_of(e);
      CHECK(t.dtype() == dtype);
      CHECK(t.item() == value);
    };
    alone(Constant(3) * 4 + 0.5, f32, 12.5);
    alone(Constant(1) / 2, i32, 0);
    alone(Constant(1) / 2.0, f32, 0.5);
    alone(Constant(100000) * 100000, i64, 1e10);
    alone(sqrt(Constant(4)), f32, 2);
    alone(-Constant(7), i32, -7);
    alone(select(Constant(true), 1, 2), i32, 1);
    alone(Constant(0.1) + 0.2, f32, 0.3f);  // once rounded, not thrice
    CHECK((Constant(1) < 2).dtype() == boolean);
    for (DType t : {u8, i32, i64, u32, u64, f32, f64}) {
      Variable y("y_" + std::string(name(t)), t, {2});
      CHECK((y + (Constant(3) * 4 - 1)).dtype() == t);
      CHECK((y * stop_gradient(Constant(2))).dtype() == t);
    }
    CHECK((x * (Constant(3) * 4 + 0.5)).dtype() == f32);
  }
  SECTION("and what is computed of sizes is weak as they are") {
    CHECK((0.5 * size(x)).type().weak);
    CHECK((x * (0.5 * size(x))).dtype() == f32);
    CHECK((x / sqrt(size(x))).dtype() == f32);
    CHECK((x + stop_gradient(size(x))).dtype() == f32);
    CHECK(value_of(0.5 * size(x)).dtype() == f32);
    CHECK(value_of(0.5 * size(x)).item() == 1);
    CHECK(value_of(size(x) / 2).dtype() == i64);
    CHECK(value_of(x / sqrt(size(x) + 2), {{"x", ones({2})}}).data<float>()[1] == 0.5f);
    CHECK(convert(size(x), f64).type() == Type::of(f64, {}));
  }
  SECTION("and must fit it") {
    Variable small("small", u8, {2});
    CHECK(refused([&] { return small + Constant(200) * 2; }).find("the literal 400 does not fit u8") != std::string::npos);
    Variable whole("whole", i32, {2});
    CHECK(refused([&] { return whole + 5000000000; }).find("the literal 5000000000 does not fit i32") != std::string::npos);
    CHECK(refused([&] { return small + 256; }).find("the literal 256 does not fit u8") != std::string::npos);
    CHECK(refused([&] { return small - -1; }).find("the literal -1 does not fit u8") != std::string::npos);
    CHECK(refused([&] { return x + 1e39; }).find("the literal 1e+39 does not fit f32") != std::string::npos);
    CHECK(refused([&] { return select(flag, Variable("half", f16, {2}), -70000); }).find("the literal -70000 does not fit f16") != std::string::npos);
    CHECK(refused([&] { return Variable("bytes", u8, {256}) / size(Variable("count", f32, {256})); }).find("the literal 256 does not fit u8") != std::string::npos);
    CHECK((Variable("wide", f64, {2}) + 1e39).dtype() == f64);
    CHECK((x + HUGE_VAL).dtype() == f32);
  }
}

TEST_CASE("shapes broadcast as NumPy's", "[builder]") {
  GraphScope scope;
  int serial = 0;
  auto shaped = [&](Shape shape) { return Variable("v" + std::to_string(serial++), f32, std::move(shape)); };
  auto both = [&](const Shape& a, const Shape& b) {
    Expr left = shaped(a), right = shaped(b), sum = left + right;
    CHECK((right + left).shape() == sum.shape());
    return sum.shape();
  };
  CHECK(both({3}, {2, 3}) == Shape{2, 3});
  CHECK(both({2, 1}, {3}) == Shape{2, 3});
  CHECK(both({}, {2, 3}) == Shape{2, 3});
  CHECK(both({4, 1, 3}, {5, 1}) == Shape{4, 5, 3});
  CHECK(both({"batch", 1}, {"batch"}) == Shape{"batch", "batch"});
  CHECK(both({"batch", 3}, {1, 1}) == Shape{"batch", 3});
  CHECK(both({0, 3}, {1, 3}) == Shape{0, 3});
  CHECK(raised([&] {
          both({"batch"}, {"other"});
        }).message.find("[batch] and [other] do not broadcast: their sizes along axis -1 are batch and other") !=
        std::string::npos);
  CHECK(raised([&] { both({"batch"}, {3}); }).message.find("do not broadcast") != std::string::npos);
  CHECK(select(shaped({2, 1}) > 0, shaped({3}), 0).shape() == Shape{2, 3});
  SECTION("matmul's too") {
    auto product = [&](const Shape& a, const Shape& b) { return matmul(shaped(a), shaped(b)).shape(); };
    CHECK(product({3}, {3}) == Shape{});
    CHECK(product({2, 3}, {3}) == Shape{2});
    CHECK(product({3}, {3, 4}) == Shape{4});
    CHECK(product({"batch", 3}, {3, 4}) == Shape{"batch", 4});
    CHECK(product({5, "batch", 3}, {3, 4}) == Shape{5, "batch", 4});
    CHECK(product({7, 1, 2, 3}, {5, 3, 4}) == Shape{7, 5, 2, 4});
    CHECK(product({3}, {5, 3, 4}) == Shape{5, 4});
    CHECK(product({5, 2, 3}, {3}) == Shape{5, 2});
    CHECK(raised([&] { product({2, 2, 3}, {3, 3, 4}); }).message.find("do not broadcast") != std::string::npos);
  }
}

TEST_CASE("what an operation's shape is", "[builder]") {
  GraphScope scope;
  Variable x("x", f32, {"batch", 4, 3});
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x, {1}).shape() == Shape{"batch", 3});
  CHECK(sum(x, {-1, 0}, true).shape() == Shape{1, 4, 1});
  CHECK(reshape(x, {-1}).shape() == Shape{Dim("batch") * 12});
  CHECK(reshape(x, {"batch", -1}).shape() == Shape{"batch", 12});
  CHECK(transpose(x).shape() == Shape{3, 4, "batch"});
  CHECK(transpose(x, {-1, 0, 1}).shape() == Shape{3, "batch", 4});
  CHECK(slice(x, {0, 1, 0}, {"batch", 4, 3}, {1, 2, 1}).shape() == Shape{"batch", 2, 3});
  CHECK(pad(x, 0, {1, 0, 0}, {0, 0, 2}, {0, 1, 0}).shape() == Shape{Dim("batch") + 1, 7, 5});
  CHECK(broadcast_to(x, {2, "batch", 4, 3}).shape() == Shape{2, "batch", 4, 3});
  CHECK(iota({"batch", 2}, -1).type() == Type::of(i32, {"batch", 2}));
  CHECK(contract(x, x, {{0}, {0}, {2}, {2}}).shape() == Shape{"batch", 4, 4});
}

TEST_CASE("names are taken once a graph", "[builder]") {
  GraphScope scope;
  Variable x("x", f32, {2});
  const uint32_t first = Here::current().line() - 1;
  std::string clash = refused([&] { Variable again("x", f32, {2}); });
  CHECK(clash == "'x' is declared twice in one graph (first at " + to_string(Location(Location(Here::current()).file, first)) +
                     "); use another name, or enter a GraphScope of its own");
  CHECK(refused([&] { Parameter again("x", ones({2})); }).find("'x' is declared twice") == 0);
  CHECK(refused([&] { Variable again("x"); }).find("'x' is declared twice") == 0);
  CHECK(refused([&] { Variable nameless("", f32, {}); }) == "a variable needs a name");
  CHECK(refused([&] { Variable quoted("a\"b", f32, {}); }).find("holds a quote") != std::string::npos);
  CHECK(refused([&] { Variable negative("negative", f32, {-3}); }) == "'negative': a size is negative: [-3]");
  CHECK(refused([&] { Variable large("large", f32, {int64_t{1} << 61, 3}); }) == "'large': a value of shape [2305843009213693952, 3] has more than 2^63 bytes");
  CHECK(refused([&] { Parameter empty("empty", Tensor()); }).find("an empty Tensor has no value") == 0);
  GraphScope another;
  Variable fine("x", f32, {2});
  CHECK(fine.graph() != x.graph());
}

TEST_CASE("expressions of two graphs do not mix", "[builder]") {
  GraphScope scope;
  Variable x("x", f32, {2});
  std::unique_ptr<Expr> other;
  {
    GraphScope another;
    other = std::make_unique<Expr>(Variable("y", f32, {2}));
  }
  CHECK(refused([&] { return x + *other; }).find("belong to two graphs") != std::string::npos);
  CHECK(refused([&] { return select(x > 0, 1, *other); }).find("belong to two graphs") != std::string::npos);
  CHECK(raised([&] { program_of({x, *other}); }).message.find("belong to two graphs") != std::string::npos);
  CHECK(refused([&] { return x + Expr(); }).find("never assigned") != std::string::npos);
  CHECK(refused([&] { return exp(Expr()); }).find("never assigned") != std::string::npos);
  INFO("a scope that ends gives the thread its graph back");
  CHECK(current_graph() == x.graph());
}

TEST_CASE("a template is built at the types of a call, and blames its lines", "[builder]") {
  GraphScope scope;
  Variable a("A"), b("B");
  Expr c = a * b;
  Expr d = matmul(c, b) + 1;
  const uint32_t product_line = Here::current().line() - 2;
  CHECK(d.is_template());
  CHECK(raised([&] { (void)d.type(); }).message.find("declared without a type") != std::string::npos);
  Program program = program_of({d});
  CHECK(is_template(program));
  Program typed = specialize(program, {{"A", Type::of(f32, {"n", 3})}, {"B", Type::of(f32, {3})}});
  CHECK(typed.graph.type(typed.outputs[0]) == Type::of(f32, {"n"}));
  Raised e = raised([&] { specialize(program, {{"A", Type::of(f32, {2})}, {"B", Type::of(f32, {3})}}); });
  CHECK(e.message.find("multiply of f32[2], f32[3]: [2] and [3] do not broadcast") == 0);
  CHECK(e.where.line == product_line);
  CHECK(e.where.file == Location(Here::current()).file);
  CHECK(raised([&] { specialize(program, {{"A", Type::of(f32, {2})}}); }).message == "'B' was declared without a type and none is given for it here");
}

TEST_CASE("an update fits its parameter", "[builder]") {
  GraphScope scope;
  Parameter w("w", ones({2}));
  CHECK(raised([&] { program_of({}, {{w, sum(w)}}); }).message == "the parameter 'w' is f32[2], but its update is f32[]");
  CHECK(raised([&] { program_of({}, {{w, convert(w, f64)}}); }).message == "the parameter 'w' is f32[2], but its update is f64[2]");
  CHECK(raised([&] { program_of({}, {{w, w * 2}, {w, w * 3}}); }).message == "the parameter 'w' is updated twice by one function");
  CHECK(raised([&] { program_of({}, {}); }).message.find("nothing to compile") == 0);
  CHECK(raised([&] { program_of({Expr()}, {}); }).message == "an output was never assigned an expression");
  CHECK(raised([&] { w.set(ones({3})); }).message == "the parameter 'w' is f32[2]; it cannot be set to f32[3]");
  CHECK(program_of({}, {{Parameter("s", ones({})), Constant(0.5)}}).updates.size() == 1);  // a literal takes the parameter's type
  Program program = program_of({sum(w)}, {{w, w * 3}});
  Interpreted values = interpret(program, {});
  CHECK(values.outputs[0].item() == 2);
  CHECK(numbers(values.updates[0]) == std::vector<double>{3, 3});
  CHECK(numbers(w.read()) == std::vector<double>{1, 1});
}

TEST_CASE("inputs are checked against their types", "[builder]") {
  GraphScope scope;
  Variable x("x", f32, {"batch", 2}), y("y", f32, {"batch"});
  Program program = program_of({sum(x, {1}) + y});
  auto with = [&](const NamedTensors& inputs) { return raised([&] { interpret(program, inputs); }).message; };
  CHECK(with({{"x", ones({3, 2})}}) == "the input 'y' (f32[batch]) is missing");
  CHECK(with({{"x", ones({3, 2})}, {"y", ones({3})}, {"z", ones({3})}}).find("there is no input 'z'") == 0);
  CHECK(with({{"x", ones({3, 3})}, {"y", ones({3})}}).find("the input 'x' is f32[batch, 2]") == 0);
  CHECK(with({{"x", ones({3, 2})}, {"y", ones({4})}}).find("the input 'y' is f32[batch], not f32[4], where batch = 3") == 0);
  CHECK(with({{"x", ones({3, 2}, f64)}, {"y", ones({3})}}).find("not f64[3, 2]") != std::string::npos);
}

}  // namespace sinter
