#include "tests/passes/random_program.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

#include "graph/builder.h"
#include "graph/verify.h"

namespace sinter::test {
namespace {

constexpr int64_t n_value = 3;

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed) {}

  RandomProgram run(int nodes) {
    leaves();
    for (int i = 0; i < nodes; ++i) {
      try {
        add(operation());
      } catch (const UserError&) {
        // What does not fit is not built; what was appended on the way is not reached.
      }
    }
    std::vector<NodeId> outputs = {n_};  // so that "n" has a value in every program
    for (size_t i = 0; i < 4; ++i) outputs.push_back(some());
    for (size_t i = pool_.size() - std::min<size_t>(pool_.size(), 4); i < pool_.size(); ++i) outputs.push_back(pool_[i]);
    std::vector<Update> updates;
    for (NodeId id : pool_)
      if (updates.empty() && id != parameter_ && graph_.type(id) == graph_.type(parameter_)) updates.push_back({parameter_, id});
    Program program = extract(graph_, outputs, updates);
    std::erase_if(inputs_, [&](const auto& input) { return !program.graph.named(input.first).valid(); });
    return {std::move(program), std::move(inputs_)};
  }

 private:
  size_t below(size_t bound) { return static_cast<size_t>(random_()) % bound; }
  bool chance(size_t in) { return below(in) == 0; }
  void add(NodeId id) { pool_.push_back(id); }
  // Late nodes more often than early ones, so that programs are deep.
  NodeId some() { return pool_[pool_.size() - 1 - std::min(below(pool_.size()), below(pool_.size()))]; }

  // Special values are as likely as all others together.
  double value(DType type) {
    static constexpr double special[] = {0, -0.0, 1, -1, 2, 0.5, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                                         std::numeric_limits<double>::quiet_NaN(), 1e-310, 3e9, -7};
    double v = chance(2) ? special[below(std::size(special))] : static_cast<double>(static_cast<int64_t>(random_() % 2001) - 1000) / 128;
    if (is_float(type)) return v;
    if (!(v > -1e9 && v < 1e9)) v = 5;
    return is_signed(type) ? v : v < 0 ? -v : v;
  }

  Tensor tensor(DType type, std::vector<int64_t> sizes) {
    Tensor t = Tensor::uninitialized(type, std::move(sizes));
    bool alike = chance(3);
    double common = value(type);
    dispatch(type, [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (int64_t i = 0; i < t.size(); ++i) static_cast<T*>(t.raw())[i] = static_cast<T>(alike ? common : value(type));
    });
    return t;
  }

  DType dtype() { return chance(3) ? all_dtypes[below(std::size(all_dtypes))] : f32; }
  Shape shape() {
    static const Shape shapes[] = {{}, {2}, {"n"}, {2, 3}, {"n", 2}, {1, 2}, {2, 1}, {1}, {2, 2}, {"n", 1, 2}, {2, 3, 2}, {0, 2}};
    return shapes[below(std::size(shapes))];
  }

  void leaves() {
    for (int i = 0; i < 4; ++i) {
      std::string name = "x" + std::to_string(i);
      Type type = Type::of(dtype(), shape());
      add(build_variable(graph_, name, type, {graph_.intern(Location("made.cpp", static_cast<uint32_t>(i)))}));
      inputs_.emplace(name, tensor(type.dtype, evaluate(type.shape, {{"n", n_value}})));
    }
    n_ = build_variable(graph_, "n", Type::of(f32, {"n"}));
    add(n_);
    inputs_.emplace("n", tensor(f32, {n_value}));
    parameter_ = build_parameter(graph_, std::make_shared<ParameterStorage>("w", tensor(f32, {2, 3})));
    add(parameter_);
  }

  NodeId constant() {
    Shape s = shape();
    std::vector<int64_t> sizes;
    for (const Dim& d : s)
      if (d.is_number()) sizes.push_back(d.number());
    bool weak = sizes.empty() && chance(3);  // as literals are
    return build_constant(graph_, tensor(!weak ? dtype() : chance(2) ? f64 : i64, sizes), weak);
  }

  size_t rank(NodeId id) { return graph_.type(id).shape.size(); }
  const Shape& shape_of(NodeId id) { return graph_.type(id).shape; }
  Axes permuted(size_t size) {
    Axes axes(size);
    std::iota(axes.begin(), axes.end(), 0);
    for (size_t i = size; i > 1; --i) std::swap(axes[i - 1], axes[below(i)]);
    return axes;
  }
  Axes some_axes(size_t size) {
    Axes axes = permuted(size);
    axes.resize(below(size + 1));
    return axes;
  }

  NodeId operation() {
    if (chance(8)) return constant();
    const OpInfo& row = op_table()[below(op_table().size())];
    std::vector<NodeId> inputs;
    for (int i = 0; i < row.arity; ++i) inputs.push_back(chance(6) && i > 0 ? inputs[0] : some());
    if (row.promotion == Promotion::logical || row.promotion == Promotion::select)
      for (size_t i = 0; i < (row.promotion == Promotion::select ? 1 : inputs.size()); ++i) inputs[i] = build_convert(graph_, inputs[i], boolean);
    return build(graph_, row.op, inputs, attributes(row.op, inputs));
  }

  Attributes attributes(Op op, std::vector<NodeId>& inputs) {
    switch (op) {
      case Op::variable: case Op::parameter: case Op::constant: throw UserError("made by leaves()");
      case Op::dimension: return DimensionAttributes{Dim("n") * Dim(static_cast<int64_t>(below(3)))};
      case Op::iota: {
        Shape s = shape();
        return IotaAttributes{s, static_cast<int64_t>(below(s.size() + 1)), dtype()};
      }
      case Op::convert: return ConvertAttributes{all_dtypes[below(std::size(all_dtypes))]};
      case Op::reshape: return ShapeAttributes{reshaped(shape_of(inputs[0]))};
      case Op::transpose: return TransposeAttributes{permuted(rank(inputs[0]))};
      case Op::broadcast: return broadcast(shape_of(inputs[0]));
      case Op::slice: return slice(shape_of(inputs[0]));
      case Op::pad: {
        size_t r = rank(inputs[0]);
        PadAttributes a{Axes(r), Axes(r), Axes(r)};
        for (Axes* axes : {&a.low, &a.high, &a.interior})
          for (int64_t& v : *axes) v = static_cast<int64_t>(below(4) / 2);
        inputs[1] = build_constant(graph_, tensor(graph_.type(inputs[0]).dtype, {}));
        return a;
      }
      case Op::sum:
      case Op::max:
      case Op::min:
      case Op::size: return ReduceAttributes{some_axes(rank(inputs[0])), chance(4), op != Op::size && chance(2)};
      case Op::contract: return contraction(inputs);
      default: return NoAttributes{};
    }
  }

  Shape reshaped(Shape s) {
    if (chance(3)) s.insert(s.begin() + static_cast<int64_t>(below(s.size() + 1)), Dim(1));
    else if (auto one = std::find(s.begin(), s.end(), Dim(1)); one != s.end() && chance(2)) s.erase(one);
    else if (chance(2)) s = {product(s)};
    else std::reverse(s.begin(), s.end());
    return s;
  }

  BroadcastAttributes broadcast(Shape s) {
    BroadcastAttributes a;
    for (const Dim& d : s) {
      if (chance(3)) a.shape.push_back(chance(2) ? Dim(1) : Dim(2));
      a.axes.push_back(static_cast<int64_t>(a.shape.size()));
      a.shape.push_back(d.is(1) && chance(2) ? Dim("n") : d);
    }
    if (chance(3)) a.shape.push_back(chance(2) ? Dim(1) : Dim("n"));
    return a;
  }

  SliceAttributes slice(const Shape& s) {
    SliceAttributes a;
    for (const Dim& d : s) {
      bool whole = !d.is_number() || d.is(0) || chance(2);
      int64_t start = whole ? 0 : static_cast<int64_t>(below(static_cast<size_t>(d.number())));
      a.starts.push_back(Dim(start));
      a.stops.push_back(whole ? d : Dim(start + static_cast<int64_t>(below(static_cast<size_t>(d.number() - start) + 1))));
      a.steps.push_back(d.is_number() ? 1 + static_cast<int64_t>(below(2)) : 1);
    }
    return a;
  }

  // Pairs axes of equal sizes, some as batch.
  ContractionAttributes contraction(std::vector<NodeId>& inputs) {
    if (graph_.type(inputs[0]).dtype != graph_.type(inputs[1]).dtype) inputs[1] = build_convert(graph_, inputs[1], graph_.type(inputs[0]).dtype);
    ContractionAttributes a;
    for (int64_t left : permuted(rank(inputs[0])))
      for (int64_t right : permuted(rank(inputs[1]))) {
        bool taken =
            std::count(a.rhs_batch.begin(), a.rhs_batch.end(), right) + std::count(a.rhs_contracted.begin(), a.rhs_contracted.end(), right) > 0;
        if (taken || !(shape_of(inputs[0])[static_cast<size_t>(left)] == shape_of(inputs[1])[static_cast<size_t>(right)]) || chance(3)) continue;
        bool batch = chance(3);
        (batch ? a.lhs_batch : a.lhs_contracted).push_back(left);
        (batch ? a.rhs_batch : a.rhs_contracted).push_back(right);
        break;
      }
    return a;
  }

  std::mt19937_64 random_;
  Graph graph_;
  std::vector<NodeId> pool_;
  NodeId parameter_, n_;
  NamedTensors inputs_;
};

}  // namespace

RandomProgram random_program(uint64_t seed, int nodes) { return Generator(seed).run(nodes); }

}  // namespace sinter::test
