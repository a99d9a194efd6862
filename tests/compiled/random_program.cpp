#include "tests/compiled/random_program.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "autodiff/optimizers.h"
#include "autodiff/reverse.h"
#include "graph/expr.h"
#include "graph/nn/nn.h"

namespace sinter::test {
namespace {

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed * 0x9E3779B97F4A7C15u + 12345) {}
  size_t below(size_t bound) { return static_cast<size_t>(engine_() % bound); }
  bool chance(size_t in) { return below(in) == 0; }
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

 private:
  std::mt19937_64 engine_;
};

Tensor random_tensor(Random& random, DType type, const std::vector<int64_t>& sizes, bool whole) {
  Tensor t = Tensor::uninitialized(type, sizes);
  dispatch(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    for (T& v : t.data<T>()) {
      if constexpr (std::is_same_v<T, bool>) v = random.chance(2);
      else if constexpr (std::is_floating_point_v<T>) v = static_cast<T>(whole ? static_cast<double>(random.below(7)) - 3 : random.unit() * 4 - 2);
      else v = static_cast<T>(static_cast<int64_t>(random.below(7)) - (std::is_signed_v<T> ? 3 : 0));
    }
  });
  return t;
}

class Generator {
 public:
  Generator(uint64_t seed, int size) : random_(seed), seed_(seed), size_(size), whole_(random_.chance(3)) {}

  RandomProgram run() {
    GraphScope scope;
    leaves();
    for (int i = 0; i < size_; ++i) attempt([&] { add(operation()); });
    std::vector<Expr> outputs;
    size_t count = 1 + random_.below(4);
    for (size_t i = 0; i < count; ++i) outputs.push_back(some());
    outputs.push_back(pool_.back());
    if (random_.chance(4)) outputs.push_back(outputs.front());  // twice the same
    Updates updates;
    attempt([&] { updates = train(outputs); });
    RandomProgram made;
    made.program = program_of(outputs, updates);
    if (!binds_symbols(made.program)) {
      outputs.insert(outputs.end(), {pool_[0], pool_[1]});
      made.program = program_of(outputs, updates);
    }
    made.seed = seed_;
    made.whole = whole_;
    return made;
  }

 private:
  // What does not fit is not built.
  template <class F>
  void attempt(F f) {
    try {
      f();
    } catch (const UserError&) {
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
  void add(const Expr& e) {
    if (element_count(evaluate(e.shape(), {{"n", 33}, {"m", 9}})) > 20000) throw UserError("too large");
    pool_.push_back(e);
  }
  // Late ones more often, so that programs are deep.
  const Expr& some() { return pool_[pool_.size() - 1 - std::min(random_.below(pool_.size()), random_.below(pool_.size()))]; }
  template <class Is>
  const Expr& some(Is is) {
    for (int i = 0; i < 30; ++i)
      if (const Expr& e = some(); is(e)) return e;
    throw UserError("there is none");
  }
  const Expr& some_float() {
    return some([](const Expr& e) { return is_float(e.dtype()); });
  }
  static int64_t rank(const Expr& e) { return static_cast<int64_t>(e.shape().size()); }

  DType dtype() {
    static const DType types[] = {f32, f32, f32, f32, f32, f32, f64, f64, i32, i64, u8, boolean, u32, u64};
    return types[random_.below(std::size(types))];
  }
  Dim dim() {
    static const Dim dims[] = {1, 2, 3, 3, 5, 8, 17, "n", "n", "m"};
    return dims[random_.below(std::size(dims))];
  }
  Shape shape() {
    static const size_t ranks[] = {0, 1, 1, 2, 2, 2, 2, 3, 3, 4};
    Shape s(ranks[random_.below(std::size(ranks))]);
    int64_t volume = 1;
    for (Dim& d : s) {
      d = dim();
      if (volume > 60) d = Dim(1 + static_cast<int64_t>(random_.below(2)));
      volume *= d.is_number() ? d.number() : 6;
    }
    return s;
  }

  void leaves() {
    size_t variables = 3 + random_.below(3), parameters = 1 + random_.below(3);
    add(Variable("x0", f32, {"n", dim()}));
    add(Variable("x1", dtype(), {"m"}));
    for (size_t i = 2; i < variables; ++i) attempt([&] { add(Variable("x" + std::to_string(i), dtype(), shape())); });
    for (size_t i = 0; i < parameters; ++i) {
      std::vector<int64_t> sizes;
      for (const Dim& d : shape()) sizes.push_back(d.is_number() ? d.number() : 4);
      if (i == 0) {  // a weight for the first variable
        const Dim& inner = pool_[0].shape()[1];
        sizes = {inner.is_number() ? inner.number() : 3, 1 + static_cast<int64_t>(random_.below(20))};
      }
      parameters_.emplace_back("w" + std::to_string(i), random_tensor(random_, random_.chance(8) ? f64 : f32, sizes, whole_));
      add(parameters_.back());
    }
    attempt([&] { add(matmul(pool_[0], parameters_[0])); });
  }

  Axes permutation(int64_t r) {
    Axes axes(static_cast<size_t>(r));
    std::iota(axes.begin(), axes.end(), 0);
    for (size_t i = axes.size(); i > 1; --i) std::swap(axes[i - 1], axes[random_.below(i)]);
    return axes;
  }
  Axes some_axes(int64_t r) {
    Axes axes = permutation(r);
    axes.resize(random_.below(axes.size() + 1));
    return axes;
  }
  int64_t axis(const Expr& e) {
    if (rank(e) == 0) throw UserError("there is no axis");
    return static_cast<int64_t>(random_.below(static_cast<size_t>(rank(e)))) - (random_.chance(2) ? rank(e) : 0);
  }

  Expr operation() {
    switch (random_.below(whole_ ? 9 : 12)) {
      case 0: case 1: return arithmetic();
      case 2: return whole_unary(some());
      case 3: case 4: return movement(some());
      case 5: return reduction(some());
      case 6: case 7: return product();
      case 8: return comparison();
      case 9: case 10: return unary(some());
      default: return composition(some_float());
    }
  }

  // Of shapes that broadcast, where some are found.
  Expr arithmetic() {
    const Expr &a = some(), &b = random_.chance(5) ? a : some();
    switch (random_.below(whole_ ? 8 : 10)) {
      case 0: case 1: return a + b;
      case 2: return a - b;
      case 3: return a * b;
      case 4: return maximum(a, b);
      case 5: return minimum(a, b);
      case 6: return random_.chance(2) ? a * 2 : 3 - a;
      case 7: return select(some([](const Expr& e) { return e.dtype() == boolean; }), a, b);
      case 8: return a / (abs(b) + 0.5);
      default: return pow(abs(a) + 0.25, b);
    }
  }
  Expr comparison() {
    const Expr &a = some(), &b = some();
    switch (random_.below(6)) {
      case 0: return a < b;
      case 1: return a <= b;
      case 2: return a == b;
      case 3: return a != 0;
      case 4: return a > 0 && b > 1;
      default: return !(a >= b) || a != b;
    }
  }
  Expr whole_unary(const Expr& x) {
    switch (random_.below(6)) {
      case 0: return -x;
      case 1: return abs(x);
      case 2: return sign(x);
      case 3: return relu(x);
      case 4: return stop_gradient(x);
      default: {
        DType to = dtype();
        // Whole numbers stay so in a float; a float need not in an integer, whose bits are all that a difference leaves.
        return convert(x, whole_ || is_float(to) || !is_float(x.dtype()) ? to : f64);
      }
    }
  }
  Expr unary(const Expr& x) {
    switch (random_.below(14)) {
      case 0: return exp(minimum(x, 3));
      case 1: return expm1(minimum(x, 3));
      case 2: return log(abs(x) + 0.5);
      case 3: return log1p(abs(x));
      case 4: return sqrt(abs(x) + 0.125);
      case 5: return rsqrt(abs(x) + 0.5);
      case 6: return sin(x);
      case 7: return cos(x);
      case 8: return erf(x);
      case 9: return sigmoid(x);
      case 10: return floor(x);
      case 11: return random_.chance(2) ? gelu(x) : gelu(x, Gelu::erf);
      case 12: return random_.chance(2) ? softplus(x) : silu(x);
      default: return tanh(x);
    }
  }

  Expr movement(const Expr& x) {
    Shape s = x.shape();
    size_t r = s.size();
    switch (random_.below(6)) {
      case 0: case 1: return transpose(x, permutation(rank(x)));
      case 2: {
        if (random_.chance(2)) return reshape(x, {-1});
        if (r > 0 && random_.chance(2)) std::swap(s[0], s[r - 1]);
        s.insert(s.begin() + static_cast<std::ptrdiff_t>(random_.below(r + 1)), Dim(1));
        return reshape(x, s);
      }
      case 3: {
        Shape to;
        Axes axes;
        for (const Dim& d : s) {
          if (random_.chance(4)) to.push_back(dim());
          axes.push_back(static_cast<int64_t>(to.size()));
          to.push_back(d.is(1) ? dim() : d);
        }
        if (random_.chance(3)) to.push_back(dim());
        if (to.size() > 4) throw UserError("too many axes");
        return broadcast(x, to, axes);
      }
      case 4: {
        Shape starts, stops;
        Axes steps;
        for (const Dim& d : s) {
          bool whole = !d.is_number() || d.is(0) || random_.chance(2);
          int64_t start = whole ? 0 : static_cast<int64_t>(random_.below(static_cast<size_t>(d.number())));
          starts.push_back(start);
          stops.push_back(whole ? d : Dim(start + 1 + static_cast<int64_t>(random_.below(static_cast<size_t>(d.number() - start)))));
          steps.push_back(d.is_number() && random_.chance(3) ? 2 : 1);
        }
        return slice(x, starts, stops, steps);
      }
      default: {
        Axes low(r), high(r), interior(r);
        for (size_t i = 0; i < r; ++i) {
          low[i] = static_cast<int64_t>(random_.below(4) / 2), high[i] = static_cast<int64_t>(random_.below(4) / 2);
          if (s[i].is_number() && random_.chance(4)) interior[i] = 1;
        }
        Expr fill = Constant(static_cast<int64_t>(random_.below(3)));
        if (random_.chance(3)) fill = some([&](const Expr& e) { return rank(e) == 0 && e.dtype() == x.dtype(); });
        return pad(x, convert(fill, x.dtype()), low, high, interior);
      }
    }
  }

  Expr reduction(const Expr& x) {
    Axes axes = random_.chance(3) && rank(x) > 0 ? Axes{axis(x)} : some_axes(rank(x));
    bool keep = random_.chance(2);
    switch (random_.below(whole_ ? 4 : 5)) {
      case 0: case 1: return sum(x, axes, keep);
      case 2: return max(x, axes, keep);
      case 3: return random_.chance(3) ? argmax(x, axis(x)) : min(x, axes, keep);
      default: return mean(x, axes, keep);
    }
  }

  Expr product() {
    const Expr& a = some([](const Expr& e) { return rank(e) > 0 && e.dtype() != boolean; });
    Expr b = some([&](const Expr& e) { return rank(e) > 0 && rank(e) + rank(a) < 7 && e.dtype() != boolean; });
    Expr made;
    if (random_.chance(2)) {
      // The operands turned so that the inner sizes meet, if they do anywhere.
      Expr left = a, right = b;
      for (int64_t i = 0; i < rank(a) * rank(b) && !(left.shape().back() == right.shape()[static_cast<size_t>(std::max<int64_t>(rank(b) - 2, 0))]); ++i) {
        left = transpose(a, permutation(rank(a)));
        right = transpose(b, permutation(rank(b)));
      }
      made = matmul(left, right);
    } else {
      if (a.dtype() != b.dtype()) b = convert(b, a.dtype());
      ContractionAttributes c;
      for (int64_t left : permutation(rank(a)))
        for (int64_t right : permutation(rank(b))) {
          bool taken = std::count(c.rhs_batch.begin(), c.rhs_batch.end(), right) + std::count(c.rhs_contracted.begin(), c.rhs_contracted.end(), right) > 0;
          if (taken || !(a.shape()[static_cast<size_t>(left)] == b.shape()[static_cast<size_t>(right)]) || random_.chance(4)) continue;
          bool batch = random_.chance(4);
          (batch ? c.lhs_batch : c.lhs_contracted).push_back(left);
          (batch ? c.rhs_batch : c.rhs_contracted).push_back(right);
          break;
        }
      made = contract(a, b, c);
    }
    if (rank(made) > 4) throw UserError("too many axes");
    return whole_ || !is_float(made.dtype()) || random_.chance(2) ? made : tanh(made);
  }

  Expr composition(const Expr& x) {
    if (rank(x) == 0) return variance(some_float());
    switch (random_.below(6)) {
      case 0: return softmax(x, axis(x));
      case 1: return log_softmax(x, axis(x));
      case 2: return logsumexp(x, axis(x), random_.chance(2));
      case 3: return layer_norm(x, 1.5, 0.5);
      case 4: return variance(x, {axis(x)}, random_.chance(2));
      default: return relu(x) * sigmoid(x);
    }
  }

  // A loss over some of what there is, its gradients, and a step of an optimiser.
  Updates train(std::vector<Expr>& outputs) {
    if (random_.chance(8)) return by_hand();
    Expr loss;
    for (size_t i = 0, count = 1 + random_.below(3); i < count; ++i) {
      const Expr& x = i == 0 ? some_float() : some([](const Expr& e) { return is_float(e.dtype()) && !e.shape().empty(); });
      Expr term = whole_ ? sum(x) : random_.chance(3) ? mean(x * x) : random_.chance(2) ? sum(tanh(x)) : mean(x);
      if (random_.chance(6) && rank(x) == 2) term = cross_entropy(x, argmax(x * 2 - 1, -1));
      loss = loss.defined() ? loss + term : term;
    }
    outputs.push_back(loss);
    std::vector<Parameter> trained;
    for (const Parameter& p : parameters_)
      if (is_float(p.dtype()) && (trained.empty() || random_.chance(2))) trained.push_back(p);
    std::vector<Expr> g = gradients(loss, trained);
    if (random_.chance(2)) outputs.push_back(g[random_.below(g.size())]);
    attempt([&] {
      if (random_.chance(2)) outputs.push_back(gradients(loss, {some_float()})[0]);
    });
    attempt([&] {
      if (random_.chance(4)) outputs.push_back(gradients(sum(g[0] * g[0]), trained)[0]);  // and once more
    });
    std::optional<double> clip = random_.chance(4) && !whole_ ? std::optional(1.0) : std::nullopt;
    switch (random_.below(whole_ ? 1 : 5)) {
      case 0: return sgd(trained, g, {.rate = 0.5, .clip_norm = clip});
      case 1: return momentum(trained, g, {.rate = 0.1, .nesterov = random_.chance(2), .clip_norm = clip});
      case 2: return adam(trained, g, {.rate = 0.1, .clip_norm = clip});
      case 3: return adamw(trained, g, {.rate = 0.1, .clip_norm = clip});
      default: {
        Updates updates = sgd(trained, g, {.rate = 0.25});
        outputs.push_back(updates[0].value);        // what is updated, returned as well
        outputs.push_back(updates[0].parameter);    // and what it was
        return updates;
      }
    }
  }

  // Parameters replaced by whatever is of their type, each other included.
  Updates by_hand() {
    Updates updates;
    for (const Parameter& p : parameters_)
      attempt([&] {
        updates.push_back({p, some([&](const Expr& e) { return e.dtype() == p.dtype() && e.shape() == p.shape() && (e.id() != p.id() || random_.chance(3)); })});
      });
    return updates;
  }

  Random random_;
  uint64_t seed_;
  int size_;
  bool whole_;
  std::vector<Expr> pool_;
  std::vector<Parameter> parameters_;
};

}  // namespace

NamedTensors RandomProgram::inputs(int64_t n, int64_t m) const {
  Random random(seed + 77);
  NamedTensors all;
  const Graph& graph = program.graph;
  for (size_t i = 0; i < graph.size(); ++i)
    if (NodeId id(i); graph.node(id).op == Op::variable)
      all.emplace(graph.attributes<VariableAttributes>(id).name, random_tensor(random, graph.type(id).dtype, evaluate(graph.type(id).shape, {{"n", n}, {"m", m}}), whole));
  return all;
}

CompileOptions random_options(const RandomProgram& random) {
  CompileOptions options;
  options.threads = 1 + static_cast<unsigned>(random.seed % 2);
  options.transactional = random.seed % 3 == 0;
  if (random.seed % 5 == 0) options.passes.disabled = {"simplify", "fold", "cse"};
  const Target& host = host_target();
  if (!host.triple.starts_with("x86_64")) return options;
  static const Target avx2 = target_for(host.triple, "x86-64-v3"), sse2 = target_for(host.triple, "x86-64");
  // Without fused multiply-add the elementary functions round elsewhere.
  if (random.whole && random.seed % 4 == 1) options.target = &sse2;
  else if (host.has_fma && host.vector_bytes > 32 && random.seed % 4 >= 2) options.target = &avx2;
  return options;
}

RandomProgram random_program(uint64_t seed, int size) { return Generator(seed, size).run(); }

}  // namespace sinter::test
