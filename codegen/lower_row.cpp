// Row groups: stages, one for each reduction that waits for another, over rows staged in cache.
//
// Reductions that a kernel cannot finish leave partial results, those of a chunk side by side: [chunks][elements of the result]. A second
// kernel then reduces over the chunks, in order, and computes what follows. That is how a few long rows are split over chunks, and how
// riders, which reduce over the rows of a group, are computed on the way.
#include <algorithm>
#include <map>

#include "codegen/lower_kinds.h"
#include "passes/fusion/operands.h"
#include "passes/fusion/riders.h"

namespace sinter {
namespace {

Reduction kind_of(Op op) { return op == Op::sum ? Reduction::sum : op == Op::prod ? Reduction::product : op == Op::max ? Reduction::max : Reduction::min; }

Scalar combined(Reduction kind, Scalar a, Scalar b) {
  using scalar::operator+, scalar::operator*;
  switch (kind) {
    case Reduction::sum: return a + b;
    case Reduction::product: return a * b;
    case Reduction::max: return scalar::maximum(a, b);
    case Reduction::min: return scalar::minimum(a, b);
  }
  throw InternalError("a reduction of no kind");
}

Dim elements_of(const Graph& graph, NodeId id) { return product(graph.type(id).shape); }

// A reduction over a group's rows that its kernel begins: where, for a point of the group's loops, its partial result is.
struct Ridden {
  NodeId reduction, operand;
  Affine position;
  bool along_row;   // one partial result for each place in a row; else one in all
  uint32_t scratch; // of the lowered group
};

struct RowLowering {
  const Program& program;
  const FusionPlan& plan;
  const Group& group;
  std::vector<Scratch>& scratch;
  const Graph& graph = program.graph;
  std::vector<Ridden> ridden = {};
  std::map<NodeId, uint32_t> split_into = {};     // by reduction: the scratch that takes its partial results, and nothing is done after
  std::map<NodeId, uint32_t> finished_from = {};  // by reduction: the scratch that holds its partial results
  ArgumentTable arguments = {};
  std::map<NodeId, uint32_t> slot = {};
  struct Staged {
    uint32_t argument;
    Affine position;
    bool written = false;  // by a stage that is done
  };
  std::map<NodeId, Staged> staged = {};
  std::map<uint32_t, Dim> partial_results = {};   // by argument: elements from one chunk's to the next's
  RowKernel row = {};

  Affine position(size_t i) const { return flattened(group.at[i], graph.type(group.members[i]).shape, group.loops.size()); }

  uint32_t new_slot(DType dtype) {
    row.slots.push_back(dtype);
    return static_cast<uint32_t>(row.slots.size() - 1);
  }

  uint32_t partial_argument(NodeId reduction, uint32_t of_scratch) {
    uint32_t argument = arguments.scratch(of_scratch, graph.type(reduction).dtype, true);
    partial_results[argument] = elements_of(graph, reduction);
    return argument;
  }

  BodyMaker maker() {
    BodyMaker made(graph, arguments);
    made.at_hand = [this](NodeId id, BodyInput& input) {
      auto found = slot.find(id);
      if (found != slot.end()) input = RowInput{found->second};
      auto kept = staged.find(id);
      if (kept == staged.end() || !kept->second.written) return found != slot.end();
      input = LoadInput{kept->second.argument, kept->second.position, {}};
      return true;
    };
    return made;
  }

  // Scratch for a value of one row at a time.
  void keep(NodeId id) {
    const DType dtype = graph.type(id).dtype;
    Affine position = constant_index(Dim(0), group.loops.size());
    Dim elements = 1;
    for (size_t l = group.loops.size(); l-- > 0;)
      if (group.reduced[l]) position.strides[l] = group.loops[l].is(1) ? Dim(0) : elements, elements = elements * group.loops[l];
    constexpr int64_t line = 64;  // workers share no cache line
    Dim stride = ceil_divide(elements, line) * Dim(line);
    scratch.push_back({stride * Dim(static_cast<int64_t>(size_of(dtype))), true});
    staged[id] = {arguments.scratch(static_cast<uint32_t>(scratch.size() - 1), dtype, true, stride), position};
  }

  void combine(BodyMaker& body, const Ridden& r, Scalar value) {
    uint32_t argument = partial_argument(r.reduction, r.scratch);
    Scalar held = body.load(argument, graph.type(r.reduction).dtype, r.position);
    body.store(argument, r.position, combined(kind_of(graph.node(r.reduction).op), held, value));
  }

  // One point a row: its values of this stage, and the stores of what the stage before reduced.
  void add_row_stage(uint32_t stage) {
    BodyMaker body = maker();
    Walk<BodyMaker> walk(program, plan, group, body);
    RowStage made{false, {}, {}, {}};
    std::vector<std::pair<NodeId, uint32_t>> computed;
    for (size_t i = 0; i < group.members.size(); ++i) {
      NodeId id = group.members[i];
      Scalar held;
      if (is_reduction(graph.node(id).op)) {
        if (group.stage[i] + 1 != stage || !body.given(id, held)) continue;
        if (auto into = split_into.find(id); into != split_into.end()) body.store(partial_argument(id, into->second), position(i), held);
        else if (stores(group, id)) body.store(id, position(i), held);
      } else if (is_row_value(group, i) && group.stage[i] == stage) {
        Scalar value = walk.member(id);
        computed.emplace_back(id, body.output(value));
        if (stores(group, id) && split_into.empty()) body.store(id, position(i), value);
      }
    }
    for (const Ridden& r : ridden) {
      if (r.along_row || done_at(r.operand) != stage) continue;
      Scalar value;
      if (slot.count(r.reduction)) body.given(r.reduction, value);
      else value = walk.value(r.operand, group.at[member_number(group, r.operand)]);
      combine(body, r, value);
    }
    for (auto [id, output] : computed) made.values.push_back({output, slot[id] = new_slot(graph.type(id).dtype)});
    made.body = body.finish();
    if (!made.body.stores.empty() || !made.values.empty()) row.stages.push_back(std::move(made));
  }

  // The row stage in which a row's value of the operand, or its reduction over the row, is at hand.
  uint32_t done_at(NodeId operand) const {
    const size_t i = member_number(group, operand);
    return group.stage[i] + (is_row_value(group, i) && !is_reduction(graph.node(operand).op) ? 0 : 1);
  }

  void add_inner_stage(uint32_t stage) {
    BodyMaker body = maker();
    Walk<BodyMaker> walk(program, plan, group, body);
    RowStage made{true, {}, {}, {}};
    std::vector<std::tuple<NodeId, Reduction, uint32_t>> reduced;
    for (size_t i = 0; i < group.members.size(); ++i) {
      NodeId id = group.members[i];
      if (group.stage[i] != stage) continue;
      if (is_reduction(graph.node(id).op)) {
        Scalar operand;
        if (auto from = finished_from.find(id); from != finished_from.end()) {
          Affine where = position(i);
          where.strides.back() = elements_of(graph, id);  // the loop over chunks
          operand = body.load(arguments.scratch(from->second, graph.type(id).dtype, false), graph.type(id).dtype, where);
        } else {
          operand = walk.value(graph.inputs(id)[0], operand_index(graph, group, id, group.at[i]));
        }
        reduced.emplace_back(id, kind_of(graph.node(id).op), body.output(operand));
      } else if (!is_row_value(group, i) && stores(group, id)) {
        body.store(id, position(i), walk.member(id));
      }
    }
    for (const Ridden& r : ridden) {
      const size_t i = member_number(group, r.operand);
      if (group.stage[i] != stage || is_row_value(group, i) || is_reduction(graph.node(r.operand).op)) continue;
      Scalar value = walk.value(r.operand, group.at[i]);
      if (r.along_row) combine(body, r, value);
      else reduced.emplace_back(r.reduction, kind_of(graph.node(r.reduction).op), body.output(value));
    }
    for (auto [id, kind, output] : reduced) made.reductions.push_back({kind, output, slot[id] = new_slot(graph.type(id).dtype)});
    for (auto& [id, kept] : staged)
      if (!kept.written && walk.is_computed(id)) body.store(kept.argument, kept.position, walk.member(id)), kept.written = true;
    made.body = body.finish();
    if (!made.body.stores.empty() || !made.reductions.empty()) row.stages.push_back(std::move(made));
  }

  void add_stages() {
    for (const Ridden& r : ridden) {
      BodyMaker body = maker();
      const NodeId id = r.reduction;
      body.store(partial_argument(id, r.scratch), r.position, body.constant(reduction_of_nothing(graph.node(id).op, graph.type(id).dtype)));
      row.before.push_back({r.along_row, body.finish(), {}, {}});
    }
    const uint32_t last = split_into.empty() ? *std::max_element(group.stage.begin(), group.stage.end()) + 1 : 0;
    for (uint32_t stage = 0; stage <= last; ++stage) add_row_stage(stage), add_inner_stage(stage);
    if (!split_into.empty()) add_row_stage(1);
  }

  std::vector<Body*> all_bodies() {
    std::vector<Body*> all;
    for (std::vector<RowStage>* stages : {&row.before, &row.stages})
      for (RowStage& s : *stages) all.push_back(&s.body);
    return all;
  }

  // The stages as a kernel: loops in order, neighbours that all walk as one fused, the vector loop last of the inner or the outer ones.
  void arrange() {
    add_stages();
    std::vector<Affine*> functions;
    std::vector<Body*> inner_bodies;
    for (Body* body : all_bodies()) for_each_affine(*body, [&](Affine& a) { functions.push_back(&a); });
    for (RowStage& s : row.stages)
      if (s.inner) inner_bodies.push_back(&s.body);
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
    row.vector_outer = ridden.empty() && along_outer > along_inner;
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
    row.split = !split_into.empty();
    row.numbered = !partial_results.empty();
    if (!row.numbered) return;
    for (Affine* a : functions) a->strides.push_back(Dim(0));
    auto number = [&](uint32_t argument, Affine& where) {
      if (auto partial = partial_results.find(argument); partial != partial_results.end()) where.strides.back() = partial->second;
    };
    for (Body* body : all_bodies()) {
      for (BodyInput& input : body->inputs)
        if (auto* load = std::get_if<LoadInput>(&input)) number(load->argument, load->position);
      for (Store& store : body->stores) number(store.argument, store.position);
    }
  }

  // What a step of the chunked loop costs.
  double nanoseconds_a_step() const {
    double cost = 0, points = 1;
    for (size_t l = row.split ? 1 : 0; l < row.inner.size(); ++l) points *= nominal(row.inner[l]);
    for (const RowStage& s : row.stages) cost += nanoseconds(s.body, arguments.kernel_arguments) * (s.inner ? points : 1);
    for (size_t l = row.split ? 0 : 1; l < row.outer.size(); ++l) cost *= nominal(row.outer[l]);
    return cost;
  }

  Kernel kernel() const {
    Kernel made{"row", arguments.kernel_arguments, {}, grain_for(nanoseconds_a_step()), row};
    auto whole = [&](int64_t steps) { made.grain = (made.grain + steps - 1) / steps * steps; };
    if (row.split) {
      // Few enough for the sum of a chunk to be near the truth: each lane adds a sixty-fourth of a row that vectors lie along.
      const int64_t most = row.vector_outer ? 1024 : 1 << 18;
      made.grain = std::min(made.grain, most);
      if (row.inner.size() == 1 && !row.vector_outer) whole(256);
    } else if (row.vector_outer && row.outer.size() == 1) {
      whole(64);
    } else if (!ridden.empty()) {
      // Partial results are a small part of what is reduced.
      const Dim& rows = row.outer[0];
      made.grain = std::max({made.grain, int64_t{16}, rows.is_number() ? (rows.number() + 63) / 64 : 0});
    }
    made.sizes = symbolic_sizes(made);
    return made;
  }
};

// The reductions of `group`, and what a row of it has one of, over the rows and the chunks that hold partial results.
Group finishing(const Group& group, const Graph& graph, const Dim& chunks) {
  Group made;
  made.kind = GroupKind::row;
  made.hero = group.hero;
  made.stored = group.stored;
  for (size_t l = 0; l < group.loops.size(); ++l)
    if (!group.reduced[l]) made.loops.push_back(group.loops[l]);
  made.loops.push_back(chunks);
  made.reduced.assign(made.loops.size(), false);
  made.reduced.back() = true;
  for (size_t i = 0; i < group.members.size(); ++i) {
    if (!is_reduction(graph.node(group.members[i]).op) && !is_row_value(group, i)) continue;
    Index at = group.at[i];
    for (Affine& a : at.axes) {
      std::vector<Dim> strides;
      for (size_t l = 0; l < group.loops.size(); ++l)
        if (!group.reduced[l]) strides.push_back(a.strides[l]);
      strides.push_back(Dim(0));
      a.strides = std::move(strides);
    }
    made.members.push_back(group.members[i]);
    made.at.push_back(std::move(at));
    made.stage.push_back(group.stage[i]);
  }
  return made;
}

class RowGroup {
 public:
  RowGroup(const Program& program, const FusionPlan& plan, const Group& group) : program_(program), plan_(plan), group_(group) {}

  LoweredGroup run() {
    std::vector<Ridden> ridden = ridden_reductions();
    RowLowering plain = lowering(group_, ridden);
    plain.arrange();
    if (ridden.empty() && is_to_be_split(plain)) {
      split();
      return std::move(lowered_);
    }
    const size_t scratch_before = lowered_.scratch.size();
    RowLowering keeping = lowering(group_, ridden);
    // What is kept of a row lies there as the row is walked, in one loop.
    if (!plain.row.vector_outer && plain.row.inner.size() == 1)
      for (NodeId id : staged_values(program_, plan_, group_)) keeping.keep(id);
    bool keeps = lowered_.scratch.size() > scratch_before;
    if (keeps) keeping.arrange();
    const Dim chunks = add(keeps ? keeping : plain);
    for (const Group& rider : group_.riders) {
      std::map<NodeId, uint32_t> from;
      for (const Ridden& r : ridden) from[r.reduction] = r.scratch;
      finish(rider, from, chunks);
    }
    for (const Ridden& r : ridden) fill_in(r.reduction, r.scratch, chunks);
    return std::move(lowered_);
  }

 private:
  RowLowering lowering(const Group& group, std::vector<Ridden> ridden = {}) {
    RowLowering made{program_, plan_, group, lowered_.scratch};
    made.ridden = std::move(ridden);
    return made;
  }

  uint32_t new_scratch() {
    lowered_.scratch.push_back({});
    return static_cast<uint32_t>(lowered_.scratch.size() - 1);
  }
  // The size of partial results is known once the chunks are.
  void fill_in(NodeId reduction, uint32_t scratch, const Dim& chunks) {
    const Graph& graph = program_.graph;
    lowered_.scratch[scratch].bytes = chunks * elements_of(graph, reduction) * Dim(static_cast<int64_t>(size_of(graph.type(reduction).dtype)));
  }

  Dim add(const RowLowering& made) {
    Kernel kernel = made.kernel();
    Dim chunks = chunks_of(kernel);
    lowered_.kernels.push_back({std::move(kernel), made.arguments.arguments, made.group.members});
    return chunks;
  }

  void finish(const Group& group, const std::map<NodeId, uint32_t>& from, const Dim& chunks) {
    const Group over_chunks = finishing(group, program_.graph, chunks);
    RowLowering made = lowering(over_chunks);
    made.finished_from = from;
    made.arrange();
    add(made);
  }

  std::vector<Ridden> ridden_reductions() {
    const Graph& graph = program_.graph;
    std::vector<Ridden> all;
    for (const Group& rider : group_.riders)
      for (NodeId id : rider.members) {
        if (!is_reduction(graph.node(id).op)) continue;
        const auto found = ridden_operand(graph, group_, id);
        ensure(found.has_value(), "a rider reduces over the rows of its host");
        const auto& [operand, index] = *found;
        bool along_row = false;
        for (const Affine& a : index.axes)
          for (const Dim& stride : a.strides) along_row = along_row || !stride.is(0);
        all.push_back({id, operand, flattened(index, graph.type(id).shape, group_.loops.size()), along_row, new_scratch()});
      }
    return all;
  }

  // Whether there are too few rows to keep threads busy, or too long ones to be summed in one go, and one walk over them is all there is.
  bool is_to_be_split(const RowLowering& plain) const {
    int walks = 0;
    for (const RowStage& s : plain.row.stages) walks += s.inner;
    if (walks != 1) return false;
    bool reduces_first = false;
    for (size_t i = 0; i < group_.members.size(); ++i) reduces_first = reduces_first || (is_reduction(program_.graph.node(group_.members[i]).op) && group_.stage[i] == 0);
    if (!reduces_first) return false;
    const Dim elements = product(plain.row.inner), chunks = chunks_of(plain.kernel());
    if (!elements.is_number() || elements.number() > (plain.row.vector_outer ? 4096 : 1 << 20)) return true;
    constexpr double worth_splitting = 100e3;  // nanoseconds
    return chunks.is_number() && chunks.number() < 4 && plain.nanoseconds_a_step() * nominal(plain.row.outer[0]) > worth_splitting;
  }

  void split() {
    std::map<NodeId, uint32_t> into;
    for (NodeId id : group_.members)
      if (is_reduction(program_.graph.node(id).op)) into[id] = new_scratch();
    RowLowering made = lowering(group_);
    made.split_into = into;
    made.arrange();
    const Dim chunks = add(made);
    for (auto [id, scratch] : into) fill_in(id, scratch, chunks);
    finish(group_, into, chunks);
  }

  const Program& program_;
  const FusionPlan& plan_;
  const Group& group_;
  LoweredGroup lowered_;
};

}  // namespace

LoweredGroup lower_row(const Program& program, const FusionPlan& plan, const Group& group) { return RowGroup(program, plan, group).run(); }

}  // namespace sinter
