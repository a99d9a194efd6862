#include "tests/goldens/goldens.h"

using namespace sinter;
using namespace sinter::goldens;

TEST_CASE("whole numbers wrap, divide and shift, and numbers convert, as in NumPy and JAX") {
  using I = const Inputs&;
  std::vector<Row> rows = {
    {"x + y", [](I i) { return i.x + i.y; }},
    {"x - y", [](I i) { return i.x - i.y; }},
    {"x * y", [](I i) { return i.x * i.y; }},
    {"x // y", [](I i) { return floor_divide(i.x, i.y); }},
    {"x % y", [](I i) { return i.x % i.y; }},
    {"np.maximum(x, y)", [](I i) { return maximum(i.x, i.y); }},
    {"np.minimum(x, y)", [](I i) { return minimum(i.x, i.y); }},
    {"x & y", [](I i) { return i.x & i.y; }},
    {"x | y", [](I i) { return i.x | i.y; }},
    {"x ^ y", [](I i) { return i.x ^ i.y; }},
    {"x < y", [](I i) { return i.x < i.y; }},
    {"x <= y", [](I i) { return i.x <= i.y; }},
    {"x > y", [](I i) { return i.x > i.y; }},
    {"x >= y", [](I i) { return i.x >= i.y; }},
    {"x == y", [](I i) { return i.x == i.y; }},
    {"x != y", [](I i) { return i.x != i.y; }},
    {"np.negative(x)", [](I i) { return -i.x; }},
    {"np.abs(x)", [](I i) { return abs(i.x); }},
    {"~x", [](I i) { return ~i.x; }},
    {"np.sign(x)", [](I i) { return sign(i.x); }},
    {"lax.div(x, y)", [](I i) { return i.x / i.y; }},
    {"np.left_shift(x, y)", [](I i) { return i.x << i.y; }},
    {"np.right_shift(x, y)", [](I i) { return i.x >> i.y; }},
    {"lax.shift_left(x, y)", [](I i) { return i.x << i.y; }},
    {"np.floor_divide(x, y)", [](I i) { return floor_divide(i.x, i.y); }},
    {"np.remainder(x, y)", [](I i) { return remainder(i.x, i.y); }},
    {"np.add(x, y)", [](I i) { return i.x + i.y; }},
    {"np.round(x)", [](I i) { return round(i.x); }},
    {"np.trunc(x)", [](I i) { return trunc(i.x); }},
    {"np.where(x, y, z)", [](I i) { return select(i.x, i.y, i.z); }},
  };
  const std::pair<const char*, DType> targets[] = {{"bool", boolean}, {"uint8", u8}, {"int32", i32}, {"int64", i64}, {"uint32", u32}, {"uint64", u64}, {"float32", f32}, {"float64", f64}};
  for (const char* convertor : {"lax.convert_element_type(x, '{}')", "x.astype('{}')"})
    for (const auto& target : targets) {
      DType type = target.second;
      rows.push_back({fmt::format(fmt::runtime(convertor), target.first), [type](I i) { return convert(i.x, type); }});
    }
  check("numeric", rows);
}
