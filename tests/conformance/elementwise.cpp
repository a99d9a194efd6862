// Every elementwise row: interpreter against oracle, compiled code against interpreter.
#include "tests/conformance/arrays.h"
#include "tests/conformance/elementwise_oracles.h"
#include "tests/conformance/readings.h"
#include "tests/conformance/samples.h"
#include "tests/conformance/support.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

bool takes(const OpInfo& row, DType t) {
  bool counts = row.op == Op::bitwise_count || row.op == Op::shift_left || row.op == Op::shift_right;  // the bits of an integer
  if (row.promotion == Promotion::bits) return counts ? is_integer(t) : !is_float(t);
  return row.promotion != Promotion::logical || t == boolean;
}

std::vector<const OpInfo*> rows_of(int arity) {
  std::vector<const OpInfo*> rows;
  for (const OpInfo& row : op_table())
    if (row.family == Family::elementwise && row.arity == arity && row.op != Op::convert) rows.push_back(&row);
  return rows;
}

template <class T>
Tensor column(const std::vector<T>& values) {
  Tensor t = Tensor::uninitialized(dtype_of<T>(), {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), t.data<T>().begin());
  return t;
}

// Special values, then random ones from the domains of the rows in turn.
Tensor unary_samples(DType type) {
  return dispatch(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<T> x = special_values<T>();
    std::mt19937_64 random(1);
    for (const OpInfo* row : rows_of(1))
      for (int i = 0; i < 100; ++i) x.push_back(random_value<T>(random, row->domains[0]));
    return column(x);
  });
}
std::pair<Tensor, Tensor> binary_samples(DType type) {
  return dispatch(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<T> x, y;
    for (T a : special_values<T>())
      for (T b : special_values<T>()) x.push_back(a), y.push_back(b);
    std::mt19937_64 random(2);
    for (const OpInfo* row : rows_of(2))
      for (int i = 0; i < 60; ++i) x.push_back(random_value<T>(random, row->domains[0])), y.push_back(random_value<T>(random, row->domains[1]));
    return std::pair(column(x), column(y));
  });
}

Tensor first_of(const Tensor& t, int64_t count) { return Tensor::borrow(const_cast<void*>(t.raw()), t.dtype(), {count}); }

// Around the widths of vectors, where the tails are.
const int64_t lengths[] = {0, 1, 2, 3, 7, 8, 9, 16, 31, 33, 65};

// At all samples against the oracles, at few elements against the interpreter.
void check(const Batch& batch, const NamedTensors& samples, const std::vector<std::vector<Tensor>>& operands, const std::vector<const Oracle*>& oracles) {
  CompiledBatch compiled(batch);
  std::vector<Tensor> values = compiled.equal(samples);
  for (size_t i = 0; i < values.size(); ++i) {
    INFO(batch.names[i]);
    CHECK((*oracles[i])(operands[i], values[i]) == "");
  }
  for (int64_t count : lengths) {
    NamedTensors few;
    for (const auto& [name, tensor] : samples) few.emplace(name, first_of(tensor, std::min(count, tensor.size())));
    compiled.equal(few);
  }
}

}  // namespace

TEST_CASE("every elementwise row has an oracle") {
  for (const OpInfo& row : op_table()) {
    INFO(row.name);
    CHECK((row.family == Family::elementwise) == elementwise_oracles().contains(row.name));
    if (row.family == Family::elementwise) CHECK(row.domains.size() == static_cast<size_t>(row.arity));
  }
}

TEST_CASE("elementwise rows of one operand") {
  for (DType type : all_dtypes) {
    GraphScope scope;
    Variable x("x", type, {"n"});
    Tensor samples = unary_samples(type);
    Batch batch;
    std::vector<const Oracle*> oracles;
    for (const OpInfo* row : rows_of(1)) {
      if (!takes(*row, type)) continue;
      batch.add(std::string(row->name) + " of " + label(type), make(row->op, {x}));
      oracles.push_back(&elementwise_oracles().at(std::string(row->name)));
    }
    check(batch, {{"x", samples}}, std::vector<std::vector<Tensor>>(oracles.size(), {samples}), oracles);
  }
}

TEST_CASE("elementwise rows of two operands") {
  for (DType type : all_dtypes) {
    GraphScope scope;
    Variable x("x", type, {"n"}), y("y", type, {"n"});
    auto [left, right] = binary_samples(type);
    Batch batch;
    std::vector<const Oracle*> oracles;
    for (const OpInfo* row : rows_of(2)) {
      if (!takes(*row, type)) continue;
      batch.add(std::string(row->name) + " of " + label(type), make(row->op, {x, y}));
      oracles.push_back(&elementwise_oracles().at(std::string(row->name)));
    }
    check(batch, {{"x", left}, {"y", right}}, std::vector<std::vector<Tensor>>(oracles.size(), {left, right}), oracles);
  }
}

TEST_CASE("rows whose operands commute give the same bits either way") {
  for (DType type : all_dtypes) {
    GraphScope scope;
    Variable x("x", type, {"n"}), y("y", type, {"n"});
    auto [left, right] = binary_samples(type);
    std::vector<Expr> results;
    std::vector<std::string> names;
    for (const OpInfo* row : rows_of(2)) {
      if (!row->commutative || !takes(*row, type)) continue;
      results.push_back(make(row->op, {x, y})), results.push_back(make(row->op, {y, x}));
      names.push_back(std::string(row->name) + " of " + label(type));
    }
    REQUIRE(names.size() >= 3);
    std::vector<Tensor> values = interpret(program_of(results), {{"x", left}, {"y", right}}).outputs;  // compiled, they are one
    for (size_t i = 0; i < names.size(); ++i) {
      INFO(names[i] << CompiledBatch::difference(values[2 * i], values[2 * i + 1]));
      CHECK(same_bits(values[2 * i], values[2 * i + 1]));
    }
  }
}

TEST_CASE("convert between all types") {
  for (DType from : all_dtypes) {
    GraphScope scope;
    Variable x("x", from, {"n"});
    Tensor samples = unary_samples(from);
    Batch batch;
    for (DType to : all_dtypes) batch.add("convert " + label(from) + " to " + label(to), convert(x, to));
    std::vector<const Oracle*> oracles(batch.outputs.size(), &elementwise_oracles().at("convert"));
    check(batch, {{"x", samples}}, std::vector<std::vector<Tensor>>(oracles.size(), {samples}), oracles);
  }
}

TEST_CASE("select of all types") {
  for (DType type : all_dtypes) {
    GraphScope scope;
    Variable c("c", boolean, {"n"}), x("x", type, {"n"}), y("y", type, {"n"});
    auto [left, right] = binary_samples(type);
    Tensor condition = random_tensor(boolean, left.sizes(), 3);
    Batch batch;
    batch.add("select of " + label(type), select(c, x, y));
    check(batch, {{"c", condition}, {"x", left}, {"y", right}}, {{condition, left, right}}, {&elementwise_oracles().at("select")});
  }
}

// By the contract: bool yields to all, u8 to all else; of integers the wider, a signed and an unsigned one in i64; i32 and smaller with f32
// in f32, wider ones with any float in f64. Arithmetic on bool alone is i32.
TEST_CASE("operands meet in their common type") {
  auto common = [](DType a, DType b) {
    if (a == b) return a;
    for (DType yields : {boolean, u8})
      if (a == yields || b == yields) return a == yields ? b : a;
    bool narrow = (a == i32 || a == f32) && (b == i32 || b == f32);
    if (is_float(a) || is_float(b)) return narrow ? f32 : f64;
    return is_signed(a) != is_signed(b) ? i64 : size_of(a) > size_of(b) ? a : b;
  };
  GraphScope scope;
  std::vector<Variable> x, y;
  NamedTensors inputs;
  for (DType type : all_dtypes)
    for (auto* side : {&x, &y}) {
      std::string name = label(type) + (side == &x ? "_x" : "_y");
      side->emplace_back(name, type, Shape{"n"});
      inputs.emplace(name, random_tensor(type, {37}, inputs.size()));
    }
  Batch batch;
  std::vector<DType> types;
  for (size_t a = 0; a < x.size(); ++a)
    for (size_t b = 0; b < y.size(); ++b) {
      DType type = common(all_dtypes[a], all_dtypes[b]), number = type == boolean ? i32 : type;
      auto add = [&](const std::string& what, const Expr& e, DType expected) {
        batch.add(what + " of " + label(all_dtypes[a]) + " and " + label(all_dtypes[b]), e);
        types.push_back(expected);
      };
      add("sum", x[a] + y[b], number);
      add("product", convert(x[a], number) * convert(y[b], number), number);
      add("comparison", x[a] < y[b], boolean);
      add("choice", select(x[a] != 0, x[a], y[b]), type);
    }
  std::vector<Tensor> values = CompiledBatch(batch).equal(inputs);
  for (size_t i = 0; i < values.size(); ++i) {
    INFO(batch.names[i]);
    CHECK(values[i].dtype() == types[i]);
  }
}

TEST_CASE("elementwise rows broadcast as NumPy does") {
  struct Shapes {
    std::vector<int64_t> x, y, both;
  };
  const Shapes cases[] = {{{}, {}, {}}, {{3}, {}, {3}}, {{}, {5}, {5}}, {{1}, {7}, {7}}, {{2, 3}, {3}, {2, 3}}, {{2, 1}, {1, 3}, {2, 3}}, {{9}, {4, 1}, {4, 9}},
                          {{4, 1, 3}, {2, 1}, {4, 2, 3}}, {{1, 1, 1}, {17}, {1, 1, 17}}, {{2, 1, 3, 1}, {4, 1, 5}, {2, 4, 3, 5}}, {{2, 3, 4, 5}, {}, {2, 3, 4, 5}},
                          {{1, 1, 4, 1}, {3, 2, 1, 6}, {3, 2, 4, 6}}, {{0, 3}, {3}, {0, 3}}, {{1, 0}, {5, 1}, {5, 0}}, {{10, 100}, {100}, {10, 100}}, {{1}, {0}, {0}}};
  for (DType type : {f32, i32, u8, f64}) {
    GraphScope scope;
    Batch batch;
    NamedTensors inputs;
    std::vector<std::vector<Tensor>> operands;
    std::vector<const Oracle*> oracles;
    for (const Shapes& s : cases) {
      std::string suffix = std::to_string(&s - cases);
      auto variable = [&](const std::string& name, DType t, const std::vector<int64_t>& sizes, uint64_t seed) {
        inputs.emplace(name + suffix, random_tensor(t, sizes, seed));
        return Variable(name + suffix, t, Shape(sizes.begin(), sizes.end()));
      };
      Variable x = variable("x", type, s.x, 1), y = variable("y", type, s.y, 2), c = variable("c", boolean, s.y, 3);
      Tensor wide_x = broadcast_array(inputs.at("x" + suffix), s.both), wide_y = broadcast_array(inputs.at("y" + suffix), s.both);
      for (Op op : {Op::subtract, Op::less, Op::maximum}) {
        batch.add(std::string(info(op).name) + " " + to_string(s.x) + " " + to_string(s.y), make(op, {x, y}));
        operands.push_back({wide_x, wide_y});
        oracles.push_back(&elementwise_oracles().at(std::string(info(op).name)));
      }
      batch.add("select " + to_string(s.y) + " " + to_string(s.x) + " " + to_string(s.y), select(c, x, y));
      operands.push_back({broadcast_array(inputs.at("c" + suffix), s.both), wide_x, wide_y});
      oracles.push_back(&elementwise_oracles().at("select"));
    }
    std::vector<Tensor> values = CompiledBatch(batch).equal(inputs);
    for (size_t i = 0; i < values.size(); ++i) {
      INFO(batch.names[i]);
      REQUIRE(values[i].sizes() == operands[i].back().sizes());
      CHECK((*oracles[i])(operands[i], values[i]) == "");
    }
  }
}

TEST_CASE("elementwise rows at ranks 0 to 6, of operands read in place, across, in steps and backwards") {
  for (DType type : all_dtypes)
    for (const std::vector<int64_t>& sizes : arrays_of_all_ranks()) {
      GraphScope scope;
      Batch batch;
      NamedTensors inputs;
      std::vector<ReadOperand> left, right;
      for (size_t k = 0; k < readings; ++k) {
        left.push_back(read_as(reading(k), "x" + std::to_string(k), type, sizes, k + 1)), inputs.emplace("x" + std::to_string(k), left[k].stored);
        right.push_back(read_as(reading(k), "y" + std::to_string(k), type, sizes, k + 20)), inputs.emplace("y" + std::to_string(k), right[k].stored);
      }
      std::vector<std::vector<Tensor>> operands;
      std::vector<const Oracle*> oracles;
      size_t number = sizes.size() + static_cast<size_t>(type);
      // To save compiling, all rows of f32 and every third of another type, others at each rank.
      auto is_tested = [&](const OpInfo* row) { return takes(*row, type) && (++number % 3 == 0 || type == f32); };
      auto add = [&](const OpInfo* row, const Expr& result, std::vector<Tensor> values) {
        batch.add(std::string(row->name) + " of " + label(type) + to_string(sizes), result);
        operands.push_back(std::move(values));
        oracles.push_back(&elementwise_oracles().at(std::string(row->name)));
      };
      for (const OpInfo* row : rows_of(1))
        if (is_tested(row)) {
          const ReadOperand& x = left[oracles.size() % readings];
          add(row, make(row->op, {x.expression}), {x.value});
        }
      for (const OpInfo* row : rows_of(2))
        if (is_tested(row)) {
          const ReadOperand &x = left[oracles.size() % readings], &y = right[oracles.size() / readings % readings];
          add(row, make(row->op, {x.expression, y.expression}), {x.value, y.value});
        }
      std::vector<Tensor> values = CompiledBatch(batch).equal(inputs);
      for (size_t i = 0; i < values.size(); ++i) {
        INFO(batch.names[i]);
        REQUIRE(values[i].sizes() == sizes);
        CHECK((*oracles[i])(operands[i], values[i]) == "");
      }
    }
}

TEST_CASE("elementwise rows broadcast symbolic sizes") {
  GraphScope scope;
  Variable x("x", f32, {"n", 1}), y("y", f32, {"m"}), z("z", f32, {"n", "m"});
  Batch batch;
  batch.add("x + y", x + y);
  batch.add("x * z - y", x * z - y);
  batch.add("select", select(x < y, z, 1));
  batch.add("exp(x) + z", exp(x) + z);
  CompiledBatch compiled(batch);
  for (int64_t n : {0, 1, 2, 5, 33})
    for (int64_t m : {0, 1, 3, 8, 31, 100}) {
      INFO("n = " << n << ", m = " << m);
      Tensor a = random_tensor(f32, {n, 1}, 1), b = random_tensor(f32, {m}, 2), c = random_tensor(f32, {n, m}, 3);
      std::vector<Tensor> values = compiled.equal({{"x", a}, {"y", b}, {"z", c}});
      std::vector<Tensor> operands = {broadcast_array(a, {n, m}), broadcast_array(b, {n, m})};
      CHECK(elementwise_oracles().at("add")(operands, values[0]) == "");
    }
}
