// What the tests of scalar expressions share: building and running an expression of one or two inputs, and errors in ulps.
#pragma once
#include <bit>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "graph/scalar_math.h"

namespace sinter {

inline ScalarExpr expr_of(Scalar (*f)(Scalar), DType type) {
  ScalarBuilder b;
  Scalar outputs[] = {f(b.input(0, type))};
  return b.finish(outputs);
}
inline ScalarExpr expr_of(Scalar (*f)(Scalar, Scalar), DType type) {
  ScalarBuilder b;
  Scalar x = b.input(0, type), y = b.input(1, type);
  Scalar outputs[] = {f(x, y)};
  return b.finish(outputs);
}

template <class T>
void run(const ScalarExpr& expr, const std::vector<T>& x, std::vector<T>& result) {
  result.resize(x.size());
  const void* inputs[] = {x.data()};
  void* outputs[] = {result.data()};
  evaluate(expr, inputs, outputs, static_cast<int64_t>(x.size()));
}
template <class T>
void run(const ScalarExpr& expr, const std::vector<T>& x, const std::vector<T>& y, std::vector<T>& result) {
  result.resize(x.size());
  const void* inputs[] = {x.data(), y.data()};
  void* outputs[] = {result.data()};
  evaluate(expr, inputs, outputs, static_cast<int64_t>(x.size()));
}

// |got - want| in units of the last place of T at `want`: of denormals where it is one. Where one is NaN, infinite past rounding, or a zero
// of the other sign, and the other is not: infinity.
template <class T, class Wide>
double ulps(T got, Wide want) {
  constexpr int digits = std::numeric_limits<T>::digits, lowest = std::numeric_limits<T>::min_exponent - digits;
  constexpr double wrong = std::numeric_limits<double>::infinity();
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) == std::isnan(got) ? 0 : wrong;
  if (want == 0) return got == 0 && std::signbit(got) == std::signbit(want) ? 0 : wrong;
  if (std::signbit(got) != std::signbit(want)) return wrong;
  if (std::isinf(want)) return std::isinf(got) ? 0 : wrong;
  Wide beyond = std::ldexp(Wide(1), std::numeric_limits<T>::max_exponent);  // what infinity stands for as a rounded result
  Wide magnitude = std::isinf(got) ? beyond : std::fabs(static_cast<Wide>(got));
  Wide exact = std::fabs(want);
  if (std::isinf(got) && exact >= beyond) return 0;
  if constexpr (std::is_same_v<Wide, double> && sizeof(T) == 4) {  // the path of 2^32 inputs
    int exponent = static_cast<int>(std::bit_cast<uint64_t>(exact) >> 52) - 1022;
    int place = std::max(std::min(exponent, std::numeric_limits<T>::max_exponent) - digits, lowest);
    return std::fabs(magnitude - exact) * std::bit_cast<double>(static_cast<uint64_t>(1023 - place) << 52);
  }
  int exponent = std::min(std::ilogb(exact) + 1, std::numeric_limits<T>::max_exponent);
  return static_cast<double>(std::ldexp(std::fabs(magnitude - exact), -std::max(exponent - digits, lowest)));
}

template <class T>
struct Worst {
  double ulps = 0;
  T at = 0, and_at = 0;
  void note(double u, T x, T y = 0) {
    if (u > ulps) ulps = u, at = x, and_at = y;
  }
};

// The expression as a target without fused multiply-add computes it.
inline ScalarExpr without_fma(const ScalarExpr& expr) {
  ScalarExpr split;
  split.inputs = expr.inputs;
  std::vector<uint32_t> moved(expr.ops.size());
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    ScalarOp op = expr.ops[i];
    for (int k = 0; k < operand_count(op.code); ++k) op.operands[static_cast<size_t>(k)] = moved[op.operands[static_cast<size_t>(k)]];
    if (op.code == ScalarCode::fma) {
      split.ops.push_back({ScalarCode::multiply, op.type, {op.operands[0], op.operands[1]}, 0});
      op = {ScalarCode::add, op.type, {static_cast<uint32_t>(split.ops.size() - 1), op.operands[2]}, 0};
    }
    moved[i] = static_cast<uint32_t>(split.ops.size());
    split.ops.push_back(op);
  }
  for (uint32_t o : expr.outputs) split.outputs.push_back(moved[o]);
  return split;
}

// What an expression costs a vector unit: its operations, but for bitcasts, and with a select of what was compared (a minimum) as one.
inline int instructions(const ScalarExpr& expr) {
  std::vector<bool> in_minimum(expr.ops.size());
  for (const ScalarOp& op : expr.ops) {
    if (op.code != ScalarCode::select) continue;
    const ScalarOp& condition = expr.ops[op.operands[0]];
    bool same = condition.operands[0] == op.operands[1] && condition.operands[1] == op.operands[2];
    bool swapped = condition.operands[1] == op.operands[1] && condition.operands[0] == op.operands[2];
    if (condition.code == ScalarCode::less && (same || swapped)) in_minimum[op.operands[0]] = true;
  }
  int count = 0;
  for (size_t i = 0; i < expr.ops.size(); ++i) {
    ScalarCode code = expr.ops[i].code;
    count += code != ScalarCode::input && code != ScalarCode::constant && code != ScalarCode::bitcast && !in_minimum[i];
  }
  return count;
}

}  // namespace sinter
