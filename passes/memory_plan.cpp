#include "passes/memory_plan.h"

#include <algorithm>

#include "passes/stored_values.h"

namespace sinter {
namespace {

constexpr uint32_t none = MemoryPlan::none;
constexpr uint32_t at_the_end = none - 1;  // in place of a step not known yet

class Planner {
 public:
  Planner(const Program& program, const FusionPlan& fusion, const Schedule& schedule, const MemoryOptions& options)
      : program_(program), graph_(program.graph), fusion_(fusion), schedule_(schedule), values_(stored_values(program, fusion)) {
    plan_.transactional = options.transactional;
  }

  MemoryPlan run() {
    size_t count = graph_.size();
    plan_.buffer_of.assign(count, none);
    last_read_.assign(count, 0);
    output_of_.assign(count, none);
    parameter_of_.resize(count);
    plan_outputs();
    plan_updates();
    plan_groups();
    plan_last_copies();
    for (size_t i = 0; i < count; ++i)
      if (NodeId home = values_.home[i]; home.valid()) plan_.buffer_of[i] = plan_.buffer_of[home.index];
    return std::move(plan_);
  }

 private:
  uint32_t add_buffer(Place place, const Type& type, NodeId leaf = {}, uint32_t output = 0) {
    PlannedBuffer buffer{place, leaf, output, type, at_the_end, 0};
    buffer.type.weak = false;
    plan_.buffers.push_back(std::move(buffer));
    return static_cast<uint32_t>(plan_.buffers.size() - 1);
  }

  uint32_t leaf_buffer(NodeId leaf) {
    uint32_t& at = plan_.buffer_of[leaf.index];
    Op op = graph_.node(leaf).op;
    if (at == none) at = add_buffer(op == Op::variable ? Place::input : op == Op::parameter ? Place::parameter : Place::constant, graph_.type(leaf), leaf);
    return at;
  }

  void use(uint32_t buffer) {  // by the step that comes next
    uint32_t step = static_cast<uint32_t>(plan_.steps.size());
    PlannedBuffer& b = plan_.buffers[buffer];
    if (b.place != Place::arena) return;
    if (b.first == at_the_end) b.first = step;
    b.last = step;
  }

  void copy(uint32_t from, uint32_t to) {
    use(from), use(to);
    plan_.steps.push_back({PlannedStep::copy, from, to});
  }

  // Leaves that are returned are copied before anything runs, so that an update in place finds the parameter's old value saved.
  void plan_outputs() {
    for (uint32_t k = 0; k < program_.outputs.size(); ++k) {
      NodeId output = program_.outputs[k], home = values_.home[output.index];
      ensure(home.valid(), "an output is stored, or a reshape of what is");
      if (is_held(graph_, home)) copy(leaf_buffer(home), add_buffer(Place::output, graph_.type(output), {}, k));
      else if (output_of_[home.index] == none) output_of_[home.index] = k;
      else repeated_.push_back(k);
    }
  }

  // Which updates happen in place, and which parameters take their value by a copy at the end.
  void plan_updates() {
    if (!plan_.transactional) choose_in_place();
    for (const Update& u : program_.updates) {
      NodeId home = values_.home[u.value.index];
      ensure(home.valid(), "an update's value is stored, or a reshape of what is");
      if (home == u.parameter || parameter_of_[home.index] == u.parameter) continue;
      copied_.push_back({u.parameter, home});
      last_read_[home.index] = at_the_end;
    }
  }

  void choose_in_place() {
    std::vector<uint32_t> turn(fusion_.groups.size());
    for (uint32_t i = 0; i < schedule_.order.size(); ++i) turn[schedule_.order[i]] = i;
    for (const InPlaceUpdate& u : in_place_updates(program_, fusion_, values_)) {
      auto readers = values_.readers(u.parameter);
      if (std::all_of(readers.begin(), readers.end(), [&](uint32_t g) { return g == u.group || turn[g] < turn[u.group]; })) parameter_of_[u.value.index] = u.parameter;
    }
  }

  void plan_groups() {
    uint32_t before = static_cast<uint32_t>(plan_.steps.size());
    for (uint32_t i = 0; i < schedule_.order.size(); ++i)
      for (const GroupRead& read : fusion_.groups[schedule_.order[i]].reads)
        if (NodeId home = values_.home[read.value.index]; home.valid()) last_read_[home.index] = std::max(last_read_[home.index], before + i);
    for (uint32_t g : schedule_.order) {
      const Group& group = fusion_.groups[g];
      for (const GroupRead& read : group.reads) {
        NodeId home = values_.home[read.value.index];
        if (!home.valid()) continue;
        if (is_held(graph_, home)) leaf_buffer(home);
        ensure(plan_.buffer_of[home.index] != none, "a group reads what an earlier one stored");
        use(plan_.buffer_of[home.index]);
      }
      for (NodeId value : group.stored)
        if (parameter_of_[value.index].valid()) plan_.buffer_of[value.index] = leaf_buffer(parameter_of_[value.index]);
      for (const GroupRead& read : group.reads) hand_over(group, read);
      for (NodeId value : group.stored) {
        uint32_t& at = plan_.buffer_of[value.index];
        uint32_t output = output_of_[value.index];
        if (at == none && output == none) at = add_buffer(Place::arena, graph_.type(value));
        else if (at == none) at = add_buffer(Place::output, graph_.type(program_.outputs[output]), {}, output);
        use(at);
      }
      plan_.steps.push_back({g, 0, 0});
    }
  }

  // Where what is read dies here and lies in the arena, one of the stored values may take its place; if that one is an output, the whole line
  // of values that lay there moves into the output's buffer, which nothing else needs before.
  void hand_over(const Group& group, const GroupRead& read) {
    NodeId home = values_.home[read.value.index];
    if (!home.valid() || is_held(graph_, home) || last_read_[home.index] != plan_.steps.size()) return;
    uint32_t at = plan_.buffer_of[home.index];
    if (plan_.buffers[at].place != Place::arena) return;
    for (NodeId value : read.replaceable_by) {
      if (values_.storer[value.index] == StoredValues::none || &fusion_.groups[values_.storer[value.index]] != &group || plan_.buffer_of[value.index] != none) continue;
      if (!equal_in_bytes(graph_.type(home), graph_.type(value)) || !may_replace(group, values_, home, value)) continue;
      plan_.buffer_of[value.index] = at;
      last_read_[home.index] = 0;  // gone: another read of it in this group must not hand it over again
      PlannedBuffer& buffer = plan_.buffers[at];
      if (uint32_t output = output_of_[value.index]; output != none) {
        buffer.place = Place::output;
        buffer.output = output;
        buffer.type = graph_.type(program_.outputs[output]);
        buffer.type.weak = false;
      }
      return;
    }
  }

  // Copies into parameters happen at once, as it were: a parameter is written when no copy to come reads it. What is then left are
  // circles (two parameters that swap), which a buffer of the arena opens.
  void plan_last_copies() {
    for (uint32_t k : repeated_)
      copy(plan_.buffer_of[values_.home[program_.outputs[k].index].index], add_buffer(Place::output, graph_.type(program_.outputs[k]), {}, k));
    struct Move {
      uint32_t from, to;
      bool done = false;
    };
    std::vector<Move> moves;
    for (const auto& [parameter, home] : copied_) {
      uint32_t from = is_held(graph_, home) ? leaf_buffer(home) : plan_.buffer_of[home.index];
      moves.push_back({from, leaf_buffer(parameter)});
    }
    std::vector<uint32_t> readers(plan_.buffers.size()), writer(plan_.buffers.size(), none);  // by buffer: moves to come
    for (uint32_t i = 0; i < moves.size(); ++i) ++readers[moves[i].from], writer[moves[i].to] = i;
    auto follow = [&](uint32_t i) {  // makes move i, and those that only waited for it
      for (; i != none && !moves[i].done && readers[moves[i].to] == 0; i = writer[moves[i].from]) {
        copy(moves[i].from, moves[i].to);
        moves[i].done = true;
        --readers[moves[i].from];
      }
    };
    for (uint32_t i = 0; i < moves.size(); ++i) follow(i);
    for (uint32_t i = 0; i < moves.size(); ++i) {
      if (moves[i].done) continue;
      uint32_t saved = add_buffer(Place::arena, plan_.buffers[moves[i].to].type), first = moves[i].to, last = i;
      copy(first, saved);
      while (moves[last].from != first) last = writer[moves[last].from];
      for (uint32_t m = i;;) {  // around the circle, against the arrows
        uint32_t next = writer[moves[m].from];
        copy(m == last ? saved : moves[m].from, moves[m].to);
        moves[m].done = true;
        if (m == last) break;
        m = next;
      }
    }
  }

  struct Copied {
    NodeId parameter, home;
  };

  const Program& program_;
  const Graph& graph_;
  const FusionPlan& fusion_;
  const Schedule& schedule_;
  StoredValues values_;
  MemoryPlan plan_;
  std::vector<uint32_t> last_read_;    // by home: the last step that reads it
  std::vector<uint32_t> output_of_;    // by home: the output whose buffer it is stored in
  std::vector<NodeId> parameter_of_;   // by home: the parameter it is stored over
  std::vector<uint32_t> repeated_;     // outputs whose home is an earlier output's
  std::vector<Copied> copied_;         // updates by copy
};

}  // namespace

MemoryPlan plan_memory(const Program& program, const FusionPlan& fusion, const Schedule& schedule, const MemoryOptions& options) {
  return Planner(program, fusion, schedule, options).run();
}

}  // namespace sinter
