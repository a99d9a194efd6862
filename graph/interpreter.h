// Runs a program node by node by the op table's reference semantics: slow, simple, and what everything else is held against.
#pragma once
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/graph.h"

namespace sinter {

// Tensors by name: of a call, f({{"x", a}, {"y", b}}). UserError where two have one name.
struct NamedTensors : std::unordered_map<std::string, Tensor> {
  NamedTensors() = default;
  NamedTensors(std::initializer_list<value_type>, Here = Here::current());
};

// Values of the symbols in the variables' shapes that make `inputs` fit. UserError where an input is missing, unknown, of another type,
// or of sizes that do not fit. A variable of the program that nothing reaches is not asked for.
Bindings bind_inputs(const Program&, const NamedTensors& inputs);
// The same for inputs declared as `wanted`; others in `inputs` are not looked at.
Bindings bind_inputs(std::span<const NamedType> wanted, const NamedTensors& inputs);
// UserError where no variable of the program has as one of its sizes a symbol that a size in it is computed from: no call could bind that.
void refuse_unbound(const Program&);
// UserError where a custom operation that is reached has no function.
void refuse_uncallable(const Program&);
// UserError where `inputs` has a name that is not among the declared ones.
void refuse_unknown(std::span<const NamedType> declared, const NamedTensors& inputs);

struct Interpreted {
  std::vector<Tensor> outputs;
  std::vector<Tensor> updates;  // in the program's order; parameters themselves are not touched
};
Interpreted interpret(const Program&, const NamedTensors& inputs);

// An elementwise operation on operands of these sizes.
Tensor evaluate_elementwise(Op, DType result, std::span<const Tensor> operands, std::vector<int64_t> sizes);
// The value of one node, given those of its inputs.
Tensor evaluate_node(const Graph&, NodeId, std::span<const Tensor> inputs, const Bindings&);

}  // namespace sinter
