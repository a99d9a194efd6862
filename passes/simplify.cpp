#include "passes/simplify.h"

#include <cmath>

#include "graph/builder.h"
#include "passes/simplify_rules.h"

namespace sinter {

Simplifier::Simplifier(Rewriter& rewriter) : rewriter_(rewriter), uses_(rewriter.from().size()) {
  for (size_t i = 0; i < uses_.size(); ++i)
    if (rewriter.needed()[i])
      for (NodeId input : rewriter.from().inputs(NodeId(i))) ++uses_[input.index];
  for (NodeId result : rewriter.results()) ++uses_[result.index];
}

NodeId Simplifier::simplified(NodeId old) {
  const Node& node = rewriter_.from().node(old);
  std::vector<NodeId> inputs = rewriter_.moved_inputs(old);
  NodeId fresh;
  if (node.type.known && node.op != Op::variable && node.op != Op::parameter) {
    Attributes attributes = node.attributes;
    if (auto* constant = std::get_if<ConstantAttributes>(&attributes)) constant->index = graph().copy_constant(rewriter_.from(), constant->index);
    origins_ = rewriter_.origins(old);
    fresh = build({node.op, inputs, attributes, node.type, old});
  } else {
    fresh = rewriter_.copy(old, inputs);
  }
  return fresh;
}

NodeId Simplifier::build(const Candidate& candidate) {
  for (std::span<const Rule> rules : {arithmetic_rules(), movement_rules(), contraction_rules()})
    for (const Rule& rule : rules) {
      NodeId better = rule.apply(*this, candidate);
      // A literal's weakness is all that can differ; what needs it stays as it is.
      if (!better.valid() || type(better) != candidate.type) continue;
      changed_ = true;
      return better;
    }
  NodeId fresh = graph().append(candidate.op, candidate.inputs, candidate.attributes, candidate.type, origins_);
  built_for_.resize(graph().size());
  built_for_[fresh.index] = candidate.old;
  return fresh;
}

NodeId Simplifier::make(Op op, std::vector<NodeId> inputs, Attributes attributes) {
  std::vector<Type> types;
  for (NodeId input : inputs) types.push_back(type(input));
  Type inferred = infer_type(op, types, attributes);
  return build({op, inputs, attributes, inferred, NodeId()});
}

NodeId Simplifier::constant(const Tensor& scalar) { return rewriter_.constant(scalar, false, origins_); }

NodeId Simplifier::splat(double value, const Type& type) {
  return make(Op::broadcast, {constant(full({}, value, type.dtype))}, BroadcastAttributes{type.shape, {}});
}

std::optional<NodeId> Simplifier::scalar_of(NodeId id) const {
  if (!type(id).known) return {};
  if (type(id).shape.empty()) return id;
  if (node(id).op == Op::broadcast && type(inputs(id)[0]).shape.empty()) return inputs(id)[0];
  return {};
}

bool Simplifier::is_all(NodeId id, double value) const {
  auto scalar = scalar_of(id);
  if (!scalar || node(*scalar).op != Op::constant) return false;
  double held = rewriter_.to().constant_value(*scalar).item();
  return held == value && std::signbit(held) == std::signbit(value);
}

bool Simplifier::only_use(const Candidate& candidate, size_t operand) const {
  if (!candidate.old.valid()) return false;
  NodeId old = rewriter_.from().inputs(candidate.old)[operand], fresh = candidate.inputs[operand];
  return uses_[old.index] == 1 && fresh.index < built_for_.size() && built_for_[fresh.index] == old;
}

void Simplifier::absorb(NodeId id) { origins_ = united(origins_, graph().origins(id)); }

namespace {
PassResult once(const Program& program) {
  Rewriter rewriter(program);
  Simplifier simplifier(rewriter);
  rewriter.each([&](NodeId old) { return simplifier.simplified(old); });
  return std::move(rewriter).finish(simplifier.changed());
}
}  // namespace

// A rule may make a use the only one of a node that stands before it, so one walk may leave work to the next.
PassResult simplify(const Program& program) {
  PassResult result = once(program);
  bool again = result.changed;
  for (int round = 1; again && round < 8; ++round) {
    PassResult next = once(result.program);
    again = next.changed;
    result.program = std::move(next.program);
  }
  return result;
}

}  // namespace sinter
