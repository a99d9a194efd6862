#include "passes/fusion/draft.h"

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "passes/fusion/walk.h"

namespace sinter {
namespace {

constexpr size_t most_members = 200;  // of one kernel: more would not fit its registers, nor a compile time in milliseconds
constexpr size_t most_reads = 128;    // of one kernel: each is an address, and often a vector, that is at hand throughout; its stack is 4 KiB

// Scalar operations of one kernel: about ten exponentials and tangents more than the largest layer with its gradient needs. Beyond, LLVM's
// registers are allotted in more than linear time, and a store and a load more cost a few hundredths of the arithmetic.
constexpr size_t most_work = 600;

// Elements of a row that its later stages still find in the cache. A longer one is read from memory again anyway, by one thread: what comes
// after its reduction is better off in a kernel of its own. Symbols count as 64.
constexpr double longest_staged_row = 65536;

struct Source {
  NodeId value;
  std::vector<NodeId> chain;  // the movement nodes between, from the reader's side
  bool padding = false;       // it is what a padding on the way to another puts around it: read at no index of the reader's
};

class Drafter {
 public:
  Drafter(const Program& program, const std::set<NodeId>& forced) : program_(program), graph_(program.graph), forced_(forced), draft_of_(graph_.size(), -1) {}

  std::vector<Draft> run(std::set<NodeId>& leaving) {
    std::vector<bool> needed = reachable(program_);
    for (NodeId o : program_.outputs) leave(o, leaving);
    for (const Update& u : program_.updates) leave(u.value, leaving);
    // A custom call reads whole values from memory.
    for (size_t i = 0; i < graph_.size(); ++i)
      if (NodeId id(i); needed[i] && graph_.node(id).op == Op::custom_call)
        for (NodeId operand : graph_.inputs(id)) leave(operand, leaving);
    for (size_t i = 0; i < graph_.size(); ++i) {
      NodeId id(i);
      if (!needed[i]) continue;
      Op op = graph_.node(id).op;
      if (op == Op::contract) start(id, GroupKind::contraction);
      else if (op == Op::custom_call) start(id, GroupKind::call);
      else if (is_reduction(op)) place_reduction(id);
      else if (is_elementwise(op)) place_elementwise(id);
      else if (forced_.count(id) || (leaving.count(id) && (is_movement(op) || op == Op::iota || op == Op::dimension))) start(id, GroupKind::loop);
    }
    return std::move(drafts_);
  }

 private:
  // A value that leaves is stored, but where it is a reshape of one that can be: then that one is.
  void leave(NodeId id, std::set<NodeId>& leaving) {
    while ((graph_.node(id).op == Op::reshape || graph_.node(id).op == Op::stop_gradient) && !forced_.count(id)) id = graph_.inputs(id)[0];
    leaving.insert(id);
  }

  bool stored_movement(NodeId id) const { return draft_of_[id.index] >= 0 && is_movement(graph_.node(id).op); }

  Source chased(NodeId id) const {
    Source source{id, {}};
    while (is_movement(graph_.node(source.value).op) && !stored_movement(source.value)) {
      source.chain.push_back(source.value);
      source.value = graph_.inputs(source.value)[0];
    }
    return source;
  }

  // Every value that `id` reads, paddings' values included.
  std::vector<Source> sources(NodeId id) const {
    std::vector<Source> all;
    std::vector<NodeId> open(graph_.inputs(id).begin(), graph_.inputs(id).end());
    const size_t operands = open.size();
    for (size_t i = 0; i < open.size(); ++i) {
      all.push_back(chased(open[i]));
      all.back().padding = i >= operands;
      for (NodeId m : all.back().chain)
        if (graph_.node(m).op == Op::pad) open.push_back(graph_.inputs(m)[1]);
    }
    return all;
  }

  int draft_of(NodeId id) const { return draft_of_[id.index]; }

  const Index& at(const Draft& d, NodeId id) const { return d.group.at[member_number(d.group, id)]; }
  uint32_t stage(const Draft& d, NodeId id) const { return d.group.stage[member_number(d.group, id)]; }

  void add(size_t d, NodeId id, Index index, uint32_t stage) {
    Draft& draft = drafts_[d];
    draft.group.members.push_back(id);
    draft.group.at.push_back(std::move(index));
    draft.group.stage.push_back(stage);
    draft.work += work_of(id);
    draft_of_[id.index] = static_cast<int>(d);
    for (const Source& s : sources(id)) {
      int from = draft_of(s.value);
      if (from == static_cast<int>(d)) continue;
      draft.reads.insert(s.value);
      if (from >= 0) draft.producers.insert(static_cast<size_t>(from));
    }
  }

  // The scalar operations of one element of an elementwise node; 1 of others.
  size_t work_of(NodeId id) {
    const Node& node = graph_.node(id);
    if (!is_elementwise(node.op)) return 1;
    std::vector<DType> inputs;
    for (NodeId input : graph_.inputs(id)) inputs.push_back(graph_.type(input).dtype);
    auto [known, is_new] = work_.try_emplace({node.op, node.type.dtype, inputs}, 0);
    if (is_new)
      for (const ScalarOp& op : expression_of(node.op, inputs, node.type.dtype).ops) known->second += operand_count(op.code) > 0;
    return known->second;
  }

  static bool few_reads(const Draft& draft, std::set<NodeId> more) {
    if (draft.reads.size() + more.size() <= most_reads) return true;
    more.insert(draft.reads.begin(), draft.reads.end());
    return more.size() <= most_reads;
  }

  size_t start(NodeId id, GroupKind kind) {
    Draft draft;
    draft.group.kind = kind;
    if (kind == GroupKind::contraction || kind == GroupKind::call) draft.group.hero = id;
    draft.group.loops = graph_.type(id).shape;
    draft.group.reduced.assign(draft.group.loops.size(), false);
    Index index = identity(draft.group.loops);
    drafts_.push_back(std::move(draft));
    add(drafts_.size() - 1, id, std::move(index), 0);
    return drafts_.size() - 1;
  }

  // Whether draft `a` reads, through others, from `b`. Nothing follows from which members came first: a draft that another reads may since
  // have got members that read from anywhere.
  bool depends(size_t a, size_t b) {
    seen_.resize(drafts_.size(), 0);
    ++round_;
    std::vector<size_t> open = {a};
    while (!open.empty()) {
      size_t d = open.back();
      open.pop_back();
      if (d == b) return true;
      if (seen_[d] == round_) continue;
      seen_[d] = round_;
      open.insert(open.end(), drafts_[d].producers.begin(), drafts_[d].producers.end());
    }
    return false;
  }

  // Where a reshape splits the rows of a contraction's result into several axes, which were one for the product alone, so is the loop over
  // them; `index` and what the group computes lie where they did.
  bool split_rows(Group& group, Index& index, const Shape& from, const Shape& to) const {
    if (group.kind != GroupKind::contraction || group.loops.size() != graph_.type(group.hero).shape.size()) return false;
    const size_t rows = group.loops.size() - 2;
    auto runs = reshape_runs(from, to);
    if (!runs) return false;
    for (const ReshapeRun& run : *runs) {
      if (run.end_from - run.first_from != 1 || !(index.axes[run.first_from] == identity(group.loops).axes[rows])) continue;
      Shape sizes(to.begin() + static_cast<std::ptrdiff_t>(run.first_to), to.begin() + static_cast<std::ptrdiff_t>(run.end_to)), loops = group.loops;
      loops.erase(loops.begin() + static_cast<std::ptrdiff_t>(rows));
      loops.insert(loops.begin() + static_cast<std::ptrdiff_t>(rows), sizes.begin(), sizes.end());
      // The old loops as functions of the new ones.
      std::vector<Affine> old = identity(loops).axes;
      Index parts{{old.begin() + static_cast<std::ptrdiff_t>(rows), old.end() - 1}, {}};
      old = {old.begin(), old.begin() + static_cast<std::ptrdiff_t>(rows)};
      old.push_back(flattened(parts, sizes, loops.size()));
      old.push_back(identity(loops).axes.back());
      group.loops = loops;
      group.reduced.assign(loops.size(), false);
      for (Index& at : group.at) at.axes = substituted(at.axes, old, loops.size());
      index.axes = substituted(index.axes, old, loops.size());
      return true;
    }
    return false;
  }

  // The index of a movement's result at which its operand is read at `index`: the inverse of pulled(), where there is one.
  std::optional<Index> pushed(Draft& draft, NodeId movement, Index index) {
    const Node& node = graph_.node(movement);
    Group& group = draft.group;
    const Shape &from = graph_.type(graph_.inputs(movement)[0]).shape, &to = node.type.shape;
    Index result;
    switch (node.op) {
      case Op::stop_gradient: return index;
      case Op::transpose:
        for (int64_t axis : std::get<TransposeAttributes>(node.attributes).permutation) result.axes.push_back(index.axes[static_cast<size_t>(axis)]);
        return result;
      case Op::reshape: {
        auto axes = reshaped(index.axes, from, to, group.loops);
        if (!axes && split_rows(group, index, from, to)) axes = reshaped(index.axes, from, to, group.loops);
        if (!axes) return std::nullopt;
        result.axes = *axes;
        return result;
      }
      case Op::broadcast: {
        // New axes are the reduced loops, in order, of a row's value.
        if (group.kind != GroupKind::row) return std::nullopt;
        const auto& axes = std::get<BroadcastAttributes>(node.attributes).axes;
        std::vector<size_t> free;
        for (size_t l = 0; l < group.loops.size(); ++l)
          if (group.reduced[l]) free.push_back(l);
        for (const Affine& a : index.axes)
          for (size_t l : free)
            if (!a.strides[l].is(0)) return std::nullopt;
        size_t next = 0;
        for (size_t axis = 0; axis < to.size(); ++axis) {
          auto found = std::find(axes.begin(), axes.end(), static_cast<int64_t>(axis));
          if (found != axes.end() && from[static_cast<size_t>(found - axes.begin())] == to[axis]) {
            result.axes.push_back(index.axes[static_cast<size_t>(found - axes.begin())]);
          } else {
            result.axes.push_back(constant_index(Dim(0), group.loops.size()));
            if (to[axis].is(1)) continue;
            if (next == free.size() || !(group.loops[free[next]] == to[axis])) return std::nullopt;
            result.axes.back().strides[free[next++]] = Dim(1);
          }
        }
        return next == free.size() ? std::optional(result) : std::nullopt;
      }
      default: return std::nullopt;
    }
  }

  std::optional<Index> pushed_through(Draft& draft, const Source& source) {
    std::optional<Index> index = at(draft, source.value);
    for (size_t i = source.chain.size(); index && i-- > 0;) index = pushed(draft, source.chain[i], *index);
    return index;
  }

  std::optional<Index> pulled_through(const Draft& draft, const Source& source, const Index& index) const {
    std::optional<Index> at_source = index;
    for (size_t i = 0; at_source && i < source.chain.size(); ++i) at_source = pulled(graph_, source.chain[i], *at_source, draft.group.loops);
    return at_source;
  }

  // Of what has no element no index says over which loops it is computed: it joins nothing.
  bool is_full(const Group& group, NodeId id, const Index& index) const {
    return is_once(group, id, index, std::vector<bool>(group.loops.size(), true));
  }
  bool is_row(const Group& group, NodeId id, const Index& index) const {
    std::vector<bool> kept = group.reduced;
    kept.flip();
    return group.kind == GroupKind::row && is_once(group, id, index, kept);
  }
  bool is_once(const Group& group, NodeId id, const Index& index, const std::vector<bool>& over) const {
    const Dim count = product(graph_.type(id).shape);
    return index.bounds.empty() && !count.is(0) && dense(flattened_in(group, id, index), group.loops, over, count);
  }
  Affine flattened_in(const Group& group, NodeId id, const Index& index) const {
    return flattened(index, graph_.type(id).shape, group.loops.size());
  }

  bool has_room(size_t d, NodeId id, const std::vector<Source>& from) {
    const Draft& draft = drafts_[d];
    if (draft.group.members.size() >= most_members || draft.work + work_of(id) > most_work) return false;
    std::set<NodeId> more;
    for (const Source& s : from)
      if (draft_of(s.value) != static_cast<int>(d)) more.insert(s.value);
    return few_reads(draft, std::move(more));
  }

  std::optional<Index> index_in(size_t d, NodeId id, const std::vector<Source>& from) {
    Draft& draft = drafts_[d];
    if (draft.group.kind == GroupKind::call || !has_room(d, id, from)) return std::nullopt;
    std::optional<Index> index;
    for (const Source& s : from)
      if (!index && !s.padding && draft_of(s.value) == static_cast<int>(d)) index = pushed_through(draft, s);
    if (!index || !(is_full(draft.group, id, *index) || is_row(draft.group, id, *index))) return std::nullopt;
    bool later = draft.group.kind == GroupKind::row && stage_in(d, from) > 0 && !is_row(draft.group, id, *index);
    if (later && has_one_stage(draft.group)) return std::nullopt;
    return agrees(draft, d, from, *index) ? index : std::nullopt;
  }

  // Whether rows are not to wait for their own reductions: they are long, or there is one, whose length is not known. Only a kernel of one stage
  // can share a row out among chunks, which a long one needs: for the threads, and for its sums.
  static bool has_one_stage(const Group& group) {
    if (row_elements(group) > longest_staged_row) return true;
    bool open = false;
    for (size_t l = 0; l < group.loops.size(); ++l) {
      if (!group.reduced[l] && !group.loops[l].is(1)) return false;
      open = open || !group.loops[l].is_number();
    }
    return open;
  }

  bool agrees(const Draft& draft, size_t d, const std::vector<Source>& from, const Index& index) const {
    for (const Source& s : from) {
      if (draft_of(s.value) != static_cast<int>(d)) continue;
      if (s.padding) return false;
      auto there = pulled_through(draft, s, index);
      if (!there || !there->bounds.empty() || !(there->axes == at(draft, s.value).axes)) return false;
    }
    return true;
  }

  uint32_t stage_in(size_t d, const std::vector<Source>& from) const {
    uint32_t stage_of = 0;
    for (const Source& s : from)
      if (draft_of(s.value) == static_cast<int>(d)) stage_of = std::max(stage_of, stage(drafts_[d], s.value) + (is_reduction(graph_.node(s.value).op) ? 1 : 0));
    return stage_of;
  }

  void place_elementwise(NodeId id) {
    std::vector<Source> from = sources(id);
    std::vector<size_t> candidates;
    for (const Source& s : from)
      if (int d = draft_of(s.value); d >= 0 && std::find(candidates.begin(), candidates.end(), static_cast<size_t>(d)) == candidates.end()) candidates.push_back(static_cast<size_t>(d));
    auto rank = [&](size_t d) { return drafts_[d].group.kind == GroupKind::contraction ? 0 : drafts_[d].group.kind == GroupKind::row ? 1 : 2; };
    // Of two contractions the later takes it in: the earlier is read by it, or by nothing between.
    std::sort(candidates.begin(), candidates.end(), [&](size_t a, size_t b) { return std::pair(rank(a), b) < std::pair(rank(b), a); });
    for (size_t d : candidates) {
      if (closes_circle(d, candidates)) continue;
      auto index = index_in(d, id, from);
      if (!index) continue;
      add(d, id, std::move(*index), stage_in(d, from));
      for (size_t other : candidates)
        if (other != d) absorb(d, other, from, id);
      return;
    }
    // Readers of a group that has no room left share one of their own, as they share what they read.
    auto full = std::find_if(candidates.begin(), candidates.end(), [&](size_t d) { return !has_room(d, id, from); });
    if (full == candidates.end()) return void(start(id, GroupKind::loop));
    if (int s = drafts_[*full].beside; s >= 0 && joins_beside(static_cast<size_t>(s), id, from, candidates)) return;
    size_t fresh = start(id, GroupKind::loop);
    drafts_[*full].beside = static_cast<int>(fresh);
  }

  bool closes_circle(size_t d, const std::vector<size_t>& read) {
    return std::any_of(read.begin(), read.end(), [&](size_t other) { return other != d && depends(other, d); });
  }

  bool joins_beside(size_t d, NodeId id, const std::vector<Source>& from, const std::vector<size_t>& candidates) {
    const Draft& draft = drafts_[d];
    if (!draft.alive || draft.group.kind != GroupKind::loop || !(draft.group.loops == graph_.type(id).shape) || is_movement(graph_.node(draft.group.members[0]).op)) return false;
    Index index = identity(draft.group.loops);
    if (!has_room(d, id, from) || closes_circle(d, candidates) || !agrees(draft, d, from, index)) return false;
    add(d, id, std::move(index), 0);
    return true;
  }

  // Takes draft `other` into `d`, where its members can be computed at the points of d's loops and no third draft stands between.
  void absorb(size_t d, size_t other, const std::vector<Source>& from, NodeId reader) {
    Draft &into = drafts_[d], &gone = drafts_[other];
    if (gone.group.kind == GroupKind::contraction || gone.group.kind == GroupKind::call || (gone.group.kind == GroupKind::row && into.group.kind != GroupKind::row)) return;
    if (into.group.members.size() + gone.group.members.size() > most_members || into.work + gone.work > most_work || is_movement(graph_.node(gone.group.members[0]).op)) return;
    if (!few_reads(into, gone.reads)) return;
    const bool waits = into.producers.count(other) || gone.producers.count(d);
    if (waits && gone.group.kind == GroupKind::row && has_one_stage(into.group)) return;
    for (size_t p : into.producers)
      if (p != other && depends(p, other)) return;
    auto reads_other = [&](const Source& s) { return draft_of(s.value) == static_cast<int>(other); };
    if (std::any_of(from.begin(), from.end(), [&](const Source& s) { return s.padding && reads_other(s); })) return;
    auto source = std::find_if(from.begin(), from.end(), reads_other);
    auto there = pulled_through(into, *source, at(into, reader));
    if (!there || !there->bounds.empty()) return;
    // Each of its loops as a function of ours, read off a member's index that is one loop an axis.
    const Index& own = at(gone, source->value);
    std::vector<Affine> loops(gone.group.loops.size(), constant_index(Dim(0), into.group.loops.size()));
    std::vector<bool> known(loops.size());
    for (size_t axis = 0; axis < own.axes.size(); ++axis)
      for (size_t l = 0; l < loops.size(); ++l)
        if (!own.axes[axis].strides[l].is(0)) {
          Affine alone = constant_index(Dim(0), loops.size());
          alone.strides[l] = Dim(1);
          if (!(own.axes[axis] == alone)) return;
          loops[l] = there->axes[axis];
          known[l] = true;
        }
    // Of a row's value the reduced loops are not seen: they are ours, in order, where the extents agree.
    if (gone.group.kind == GroupKind::row)
      for (size_t l = 0, k = 0; l < loops.size(); ++l) {
        if (known[l] || !gone.group.reduced[l]) continue;
        while (k < into.group.loops.size() && !into.group.reduced[k]) ++k;
        if (k == into.group.loops.size() || !(into.group.loops[k] == gone.group.loops[l])) return;
        loops[l].strides[k++] = Dim(1);
        known[l] = true;
      }
    for (size_t l = 0; l < loops.size(); ++l) {
      if (!known[l] && !gone.group.loops[l].is(1)) return;
      bool reduced = false;
      for (size_t k = 0; k < into.group.loops.size(); ++k) reduced = reduced || (!loops[l].strides[k].is(0) && into.group.reduced[k]);
      if (gone.group.kind == GroupKind::row && reduced != gone.group.reduced[l]) return;
    }
    // Its reductions have to run over all that ours do.
    for (size_t k = 0; gone.group.kind == GroupKind::row && k < into.group.loops.size(); ++k)
      if (into.group.reduced[k] && std::all_of(loops.begin(), loops.end(), [&](const Affine& a) { return a.strides[k].is(0); })) return;
    std::vector<Index> moved;
    for (size_t i = 0; i < gone.group.members.size(); ++i) {
      Index index{substituted(gone.group.at[i].axes, loops, into.group.loops.size()), {}};
      // Where a reduction's operand is follows from the reduction's own index: there it has to be.
      NodeId id = gone.group.members[i];
      if (is_reduction(graph_.node(id).op)) {
        const Index operand = operand_index(graph_, gone.group, id, gone.group.at[i]);
        if (!(operand_index(graph_, into.group, id, index).axes == substituted(operand.axes, loops, into.group.loops.size()))) return;
      }
      if (!is_full(into.group, gone.group.members[i], index) && !is_row(into.group, gone.group.members[i], index)) return;
      moved.push_back(std::move(index));
    }
    if (!edges_agree(into, other, gone.group.members, moved)) return;
    for (size_t i = 0; i < moved.size(); ++i) {
      into.group.members.push_back(gone.group.members[i]);
      into.group.at.push_back(std::move(moved[i]));
      into.group.stage.push_back(gone.group.stage[i]);
      draft_of_[gone.group.members[i].index] = static_cast<int>(d);
    }
    into.work += gone.work;
    into.reads.insert(gone.reads.begin(), gone.reads.end());
    into.producers.insert(gone.producers.begin(), gone.producers.end());
    into.producers.erase(d), into.producers.erase(other);
    gone.alive = false;
    for (Draft& draft : drafts_)
      if (draft.producers.erase(other)) draft.producers.insert(d);
    sort_members(into.group);
    restage(d);
  }

  // Whether what `draft` reads of `members`, those of draft `other`, it reads where they would be computed.
  bool edges_agree(const Draft& draft, size_t other, const std::vector<NodeId>& members, const std::vector<Index>& at_members) const {
    for (size_t i = 0; i < draft.group.members.size(); ++i) {
      NodeId id = draft.group.members[i];
      const Op op = graph_.node(id).op;
      std::optional<Index> index = draft.group.at[i];
      if (is_reduction(op)) index = operand_index(graph_, draft.group, id, *index);
      else if (is_movement(op)) index = pulled(graph_, id, *index, draft.group.loops);
      for (const Source& s : sources(id)) {
        if (draft_of(s.value) != static_cast<int>(other)) continue;
        if (op == Op::contract || s.padding || !index) return false;  // a contraction's operands are packed before
        auto there = pulled_through(draft, s, *index);
        size_t k = static_cast<size_t>(std::find(members.begin(), members.end(), s.value) - members.begin());
        if (!there || !there->bounds.empty() || !(there->axes == at_members[k].axes)) return false;
      }
    }
    return true;
  }

  static void sort_members(Group& group) {
    std::vector<size_t> order(group.members.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return group.members[a] < group.members[b]; });
    Group old = group;
    for (size_t i = 0; i < order.size(); ++i) group.members[i] = old.members[order[i]], group.at[i] = old.at[order[i]], group.stage[i] = old.stage[order[i]];
  }

  void restage(size_t d) {
    Group& group = drafts_[d].group;
    for (size_t i = 0; i < group.members.size(); ++i) group.stage[i] = 0;
    for (size_t i = 0; i < group.members.size(); ++i) group.stage[i] = stage_in(d, sources(group.members[i]));
  }

  void place_reduction(NodeId id) {
    std::vector<Source> from = sources(id);
    int d = draft_of(from[0].value);
    const auto& axes = std::get<ReduceAttributes>(graph_.node(id).attributes).axes;
    const Shape& shape = graph_.type(graph_.inputs(id)[0]).shape;
    if (d >= 0 && from.size() == 1 && joins_as_reduction(static_cast<size_t>(d), id, from, axes)) return;
    Draft draft;
    draft.group.kind = GroupKind::row;
    draft.group.hero = id;
    draft.group.loops = shape;
    draft.group.reduced.assign(shape.size(), false);
    Index full = identity(shape), index;
    for (size_t a = 0, k = 0; a < shape.size(); ++a)
      if (k < axes.size() && axes[k] == static_cast<int64_t>(a)) ++k, draft.group.reduced[a] = !shape[a].is(1);
      else index.axes.push_back(full.axes[a]);
    drafts_.push_back(std::move(draft));
    add(drafts_.size() - 1, id, std::move(index), 0);
  }

  bool joins_as_reduction(size_t d, NodeId id, const std::vector<Source>& from, const Axes& axes) {
    Draft& draft = drafts_[d];
    if (draft.group.kind == GroupKind::contraction || draft.group.kind == GroupKind::call || draft.group.members.size() >= most_members || is_movement(graph_.node(draft.group.members[0]).op)) return false;
    auto operand = pushed_through(draft, from[0]);
    NodeId read = graph_.inputs(id)[0];
    if (!operand || !is_full(draft.group, read, *operand)) return false;
    std::vector<bool> reduced(draft.group.loops.size());
    Index index;
    for (size_t a = 0, k = 0; a < operand->axes.size(); ++a) {
      bool goes = k < axes.size() && axes[k] == static_cast<int64_t>(a);
      if (goes) ++k;
      else index.axes.push_back(operand->axes[a]);
      for (size_t l = 0; goes && l < reduced.size(); ++l) reduced[l] = reduced[l] || !operand->axes[a].strides[l].is(0);
    }
    for (const Affine& a : index.axes)
      for (size_t l = 0; l < reduced.size(); ++l)
        if (reduced[l] && !a.strides[l].is(0)) return false;
    if (draft.group.kind == GroupKind::row && reduced != draft.group.reduced) return false;
    // A reduction's operand is found again from its own index: reduced axes run over the reduced loops in order.
    Group as_row = draft.group;
    as_row.kind = GroupKind::row;
    as_row.reduced = reduced;
    if (!(operand_index(graph_, as_row, id, index) == *operand)) return false;
    if (draft.group.kind == GroupKind::loop) {
      draft.group.kind = GroupKind::row;
      draft.group.reduced = reduced;
      draft.group.hero = id;
    }
    add(d, id, std::move(index), stage_in(d, from));
    return true;
  }

  const Program& program_;
  const Graph& graph_;
  const std::set<NodeId>& forced_;
  std::vector<Draft> drafts_;
  std::vector<int> draft_of_;
  std::map<std::tuple<Op, DType, std::vector<DType>>, size_t> work_;
  std::vector<uint32_t> seen_;  // by draft: the last round of depends() that came to it
  uint32_t round_ = 0;
};

}  // namespace

std::vector<Draft> draft_groups(const Program& program, const std::set<NodeId>& forced, std::set<NodeId>& leaving) { return Drafter(program, forced).run(leaving); }

Group operand_group(const Graph& graph, NodeId contraction, int side) {
  const auto& c = graph.attributes<ContractionAttributes>(contraction);
  const Axes &batch = side == 0 ? c.lhs_batch : c.rhs_batch, &contracted = side == 0 ? c.lhs_contracted : c.rhs_contracted;
  const Shape& shape = graph.type(graph.inputs(contraction)[static_cast<size_t>(side)]).shape;
  ensure(contracted.size() == 1 && shape.size() == batch.size() + 2, "contractions have one free and one contracted axis an operand before fusion");
  std::vector<size_t> order;
  for (int64_t b : batch) order.push_back(static_cast<size_t>(b));
  for (size_t a = 0; a < shape.size(); ++a)
    if (std::find(batch.begin(), batch.end(), static_cast<int64_t>(a)) == batch.end() && static_cast<int64_t>(a) != contracted[0]) order.push_back(a);
  order.push_back(static_cast<size_t>(contracted[0]));
  Group group;
  for (size_t a : order) group.loops.push_back(shape[a]);
  group.reduced.assign(order.size(), false);
  Index loops = identity(group.loops), index;
  index.axes.resize(order.size());
  for (size_t l = 0; l < order.size(); ++l) index.axes[order[l]] = loops.axes[l];
  group.at.push_back(index);
  return group;
}

Index operand_index(const Graph& graph, const Group& group, NodeId reduction, const Index& index) {
  const auto& axes = graph.attributes<ReduceAttributes>(reduction).axes;
  const Shape& shape = graph.type(graph.inputs(reduction)[0]).shape;
  Index operand;
  size_t loop = 0, kept = 0;
  for (size_t a = 0, k = 0; a < shape.size(); ++a) {
    if (k == axes.size() || axes[k] != static_cast<int64_t>(a)) {
      operand.axes.push_back(index.axes[kept++]);
      continue;
    }
    ++k;
    operand.axes.push_back(constant_index(Dim(0), group.loops.size()));
    if (shape[a].is(1)) continue;
    while (loop < group.loops.size() && !group.reduced[loop]) ++loop;
    if (loop < group.loops.size()) operand.axes.back().strides[loop++] = Dim(1);
  }
  return operand;
}

NodeId stored_value(const Program& program, const FusionPlan& plan, NodeId id) {
  while (plan.stored_by[id.index] < 0 && (program.graph.node(id).op == Op::reshape || program.graph.node(id).op == Op::stop_gradient)) id = program.graph.inputs(id)[0];
  return id;
}

}  // namespace sinter
