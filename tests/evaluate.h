// What tests of graphs share: values of expressions by the interpreter, and tensors from lists.
#pragma once
#include <initializer_list>
#include <vector>

#include "graph/expr.h"
#include "graph/interpreter.h"
#include "graph/verify.h"

namespace sinter {

// Inputs that the outputs do not depend on are left out. The program is verified first.
inline std::vector<Tensor> values_of(const std::vector<Expr>& outputs, NamedTensors inputs = {}) {
  Program program = program_of(outputs);
  verify(program);
  std::erase_if(inputs, [&](const auto& input) { return !program.graph.named(input.first).valid(); });
  return interpret(program, inputs).outputs;
}
inline Tensor value_of(const Expr& output, const NamedTensors& inputs = {}) { return values_of({output}, inputs)[0]; }

template <class T>
Tensor tensor_of(std::initializer_list<T> values, std::vector<int64_t> sizes) {
  return Tensor::of<T>(std::vector<T>(values), std::move(sizes));
}
template <class T>
Tensor vector_of(std::initializer_list<T> values) {
  return tensor_of<T>(values, {static_cast<int64_t>(values.size())});
}

// The elements as doubles, whatever their type.
inline std::vector<double> numbers(const Tensor& t) {
  std::vector<double> all;
  dispatch(t.dtype(), [&](auto tag) {
    for (auto v : t.data<typename decltype(tag)::type>()) all.push_back(static_cast<double>(v));
  });
  return all;
}

// Uniform in [low, high), the same on every machine.
inline Tensor sample(std::vector<int64_t> sizes, uint64_t seed, double low, double high, DType dtype = f64) {
  Tensor t = uniform(std::move(sizes), seed, (high - low) / 2, dtype);
  dispatch(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T>)
      for (T& v : t.data<T>()) v += static_cast<T>((low + high) / 2);
  });
  return t;
}

}  // namespace sinter
