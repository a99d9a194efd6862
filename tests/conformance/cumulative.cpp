// Running sums, products and extremes: interpreter and compiled code against what stands up to each element.
#include "graph/arrays/cumulative.h"

#include <limits>

#include "tests/conformance/arrays.h"
#include "tests/conformance/readings.h"
#include "tests/conformance/reduced.h"
#include "tests/conformance/support.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

struct Running {
  const char* name;
  Op op;  // of what stands up to an element
  Expr (*make)(Operand, int64_t axis);
};
const Running all_running[] = {{"cumsum", Op::sum, cumsum}, {"cumprod", Op::prod, cumprod}, {"cummax", Op::max, cummax}, {"cummin", Op::min, cummin}};

}  // namespace

// To save compiling, one of these along each axis of an array, others of each type.
TEST_CASE("running reductions of every type, along each axis of ranks 1 to 6, of operands read in place, across, in steps and backwards") {
  for (DType type : computing_dtypes) {
    GraphScope scope;
    struct Case {
      Running running;
      Tensor x;
      size_t axis;
    };
    Batch batch;
    NamedTensors inputs;
    std::vector<Case> cases;
    for (const std::vector<int64_t>& sizes : arrays_of_all_ranks())
      for (size_t axis = 0; axis < sizes.size(); ++axis) {
        const size_t number = cases.size() + static_cast<size_t>(type);
        const Running& running = all_running[number % std::size(all_running)];
        const std::string name = "x" + std::to_string(cases.size());
        auto elements = [&](DType t, std::vector<int64_t> of, uint64_t seed) { return elements_for(running.op, t, std::move(of), seed); };
        const ReadOperand x = read_as(reading(number / 2), name, type, sizes, number, elements);
        batch.add(running.name + (" of " + label(type)) + to_string(sizes) + " along " + std::to_string(axis), running.make(x.expression, static_cast<int64_t>(axis)));
        inputs.emplace(name, x.stored);
        cases.push_back({running, x.value, axis});
      }
    const std::vector<Tensor> values = CompiledBatch(batch).equal(inputs);
    for (size_t i = 0; i < cases.size(); ++i) {
      INFO(batch.names[i]);
      const Case& c = cases[i];
      REQUIRE(values[i].sizes() == c.x.sizes());
      dispatch(type, [&](auto tag) {
        using T = typename decltype(tag)::type;
        size_t at = 0;
        for (const Position& p : positions_of(c.x.sizes())) {
          std::vector<T> before;
          for (Position q = p; q[c.axis] >= 0; --q[c.axis]) before.push_back(c.x.data<T>()[flat(q, c.x.sizes())]);
          CHECK(wrong_reduction<T>(c.running.op, before, values[i], at++) == "");
        }
      });
    }
  }
}

TEST_CASE("running reductions of a negative zero and NaN, and of integers that need more bits") {
  constexpr double NaN = std::numeric_limits<double>::quiet_NaN();
  GraphScope scope;
  Variable x("x", f64, {7}), i("i", u8, {3, 5});
  Batch batch;
  batch.add("cumsum", cumsum(x, 0));
  batch.add("cumprod", cumprod(x, 0));
  batch.add("cummax", cummax(x, 0));
  batch.add("cummin", cummin(x, 0));
  batch.add("cumsum of u8", cumsum(i, -1));
  batch.add("cummax of u8", cummax(i, 0));
  CompiledBatch compiled(batch);
  Tensor bytes = full({3, 5}, 200, u8);
  bytes.data<uint8_t>()[7] = 250;
  auto values = compiled.equal({{"x", Tensor::of<double>({-0.0, 2, -3, 0.5, NaN, 1, 4})}, {"i", bytes}});
  auto expect = [&](size_t n, std::vector<double> want) {
    INFO(batch.names[n]);
    CHECK(same_bits(values[n], Tensor::of<double>(want, {7})));
  };
  expect(0, {-0.0, 2, -1, -0.5, NaN, NaN, NaN});
  expect(1, {-0.0, -0.0, 0, 0, NaN, NaN, NaN});
  expect(2, {-0.0, 2, 2, 2, NaN, NaN, NaN});
  expect(3, {-0.0, -0.0, -3, -3, NaN, NaN, NaN});
  REQUIRE(values[4].dtype() == i64);
  CHECK(values[4].data<int64_t>()[4] == 1000);
  CHECK(values[4].data<int64_t>()[9] == 1050);
  CHECK(values[5].data<uint8_t>()[12] == 250);
  CHECK(values[5].data<uint8_t>()[2] == 200);
}
