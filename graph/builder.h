// Appends checked nodes: promotes and broadcasts operands, expands sugar, infers the type. Folds nothing.
#pragma once
#include <vector>

#include "graph/graph.h"

namespace sinter {

// Appends `op` on `inputs` and what it needs (conversions, broadcasts), and returns its id. Where an operand has no type yet the node
// is recorded as it stands, to be built again by specialize(). Throws UserError at the first of `origins` where the operands do not fit.
NodeId build(Graph&, Op, std::vector<NodeId> inputs, Attributes = NoAttributes{}, const Origins& = {});

NodeId build_constant(Graph&, const Tensor&, bool weak = false, const Origins& = {});
NodeId build_variable(Graph&, const std::string& name, const Type&, const Origins& = {});  // UserError where the name is taken
NodeId build_parameter(Graph&, std::shared_ptr<ParameterStorage>, const Origins& = {});
// `value` as `dtype`: itself, a constant of that type, or a conversion.
NodeId build_convert(Graph&, NodeId value, DType dtype, const Origins& = {});
// A literal as the type it has where nothing else gives it one: f32, or i32 where it is whole; a size, and what is computed of whole
// literals, is i64.
NodeId strengthened(Graph&, NodeId value, const Origins& = {});

// The type of `op` on operands of these types, weak where all that it computes from are literals: what build() gives a node, and what
// verify() holds it to. Throws UserError, with no location, where they do not fit.
Type infer_type(Op, std::span<const Type> operands, const Attributes&);

// NumPy's broadcasting of shapes. UserError where two sizes differ and neither is 1.
Shape broadcast_shapes(std::span<const Type> types);

// The program at these types of its untyped variables, built anew by the builder: shape errors name the original lines.
Program specialize(const Program&, const std::unordered_map<std::string, Type>& variables);

// The reachable part of `graph` as a program of its own.
Program extract(const Graph& graph, const std::vector<NodeId>& outputs, const std::vector<Update>& updates);

}  // namespace sinter
