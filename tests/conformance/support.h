// What the tests of rows share: many expressions as one program, interpreted and compiled.
#pragma once
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "autodiff/reverse.h"
#include "codegen/compile.h"
#include "graph/interpreter.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "tools/fuzz/guarded.h"

namespace sinter::conformance {

// Expressions to be compiled together, each with a name for messages.
struct Batch {
  std::vector<Expr> outputs;
  std::vector<std::string> names;
  void add(std::string name, const Expr& output) {
    names.push_back(std::move(name));
    outputs.push_back(output);
  }
};

// A batch compiled once, to be run at several sizes.
class CompiledBatch {
 public:
  explicit CompiledBatch(const Batch& batch) : names_(batch.names), program_(program_of(batch.outputs)), function_((verify(program_), compile(program_))) {}

  // The interpreter's values, and those of compiled code, which must be of the same types and sizes.
  struct Values {
    std::vector<Tensor> interpreted, compiled;
  };
  Values operator()(NamedTensors inputs) const {
    std::erase_if(inputs, [&](const auto& input) { return !program_.graph.named(input.first).valid(); });
    Values v{interpret(program_, inputs).outputs, function_.all(inputs)};
    for (size_t i = 0; i < v.compiled.size(); ++i) {
      INFO(names_[i]);
      REQUIRE(v.compiled[i].dtype() == v.interpreted[i].dtype());
      REQUIRE(v.compiled[i].sizes() == v.interpreted[i].sizes());
    }
    for (fuzz::Edge edge : {fuzz::Edge::begin, fuzz::Edge::end}) check_guarded(inputs, v.compiled, edge);
    return v;
  }

  // The same where they must be equal to the bit.
  std::vector<Tensor> equal(const NamedTensors& inputs) const {
    Values v = (*this)(inputs);
    for (size_t i = 0; i < v.compiled.size(); ++i) {
      INFO(names_[i] << difference(v.interpreted[i], v.compiled[i]));
      CHECK(same_bits(v.interpreted[i], v.compiled[i]));
    }
    return std::move(v.interpreted);
  }

  const std::vector<std::string>& names() const { return names_; }

  // The first element that differs, for messages.
  static std::string difference(const Tensor& want, const Tensor& got) {
    return dispatch_stored(want.dtype(), [&](auto tag) -> std::string {
      using T = typename decltype(tag)::type;
      for (size_t i = 0; i < static_cast<size_t>(want.size()); ++i) {
        T a = want.data<T>()[i], b = got.data<T>()[i];
        if (!same_bits(Tensor::scalar(a), Tensor::scalar(b))) return ": element " + std::to_string(i) + " is " + std::to_string(b) + ", not " + std::to_string(a);
      }
      return "";
    });
  }

 private:
  // The same bits of buffers beside which nothing can be touched, and of outputs that held something else; inputs are left as they are.
  void check_guarded(const NamedTensors& inputs, const std::vector<Tensor>& wanted, fuzz::Edge edge) const {
    fuzz::GuardedMemory memory;
    NamedTensors guarded;
    for (const auto& [name, tensor] : inputs) guarded.emplace(name, memory.copy(tensor, edge));
    std::vector<Tensor> outputs;
    for (const Tensor& t : wanted) outputs.push_back(memory.poisoned(t, edge));
    function_.bind(guarded, outputs)();
    for (size_t i = 0; i < outputs.size(); ++i)
      if (!same_bits(outputs[i], wanted[i])) FAIL_CHECK(names_[i] << " in poisoned memory" << difference(wanted[i], outputs[i]));
    for (const auto& [name, tensor] : inputs)
      if (!same_bits(guarded.at(name), tensor)) FAIL_CHECK("the input '" << name << "' was written");
  }

  std::vector<std::string> names_;
  Program program_;
  Function function_;
};

inline std::string label(DType t) { return std::string(name(t)); }

}  // namespace sinter::conformance
