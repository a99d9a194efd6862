// The fusion plan's checker: walks every edge of every group by the plan's own indices.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "graph/text.h"
#include "passes/fusion/plan.h"

namespace sinter {
namespace {

bool moves(Op op) { return info(op).family == Family::movement || info(op).family == Family::identity; }
bool contains(const std::vector<NodeId>& all, NodeId id) { return std::find(all.begin(), all.end(), id) != all.end(); }

class FusionChecker {
 public:
  FusionChecker(const Program& program, const FusionPlan& plan) : program_(program), graph_(program.graph), plan_(plan) {}

  void run() {
    std::map<NodeId, size_t> stored;
    for (size_t g = 0; g < plan_.groups.size(); ++g)
      for (NodeId id : plan_.groups[g].stored) {
        holds(stored.emplace(id, g).second, id, "is stored by two groups");
        holds(computes(plan_.groups[g], id), id, "is stored by a group that does not compute it");
        holds(plan_.stored_by[id.index] == static_cast<int32_t>(g), id, "is not said to be stored by the group that stores it");
        holds(!plan_.recomputed[id.index], id, "is stored and recomputed");
      }
    for (size_t v = 0; v < plan_.stored_by.size(); ++v)
      holds(plan_.stored_by[v] < 0 || stored.count(NodeId(v)), NodeId(v), "is said to be stored by a group that does not store it");
    std::vector<NodeId> leaving = program_.outputs;
    for (const Update& u : program_.updates) leaving.push_back(u.value);
    for (NodeId id : leaving) {
      while (!stored.count(id) && moves(graph_.node(id).op) && (graph_.node(id).op == Op::reshape || info(graph_.node(id).op).family == Family::identity)) id = graph_.inputs(id)[0];
      holds(stored.count(id) || is_memory_leaf(id), id, "leaves the program and is not stored");
    }
    for (size_t g = 0; g < plan_.groups.size(); ++g) check_group(g);
  }

 private:
  void holds(bool condition, NodeId id, std::string_view what) const {
    if (!condition) throw InternalError(fmt::format("fusion plan: {} {}", print_node(graph_, id), what));
  }

  static bool computes(const Group& group, NodeId id) {
    return contains(group.members, id) || std::any_of(group.riders.begin(), group.riders.end(), [&](const Group& rider) { return contains(rider.members, id); });
  }

  bool is_memory_leaf(NodeId id) const {
    Op op = graph_.node(id).op;
    return op == Op::variable || op == Op::parameter || op == Op::constant;
  }

  void check_group(size_t g) {
    const Group& group = plan_.groups[g];
    for (const GroupRead& read : group.reads) {
      int32_t from = plan_.stored_by[read.value.index];
      holds(is_memory_leaf(read.value) || (from >= 0 && from < static_cast<int32_t>(g)), read.value, "is read before a group has stored it");
    }
    if (group.kind == GroupKind::call) return check_call(group);
    check_members(group);
    loads_.clear();
    for (size_t i = 0; i < group.members.size(); ++i) check_edges(group, i);
    // Of riders only what they read beside the operands of their reductions.
    std::vector<std::map<NodeId, std::vector<Load>>> loads = {loads_};
    for (const Group& rider : group.riders) {
      ensure(rider.kind == GroupKind::row && rider.riders.empty(), "fusion plan: a rider is a row group without riders");
      check_members(rider);
      loads_.clear();
      for (size_t i = 0; i < rider.members.size(); ++i)
        if (info(graph_.node(rider.members[i]).op).family == Family::reduction) check_ridden(group, rider, i);
        else check_edges(rider, i), holds(!is_inner(rider, i), rider.members[i], "is computed by a rider, and not once a row");
      for (NodeId id : rider.stored) holds(contains(group.stored, id), id, "is stored by a rider and not said to be by its host");
      loads.push_back(loads_);
    }
    for (const GroupRead& read : group.reads) {
      std::vector<size_t> readers;
      for (size_t k = 0; k < loads.size(); ++k)
        if (loads[k].count(read.value)) readers.push_back(k);
      holds(!readers.empty(), read.value, "is said to be read and is not");
      for (NodeId s : read.replaceable_by) {
        // Rows are walked first, then riders are finished, one after another.
        const Group& last = readers.back() == 0 ? group : group.riders[readers.back() - 1];
        holds(contains(last.members, s), s, "replaces what another group, beside its own, has yet to read");
        holds(readers.size() == 1 || (readers.size() == 2 && readers[0] == 0), s, "replaces what two riders read");
        loads_ = loads[readers.back()];
        check_replaceable(last, read.value, s);
      }
    }
    for (const auto& of_group : loads)
      for (const auto& [id, positions] : of_group)
        holds(std::any_of(group.reads.begin(), group.reads.end(), [&, value = id](const GroupRead& r) { return r.value == value; }), id, "is read and is not said to be");
  }

  // A custom call is alone in its group, and finds all of its operands in memory, those apart over which it may write.
  void check_call(const Group& group) const {
    NodeId id = group.hero;
    ensure(id.valid() && group.members.size() == 1 && group.members[0] == id && graph_.node(id).op == Op::custom_call && group.riders.empty() && contains(group.stored, id) &&
               group.stored.size() == 1, "fusion plan: a call group computes one custom call, and stores it");
    std::map<NodeId, std::vector<size_t>> operands;
    for (size_t k = 0; k < graph_.inputs(id).size(); ++k) {
      NodeId at = graph_.inputs(id)[k];
      while (plan_.stored_by[at.index] < 0 && (graph_.node(at).op == Op::reshape || info(graph_.node(at).op).family == Family::identity)) at = graph_.inputs(at)[0];
      operands[at].push_back(k);
    }
    for (const auto& [at, which] : operands)
      holds(std::any_of(group.reads.begin(), group.reads.end(), [&, value = at](const GroupRead& r) { return r.value == value; }), at, "is an operand of a custom call, and is not in memory");
    for (const GroupRead& read : group.reads) {
      holds(operands.count(read.value), read.value, "is said to be read and is not");
      if (read.replaceable_by.empty()) continue;
      const Type &type = graph_.type(read.value), &result = graph_.type(id);
      holds(read.replaceable_by == std::vector<NodeId>{id}, id, "is alone in its group");
      holds(size_of(type.dtype) == size_of(result.dtype) && product(type.shape) == product(result.shape), id, "replaces a value of another size");
      auto over = graph_.attributes<CustomCallAttributes>(id).operation.rules().in_place_of;
      holds(over && operands.at(read.value) == std::vector<size_t>{*over}, id, "replaces an operand which its operation does not say it may");
    }
  }

  void check_members(const Group& group) const {
    ensure(!group.members.empty() && group.members.size() == group.at.size() && group.members.size() == group.stage.size() && group.loops.size() == group.reduced.size(),
           "fusion plan: a group's lists have one length");
    int heroes = 0;
    for (size_t i = 0; i < group.members.size(); ++i) {
      NodeId id = group.members[i];
      Family family = info(graph_.node(id).op).family;
      holds(i == 0 || group.members[i - 1] < id, id, "is out of order in its group");
      holds(group.at[i].bounds.empty() && group.at[i].axes.size() == graph_.type(id).shape.size(), id, "has an index of another rank");
      if (family == Family::contraction) ++heroes, holds(group.kind == GroupKind::contraction && group.hero == id, id, "is a contraction in a group of another"), check_hero(group, i);
      if (family == Family::reduction) holds(group.kind == GroupKind::row, id, "is a reduction in a group without rows");
      holds(family != Family::call, id, "is a custom call in a group of other values");
      check_cover(group, i, family);
    }
    ensure((group.kind == GroupKind::contraction) == (heroes == 1), "fusion plan: a contraction group has one contraction, others none");
    ensure(group.kind == GroupKind::row || group.riders.empty(), "fusion plan: riders ride with rows");
  }

  // A rider's reduction takes what its host computes, at every point or once a row, and runs over all rows, and over all of a row or none.
  void check_ridden(const Group& host, const Group& rider, size_t i) const {
    NodeId id = rider.members[i], operand = graph_.inputs(id)[0];
    holds(rider.stage[i] == 0, id, "is a rider's reduction, and waits for another");
    holds(contains(host.members, operand), id, "rides with a group that does not compute its operand");
    const Index& at = host.at[static_cast<size_t>(std::find(host.members.begin(), host.members.end(), operand) - host.members.begin())];
    const auto& axes = graph_.attributes<ReduceAttributes>(id).axes;
    size_t places = 0, kept_places = 0;
    for (size_t l = 0; l < host.loops.size(); ++l) {
      bool kept = false, gone = false;
      for (size_t a = 0; a < at.axes.size(); ++a)
        if (!at.axes[a].strides[l].is(0)) (std::find(axes.begin(), axes.end(), static_cast<int64_t>(a)) == axes.end() ? kept : gone) = true;
      holds(!kept || !gone, id, "rides and reduces a part of a loop");
      holds(!kept || host.reduced[l], id, "rides and does not reduce all rows");
      if (host.reduced[l] && !host.loops[l].is(1)) ++places, kept_places += kept;
    }
    holds(kept_places == 0 || kept_places == places, id, "rides and reduces a part of a row");
  }

  // A contraction's batch axes and columns are a loop each, and its rows those in between, in order.
  void check_hero(const Group& group, size_t i) const {
    NodeId id = group.members[i];
    const size_t batches = graph_.attributes<ContractionAttributes>(id).lhs_batch.size(), count = group.loops.size();
    const Shape& shape = graph_.type(id).shape;
    holds(shape.size() == batches + 2 && count >= shape.size(), id, "is a contraction without a loop for each of its axes");
    Index whole = identity(group.loops), want{{whole.axes.begin(), whole.axes.begin() + static_cast<std::ptrdiff_t>(batches)}, {}};
    Affine rows = constant_index(Dim(0), count);
    Dim stride(1);
    for (size_t l = count - 1; l-- > batches; stride = stride * group.loops[l]) rows = added(rows, scaled(whole.axes[l], stride));
    want.axes.push_back(rows);
    want.axes.push_back(whole.axes.back());
    holds(stride == shape[batches] && group.at[i] == want, id, "is a contraction whose axes are not its loops");
  }

  // Each member is computed once at every point, or once a row.
  void check_cover(const Group& group, size_t i, Family family) const {
    NodeId id = group.members[i];
    Affine position = flattened(group.at[i], graph_.type(id).shape, group.loops.size());
    std::vector<bool> all(group.loops.size(), true), kept = group.reduced;
    kept.flip();
    Dim count = product(graph_.type(id).shape);
    bool full = dense(position, group.loops, all, count), row = group.kind == GroupKind::row && dense(position, group.loops, kept, count);
    holds(family == Family::reduction ? row : full || row, id, "is not computed once at each point of its group");
  }

  // Follows a member's operands to members, memory, or what is recomputed, holding their indices against the plan's.
  void check_edges(const Group& group, size_t i) {
    NodeId id = group.members[i];
    seen_.clear();
    inner_ = is_inner(group, i);
    Family family = info(graph_.node(id).op).family;
    if (family == Family::contraction) {
      for (NodeId input : graph_.inputs(id)) follow_operand(group, input);
      return;
    }
    if (moves(graph_.node(id).op)) return follow_movement(group, id, group.at[i], group.stage[i]);
    Index index = group.at[i];
    if (family == Family::reduction) {
      // The operand's own index: kept axes as the result's, reduced ones along the reduced loops.
      const auto& axes = graph_.attributes<ReduceAttributes>(id).axes;
      const Shape& shape = graph_.type(graph_.inputs(id)[0]).shape;
      Index operand;
      size_t loop = 0, kept = 0;
      for (size_t a = 0; a < shape.size(); ++a)
        if (std::find(axes.begin(), axes.end(), static_cast<int64_t>(a)) == axes.end()) operand.axes.push_back(index.axes[kept++]);
        else {
          operand.axes.push_back(constant_index(Dim(0), group.loops.size()));
          if (shape[a].is(1)) continue;
          while (loop < group.loops.size() && !group.reduced[loop]) ++loop;
          holds(loop < group.loops.size() && group.loops[loop] == shape[a], id, "reduces what are not the group's reduced loops");
          operand.axes.back().strides[loop++] = Dim(1);
        }
      while (loop < group.loops.size() && !group.reduced[loop]) ++loop;
      holds(loop == group.loops.size(), id, "does not reduce all of the group's reduced loops");
      index = operand;
    }
    for (NodeId input : graph_.inputs(id)) follow(group, input, index, group.stage[i]);
  }

  void follow(const Group& group, NodeId id, const Index& index, uint32_t stage) {
    const Node& node = graph_.node(id);
    auto member = std::find(group.members.begin(), group.members.end(), id);
    size_t i = static_cast<size_t>(member - group.members.begin());
    bool counted = node.op == Op::iota || node.op == Op::dimension;
    if (counted && member != group.members.end()) return;  // a function of the index alone, computed wherever it is read
    // What a row has one of is computed once there, though other groups compute it again.
    if (member != group.members.end() && (!plan_.recomputed[id.index] || !is_inner(group, i))) {
      holds(index.axes == group.at[i].axes, id, "is read within its group elsewhere than it is computed");
      bool reduction = info(node.op).family == Family::reduction;
      holds(group.stage[i] + (reduction ? 1 : 0) <= stage, id, "is read in a stage before it is done");
      return;
    }
    if ((counted && plan_.stored_by[id.index] < 0) || (node.op == Op::constant && product(node.type.shape).is(1))) return;
    if (is_memory_leaf(id) || plan_.stored_by[id.index] >= 0) {
      loads_[id].push_back({flattened(index, node.type.shape, group.loops.size()), stage, index.bounds.empty(), inner_});
      return;
    }
    if (moves(node.op)) return follow_movement(group, id, index, stage);
    holds(info(node.op).family == Family::elementwise && (plan_.recomputed[id.index] || member != group.members.end()), id, "is neither stored nor recomputed, and read");
    for (const auto& [value, where] : seen_)
      if (value == id && where == index) return;
    seen_.emplace_back(id, index);
    for (NodeId input : graph_.inputs(id)) follow(group, input, index, stage);
  }

  void follow_movement(const Group& group, NodeId id, const Index& index, uint32_t stage) {
    NodeId operand = graph_.inputs(id)[0], base = operand;
    while (plan_.stored_by[base.index] < 0 && (graph_.node(base).op == Op::reshape || graph_.node(base).op == Op::stop_gradient)) base = graph_.inputs(base)[0];
    bool literal = graph_.node(base).op == Op::constant && product(graph_.type(base).shape).is(1);
    if (graph_.node(id).op == Op::reshape && !literal && (is_memory_leaf(base) || plan_.stored_by[base.index] >= 0) && !contains(group.members, base)) {
      loads_[base].push_back({flattened(index, graph_.type(id).shape, group.loops.size()), stage, index.bounds.empty(), inner_});
      return;
    }
    auto from = pulled(graph_, id, index, group.loops);
    holds(from.has_value(), id, "is no affine map in its group");
    follow(group, operand, *from, stage);
    if (graph_.node(id).op == Op::pad && from->bounds.size() > index.bounds.size()) follow(group, graph_.inputs(id)[1], Index(), stage);
  }

  // What a contraction's operand reads; where from is the packing's affair.
  void follow_operand(const Group& group, NodeId id) {
    std::vector<NodeId> open = {id};
    std::set<NodeId> seen;
    while (!open.empty()) {
      NodeId at = open.back();
      open.pop_back();
      if (!seen.insert(at).second) continue;
      holds(!contains(group.members, at) || plan_.recomputed[at.index], at, "is computed by the contraction that reads it");
      const Node& node = graph_.node(at);
      if ((node.op == Op::iota || node.op == Op::dimension) && plan_.stored_by[at.index] < 0) continue;
      if (is_memory_leaf(at) || plan_.stored_by[at.index] >= 0) {
        if (!(node.op == Op::constant && product(node.type.shape).is(1))) loads_[at].push_back({{}, 0, false, true});
        continue;
      }
      holds(moves(node.op) || plan_.recomputed[at.index], at, "is neither stored nor recomputed, and read");
      for (size_t k = 0; k < graph_.inputs(at).size(); ++k)
        if (k == 0 || node.op != Op::pad || pads(at)) open.push_back(graph_.inputs(at)[k]);
    }
  }

  // Whether a padding has anything to pad with: without it, its value is not read.
  bool pads(NodeId id) const {
    const auto& a = graph_.attributes<PadAttributes>(id);
    auto some = [](const Shape& widths) { return std::any_of(widths.begin(), widths.end(), [](const Dim& w) { return !w.is(0); }); };
    return some(a.low) || some(a.high);
  }

  void check_replaceable(const Group& group, NodeId value, NodeId by) const {
    holds(contains(group.stored, by), by, "replaces what its group reads, and is not stored there");
    size_t i = static_cast<size_t>(std::find(group.members.begin(), group.members.end(), by) - group.members.begin());
    Affine position = flattened(group.at[i], graph_.type(by).shape, group.loops.size());
    holds(size_of(graph_.type(by).dtype) == size_of(graph_.type(value).dtype) && product(graph_.type(by).shape) == product(graph_.type(value).shape), by, "replaces a value of another size");
    if (product(graph_.type(by).shape).is(0)) return;  // nothing is read and nothing stored
    bool row = group.kind == GroupKind::row;
    for (size_t l = 0; l < group.loops.size(); ++l) row = row && (!group.reduced[l] || position.strides[l].is(0));
    // Inner stages compute again, and read again, what earlier ones did; what a row has one of is computed once, before its inner stage.
    uint32_t last_inner = 0;
    for (size_t k = 0; k < group.members.size(); ++k)
      if (is_inner(group, k) && (contains(group.stored, group.members[k]) || feeds_rider(graph_, group, group.members[k]) || info(graph_.node(group.members[k]).op).family == Family::reduction))
        last_inner = std::max(last_inner, group.stage[k]);
    holds(row || group.stage[i] >= last_inner, by, "replaces a value that a later stage may read");
    for (const Load& load : loads_.at(value)) {
      holds(load.whole && load.position == position, by, "replaces a value that is read elsewhere than it is stored");
      holds(load.stage <= group.stage[i], by, "replaces a value that a later stage reads");
      holds(!row || !load.inner || last_inner < group.stage[i], by, "replaces a row's value that an inner stage reads after it");
    }
  }

  // Whether a member is computed at every point of a row, not once.
  bool is_inner(const Group& group, size_t i) const {
    if (group.kind != GroupKind::row || info(graph_.node(group.members[i]).op).family == Family::reduction) return true;
    for (const Affine& a : group.at[i].axes)
      for (size_t l = 0; l < group.loops.size(); ++l)
        if (group.reduced[l] && !a.strides[l].is(0)) return true;
    return false;
  }

  struct Load {
    Affine position;
    uint32_t stage;
    bool whole, inner;
  };
  bool inner_ = true;  // of the member whose edges are followed
  const Program& program_;
  const Graph& graph_;
  const FusionPlan& plan_;
  std::map<NodeId, std::vector<Load>> loads_;
  std::vector<std::pair<NodeId, Index>> seen_;
};

}  // namespace

void check(const Program& program, const FusionPlan& plan) { FusionChecker(program, plan).run(); }

std::string to_string(const Program& program, const FusionPlan& plan) {
  const Graph& graph = program.graph;
  std::string text;
  for (size_t g = 0; g < plan.groups.size(); ++g) {
    const Group& group = plan.groups[g];
    static constexpr std::string_view kinds[] = {"loop", "row", "contraction", "call"};
    std::string loops;
    for (size_t l = 0; l < group.loops.size(); ++l) loops += (l ? ", " : "") + to_string(group.loops[l]) + (group.reduced[l] ? " reduced" : "");
    text += fmt::format("group {}: {} over [{}]\n", g, kinds[static_cast<size_t>(group.kind)], loops);
    for (const GroupRead& read : group.reads) text += fmt::format("  reads    {}{}\n", print_node(graph, read.value), read.replaceable_by.empty() ? "" : "  # may be replaced");
    auto members = [&](const Group& of) {
      for (NodeId id : of.members) text += fmt::format("  {} {}\n", contains(of.stored, id) ? "stores  " : "computes", print_node(graph, id));
    };
    members(group);
    for (const Group& rider : group.riders) text += "  riding along\n", members(rider);
  }
  for (size_t v = 0; v < plan.recomputed.size(); ++v)
    if (plan.recomputed[v]) text += fmt::format("recomputed: {}\n", print_node(graph, NodeId(v)));
  return text;
}

}  // namespace sinter
