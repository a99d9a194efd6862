// f16 and bf16: kept by what moves elements, taken to f32 by what computes.
#include "autodiff/optimizers.h"
#include "tests/compiled/check.h"

namespace sinter::test {
namespace {

Tensor converted(const Tensor& t, DType to) {
  GraphScope scope;
  return compile(convert(Constant(t), to))({});
}

// Every bit pattern.
Tensor all_of(DType type) {
  Tensor t = Tensor::uninitialized(type, {256, 256});
  for (size_t b = 0; b < 0x10000; ++b) static_cast<uint16_t*>(t.raw())[b] = static_cast<uint16_t>(b);
  return t;
}

}  // namespace

TEST_CASE("what moves elements of f16 and bf16 keeps them, and what computes gives f32") {
  for (DType type : {f16, bf16}) {
    GraphScope scope;
    Variable x("x", type, {256, "n"}), c("c", boolean, {256, "n"}), i("i", i32, {5});
    const Expr few = gather(x, i);
    const std::vector<Expr> kept = {transpose(x), flip(x, {1}), slice(x, {1, 0}, {255, -1}, {3, 1}), pad(x, 1.5, {1, 2}, {0, 3}, {1, 0}), reshape(x, {16, 16, "n"}), broadcast_to(few, {2, 5, "n"}), few,
                                    select(c, x, 0.25), select(c, x, flip(x, {0})), concatenate({x, few}, 0), stack({few, few}, 1), take(x, i, 0), roll(x, 3, 0), stop_gradient(x)};
    const std::vector<Expr> computed = {x + 1, x * x, -x, exp(x), abs(x), sum(x, {0}), max(x, {1}), cumsum(x, 0), cummax(few, 0), scatter_add(i, few, 7)};
    for (const Expr& e : kept) CHECK(e.dtype() == type);
    for (const Expr& e : computed) CHECK(e.dtype() == f32);

    std::vector<Expr> all = kept;
    all.insert(all.end(), computed.begin(), computed.end());
    CompiledProgram compiled_all = compiled(all);
    Tensor chosen = Tensor::uninitialized(boolean, {256, 256}), at = Tensor::of<int32_t>({7, 255, -3, 600, 7});
    for (size_t k = 0; k < 0x10000; ++k) chosen.data<bool>()[k] = k % 3 == 0;
    Counted counted;
    check_call(compiled_all.program, compiled_all.function, {{"x", all_of(type)}, {"c", chosen}, {"i", at}}, &counted);
    CHECK(counted.known * 10 >= counted.elements * 9);
  }
}

TEST_CASE("a product of f16 or bf16 is that of the same numbers in f32, to the bit") {
  for (DType type : {f16, bf16}) {
    GraphScope scope;
    Variable a("a", type, {37, 45}), b("b", type, {45, 70}), v("v", f32, {45});
    Variable wide_a("wide_a", f32, {37, 45}), wide_b("wide_b", f32, {45, 70});
    CHECK(matmul(a, b).dtype() == f32);
    CHECK(matmul(a, v).dtype() == f32);
    Function f = compile({matmul(a, b), matmul(wide_a, wide_b), convert(matmul(a, b), type), convert(matmul(wide_a, wide_b), type), matmul(a, v), matmul(wide_a, v)});
    const Tensor x = converted(values({37, 45}, 1), type), y = converted(values({45, 70}, 2), type);
    const std::vector<Tensor> got = f.all({{"a", x}, {"b", y}, {"v", values({45}, 3)}, {"wide_a", converted(x, f32)}, {"wide_b", converted(y, f32)}});
    for (size_t k : {0u, 2u, 4u}) CHECK(same_bits(got[k], got[k + 1]));
  }
}

TEST_CASE("gradients of f16 and bf16 are added up in f32, and are of their type") {
  for (DType type : {f16, bf16}) {
    GraphScope scope;
    const Tensor initial = converted(values({6, 4}, 1), type);
    Variable x("x", f32, {5, 6});
    Parameter w("w", initial), wide("wide", converted(initial, f32));
    // Several uses, by movement and by computing.
    auto loss = [&](const Expr& p) { return sum(tanh(matmul(x, p))) + sum(transpose(p) * transpose(p)) + sum(slice(p, {0, 1}, {3, 4})) * 1e-3; };
    const Expr by_stored = gradients(loss(w), {w})[0], by_wide = gradients(loss(wide), {wide})[0];
    CHECK(by_stored.dtype() == type);
    Function f = compile({by_stored, convert(by_wide, type)});
    const std::vector<Tensor> got = f.all({{"x", values({5, 6}, 2)}});
    // What reaches w by a movement is rounded on the way, as the values are.
    const Tensor stored = converted(got[0], f64), wide_one = converted(got[1], f64);
    for (size_t k = 0; k < 24; ++k) CHECK(stored.data<double>()[k] == Approx(wide_one.data<double>()[k]).epsilon(0).margin(type == f16 ? 0x1p-9 : 0x1p-6));
  }
}

TEST_CASE("a parameter of f16 or bf16 is trained") {
  for (DType type : {f16, bf16}) {
    GraphScope scope;
    Variable x("x", f32, {8, 6}), y("y", f32, {8, 4});
    Parameter w("w", converted(values({6, 4}, 1), type));
    const Expr loss = mse(matmul(x, w), y);
    Function step = compile(loss, adam(loss, {w}, {.rate = 0.05}));
    const NamedTensors data = {{"x", values({8, 6}, 2)}, {"y", values({8, 4}, 3)}};
    const double before = step(data).item();
    for (int k = 0; k < 100; ++k) step(data);
    CHECK(w.read().dtype() == type);
    CHECK(step(data).item() < before / 2);
  }
}

TEST_CASE("what computes refuses f16 and bf16 where no builder has converted them") {
  GraphScope scope;
  CHECK_THROWS_AS(iota({3}, 0, f16), UserError);
  Variable x("x", bf16, {3});
  for (Op op : {Op::negate, Op::exp, Op::add, Op::maximum, Op::less, Op::sum, Op::contract}) {
    Program p;
    NodeId v = p.graph.append(Op::variable, {}, VariableAttributes{"v"}, Type::of(f16, {3}), {});
    std::vector<NodeId> inputs(static_cast<size_t>(info(op).arity), v);
    Attributes attributes = blank_attributes(op);
    if (op == Op::sum) attributes = ReduceAttributes{{0}};
    if (op == Op::contract) attributes = ContractionAttributes{{}, {}, {0}, {0}};
    p.outputs = {p.graph.append(op, inputs, attributes, Type::of(op == Op::less ? boolean : f16, op == Op::sum || op == Op::contract ? Shape{} : Shape{3}), {})};
    INFO(info(op).name);
    CHECK_THROWS(verify(p));
  }
}

}  // namespace sinter::test
