// Every elementwise row: interpreter against oracle, compiled code against interpreter.
#include "graph/builder.h"
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

std::vector<const OpInfo*> elementwise_rows() {
  std::vector<const OpInfo*> rows;
  for (const OpInfo& row : op_table())
    if (row.family == Family::elementwise && row.op != Op::convert) rows.push_back(&row);
  return rows;
}
std::vector<const OpInfo*> rows_of(int arity) {
  std::vector<const OpInfo*> rows = elementwise_rows();
  std::erase_if(rows, [&](const OpInfo* row) { return row->arity != arity; });
  return rows;
}
int most_operands() { return std::ranges::max(elementwise_rows(), {}, &OpInfo::arity)->arity; }
Expr made(Op op, const std::vector<Expr>& operands) {
  std::vector<NodeId> ids;
  for (const Expr& e : operands) ids.push_back(e.id());
  return Expr(current_graph(), build(*current_graph(), op, ids));
}
bool is_condition(const OpInfo& row, size_t operand) { return row.promotion == Promotion::select && operand == 0; }

template <class T>
Tensor column(const std::vector<T>& values) {
  Tensor t = Tensor::uninitialized(dtype_of<T>(), {static_cast<int64_t>(values.size())});
  std::copy(values.begin(), values.end(), t.data<T>().begin());
  return t;
}

// Operands of the rows of so many: special values, each of the first two with each other, then random ones from the domains of the rows in turn.
std::vector<Tensor> samples(size_t arity, DType type) {
  return dispatch(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::vector<T> special = special_values<T>();
    std::vector<std::vector<T>> x(arity);
    const size_t n = special.size();
    for (size_t i = 0; i < (arity == 1 ? n : n * n); ++i)
      for (size_t k = 0; k < arity; ++k) x[k].push_back(special[k == 0 ? i % n : k == 1 ? i / n : (i + k * (i / n)) % n]);
    std::mt19937_64 random(arity);
    for (const OpInfo* row : rows_of(static_cast<int>(arity)))
      for (int i = 0; i < 100; ++i)
        for (size_t k = 0; k < arity; ++k) x[k].push_back(random_value<T>(random, row->domains[k]));
    std::vector<Tensor> columns;
    for (const std::vector<T>& values : x) columns.push_back(column(values));
    return columns;
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

TEST_CASE("elementwise rows at special values and random ones") {
  for (DType type : computing_dtypes)
    for (size_t arity = 1; arity <= static_cast<size_t>(most_operands()); ++arity) {
      GraphScope scope;
      const std::vector<Tensor> values = samples(arity, type);
      const Tensor condition = random_tensor(boolean, values[0].sizes(), 3);
      const Variable c("c", boolean, {"n"});
      NamedTensors inputs = {{"c", condition}};
      std::vector<Variable> variables;
      for (size_t k = 0; k < arity; ++k) {
        variables.emplace_back("x" + std::to_string(k), type, Shape{"n"});
        inputs.emplace("x" + std::to_string(k), values[k]);
      }
      Batch batch;
      std::vector<std::vector<Tensor>> operands;
      std::vector<const Oracle*> oracles;
      for (const OpInfo* row : rows_of(static_cast<int>(arity))) {
        if (!takes(*row, type)) continue;
        std::vector<Expr> expressions;
        operands.emplace_back();
        for (size_t k = 0; k < arity; ++k) {
          expressions.push_back(is_condition(*row, k) ? c : variables[k]);
          operands.back().push_back(is_condition(*row, k) ? condition : values[k]);
        }
        batch.add(std::string(row->name) + " of " + label(type), made(row->op, expressions));
        oracles.push_back(&elementwise_oracles().at(std::string(row->name)));
      }
      if (!oracles.empty()) check(batch, inputs, operands, oracles);
    }
}

TEST_CASE("rows whose operands commute give the same bits either way") {
  for (DType type : computing_dtypes) {
    GraphScope scope;
    Variable x("x", type, {"n"}), y("y", type, {"n"});
    const std::vector<Tensor> values_of = samples(2, type);
    std::vector<Expr> results;
    std::vector<std::string> names;
    for (const OpInfo* row : rows_of(2)) {
      if (!row->commutative || !takes(*row, type)) continue;
      results.push_back(make(row->op, {x, y})), results.push_back(make(row->op, {y, x}));
      names.push_back(std::string(row->name) + " of " + label(type));
    }
    REQUIRE(names.size() >= 3);
    std::vector<Tensor> values = interpret(program_of(results), {{"x", values_of[0]}, {"y", values_of[1]}}).outputs;  // compiled, they are one
    for (size_t i = 0; i < names.size(); ++i) {
      INFO(names[i] << CompiledBatch::difference(values[2 * i], values[2 * i + 1]));
      CHECK(same_bits(values[2 * i], values[2 * i + 1]));
    }
  }
}

TEST_CASE("convert between all types") {
  for (DType from : computing_dtypes) {
    GraphScope scope;
    Variable x("x", from, {"n"});
    const Tensor values = samples(1, from)[0];
    Batch batch;
    for (DType to : computing_dtypes) batch.add("convert " + label(from) + " to " + label(to), convert(x, to));
    std::vector<const Oracle*> oracles(batch.outputs.size(), &elementwise_oracles().at("convert"));
    check(batch, {{"x", values}}, std::vector<std::vector<Tensor>>(oracles.size(), {values}), oracles);
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
  for (DType type : computing_dtypes)
    for (auto* side : {&x, &y}) {
      std::string name = label(type) + (side == &x ? "_x" : "_y");
      side->emplace_back(name, type, Shape{"n"});
      inputs.emplace(name, random_tensor(type, {37}, inputs.size()));
    }
  Batch batch;
  std::vector<DType> types;
  for (size_t a = 0; a < x.size(); ++a)
    for (size_t b = 0; b < y.size(); ++b) {
      DType type = common(computing_dtypes[a], computing_dtypes[b]), number = type == boolean ? i32 : type;
      auto add = [&](const std::string& what, const Expr& e, DType expected) {
        batch.add(what + " of " + label(computing_dtypes[a]) + " and " + label(computing_dtypes[b]), e);
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
  for (DType type : computing_dtypes)
    for (const std::vector<int64_t>& sizes : arrays_of_all_ranks()) {
      GraphScope scope;
      Batch batch;
      NamedTensors inputs;
      auto read_all_ways = [&](const std::string& name, DType t) {
        std::vector<ReadOperand> ways;
        for (size_t k = 0; k < readings; ++k) {
          ways.push_back(read_as(reading(k), name + std::to_string(k), t, sizes, inputs.size() + 1));
          inputs.emplace(name + std::to_string(k), ways[k].stored);
        }
        return ways;
      };
      const std::vector<ReadOperand> conditions = read_all_ways("c", boolean);
      std::vector<std::vector<ReadOperand>> sides;
      for (int k = 0; k < most_operands(); ++k) sides.push_back(read_all_ways("x" + std::to_string(k) + "_", type));
      std::vector<std::vector<Tensor>> operands;
      std::vector<const Oracle*> oracles;
      size_t number = sizes.size() + static_cast<size_t>(type);
      for (const OpInfo* row : elementwise_rows()) {
        // To save compiling, all rows of f32 and every third of another type, others at each rank.
        if (!takes(*row, type) || (++number % 3 != 0 && type != f32)) continue;
        std::vector<Expr> expressions;
        size_t way = oracles.size();
        operands.emplace_back();
        for (size_t k = 0; k < static_cast<size_t>(row->arity); ++k, way /= readings) {
          const ReadOperand& x = (is_condition(*row, k) ? conditions : sides[k])[way % readings];
          expressions.push_back(x.expression), operands.back().push_back(x.value);
        }
        batch.add(std::string(row->name) + " of " + label(type) + to_string(sizes), made(row->op, expressions));
        oracles.push_back(&elementwise_oracles().at(std::string(row->name)));
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
