// Row groups: stages, one for each reduction that waits for another, over rows staged in cache.
#include <algorithm>
#include <map>

#include "codegen/lower_kinds.h"

namespace sinter {
namespace {

struct RowLowering {
  const Program& program;
  const FusionPlan& plan;
  const Group& group;
  const Graph& graph = program.graph;
  ArgumentTable arguments;
  std::map<NodeId, uint32_t> slot;
  RowKernel row;

  bool is_reduction(size_t i) const { return info(graph.node(group.members[i]).op).family == Family::reduction; }
  bool is_stored(NodeId id) const { return std::find(group.stored.begin(), group.stored.end(), id) != group.stored.end(); }

  Affine position(size_t i) const {
    return flattened(group.at[i], graph.type(group.members[i]).shape, group.loops.size());
  }

  uint32_t new_slot(NodeId id) {
    row.slots.push_back(graph.type(id).dtype);
    return slot[id] = static_cast<uint32_t>(row.slots.size() - 1);
  }

  BodyMaker maker() {
    BodyMaker made(graph, arguments);
    made.at_hand = [this](NodeId id, BodyInput& input) {
      auto found = slot.find(id);
      if (found != slot.end()) input = RowInput{found->second};
      return found != slot.end();
    };
    return made;
  }

  // One point a row: its values of this stage, and the stores of what the stage before reduced.
  void add_row_stage(uint32_t stage) {
    BodyMaker body = maker();
    Walk<BodyMaker> walk(program, plan, group, body);
    RowStage made{false, {}, {}, {}};
    std::vector<std::pair<NodeId, uint32_t>> computed;
    for (size_t i = 0; i < group.members.size(); ++i) {
      NodeId id = group.members[i];
      if (is_reduction(i)) {
        Scalar held;
        if (group.stage[i] + 1 == stage && is_stored(id) && body.given(id, held)) body.store(id, position(i), held);
      } else if (is_row_value(group, i) && group.stage[i] == stage) {
        Scalar value = walk.member(id);
        computed.emplace_back(id, body.output(value));
        if (is_stored(id)) body.store(id, position(i), value);
      }
    }
    for (auto [id, output] : computed) made.values.push_back({output, new_slot(id)});
    made.body = body.finish();
    if (!made.body.stores.empty() || !made.values.empty()) row.stages.push_back(std::move(made));
  }

  void add_inner_stage(uint32_t stage) {
    BodyMaker body = maker();
    Walk<BodyMaker> walk(program, plan, group, body);
    RowStage made{true, {}, {}, {}};
    std::vector<std::tuple<NodeId, Reduction, uint32_t>> reduced;
    for (size_t i = 0; i < group.members.size(); ++i) {
      NodeId id = group.members[i];
      if (group.stage[i] != stage) continue;
      if (is_reduction(i)) {
        Op op = graph.node(id).op;
        Reduction kind = op == Op::sum ? Reduction::sum : op == Op::prod ? Reduction::product : op == Op::max ? Reduction::max : Reduction::min;
        Scalar operand = walk.value(graph.inputs(id)[0], operand_index(graph, group, id, group.at[i]));
        reduced.emplace_back(id, kind, body.output(operand));
      } else if (!is_row_value(group, i) && is_stored(id)) {
        body.store(id, position(i), walk.member(id));
      }
    }
    for (auto [id, kind, output] : reduced) made.reductions.push_back({kind, output, new_slot(id)});
    made.body = body.finish();
    if (!made.body.stores.empty() || !made.reductions.empty()) row.stages.push_back(std::move(made));
  }

  LoweredGroup run() {
    uint32_t last = *std::max_element(group.stage.begin(), group.stage.end());
    for (uint32_t stage = 0; stage <= last + 1; ++stage) add_row_stage(stage), add_inner_stage(stage);
    std::vector<Affine*> functions;
    std::vector<Body*> bodies, inner_bodies;
    for (RowStage& s : row.stages) {
      bodies.push_back(&s.body);
      if (s.inner) inner_bodies.push_back(&s.body);
      for_each_affine(s.body, [&](Affine& a) { functions.push_back(&a); });
    }
    std::vector<size_t> order;
    for (bool inner : {false, true})
      for (size_t l = 0; l < group.loops.size(); ++l)
        if (group.reduced[l] == inner) order.push_back(l);
    std::vector<Dim> loops = group.loops;
    permute_loops(loops, functions, order);
    size_t outer = static_cast<size_t>(std::count(group.reduced.begin(), group.reduced.end(), false));
    coalesce(loops, outer, loops.size(), 0, functions);
    outer = coalesce(loops, 0, outer, 0, functions);
    auto last_of_range = [&](size_t end, std::optional<size_t> chosen) {
      if (!chosen || *chosen + 1 >= end) return;
      std::vector<size_t> moved(loops.size());
      for (size_t l = 0; l < moved.size(); ++l) moved[l] = l < *chosen || l >= end ? l : l + 1 == end ? *chosen : l + 1;
      permute_loops(loops, functions, moved);
    };
    int along_inner = 0, along_outer = 0;
    std::optional<size_t> in = contiguous_loop(inner_bodies, outer, loops.size(), along_inner), out = contiguous_loop(inner_bodies, 0, outer, along_outer);
    row.vector_outer = along_outer > along_inner;
    last_of_range(loops.size(), in);
    if (row.vector_outer) last_of_range(outer, out);
    auto insert = [&](size_t at) {
      loops.insert(loops.begin() + static_cast<std::ptrdiff_t>(at), Dim(1));
      for (Affine* a : functions) a->strides.insert(a->strides.begin() + static_cast<std::ptrdiff_t>(at), Dim(0));
    };
    if (outer == 0) insert(0), outer = 1;
    if (loops.size() == outer) insert(outer);
    row.outer.assign(loops.begin(), loops.begin() + static_cast<std::ptrdiff_t>(outer));
    row.inner.assign(loops.begin() + static_cast<std::ptrdiff_t>(outer), loops.end());
    double cost = 0, points = 1;
    for (const Dim& d : row.inner) points *= nominal(d);
    for (const RowStage& s : row.stages) cost += nanoseconds(s.body, arguments.kernel_arguments) * (s.inner ? points : 1);
    for (size_t l = 1; l < row.outer.size(); ++l) cost *= nominal(row.outer[l]);
    Kernel kernel{"row", arguments.kernel_arguments, {}, grain_for(cost), row};
    if (row.vector_outer && row.outer.size() == 1) kernel.grain = (kernel.grain + 63) / 64 * 64;
    kernel.sizes = symbolic_sizes(kernel);
    return {{{std::move(kernel), arguments.arguments}}, {}};
  }
};

}  // namespace

LoweredGroup lower_row(const Program& program, const FusionPlan& plan, const Group& group) { return RowLowering{program, plan, group, program.graph, {}, {}, {}}.run(); }

}  // namespace sinter
