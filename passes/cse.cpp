#include "passes/cse.h"

#include <algorithm>

#include "passes/rewriter.h"

namespace sinter {
namespace {

size_t hash_of(const Node& node, const Attributes& attributes, std::span<const NodeId> inputs) {
  size_t h = hash(attributes) * 31 + static_cast<size_t>(node.op);
  for (NodeId input : inputs) h = h * 1000003 + input.index;
  return h;
}

}  // namespace

PassResult cse(const Program& program) {
  Rewriter rewriter(program);
  Graph& to = rewriter.to();
  std::unordered_multimap<size_t, NodeId> known;
  bool changed = false;
  rewriter.each([&](NodeId old) {
    const Node& node = rewriter.from().node(old);
    std::vector<NodeId> inputs = rewriter.moved_inputs(old);
    if (node.type.known && info(node.op).commutative && !std::is_sorted(inputs.begin(), inputs.end())) {
      std::sort(inputs.begin(), inputs.end());
      changed = true;
    }
    Attributes attributes = node.attributes;
    if (auto* constant = std::get_if<ConstantAttributes>(&attributes)) constant->index = to.copy_constant(rewriter.from(), constant->index);
    size_t h = hash_of(node, attributes, inputs);
    auto [begin, end] = known.equal_range(h);
    for (auto at = begin; at != end; ++at) {
      const Node& other = to.node(at->second);
      if (other.op != node.op || other.type != node.type || !same(other.attributes, attributes) || !std::ranges::equal(to.inputs(at->second), inputs))
        continue;
      changed = true;
      return at->second;
    }
    NodeId fresh = rewriter.copy(old, inputs);
    known.emplace(h, fresh);
    return fresh;
  });
  return std::move(rewriter).finish(changed);
}

}  // namespace sinter
