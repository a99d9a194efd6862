// Proves a memory plan by walking it, and shows it.
#include <fmt/format.h>

#include <algorithm>

#include "passes/memory_plan.h"

namespace sinter {
namespace {

std::string label(const Graph& graph, NodeId id) {
  const Attributes& attributes = graph.node(id).attributes;
  if (auto* variable = std::get_if<VariableAttributes>(&attributes)) return "%" + variable->name;
  if (auto* parameter = std::get_if<ParameterAttributes>(&attributes)) return "%" + parameter->name;
  return fmt::format("%{}", id.index);
}

class MemoryPlanChecker {
  static constexpr uint32_t none = MemoryPlan::none;

 public:
  MemoryPlanChecker(const Program& program, const FusionPlan& fusion, const MemoryPlan& plan) : program_(program), graph_(program.graph), fusion_(fusion), plan_(plan) {}

  void run() {
    read_tables();
    start();
    for (step_ = 0; step_ < plan_.steps.size(); ++step_) {
      const PlannedStep& step = plan_.steps[step_];
      if (step.group == PlannedStep::copy) make_copy(step);
      else run_group(step.group);
    }
    for (size_t g = 0; g < fusion_.groups.size(); ++g) ensure(ran_[g], fmt::format("group {} has a step", g));
    check_end();
  }

 private:
  void need(bool holds, const std::string& what) const { ensure(holds, fmt::format("memory plan, step {}: {}", step_, what)); }

  void read_tables() {
    stored_.assign(graph_.size(), false);
    ran_.assign(fusion_.groups.size(), false);
    left_ = fusion_.groups.size();
    for (const Group& group : fusion_.groups)
      for (NodeId id : group.stored) stored_[id.index] = true;
    need(plan_.buffer_of.size() == graph_.size(), "there is an entry for each node");
    for (uint32_t b : plan_.buffer_of) need(b == none || b < plan_.buffers.size(), "a value's buffer exists");
  }

  // The value whose elements `id` has in memory; invalid where none.
  NodeId held(NodeId id) const {
    for (;;) {
      Op op = graph_.node(id).op;
      if (stored_[id.index] || op == Op::variable || op == Op::parameter || op == Op::constant) return id;
      if (op != Op::reshape && op != Op::stop_gradient) return {};
      id = graph_.inputs(id)[0];
    }
  }

  void start() {
    contents_.resize(plan_.buffers.size());
    first_.assign(plan_.buffers.size(), none);
    last_.assign(plan_.buffers.size(), none);
    outputs_.assign(program_.outputs.size(), none);
    parameters_.assign(graph_.size(), none);
    for (uint32_t i = 0; i < plan_.buffers.size(); ++i) {
      const PlannedBuffer& b = plan_.buffers[i];
      auto leaf_is = [&](Op op) {
        need(b.leaf.valid() && b.leaf.index < graph_.size() && graph_.node(b.leaf).op == op, "a buffer names its leaf");
        need(same_size(graph_.type(b.leaf), b.type), "a leaf's buffer has its size");
        contents_[i] = b.leaf;
      };
      switch (b.place) {
        case Place::input: leaf_is(Op::variable); break;
        case Place::constant: leaf_is(Op::constant); break;
        case Place::parameter:
          leaf_is(Op::parameter);
          need(parameters_[b.leaf.index] == none, "a parameter has one buffer");
          parameters_[b.leaf.index] = i;
          break;
        case Place::output:
          need(b.output < outputs_.size() && outputs_[b.output] == none, "an output has one buffer");
          outputs_[b.output] = i;
          break;
        case Place::arena: break;
      }
    }
  }

  bool same_size(const Type& a, const Type& b) const { return size_of(a.dtype) == size_of(b.dtype) && product(a.shape) == product(b.shape); }

  void touch(uint32_t buffer) {
    if (first_[buffer] == none) first_[buffer] = step_;
    last_[buffer] = step_;
  }
  void write(uint32_t buffer, NodeId value) {
    Place place = plan_.buffers[buffer].place;
    need(place != Place::input && place != Place::constant, "inputs and constants are not written");
    need(same_size(graph_.type(value), plan_.buffers[buffer].type), fmt::format("{} fits buffer {}", label(graph_, value), buffer));
    touch(buffer);
    if (place == Place::parameter && plan_.transactional) need(left_ == 0, fmt::format("{} is written once every group has run", label(graph_, plan_.buffers[buffer].leaf)));
    contents_[buffer] = value;
  }

  void make_copy(const PlannedStep& step) {
    need(step.from < contents_.size() && step.to < contents_.size() && step.from != step.to, "a copy goes from one buffer to another");
    need(contents_[step.from].valid(), fmt::format("buffer {} holds something to copy", step.from));
    touch(step.from);
    write(step.to, contents_[step.from]);
  }

  void run_group(uint32_t g) {
    need(g < fusion_.groups.size() && !ran_[g], fmt::format("group {} runs once", g));
    ran_[g] = true;
    const Group& group = fusion_.groups[g];
    for (const GroupRead& read : group.reads) {
      NodeId value = held(read.value);
      if (!value.valid()) continue;
      uint32_t buffer = plan_.buffer_of[read.value.index];
      need(buffer != none && contents_[buffer] == value, fmt::format("group {} finds {}", g, label(graph_, read.value)));
      touch(buffer);
    }
    std::vector<uint32_t> written;
    for (NodeId value : group.stored) {
      uint32_t buffer = plan_.buffer_of[value.index];
      need(buffer != none, fmt::format("{} has a buffer", label(graph_, value)));
      written.push_back(buffer);
      for (const GroupRead& read : group.reads) {
        if (plan_.buffer_of[read.value.index] != buffer || !held(read.value).valid()) continue;
        bool allowed = std::find(read.replaceable_by.begin(), read.replaceable_by.end(), value) != read.replaceable_by.end();
        need(allowed, fmt::format("group {} may store {} over {}, which it reads", g, label(graph_, value), label(graph_, read.value)));
      }
    }
    std::sort(written.begin(), written.end());
    need(std::adjacent_find(written.begin(), written.end()) == written.end(), fmt::format("group {} stores its values apart", g));
    for (NodeId value : group.stored) write(plan_.buffer_of[value.index], value);
    --left_;  // after what it writes: the last group, too, writes no parameter of a transactional plan
  }

  void check_end() {
    for (size_t k = 0; k < outputs_.size(); ++k) {
      need(outputs_[k] != none, fmt::format("output {} has a buffer", k));
      need(contents_[outputs_[k]] == held(program_.outputs[k]), fmt::format("output {} holds {} in the end", k, label(graph_, program_.outputs[k])));
    }
    std::vector<NodeId> wanted(graph_.size());  // by parameter
    for (size_t i = 0; i < graph_.size(); ++i) wanted[i] = NodeId(i);
    for (const Update& u : program_.updates) wanted[u.parameter.index] = held(u.value);
    for (size_t i = 0; i < graph_.size(); ++i) {
      if (parameters_[i] != none) need(contents_[parameters_[i]] == wanted[i], fmt::format("{} holds {} in the end", label(graph_, NodeId(i)), label(graph_, wanted[i])));
      else need(wanted[i] == NodeId(i), fmt::format("{} has a buffer to be updated in", label(graph_, NodeId(i))));
    }
    for (uint32_t b = 0; b < plan_.buffers.size(); ++b)
      if (plan_.buffers[b].place == Place::arena)
        need(plan_.buffers[b].first == first_[b] && plan_.buffers[b].last == last_[b], fmt::format("buffer {} is live from its first use to its last", b));
  }

  const Program& program_;
  const Graph& graph_;
  const FusionPlan& fusion_;
  const MemoryPlan& plan_;
  uint32_t step_ = 0;
  std::vector<bool> stored_, ran_;
  size_t left_ = 0;                            // groups that have not run
  std::vector<NodeId> contents_;               // by buffer: the value it holds now; invalid at first
  std::vector<uint32_t> first_, last_;         // by buffer: the steps that used it
  std::vector<uint32_t> outputs_, parameters_;  // buffers of outputs, and of parameters by node
};

std::string place_text(const Graph& graph, const PlannedBuffer& b) {
  switch (b.place) {
    case Place::input: return "input " + label(graph, b.leaf);
    case Place::parameter: return "parameter " + label(graph, b.leaf);
    case Place::constant: return "constant " + label(graph, b.leaf);
    case Place::output: return fmt::format("output {}", b.output);
    case Place::arena: return fmt::format("arena {}..{}", b.first, b.last);
  }
  throw InternalError("a place outside its enumeration");
}

std::string_view kind_text(GroupKind kind) {
  switch (kind) {
    case GroupKind::loop: return "loop";
    case GroupKind::row: return "row";
    case GroupKind::contraction: return "contraction";
    case GroupKind::call: return "call";
  }
  throw InternalError("a kind of group outside its enumeration");
}

}  // namespace

void check(const Program& program, const FusionPlan& fusion, const MemoryPlan& plan) { MemoryPlanChecker(program, fusion, plan).run(); }

std::string to_string(const Program& program, const FusionPlan& fusion, const MemoryPlan& plan) {
  const Graph& graph = program.graph;
  auto in_buffer = [&](NodeId id) {
    uint32_t b = plan.buffer_of[id.index];
    return b == MemoryPlan::none ? label(graph, id) : fmt::format("{}@{}", label(graph, id), b);
  };
  std::string text = plan.transactional ? "steps, the parameters' copies last\n" : "steps\n";
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const PlannedStep& step = plan.steps[i];
    text += fmt::format("  {}: ", i);
    if (step.group == PlannedStep::copy) {
      text += fmt::format("copy @{} -> @{}\n", step.from, step.to);
      continue;
    }
    const Group& group = fusion.groups[step.group];
    std::vector<std::string> read, stored;
    for (const GroupRead& r : group.reads) read.push_back(in_buffer(r.value));
    for (NodeId id : group.stored) stored.push_back(in_buffer(id));
    text += fmt::format("{} group {}: {} -> {}\n", kind_text(group.kind), step.group, fmt::join(read, ", "), fmt::join(stored, ", "));
  }
  std::vector<std::vector<std::string>> holds(plan.buffers.size());
  for (size_t i = 0; i < graph.size(); ++i)
    if (uint32_t b = plan.buffer_of[i]; b != MemoryPlan::none && graph.node(NodeId(i)).op != Op::reshape && graph.node(NodeId(i)).op != Op::stop_gradient) holds[b].push_back(label(graph, NodeId(i)));
  text += "buffers\n";
  for (size_t b = 0; b < plan.buffers.size(); ++b) {
    const PlannedBuffer& buffer = plan.buffers[b];
    std::string bytes = to_string(product(buffer.type.shape) * Dim(static_cast<int64_t>(size_of(buffer.type.dtype))));
    text += fmt::format("  @{}: {}, {} bytes, {}, holds {}\n", b, to_string(buffer.type), bytes, place_text(graph, buffer), holds[b].empty() ? "a copy" : fmt::format("{}", fmt::join(holds[b], ", ")));
  }
  return text;
}

}  // namespace sinter
