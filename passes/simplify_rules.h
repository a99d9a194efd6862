// What a rule of simplify is: it is shown a node that is about to be built, and may name another to take its place.
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "passes/rewriter.h"

namespace sinter {

// The node about to be built, in the new graph, on operands that are simplified already. Its type is known.
struct Candidate {
  Op op;
  std::span<const NodeId> inputs;
  const Attributes& attributes;
  const Type& type;
  NodeId old;  // in the old graph; invalid for what a rule makes

  template <class T>
  const T& as() const { return std::get<T>(attributes); }
};

class Simplifier {
 public:
  explicit Simplifier(Rewriter&);
  Graph& graph() { return rewriter_.to(); }
  const Node& node(NodeId id) const { return rewriter_.to().node(id); }
  const Type& type(NodeId id) const { return node(id).type; }
  std::span<const NodeId> inputs(NodeId id) const { return rewriter_.to().inputs(id); }
  template <class T>
  const T& as(NodeId id) const { return std::get<T>(node(id).attributes); }

  // A node of the new graph, simplified in its turn. It comes from where the candidate does.
  NodeId make(Op, std::vector<NodeId> inputs, Attributes);
  NodeId constant(const Tensor& scalar);
  NodeId splat(double value, const Type&);                  // `value` in every element
  std::optional<NodeId> scalar_of(NodeId) const;            // the scalar node whose value fills every element, where that can be seen
  bool is_all(NodeId, double value) const;                  // whether every element is `value`, to the sign of a zero
  bool only_use(const Candidate&, size_t operand) const;    // whether nothing else uses that operand
  void absorb(NodeId id);                                   // the node goes into what takes the candidate's place: so do its origins

  NodeId simplified(NodeId old);  // the new node for an old one
  bool changed() const { return changed_; }

 private:
  NodeId build(const Candidate&);
  Rewriter& rewriter_;
  std::vector<uint32_t> uses_;       // of old nodes
  std::vector<NodeId> built_for_;    // of new nodes: the old one that was built as it stands; invalid for others
  Origins origins_;
  bool changed_ = false;
};

struct Rule {
  std::string_view name;
  NodeId (*apply)(Simplifier&, const Candidate&);  // what takes the candidate's place: same type, same bits; invalid where the rule does not apply
};

std::span<const Rule> arithmetic_rules();
std::span<const Rule> movement_rules();
std::span<const Rule> contraction_rules();

}  // namespace sinter
