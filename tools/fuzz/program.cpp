#include "tools/fuzz/program.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "graph/builder.h"
#include "tools/fuzz/attributes.h"
#include "tools/fuzz/pool.h"
#include "tools/fuzz/training.h"

namespace sinter::fuzz {
namespace {

// Whether small whole numbers go to whole numbers: such rows keep sums exact. Judged by the row itself.
bool keeps_whole(const OpInfo& row) {
  if (row.promotion == Promotion::logical || row.promotion == Promotion::bits || row.op == Op::convert) return true;
  std::vector<float> numbers = {-3, -2, -1, 0, 1, 2, 3}, results(numbers.size());
  bool boolean_first = row.promotion == Promotion::select;
  std::vector<DType> types(static_cast<size_t>(row.arity), f32);
  std::vector<Type> operands(types.size(), Type::of(f32, {}));
  if (boolean_first) types[0] = boolean, operands[0] = Type::of(boolean, {});
  DType result = row.infer({operands, NoAttributes{}}).dtype;
  if (result != f32 || boolean_first) return true;
  ScalarExpr expression = expression_of(row.op, types, result);
  for (float other : numbers) {
    std::vector<float> others(numbers.size(), other);
    std::vector<const void*> inputs(types.size(), others.data());
    inputs[0] = numbers.data();
    void* out = results.data();
    evaluate(expression, inputs, std::span(&out, 1), static_cast<int64_t>(numbers.size()));
    if (std::any_of(results.begin(), results.end(), [](float v) { return !(std::fabs(v) <= 100 && v == std::trunc(v)); })) return false;
  }
  return true;
}

std::vector<const OpInfo*> rows_of(Family family, bool whole) {
  std::vector<const OpInfo*> rows;
  for (const OpInfo& row : op_table()) {
    bool given = row.op == Op::variable || row.op == Op::parameter || row.op == Op::constant;
    if (row.family == family && !given && !(whole && family == Family::elementwise && !keeps_whole(row))) rows.push_back(&row);
  }
  return rows;
}

Family random_family(Random& random) {
  static const Family families[] = {Family::elementwise, Family::elementwise, Family::elementwise, Family::elementwise, Family::elementwise, Family::elementwise,
                                    Family::movement, Family::movement, Family::movement, Family::reduction, Family::reduction, Family::contraction,
                                    Family::contraction, Family::indexing, Family::sugar, Family::sugar, Family::leaf, Family::call};
  return random.chance(60) ? Family::identity : random.of(families);
}

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed), seed_(seed) {
    static const Values styles[] = {Values::plain, Values::plain, Values::plain, Values::whole, Values::whole, Values::special};
    values_ = random_.of(styles);
    sizes_ = random_sizes(random_);
  }

  RandomProgram run() {
    GraphScope scope;
    OriginScope origin({Location("random.cpp", 1)});
    leaves();
    for (int64_t i = 0, count = random_.number(2, random_.chance(4) ? 40 : 18); i < count; ++i)
      for (int tries = 0; tries < 6; ++tries)
        if (attempt([&] { pool_.add(random_.chance(7) ? composition(random_, pool_, values_) : operation()); })) break;
    std::vector<Expr> outputs;
    for (size_t i = 0, count = random_.below(4); i < count; ++i) outputs.push_back(pool_.some());
    outputs.push_back(pool_.last());
    attempt([&] { alias(outputs); });
    Updates updates;
    if (!random_.chance(3))
      attempt([&] { updates = random_training(random_, pool_, parameters_, outputs, values_); });
    Program program = program_of(outputs, updates);
    if (!binds_symbols(program)) {
      outputs.insert(outputs.end(), {pool_[0], pool_[1]});
      program = program_of(outputs, updates);
    }
    return {std::move(program), seed_, values_, sizes_.bindings};
  }

 private:
  // What does not fit is not built; what was appended on the way is not reached.
  template <class F>
  bool attempt(F f) {
    try {
      f();
      return true;
    } catch (const UserError&) {
      return false;
    }
  }

  // Whether each symbol is the size of a variable that is reached: only those have values in a call.
  static bool binds_symbols(const Program& program) {
    std::set<std::string> used, bound;
    for (size_t i = 0; i < program.graph.size(); ++i) {
      const Node& node = program.graph.node(NodeId(i));
      for (const Dim& d : node.type.shape) {
        for (const std::string& symbol : d.symbols()) used.insert(symbol);
        if (node.op == Op::variable && d.symbol()) bound.insert(*d.symbol());
      }
      if (node.op == Op::dimension)
        for (const std::string& symbol : std::get<DimensionAttributes>(node.attributes).value.symbols()) used.insert(symbol);
    }
    return std::includes(bound.begin(), bound.end(), used.begin(), used.end());
  }

  void leaves() {
    Dim inner = sizes_.dim(random_);
    pool_.add(Variable("x0", f32, {"n", sizes_.count({"n", inner}) > sizes_.elements ? Dim(3) : inner}));
    pool_.add(Variable("x1", random_dtype(random_), {"m"}));
    for (size_t i = 2, count = 3 + random_.below(3); i < count; ++i)
      attempt([&] {
        DType type = random_dtype(random_);
        pool_.add(Variable("x" + std::to_string(i), type, sizes_.shape(random_)));
      });
    for (size_t i = 0, count = 1 + random_.below(4); i < count; ++i) {
      // The first is a weight for x0.
      Shape shape = i == 0 ? Shape{pool_[0].shape()[1], sizes_.dim(random_)} : sizes_.shape(random_);
      std::vector<int64_t> sizes = sizes_.numbers(shape, random_.number(1, 9));
      if (element_count(sizes) > sizes_.elements) sizes.assign(1, 3);
      DType type = random_.chance(5) ? random_dtype(random_) : f32;
      parameters_.emplace_back("w" + std::to_string(i), random_tensor(random_, type, sizes, values_));
      pool_.add(parameters_.back());
    }
    attempt([&] { pool_.add(matmul(pool_[0], parameters_[0])); });
  }

  Expr constant() {
    bool weak = random_.chance(3);  // as literals are
    Shape shape = weak ? Shape() : sizes_.shape(random_);
    DType type = !weak ? random_dtype(random_) : random_.chance(2) ? f64 : i64;
    // A whole literal that fits no i32 is an error of the user's.
    Tensor value = random_tensor(random_, type, sizes_.numbers(shape, 1), weak && type == i64 ? Values::whole : values_);
    if (random_.chance(2)) {  // what rules look for: neutral elements, and what is nearly one
      static const double common[] = {0, -0.0, 1, -1, 2, 0.5};
      double v = random_.of(common);
      if (is_float(type) || (v >= 0 && v != 0.5)) value = full(value.sizes(), v, type);
    }
    return Expr(current_graph(), build_constant(*current_graph(), value, weak));
  }

  Expr operation() {
    Family family = random_family(random_);
    if (family == Family::leaf && random_.chance(2)) return constant();
    const OpInfo& row = *random_.of(rows_of(family, values_ == Values::whole));
    std::vector<Expr> x;
    for (int i = 0; i < (row.arity == any_arity ? 1 : row.arity); ++i)
      x.push_back(i == 0 ? pool_.some() : random_.chance(7) ? x[0] : row.promotion == Promotion::none ? pool_.some() : random_.chance(4) ? constant() : pool_.fitting(x[0]));
    for (size_t i = 0; i < x.size(); ++i) {
      bool logical = row.promotion == Promotion::logical || (row.promotion == Promotion::select && i == 0);
      if (logical && x[i].dtype() != boolean) x[i] = random_.chance(2) ? convert(x[i], boolean) : x[i] < pool_.fitting(x[i]);
      if (logical && random_.chance(4)) x[i] = !x[i];
      if (row.promotion == Promotion::bits && is_float(x[i].dtype())) x[i] = convert(x[i], random_.chance(2) ? i32 : u8);
      if (logical && x[i].dtype() != boolean) throw UserError("no condition");
      else if (i < row.domains.size() && is_float(x[i].dtype()) && values_ == Values::plain) x[i] = within(x[i], row.domains[i], row.promotion == Promotion::floating);
    }
    Attributes attributes = random_attributes(random_, sizes_, row.op, x, values_);
    std::vector<NodeId> inputs;
    for (const Expr& e : x) inputs.push_back(e.id());
    return Expr(current_graph(), build(*current_graph(), row.op, inputs, attributes));
  }

  // Where the tests sample it, more often than not where it is undefined elsewhere: else most that is computed would be NaN.
  Expr within(const Expr& x, const Domain& domain, bool floating) {
    bool narrow = domain.low != Domain().low || domain.high != Domain().high;
    if (narrow ? random_.chance(8) : !random_.chance(floating ? 2 : 10)) return x;
    if (domain.low >= -1 && random_.chance(2)) return abs(x) + std::max(domain.low, 0.125);
    return minimum(maximum(x, domain.low), domain.high);
  }

  // Outputs that are leaves, listed twice, or share their elements.
  void alias(std::vector<Expr>& outputs) {
    if (random_.chance(5)) outputs.push_back(outputs.front());
    if (random_.chance(6)) outputs.push_back(pool_[random_.below(4)]);
    if (random_.chance(6)) outputs.push_back(reshape(pool_.some(), {-1}));
    if (random_.chance(8)) outputs.push_back(parameters_[0]);
  }

  Random random_;
  uint64_t seed_;
  Values values_;
  Sizes sizes_;
  Pool pool_{random_, sizes_};
  std::vector<Parameter> parameters_;
};

}  // namespace

NamedTensors random_inputs(const Program& program, const Bindings& bindings, Values values, uint64_t seed) {
  Random random(seed);
  NamedTensors all;
  const Graph& graph = program.graph;
  for (size_t i = 0; i < graph.size(); ++i)
    if (NodeId id(i); graph.node(id).op == Op::variable)
      all.emplace(graph.attributes<VariableAttributes>(id).name, random_tensor(random, graph.type(id).dtype, evaluate(graph.type(id).shape, bindings), values));
  return all;
}

NamedTensors RandomProgram::inputs(const Bindings& b) const { return random_inputs(program, b, values, seed + 77); }

RandomProgram random_program(uint64_t seed) { return Generator(seed).run(); }

}  // namespace sinter::fuzz
