// How a group computes its members: the one walk over a group's expression that planning (what is read, and where) and lowering (the
// scalar expression) share.
#pragma once
#include <map>

#include "passes/fusion/plan.h"

namespace sinter {

// Thrown by a walk where an index is not affine at this movement node: its operand has to be stored.
struct NotAffine {
  NodeId movement;
};

inline bool is_memory(Op op) { return op == Op::variable || op == Op::parameter || op == Op::constant; }
inline bool is_elementwise(Op op) { return info(op).family == Family::elementwise; }
inline bool is_reduction(Op op) { return info(op).family == Family::reduction; }
inline bool is_movement(Op op) { return info(op).family == Family::movement || info(op).family == Family::identity; }

// Visitor needs: a type Value, and
//   Value load(NodeId value, const Affine& position, const std::vector<Bound>&)   from memory
//   Value constant(const Tensor& one_element)
//   Value counter(const Affine& index, DType)          an iota
//   Value size(const Dim&)                             a dimension
//   Value inside(const std::vector<Bound>&)
//   Value apply(NodeId elementwise, std::span<const Value>)
//   Value choose(Value condition, Value then, Value otherwise)
//   bool given(NodeId member, Value& value)            whether a member is at hand here: an accumulator, a row's value
template <class Visitor>
class Walk {
 public:
  using Value = typename Visitor::Value;
  Walk(const Program& program, const FusionPlan& plan, const Group& group, Visitor& visitor)
      : program_(program), graph_(program.graph), plan_(plan), group_(group), visitor_(visitor) {
    for (size_t i = 0; i < group.members.size(); ++i) member_.emplace(group.members[i], i);
  }

  // A member of the group, where it computes it.
  Value member(NodeId id) { return computed(id, group_.at[member_.at(id)]); }

  // Whether it was, on the way to what was asked for.
  bool is_computed(NodeId id) const { return memo_.count(id) > 0; }

  // Any value, at an index.
  Value value(NodeId id, const Index& index) {
    Value at_hand;
    bool own = member_.count(id) > 0;
    if (own && visitor_.given(id, at_hand)) return at_hand;
    const Node& node = graph_.node(id);
    if (node.op == Op::constant && product(node.type.shape).is(1)) return visitor_.constant(graph_.constant_value(id));
    if (is_memory(node.op) || (!own && plan_.stored_by[id.index] >= 0)) return visitor_.load(id, flattened(index, node.type.shape, group_.loops.size()), index.bounds);
    return computed(id, index);
  }

 private:
  Value computed(NodeId id, const Index& index) {
    auto known = memo_.find(id);
    if (known != memo_.end())
      for (const auto& [where, value] : known->second)
        if (where == index) return value;
    Value made = make(id, index);
    memo_[id].emplace_back(index, made);
    return made;
  }

  Value make(NodeId id, const Index& index) {
    const Node& node = graph_.node(id);
    if (node.op == Op::iota) return visitor_.counter(index.axes[static_cast<size_t>(std::get<IotaAttributes>(node.attributes).axis)], node.type.dtype);
    if (node.op == Op::dimension) return visitor_.size(std::get<DimensionAttributes>(node.attributes).value);
    if (is_movement(node.op)) return moved(id, index);
    ensure(info(node.op).family == Family::elementwise, "a group computes elementwise values, but for its hero");
    std::vector<Value> operands;
    for (NodeId input : graph_.inputs(id)) operands.push_back(value(input, index));
    return visitor_.apply(id, operands);
  }

  Value moved(NodeId id, const Index& index) {
    const Node& node = graph_.node(id);
    NodeId operand = graph_.inputs(id)[0];
    if (node.op == Op::reshape && !member_.count(operand)) {
      NodeId base = stored_value(program_, plan_, operand);
      const Node& of_base = graph_.node(base);
      bool literal = of_base.op == Op::constant && product(of_base.type.shape).is(1);
      if (((is_memory(of_base.op) && !literal) || plan_.stored_by[base.index] >= 0) && !member_.count(base)) return visitor_.load(base, flattened(index, node.type.shape, group_.loops.size()), index.bounds);
    }
    auto from = pulled(graph_, id, index, group_.loops);
    if (!from) throw NotAffine{id};
    if (node.op != Op::pad) return value(operand, *from);
    Index scalar;
    std::vector<Bound> fresh(from->bounds.begin() + static_cast<std::ptrdiff_t>(index.bounds.size()), from->bounds.end());
    Value inner = value(operand, *from);
    if (fresh.empty()) return inner;
    return visitor_.choose(visitor_.inside(fresh), inner, value(graph_.inputs(id)[1], scalar));
  }

  const Program& program_;
  const Graph& graph_;
  const FusionPlan& plan_;
  const Group& group_;
  Visitor& visitor_;
  std::map<NodeId, size_t> member_;
  std::map<NodeId, std::vector<std::pair<Index, Value>>> memo_;
};

}  // namespace sinter
