// What passes that rewrite have in common: the program is built anew, node by node, in order.
#pragma once
#include <vector>

#include "graph/graph.h"
#include "passes/pass.h"

namespace sinter {

// Visits the nodes that outputs and updates reach, and the variables, which are what a caller may feed. Unless told otherwise by put(), copies each
// with its inputs replaced by what stands for them. Origins go along; where one node takes another's place, its origins are united with the other's.
class Rewriter {
 public:
  explicit Rewriter(const Program& from);

  // Calls visit(old id) for each node to be rewritten; it returns the new node that stands for it, or an invalid id for a copy.
  template <class F>
  void each(F visit) {
    for (size_t i = 0; i < from_.graph.size(); ++i)
      if (needed_[i]) put(NodeId(i), visit(NodeId(i)));
  }
  PassResult finish(bool changed) &&;

  const Graph& from() const { return from_.graph; }
  Graph& to() { return to_.graph; }
  NodeId moved(NodeId old) const { return moved_[old.index]; }
  std::vector<NodeId> moved_inputs(NodeId old) const;
  Origins origins(NodeId old);                                            // in the new graph
  NodeId copy(NodeId old, std::span<const NodeId> inputs);                // a new node: the old one on these inputs
  NodeId constant(const Tensor&, bool weak, const Origins&);              // a new constant of that type
  const std::vector<bool>& needed() const { return needed_; }             // by old node: whether it is visited
  std::vector<NodeId> results() const;                                    // old nodes that outputs and updates name

 private:
  void put(NodeId old, NodeId fresh);
  const Program& from_;
  Program to_;
  std::vector<bool> needed_;
  std::vector<NodeId> moved_;
  std::vector<uint32_t> locations_;  // by old location: the new one + 1, or 0 where it has not been asked for
};

}  // namespace sinter
