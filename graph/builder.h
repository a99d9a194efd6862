// Appends checked nodes: promotes and broadcasts operands, expands sugar, infers the type. Folds nothing but operations on literals alone.
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
// What is weak in the type that it has where nothing else gives it one: f32; i32 for a whole literal that fits, else i64 (u64 beyond); i64
// for what is computed of sizes.
NodeId strengthened(Graph&, NodeId value, const Origins& = {});

// The type of `op` on operands of these types, weak where all that it computes from are literals: what build() gives a node, and what
// verify() holds it to. Throws UserError, with no location, where they do not fit.
Type infer_type(Op, std::span<const Type> operands, const Attributes&);

// NumPy's broadcasting of shapes. UserError where two sizes differ and neither is 1.
Shape broadcast_shapes(std::span<const Type> types);

// `value` as what replaces the parameter: a weak one in the parameter's type. UserError, at the value's line, where it is of another type.
NodeId update_value(Graph&, NodeId parameter, NodeId value);

// The program at these types of its untyped variables, and these numbers for its symbols, built anew by the builder: shape errors name the
// original lines.
Program specialize(const Program&, const std::unordered_map<std::string, Type>& variables, const Bindings& symbols = {});

// The reachable part of `graph` as a program of its own.
Program extract(const Graph& graph, const std::vector<NodeId>& outputs, const std::vector<Update>& updates);

}  // namespace sinter
