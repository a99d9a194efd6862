// Which values of a row group are kept in scratch from one inner stage to a later one: those that cost more to compute again than to store
// and read, in the order of what is gained.
#include <algorithm>
#include <map>
#include <set>

#include "codegen/lower_kinds.h"
#include "passes/fusion/walk.h"

namespace sinter {
namespace {

constexpr double most_bytes = 128 << 10;  // of a row, all that is kept of it together: it stays in a second-level cache

struct Staging {
  const Program& program;
  const FusionPlan& plan;
  const Group& group;
  const Graph& graph = program.graph;
  std::set<NodeId> members{group.members.begin(), group.members.end()}, once_a_row = {}, kept = {};
  std::map<NodeId, double> cost_of_one = {};
  std::set<NodeId> at_hand = {};  // kept, and stored by an earlier stage

  double own_cost(NodeId id) {
    const Node& node = graph.node(id);
    if (!is_elementwise(node.op)) return 0;
    auto [at, is_new] = cost_of_one.try_emplace(id, 0);
    if (is_new) {
      std::vector<DType> types;
      for (NodeId input : graph.inputs(id)) types.push_back(graph.type(input).dtype);
      at->second = operations(expression_of(node.op, types, node.type.dtype)) - static_cast<double>(types.size());
    }
    return at->second;
  }

  // Everything that is computed at a point for `root`.
  void reach(NodeId root, std::set<NodeId>& reached) const {
    std::vector<NodeId> open = {root};
    while (!open.empty()) {
      NodeId id = open.back();
      open.pop_back();
      if (once_a_row.count(id) || at_hand.count(id) || is_memory(graph.node(id).op)) continue;
      if (!members.count(id) && plan.stored_by[id.index] >= 0) continue;
      if (reached.insert(id).second) open.insert(open.end(), graph.inputs(id).begin(), graph.inputs(id).end());
    }
  }

  std::vector<NodeId> run() {
    std::map<uint32_t, std::vector<NodeId>> roots;
    for (size_t i = 0; i < group.members.size(); ++i) {
      NodeId id = group.members[i];
      if (is_reduction(graph.node(id).op)) roots[group.stage[i]].push_back(graph.inputs(id)[0]), once_a_row.insert(id);
      else if (is_row_value(group, i)) once_a_row.insert(id);
      else if (stores(group, id) || feeds_rider(graph, group, id)) roots[group.stage[i]].push_back(id);
    }
    std::vector<NodeId> chosen;
    double bytes = 0;
    for (;;) {
      std::map<NodeId, int> times;
      std::map<NodeId, double> cost;
      at_hand.clear();
      for (const auto& [stage, of_stage] : roots) {
        std::set<NodeId> reached;
        for (NodeId root : of_stage) reach(root, reached);
        for (NodeId id : reached)
          if (members.count(id)) {
            ++times[id];
            std::set<NodeId> below;
            reach(id, below);
            double sum = 0;
            for (NodeId b : below) sum += own_cost(b);
            cost[id] = sum;
          }
        for (NodeId id : reached)
          if (kept.count(id)) at_hand.insert(id);
      }
      // A store counts as two operations, a load as one.
      NodeId best;
      double most = 2;
      for (const auto& [id, count] : times) {
        double gain = (cost[id] - 1) * (count - 1) - 2;
        if (count > 1 && !kept.count(id) && gain > most) best = id, most = gain;
      }
      if (!best.valid()) return chosen;
      bytes += row_elements(group) * static_cast<double>(size_of(graph.type(best).dtype));
      if (bytes > most_bytes) return chosen;
      kept.insert(best);
      chosen.push_back(best);
    }
  }
};

}  // namespace

std::vector<NodeId> staged_values(const Program& program, const FusionPlan& plan, const Group& group) { return Staging{program, plan, group}.run(); }

}  // namespace sinter
