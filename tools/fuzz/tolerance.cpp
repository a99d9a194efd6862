#include "tools/fuzz/tolerance.h"
#include "tools/fuzz/turned.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace sinter::fuzz {
namespace {

constexpr double unknown = std::numeric_limits<double>::infinity();

std::vector<double> doubles(const Tensor& t) {
  std::vector<double> all;
  dispatch_stored(t.dtype(), [&](auto tag) {
    for (auto v : t.data<typename decltype(tag)::type>()) all.push_back(static_cast<double>(v));
  });
  return all;
}
Tensor as_tensor(const std::vector<double>& values, const std::vector<int64_t>& sizes) { return Tensor::of<double>(std::span(values), sizes); }

double unit(DType t) { return t == bf16 ? 0x1p-8 : t == f16 ? 0x1p-11 : t == f32 ? 0x1p-24 : 0x1p-53; }               // half an ulp of 1
double least(DType t) { return t == bf16 ? 0x1p-133 : t == f16 ? 0x1p-24 : t == f32 ? 0x1p-149 : 0x1p-1074; }        // the least denormal
double most(DType t) { return t == bf16 ? 0x1.fep127 : t == f16 ? 65504 : t == f32 ? 0x1.fffffep127 : 0x1.fffffffffffffp1023; }

template <class T>
auto shown(T v) {
  if constexpr (is_stored_only(dtype_of<T>())) return static_cast<float>(v);
  else return v;
}

// An operand's element: a value, and how far off it may be.
struct Ball {
  double value, radius;
  double low() const { return value - radius; }
  double high() const { return value + radius; }
};

double spread(double at_low, double at_value, double at_high) {
  double up = std::fabs(at_high - at_value), down = std::fabs(at_value - at_low);
  return std::isnan(up) || std::isnan(down) ? unknown : std::max(up, down);
}
template <class F>
double monotone(const Ball& x, F f) {
  return spread(f(x.low()), f(x.value), f(x.high()));
}
template <class F>
double stepped(const Ball& x, F f) {
  return f(x.low()) == f(x.high()) ? 0 : unknown;
}

double quotient_radius(const Ball& a, const Ball& b) {
  double closest = std::fabs(b.value) - b.radius;
  return closest > 0 ? (a.radius + std::fabs(a.value / b.value) * b.radius) / closest : unknown;
}
double power_radius(const Ball& a, const Ball& b) {
  if (!(a.low() > 0)) return unknown;
  double y = std::pow(a.value, b.value), r = 0;
  for (double base : {a.low(), a.high()})
    for (double exponent : {b.low(), b.high()}) r = std::max(r, std::fabs(std::pow(base, exponent) - y));
  return r;
}

// Whose error in doubles may be less than the difference that its operand makes in a kernel.
bool is_function(Op op) {
  switch (op) {
    case Op::exp: case Op::exp2: case Op::expm1: case Op::log: case Op::log2: case Op::log10: case Op::log1p: case Op::sqrt: case Op::rsqrt: case Op::cbrt: case Op::sin: case Op::cos:
    case Op::asin: case Op::acos: case Op::atan: case Op::sinh: case Op::cosh: case Op::tanh: case Op::asinh: case Op::acosh: case Op::atanh: case Op::sigmoid: case Op::softplus:
    case Op::erf: case Op::erfc: case Op::hypot: case Op::power:
      return true;
    default: return false;
  }
}

// How far the exact result may be off where an operand is.
double exact_radius(Op op, DType to, const std::vector<Ball>& x) {
  const Ball& a = x[0];
  auto b = [&]() -> const Ball& { return x[1]; };
  double together = x.size() > 1 ? a.radius + x[1].radius : 0;
  // What may be NaN makes a NaN of any function, however narrow its range.
  if (is_function(op) && std::any_of(x.begin(), x.end(), [](const Ball& each) { return each.radius == unknown; })) return unknown;
  switch (op) {
    case Op::negate: case Op::abs: return a.radius;
    case Op::sign: return stepped(a, [](double v) { return (v > 0) - (v < 0); });
    case Op::floor: return stepped(a, [](double v) { return std::floor(v); });
    case Op::ceil: return stepped(a, [](double v) { return std::ceil(v); });
    case Op::trunc: return stepped(a, [](double v) { return std::trunc(v); });
    case Op::round: return stepped(a, [](double v) { return std::nearbyint(v); });
    case Op::exp: return monotone(a, [](double v) { return std::exp(v); });
    case Op::exp2: return monotone(a, [](double v) { return std::exp2(v); });
    case Op::log2: return monotone(a, [](double v) { return std::log2(v); });
    case Op::log10: return monotone(a, [](double v) { return std::log10(v); });
    case Op::cbrt: return monotone(a, [](double v) { return std::cbrt(v); });
    case Op::asin: return monotone(a, [](double v) { return std::asin(v); });
    case Op::acos: return monotone(a, [](double v) { return std::acos(v); });
    case Op::atan: return monotone(a, [](double v) { return std::atan(v); });
    case Op::sinh: return monotone(a, [](double v) { return std::sinh(v); });
    case Op::cosh: return std::fabs(a.value) > a.radius ? monotone(a, [](double v) { return std::cosh(v); }) : std::cosh(a.radius * 2) - 1;
    case Op::asinh: return monotone(a, [](double v) { return std::asinh(v); });
    case Op::acosh: return monotone(a, [](double v) { return std::acosh(v); });
    case Op::atanh: return monotone(a, [](double v) { return std::atanh(v); });
    case Op::softplus: return a.radius;
    case Op::erfc: return monotone(a, [](double v) { return std::erfc(v); });
    case Op::hypot: return together;
    case Op::expm1: return monotone(a, [](double v) { return std::expm1(v); });
    case Op::log: return monotone(a, [](double v) { return std::log(v); });
    case Op::log1p: return monotone(a, [](double v) { return std::log1p(v); });
    case Op::sqrt: return a.value < 0 ? unknown : monotone(a, [](double v) { return std::sqrt(std::max(v, 0.0)); });  // of squares, mostly
    case Op::rsqrt: return a.low() > 0 ? monotone(a, [](double v) { return 1 / std::sqrt(v); }) : unknown;
    case Op::sin: case Op::cos: return std::fabs(a.value) + a.radius <= (to == f64 ? 0x1p45 : most(to)) ? std::min(a.radius, 2.0) : unknown;  // NaN beyond
    case Op::tanh: return monotone(a, [](double v) { return std::tanh(v); });
    case Op::sigmoid: return monotone(a, [](double v) { return 1 / (1 + std::exp(-v)); });
    case Op::erf: return monotone(a, [](double v) { return std::erf(v); });
    case Op::convert: return is_float(to) || a.radius == unknown ? a.radius : to == boolean ? (std::fabs(a.value) > a.radius ? 0 : unknown) : stepped(a, [](double v) { return std::trunc(v); });
    case Op::add: case Op::subtract: return together;
    case Op::multiply: return std::fabs(a.value) * b().radius + std::fabs(b().value) * a.radius + a.radius * b().radius;
    case Op::divide: return quotient_radius(a, b());
    case Op::power: return power_radius(a, b());
    case Op::maximum: case Op::minimum: return std::max(a.radius, b().radius);
    case Op::equal: case Op::not_equal: case Op::less: case Op::less_equal: return std::fabs(a.value - b().value) > together ? 0 : unknown;
    case Op::logical_not: case Op::logical_and: case Op::logical_or: return unknown;
    case Op::select: return a.radius == 0 ? x[a.value != 0 ? 1 : 2].radius : std::fabs(x[1].value - x[2].value) + x[1].radius + x[2].radius;
    default: return unknown;
  }
}

Radii elementwise(const Node& node, std::span<const Tensor> inputs, std::span<const Radii> radii, const Tensor& result) {
  std::vector<std::vector<double>> values;
  for (const Tensor& t : inputs) values.push_back(doubles(t));
  std::vector<double> y = doubles(result);
  Radii to(y.size());
  for (size_t i = 0; i < y.size(); ++i) {
    std::vector<Ball> x;
    bool differs = false;
    for (size_t k = 0; k < inputs.size(); ++k) {
      x.push_back({values[k][i], radii[k].empty() ? 0 : radii[k][i]});
      differs = differs || x.back().radius > 0;
    }
    if (!differs) continue;
    double r = exact_radius(node.op, node.type.dtype, x);
    if (r == 0 && y[i] == 0 && is_float(node.type.dtype)) r = least(node.type.dtype);  // the sign of the zero
    if (r == 0 && !is_function(node.op)) continue;
    if (node.type.dtype == boolean) {
      to[i] = 1;
      continue;
    }
    // Each side then rounds, and an elementary function is two ulps off.
    bool finite = std::isfinite(y[i]) && std::isfinite(r) && is_float(node.type.dtype);
    to[i] = finite ? r + 4 * unit(node.type.dtype) * (std::fabs(y[i]) + r) + 2 * least(node.type.dtype) : unknown;
    if (finite && std::fabs(y[i]) + to[i] > most(node.type.dtype)) to[i] = unknown;
  }
  return to;
}

// The value of the lowest bit that any of these has; infinity where all are zero, 0 where one is not finite.
double lowest_bit(const std::vector<double>& values) {
  double lowest = unknown;
  for (double v : values) {
    if (v == 0) continue;
    if (!std::isfinite(v)) return 0;
    int exponent;
    auto digits = static_cast<int64_t>(std::ldexp(std::frexp(v, &exponent), 53));
    lowest = std::min(lowest, std::ldexp(static_cast<double>(digits & -digits), exponent - 53));
  }
  return lowest;
}

// Sums of terms whose magnitudes add up to `magnitude` and whose own differences add up to `carried`; all are multiples of `bit`.
Radii sum_radii(DType type, const Tensor& magnitude, const Tensor& carried, double count, double bit) {
  Radii to(static_cast<size_t>(magnitude.size()));
  for (size_t i = 0; i < to.size(); ++i) {
    double m = magnitude.data<double>()[i], c = carried.data<double>()[i];
    if (std::isnan(m) && c == 0) continue;  // a NaN among the terms: the sum is one
    if (c == 0 && m <= bit / unit(type) && bit >= least(type)) continue;
    bool finite = std::isfinite(m) && std::isfinite(c) && m + c < most(type) / 2;
    to[i] = finite ? c + (count + 2) * (unit(type) * (m + c) + least(type)) : unknown;
  }
  return to;
}

Tensor magnitudes(const Tensor& t) {
  std::vector<double> all = doubles(t);
  for (double& v : all) v = std::fabs(v);
  return as_tensor(all, t.sizes());
}
Tensor radii_tensor(const Radii& r, const Tensor& of) {
  return r.empty() ? zeros(of.sizes(), f64) : as_tensor(r, of.sizes());
}

struct Interpreter {
  const Graph& graph;
  const Bindings& bindings;

  Tensor reference(NodeId id, std::vector<Tensor> of, const std::vector<int64_t>& sizes) const {
    const Node& node = graph.node(id);
    return info(node.op).reference({of, node.attributes, f64, sizes, bindings});
  }

  Radii reduction(NodeId id, const Tensor& x, const Radii& radii, const Tensor& result) const {
    const Node& node = graph.node(id);
    Tensor r = radii_tensor(radii, x);
    if (node.op == Op::sum) {
      Tensor carried = reference(id, {r}, result.sizes());
      bool whole = graph.attributes<ReduceAttributes>(id).axes.empty();
      if (!is_float(node.type.dtype) || whole) return {carried.data<double>().begin(), carried.data<double>().end()};
      double count = static_cast<double>(x.size()) / static_cast<double>(std::max<int64_t>(result.size(), 1));
      return sum_radii(node.type.dtype, reference(id, {magnitudes(x)}, result.sizes()), carried, count, lowest_bit(doubles(x)));
    }
    if (node.op == Op::prod) return product(node, x, radii, result);
    // The largest is off by no more than the element that is off the most. Zeros of both signs may give either.
    const Node farthest{Op::max, 0, 0, node.type, node.attributes};
    Tensor most_off = info(Op::max).reference({std::span(&r, 1), farthest.attributes, f64, result.sizes(), bindings});
    Radii to(most_off.data<double>().begin(), most_off.data<double>().end());
    std::vector<double> y = doubles(result);
    for (size_t i = 0; i < to.size(); ++i) {
      if (to[i] < 0) to[i] = 0;  // of nothing
      if (to[i] == 0 && y[i] == 0 && is_float(node.type.dtype) && !graph.attributes<ReduceAttributes>(id).axes.empty()) to[i] = least(node.type.dtype);
      if (to[i] > 0 && !is_float(node.type.dtype)) to[i] = unknown;
      if (to[i] > 0 && !std::isfinite(y[i])) to[i] = unknown;
    }
    return to;
  }

  // Factors that differ, or whose products in another order may leave the range on the way, say nothing of the product.
  Radii product(const Node& node, const Tensor& x, const Radii& radii, const Tensor& result) const {
    if (!is_float(node.type.dtype) && radii.empty()) return {};
    double factors = static_cast<double>(x.size()), range = 0;
    bool exact = radii.empty();
    for (double v : doubles(x)) {
      exact = exact && std::isfinite(v) && v != 0;
      if (exact) range += std::fabs(std::log2(std::fabs(v)));
    }
    exact = exact && range < (node.type.dtype == f32 ? 100 : 900);
    Radii to;
    for (double v : doubles(result)) to.push_back(exact ? 4 * factors * unit(node.type.dtype) * std::fabs(v) : unknown);
    return to;
  }

  // A scatter adds up what lands in one place; what is known of places that differ is nothing.
  Radii indexing(NodeId id, std::span<const Tensor> x, std::span<const Radii> radii, const Tensor& result) const {
    const Node& node = graph.node(id);
    size_t values = node.op == Op::gather ? 0 : 1;
    if (!radii[1 - values].empty()) return Radii(static_cast<size_t>(result.size()), unknown);
    std::vector<Tensor> of = {x[0], x[1]};
    of[values] = radii_tensor(radii[values], x[values]);
    Tensor carried = reference(id, of, result.sizes());
    if (node.op == Op::gather || !is_float(node.type.dtype)) return {carried.data<double>().begin(), carried.data<double>().end()};
    of[values] = magnitudes(x[values]);
    return sum_radii(node.type.dtype, reference(id, of, result.sizes()), carried, static_cast<double>(x[0].size()), lowest_bit(doubles(x[1])));
  }

  Radii contraction(NodeId id, std::span<const Tensor> x, std::span<const Radii> radii, const Tensor& result) const {
    const Node& node = graph.node(id);
    const auto& c = std::get<ContractionAttributes>(node.attributes);
    Tensor a = magnitudes(x[0]), b = magnitudes(x[1]), ra = radii_tensor(radii[0], x[0]), rb = radii_tensor(radii[1], x[1]);
    Tensor off = reference(id, {a, rb}, result.sizes()), off_b = reference(id, {ra, b}, result.sizes()), off_both = reference(id, {ra, rb}, result.sizes());
    for (size_t i = 0; i < static_cast<size_t>(off.size()); ++i) {
      double& sum = off.data<double>()[i];
      sum += off_b.data<double>()[i] + off_both.data<double>()[i];
      if (std::isnan(sum)) sum = unknown;  // of something infinite
    }
    if (radii[0].empty() && radii[1].empty()) off = zeros(off.sizes(), f64);
    if (!is_float(node.type.dtype)) {
      Radii to(off.data<double>().begin(), off.data<double>().end());
      for (double& r : to) r = r > 0 ? unknown : 0;
      return to;
    }
    double count = 1;
    for (int64_t axis : c.lhs_contracted) count *= static_cast<double>(x[0].sizes()[static_cast<size_t>(axis)]);
    double bit_a = lowest_bit(doubles(x[0])), bit_b = lowest_bit(doubles(x[1])), bit = bit_a == unknown || bit_b == unknown ? std::min(bit_a, bit_b) : bit_a * bit_b;
    return sum_radii(node.type.dtype, reference(id, {a, b}, result.sizes()), off, count, bit);
  }

  Radii radii(NodeId id, std::span<const Tensor> inputs, std::span<const Radii> of, const Tensor& result) const {
    const OpInfo& row = info(graph.node(id).op);
    bool exact = std::all_of(of.begin(), of.end(), [](const Radii& r) { return r.empty(); });
    switch (row.family) {
      case Family::leaf: return {};
      case Family::elementwise: return exact ? Radii() : elementwise(graph.node(id), inputs, of, result);
      case Family::identity: return of[0];
      case Family::movement: {
        if (exact) return {};
        std::vector<Tensor> moved;
        for (size_t k = 0; k < inputs.size(); ++k) moved.push_back(radii_tensor(of[k], inputs[k]));
        Tensor to = reference(id, moved, result.sizes());
        return {to.data<double>().begin(), to.data<double>().end()};
      }
      case Family::call: {  // of `turned` it is known that it moves elements; of others, nothing
        if (exact) return {};
        if (graph.attributes<CustomCallAttributes>(id).operation != turned()) return Radii(static_cast<size_t>(result.size()), unknown);
        Tensor off = radii_tensor(of[0], inputs[0]), to = evaluate(turned(), std::span(&off, 1), f64, result.sizes(), {});
        return {to.data<double>().begin(), to.data<double>().end()};
      }
      case Family::reduction: return reduction(id, inputs[0], of[0], result);
      case Family::indexing: return indexing(id, inputs, of, result);
      case Family::contraction: return contraction(id, inputs, of, result);
      case Family::sugar: break;
    }
    throw InternalError("sugar in a program whose types are known");
  }
};

}  // namespace

Tolerated interpret_with_radii(const Program& program, const NamedTensors& inputs) {
  const Graph& graph = program.graph;
  Bindings bindings = bind_inputs(program, inputs);
  std::vector<bool> needed = reachable(program);
  std::vector<Tensor> values(graph.size());
  std::vector<Radii> radii(graph.size());
  Interpreter interpreter{graph, bindings};
  for (size_t i = 0; i < graph.size(); ++i) {
    if (!needed[i]) continue;
    NodeId id(i);
    if (graph.node(id).op == Op::variable) values[i] = inputs.at(graph.attributes<VariableAttributes>(id).name);
    else if (graph.node(id).op == Op::parameter) values[i] = graph.parameter(id)->value;
    else {
      std::vector<Tensor> operands;
      std::vector<Radii> operand_radii;
      for (NodeId input : graph.inputs(id)) operands.push_back(values[input.index]), operand_radii.push_back(radii[input.index]);
      values[i] = evaluate_node(graph, id, operands, bindings);
      radii[i] = interpreter.radii(id, operands, operand_radii, values[i]);
      if (std::all_of(radii[i].begin(), radii[i].end(), [](double r) { return r == 0; })) radii[i].clear();
    }
  }
  Tolerated result;
  for (NodeId o : program.outputs) result.outputs.push_back(values[o.index].clone()), result.output_radii.push_back(radii[o.index]);
  for (const Update& u : program.updates) result.updates.push_back(values[u.value.index].clone()), result.update_radii.push_back(radii[u.value.index]);
  return result;
}

std::string compare(const Tensor& want, const Radii& radii, const Tensor& got, int64_t* known) {
  if (want.dtype() != got.dtype() || want.sizes() != got.sizes())
    return fmt::format("{}{}, not {}{}", name(got.dtype()), to_string(got.sizes()), name(want.dtype()), to_string(want.sizes()));
  return dispatch_stored(want.dtype(), [&](auto tag) -> std::string {
    using T = typename decltype(tag)::type;
    for (size_t i = 0; i < static_cast<size_t>(want.size()); ++i) {
      double radius = radii.empty() ? 0 : radii[i];
      if (radius == unknown) continue;
      if (known) ++*known;
      T a = want.data<T>()[i], b = got.data<T>()[i];
      if (same_bits(Tensor::scalar(a), Tensor::scalar(b))) continue;
      double off = std::fabs(static_cast<double>(a) - static_cast<double>(b));
      if (radius > 0 && off <= radius) continue;
      return fmt::format("element {} is {}, interpreted {}; {} may be between", i, shown(b), shown(a), radius);
    }
    return "";
  });
}

}  // namespace sinter::fuzz
