#include "codegen/compile.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>

#include <fmt/format.h>

#include "codegen/dump.h"
#include "graph/builder.h"
#include "graph/support/floating_point.h"
#include "passes/check_positions.h"
#include "passes/pipeline.h"

namespace sinter {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The distinct kernels, and which of them each step calls.
class KernelTable {
 public:
  explicit KernelTable(std::vector<Kernel>& kernels) : kernels_(kernels) {}
  uint32_t add(const Kernel& kernel) {
    size_t h = hash(kernel);
    auto [begin, end] = known_.equal_range(h);
    for (auto at = begin; at != end; ++at)
      if (same(kernels_[at->second], kernel)) return at->second;
    kernels_.push_back(kernel);
    known_.emplace(h, static_cast<uint32_t>(kernels_.size() - 1));
    return static_cast<uint32_t>(kernels_.size() - 1);
  }

 private:
  std::vector<Kernel>& kernels_;
  std::multimap<size_t, uint32_t> known_;
};

Storage storage_of(Place place) {
  switch (place) {
    case Place::input: return Storage::input;
    case Place::parameter: return Storage::parameter;
    case Place::constant: return Storage::constant;
    case Place::output: return Storage::output;
    case Place::arena: return Storage::arena;
  }
  throw InternalError("a place outside its enumeration");
}

// Turns the memory plan's steps into kernel calls, and its buffers into the executable's.
struct StepMaker {
  const Program& program;
  const Target& target;
  Stages& stages;
  KernelTable kernels;
  std::vector<uint32_t> first_step, last_step;  // by planned step: of the executable's steps
  bool commits = false;                         // whether a parameter of a transactional plan has been written

  Step step_of(const std::string& name, std::vector<uint32_t> buffers, const std::vector<NodeId>& members) const {
    const Graph& graph = stages.optimized.program.graph;
    Step step;
    step.name = name;
    std::set<std::string> lines;
    for (NodeId id : members) {
      step.fused.emplace_back(info(graph.node(id).op).name);
      for (uint32_t o : graph.origins(id))
        if (lines.insert(to_string(graph.location(o))).second) step.origins.push_back(graph.location(o));
    }
    step.buffers = std::move(buffers);
    return step;
  }

  void add(Kernel kernel, std::vector<uint32_t> buffers, const std::vector<NodeId>& members) {
    Step step = step_of(kernel.name, std::move(buffers), members);
    step.sizes = kernel.sizes;
    step.chunks = chunks_of(kernel);
    bool stores = false;
    for (size_t k = 0; k < kernel.arguments.size(); ++k) {
      const Buffer& buffer = stages.buffers[step.buffers[k]];
      if (!kernel.arguments[k].written || buffer.per_worker) continue;
      step.stored.push_back(step.buffers[k]);
      stores |= !product(buffer.type.shape).is(0);
    }
    if (!stores) step.chunks = 0;
    step.kernel = kernels.add(kernel);
    stages.steps.push_back(std::move(step));
  }

  void add_call(NodeId id) {
    const Graph& graph = stages.optimized.program.graph;
    CustomCall call{graph.attributes<CustomCallAttributes>(id).operation, {}, graph.where(id)};
    std::vector<uint32_t> buffers;
    std::vector<Dim> sizes;
    std::vector<NodeId> arrays(graph.inputs(id).begin(), graph.inputs(id).end());
    arrays.push_back(id);
    for (NodeId array : arrays) {
      call.arrays.push_back(graph.type(array));
      buffers.push_back(stages.memory.buffer_of[stored_value(stages.optimized.program, stages.fusion, array).index]);
      sizes.insert(sizes.end(), call.arrays.back().shape.begin(), call.arrays.back().shape.end());
    }
    Step step = step_of(call.operation.name(), std::move(buffers), {id});
    step.sizes = std::move(sizes);
    step.call = static_cast<uint32_t>(stages.calls.size());
    stages.calls.push_back(std::move(call));
    stages.steps.push_back(std::move(step));
  }

  void add_group(const Group& group, uint32_t first) {
    if (group.kind == GroupKind::call) return add_call(group.hero);
    LoweredGroup lowered = lower(stages.optimized.program, stages.fusion, group, target);
    std::vector<uint32_t> scratch;
    for (const Scratch& s : lowered.scratch) {
      Buffer buffer;
      buffer.type = Type::of(u8, {s.bytes});
      buffer.per_worker = s.per_worker;
      buffer.first = first;
      buffer.last = first + static_cast<uint32_t>(lowered.kernels.size()) - 1;
      buffer.name = s.per_worker ? "scratch" : "packed";
      scratch.push_back(static_cast<uint32_t>(stages.buffers.size()));
      stages.buffers.push_back(std::move(buffer));
    }
    for (LoweredKernel& k : lowered.kernels) {
      std::vector<uint32_t> buffers;
      for (const LoweredArgument& a : k.arguments) buffers.push_back(a.value.valid() ? stages.memory.buffer_of[a.value.index] : scratch[a.scratch]);
      add(std::move(k.kernel), std::move(buffers), k.members);
    }
  }

  void run() {
    const Graph& graph = stages.optimized.program.graph;
    uint32_t inputs = 0, parameters = 0, constants = 0;
    std::map<NodeId, uint32_t> number;
    for (const PlannedBuffer& planned : stages.memory.buffers) {
      Buffer buffer;
      buffer.storage = storage_of(planned.place);
      buffer.type = planned.type;
      if (planned.place == Place::output) buffer.index = planned.output;
      else if (planned.place != Place::arena) {
        uint32_t& counter = planned.place == Place::input ? inputs : planned.place == Place::parameter ? parameters : constants;
        auto [at, is_new] = number.try_emplace(planned.leaf, counter);
        if (is_new) ++counter;
        buffer.index = at->second;
      }
      stages.buffers.push_back(std::move(buffer));
    }
    for (size_t v = 0; v < graph.size(); ++v)
      if (uint32_t b = stages.memory.buffer_of[v]; b != MemoryPlan::none) {
        const Node& node = graph.node(NodeId(v));
        std::string name = "%" + std::to_string(v);
        if (auto* variable = std::get_if<VariableAttributes>(&node.attributes)) name = variable->name;
        if (auto* parameter = std::get_if<ParameterAttributes>(&node.attributes)) name = parameter->name;
        if (stages.buffers[b].name.empty()) stages.buffers[b].name = name;
      }
    for (const PlannedStep& planned : stages.memory.steps) {
      first_step.push_back(static_cast<uint32_t>(stages.steps.size()));
      if (planned.group == PlannedStep::copy) add(copy_kernel(stages.memory.buffers[planned.to].type), {planned.from, planned.to}, {});
      else add_group(stages.fusion.groups[planned.group], first_step.back());
      last_step.push_back(static_cast<uint32_t>(stages.steps.size()) - 1);
      if (planned.group == PlannedStep::copy && stages.memory.buffers[planned.to].place == Place::parameter) commits = stages.memory.transactional;
      if (commits) stages.steps.back().commits = true;  // and so do all after the first, the plan's checker says
    }
    for (size_t b = 0; b < stages.memory.buffers.size(); ++b)
      if (stages.memory.buffers[b].place == Place::arena) {
        stages.buffers[b].first = first_step[stages.memory.buffers[b].first];
        stages.buffers[b].last = last_step[stages.memory.buffers[b].last];
      }
  }
};

const Target& target_of(const CompileOptions& options) { return options.target ? *options.target : host_target(); }

// The leaves of one place in the order of their numbers.
std::vector<NodeId> leaves(const Stages& stages, Place place) {
  std::map<uint32_t, NodeId> by_number;
  for (size_t b = 0; b < stages.memory.buffers.size(); ++b)
    if (stages.memory.buffers[b].place == place) by_number[stages.buffers[b].index] = stages.memory.buffers[b].leaf;
  std::vector<NodeId> all;
  for (auto [number, leaf] : by_number) all.push_back(leaf);
  return all;
}

// What a call must give: all that the program as written reaches, so that what the passes find superfluous does not show at the call.
std::vector<NamedType> inputs_of(const Program& program) {
  const Graph& graph = program.graph;
  std::vector<NamedType> inputs;
  std::vector<bool> needed = reachable(program);
  for (size_t i = 0; i < graph.size(); ++i)
    if (NodeId id(i); needed[i] && graph.node(id).op == Op::variable) inputs.push_back({graph.attributes<VariableAttributes>(id).name, graph.type(id), graph.where(id)});
  return inputs;
}

// A value of each symbolic shape.
std::vector<SizedValue> values_of(const Program& program) {
  const Graph& graph = program.graph;
  std::vector<SizedValue> values;
  std::vector<bool> needed = reachable(program);
  for (size_t i = 0; i < graph.size(); ++i) {
    NodeId id(i);
    const Type& type = graph.type(id);
    bool symbolic = std::any_of(type.shape.begin(), type.shape.end(), [](const Dim& d) { return !d.is_number(); });
    bool known = std::any_of(values.begin(), values.end(), [&](const SizedValue& v) { return v.type == type; });
    if (needed[i] && symbolic && !known && graph.node(id).op != Op::variable)
      values.push_back({std::string(info(graph.node(id).op).name), type, graph.where(id)});
  }
  return values;
}

uint32_t number_of(const std::vector<NamedType>& inputs, const std::string& name) {
  auto found = std::find_if(inputs.begin(), inputs.end(), [&](const NamedType& input) { return input.name == name; });
  ensure(found != inputs.end(), "an optimized program's variables are the program's");
  return static_cast<uint32_t>(found - inputs.begin());
}

}  // namespace

Stages stages_of(const Program& program, const CompileOptions& options) {
  FloatingPointEnvironment environment;
  Stages stages;
  stages.optimized = options.checks_positions ? optimize(check_positions(program), options.passes) : optimize(program, options.passes);
  const Program& optimized = stages.optimized.program;
  stages.fusion = fuse(optimized, options.fuses);
  check(optimized, stages.fusion);
  stages.order = schedule(optimized, stages.fusion);
  check(optimized, stages.fusion, stages.order);
  stages.memory = plan_memory(optimized, stages.fusion, stages.order, {options.transactional});
  check(optimized, stages.fusion, stages.memory);
  StepMaker{optimized, target_of(options), stages, KernelTable(stages.kernels), {}, {}, false}.run();
  return stages;
}

std::vector<CallStep> calls_of(const std::vector<Step>& steps) {
  std::vector<CallStep> calls;
  uint32_t arguments = 0, sizes = 0;
  for (const Step& step : steps) {
    CallStep call{step.kernel, arguments, sizes, std::nullopt, true, step.commits, step.call};
    if (step.chunks.is_number()) call.chunks = step.chunks.number();
    calls.push_back(call);
    arguments += static_cast<uint32_t>(step.buffers.size());
    sizes += static_cast<uint32_t>(step.sizes.size());
  }
  return calls;
}

std::vector<CallStep> linked_calls_of(const Stages& stages) {
  std::vector<CallStep> calls = calls_of(stages.steps);
  std::map<std::string, CustomOperation> named;
  for (CallStep& step : calls) {
    if (!step.call) continue;
    const CustomCall& call = stages.calls[*step.call];
    if (!(named.try_emplace(call.operation.name(), call.operation).first->second == call.operation))
      throw UserError(fmt::format("two custom operations are called '{}': ahead of time, the name is the function", call.operation.name()), call.where);
    step.linked = LinkedCall{call.operation.name(), {}};
    for (const Type& array : call.arrays) step.linked->arrays.push_back({array.shape.size(), array.dtype});
  }
  return calls;
}

Executable executable_without_code(const Program& program, const Stages& stages) {
  const Program& optimized = stages.optimized.program;
  const Graph& graph = optimized.graph;
  Executable made;
  made.inputs = inputs_of(program);
  for (NodeId id : leaves(stages, Place::parameter)) {
    made.parameters.push_back(graph.parameter(id));
    made.updated.push_back(std::any_of(optimized.updates.begin(), optimized.updates.end(), [&](const Update& u) { return u.parameter == id; }));
  }
  made.transactional = stages.memory.transactional;
  for (NodeId id : leaves(stages, Place::constant)) made.constants.push_back(graph.constant_value(id));
  made.values = values_of(program);
  for (NodeId o : optimized.outputs) made.outputs.push_back(graph.type(o));
  std::vector<NodeId> read = leaves(stages, Place::input);
  made.buffers = stages.buffers;
  for (Buffer& b : made.buffers)
    if (b.storage == Storage::input) b.index = number_of(made.inputs, graph.attributes<VariableAttributes>(read[b.index]).name);
  made.steps = stages.steps;
  made.calls = stages.calls;
  return made;
}

std::shared_ptr<const Executable> executable_of(const Program& program, const CompileOptions& options) try {
  FloatingPointEnvironment environment;
  double start = now();
  refuse_uncallable(program);
  const Stages stages = stages_of(program, options);
  auto made = std::make_shared<Executable>(executable_without_code(program, stages));
  const FatalReport on_fatal = [&](const char* reason) {
    std::string file = options.leaves_dump ? write_dump(program) : "";
    fmt::print(stderr, "sinter: LLVM ends the process: {}; please report it{}{}\n", reason, file.empty() ? "" : ", with ", file);
    std::fflush(stderr);  // nothing after this does
  };
  Compiled compiled = jit_compile(stages.kernels, calls_of(stages.steps), target_of(options), options.threads, on_fatal);
  made->run = compiled.run;
  made->code = compiled.code;
  made->kernels = compiled.kernels;
  made->threads = options.threads;
  made->report = {program.graph.size(), stages.optimized.program.graph.size(), stages.kernels.size(), now() - start};
  return made;
} catch (const InternalError& error) {
  std::string file = options.leaves_dump ? write_dump(program) : "";
  if (file.empty()) throw;
  throw InternalError(error, file);
}

Function compile(const Program& program, const CompileOptions& options, Here where) {
  return at_line(where, [&] {
    refuse_unbound(program);
    if (!is_template(program)) return Function(executable_of(program, options));
    auto shared = std::make_shared<Program>(program);
    return Function(inputs_of(program), [shared, options](const std::unordered_map<std::string, Type>& untyped, const Bindings& symbols) {
      return executable_of(specialize(*shared, untyped, symbols), options);
    });
  });
}

Function compile(const std::vector<Expr>& outputs, const Updates& updates, const CompileOptions& options, Here where) {
  return compile(program_of(outputs, updates, where), options, where);
}

}  // namespace sinter
