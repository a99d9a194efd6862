// Where sinter does otherwise than NumPy or JAX. Each row says why, and holds sinter to what it does instead.
#include <limits>
#include <map>

#include "tests/goldens/goldens.h"

using namespace sinter;
using namespace sinter::goldens;

namespace {

struct Difference {
  std::string python, reason;
  std::function<Expr(const Inputs&)> make;
  Tensor instead;  // undefined: a UserError
};

}  // namespace

TEST_CASE("what differs from NumPy and JAX is stated, and differs") {
  using I = const Inputs&;
  constexpr double NaN = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const std::vector<Difference> rows = {
    {"np.sum(x)", "sums of all small integers are i64, those of u8 too", [](I i) { return sum(i.x); }, Tensor::scalar(int64_t{1992})},
    {"np.cumsum(x, 0)", "sums of all small integers are i64, those of u8 too", [](I i) { return cumsum(i.x, 0); }, Tensor::of<int64_t>({5, 47, 126, 141})},
    {"x + y", "i32 with f32 is f32, as in JAX: widening silently to f64 would halve the speed", [](I i) { return i.x + i.y; }, Tensor::of<float>({1.5f, 0x1p31f})},
    {"x + y * 1", "a signed and an unsigned integer meet in i64, and wrap, where NumPy has no integer that holds both and takes f64", [](I i) { return i.x + i.y; },
     Tensor::of<int64_t>({3, INT64_MIN})},
    {"x + y + y", "arithmetic on bool counts, in i32; logical or is ||", [](I i) { return i.x + i.y + i.y; }, Tensor::of<int32_t>({3, 2})},
    {"x / y", "division of integers truncates, as in C++, and by 0 gives 0", [](I i) { return i.x / i.y; }, Tensor::of<int32_t>({3, -3, 0})},
    {"lax.div(x, y)", "division of integers by 0 gives 0, where XLA gives -1", [](I i) { return i.x / i.y; }, Tensor::of<int32_t>({0, 0})},
    {"np.right_shift(x, y)", "a shift by the width or more gives 0, of negative numbers too", [](I i) { return i.x >> i.y; }, Tensor::of<int32_t>({0, 0})},
    {"np.bitwise_count(x)", "the count has the operand's type", [](I i) { return bitwise_count(i.x); }, Tensor::of<int32_t>({3, 32})},
    {"np.power(x, y)", "pow is a function of floats: f32 of integers up to i32", [](I i) { return pow(i.x, i.y); }, Tensor::of<float>({9, 1024})},
    {"np.sqrt(x)", "functions of floats take integers up to i32 to f32", [](I i) { return sqrt(i.x); }, Tensor::of<float>({2, 3})},
    {"np.remainder(x, y)", "NaN where the quotient has more bits than an f64, as the digits would mean nothing", [](I i) { return remainder(i.x, i.y); }, Tensor::of<double>({NaN, 1.5})},
    {"np.floor_divide(x, y)", "what is infinite stays so, as its quotient does, where NumPy takes a remainder, NaN, off first", [](I i) { return floor_divide(i.x, i.y); },
     Tensor::of<double>({infinity, -infinity, -infinity})},
    {"x.astype('int32')", "conversions saturate and NaN gives 0, as in JAX, where NumPy leaves it to the machine", [](I i) { return convert(i.x, i32); },
     Tensor::of<int32_t>({0, INT32_MAX, INT32_MIN, INT32_MAX})},
    {"np.take(x, y, 0)", "a position outside takes the nearest element, below 0 too: it does not count from the back", [](I i) { return take(i.x, i.y, 0); }, Tensor::of<float>({10, 20})},
    {"jax.numpy.zeros(3, x.dtype).at[y].add(x)", "what is added at a position outside is dropped, below 0 too", [](I i) { return scatter_add(i.y, i.x, 3); }, Tensor::of<float>({0, 2, 0})},
    {"np.matmul(x, y)", "a product of bool is a mistake more often than logic", [](I i) { return matmul(i.x, i.y); }, {}},
    {"x[4:2]", "a slice that stops before it starts is a mistake, where sizes are numbers", [](I i) { return slice(i.x, {4}, {2}); }, {}},
    {"x[2:9]", "a slice beyond the end is a mistake, not cut short", [](I i) { return slice(i.x, {2}, {9}); }, {}},
  };
  std::map<std::string, Golden> theirs;
  for (const Golden& golden : read_goldens("differences")) theirs.emplace(golden.python, golden);
  REQUIRE(theirs.size() == rows.size());
  for (const Difference& row : rows) {
    INFO(row.python << ": " << row.reason);
    REQUIRE(theirs.contains(row.python));
    const Golden& golden = theirs.at(row.python);
    GraphScope scope;
    NamedTensors inputs;
    Inputs given = inputs_of(golden, "", inputs);
    if (!row.instead.defined()) {
      CHECK_THROWS_AS(row.make(given), UserError);
      continue;
    }
    conformance::Batch batch;
    batch.add(row.python, row.make(given));
    auto values = conformance::CompiledBatch(batch)(inputs);
    for (const Tensor& got : {values.interpreted[0], values.compiled[0]}) {
      INFO(print_tensor(got, false));
      CHECK(same_bits(got, row.instead));
      CHECK(fault(got, golden, 0) != "");
    }
  }
}
