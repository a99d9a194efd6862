#include "passes/structural_hash.h"

#include <string_view>

namespace sinter {
namespace {

// The finalizer of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014), over a running sum.
uint64_t mixed(uint64_t h, uint64_t v) {
  uint64_t z = h + 0x9E3779B97F4A7C15 + v;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

uint64_t hash_of(const Type& type) {
  uint64_t h = mixed(type.known ? 1 : 0, type.weak ? 1 : 0);
  h = mixed(h, static_cast<uint64_t>(type.dtype));
  for (const Dim& d : type.shape) h = mixed(h, d.hash());
  return h;
}

}  // namespace

uint64_t structural_hash(const Program& program) {
  const Graph& graph = program.graph;
  std::vector<bool> needed = reachable(program);
  std::vector<uint64_t> hashes(graph.size());
  uint64_t all = 0;  // a sum, so that the order in which independent nodes stand does not count
  for (size_t i = 0; i < graph.size(); ++i) {
    if (!needed[i]) continue;
    const Node& node = graph.node(NodeId(i));
    uint64_t h = mixed(static_cast<uint64_t>(node.op), hash_of(node.type));
    h = mixed(h, node.op == Op::constant ? graph.constant_hash(graph.attributes<ConstantAttributes>(NodeId(i)).index) : hash(node.attributes));
    for (NodeId input : graph.inputs(NodeId(i))) h = mixed(h, hashes[input.index]);
    hashes[i] = h;
    all += mixed(h, 0);
  }
  all = mixed(all, program.outputs.size());
  for (NodeId o : program.outputs) all = mixed(all, hashes[o.index]);
  for (const Update& u : program.updates) all = mixed(mixed(all, hashes[u.parameter.index]), hashes[u.value.index]);
  return all;
}

}  // namespace sinter
