#include "runtime/executor.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <mutex>

#include "graph/parameter_locks.h"
#include "runtime/arena.h"
#include "runtime/cpu_count.h"
#include "graph/support/floating_point.h"
#include "runtime/tables.h"
#include "runtime/thread_pool.h"

namespace sinter {
namespace {

// How many bindings of the symbolic sizes an executor remembers the tables of.
constexpr size_t most_tables = 64;

// CallFrame::host: what generated code is called back with.
struct Host {
  ThreadPool* pool = nullptr;
  const Executable* executable = nullptr;
  std::vector<sinter_array> arrays;  // of the custom call that runs
  int64_t failed = 0;                // of Executable::calls
  int32_t code = 0;                  // what its function returned, and what it threw
  std::exception_ptr thrown;
};

// An arena, and the pointers of all arguments into it and elsewhere.
struct Workspace {
  Host host;
  Arena arena;
  std::vector<void*> arguments;
  std::shared_ptr<const Tables> tables;  // those that `arguments` were made by
};

// Relaxed, as the number alone counts; who has seen it change sees it so ever after, and so does who waited for them.
bool asked_to_stop(const CallFrame& frame) { return frame.stops->load(std::memory_order_relaxed) != frame.began && frame.committing == 0; }

struct Loop {
  const CallFrame& frame;
  KernelFunction kernel;
  void* const* arguments;
  const int64_t* sizes;
  std::atomic<bool> cut_short{false};
  void one(int64_t chunk, int64_t worker) noexcept {
    if (asked_to_stop(frame)) [[unlikely]] cut_short.store(true, std::memory_order_relaxed);
    else kernel(arguments, sizes, chunk, worker);
  }
  static void run(void* loop, int64_t chunk, int64_t worker) noexcept { static_cast<Loop*>(loop)->one(chunk, worker); }
};

// CallFrame::parallel. Called by generated code, through which nothing may be thrown.
int32_t run_chunks(CallFrame* frame, KernelFunction kernel, void* const* arguments, const int64_t* sizes, int64_t chunks) noexcept {
  Loop loop{*frame, kernel, arguments, sizes};
  ThreadPool* pool = static_cast<Host*>(frame->host)->pool;
  if (pool && chunks > 1) pool->parallel_for(&Loop::run, &loop, chunks);
  else
    for (int64_t c = 0; c < chunks; ++c) loop.one(c, 0);
  return loop.cut_short.load(std::memory_order_relaxed) ? call_stopped : 0;
}

// Whether a call by name goes step by step, so that each may touch no byte of the arena but of its own buffers: where the address sanitizer
// tells, and there is code that was compiled (what is written by hand may do more than its kernels).
bool guarded(const Executable& e) { return address_sanitized && e.code && !e.kernels.empty(); }

// CallFrame::call. Its arrays are made in memory that is there.
int32_t run_call(CallFrame* frame, int64_t number, void* const* arguments, const int64_t* sizes) noexcept {
  Host& host = *static_cast<Host*>(frame->host);
  const CustomCall& call = host.executable->calls[static_cast<size_t>(number)];
  for (size_t k = 0; k < call.arrays.size(); ++k) {
    const auto rank = static_cast<int32_t>(call.arrays[k].shape.size());
    host.arrays[k] = {arguments[k], sizes, rank, static_cast<int32_t>(call.arrays[k].dtype)};
    sizes += rank;
  }
  const size_t operands = call.arrays.size() - 1;
  FloatingPointEnvironment environment;  // of the kernels that follow, whatever the function leaves
  host.code = call.operation.call({host.arrays.data(), operands}, host.arrays[operands], host.thrown);
  host.failed = number;
  return host.code == 0 ? 0 : call_failed;
}

int32_t run_native(GraphFunction run, CallFrame& frame) {
  FloatingPointEnvironment environment;
  return run(&frame);
}

struct Range {
  const std::byte *begin, *end;
  explicit Range(const Tensor& t) : begin(static_cast<const std::byte*>(t.raw())), end(begin + t.bytes()) {}
  bool overlaps(const Range& other) const { return std::max(begin, other.begin) < std::min(end, other.end); }  // never where one is empty
};

}  // namespace

// What an executor shares with the calls it has bound.
struct ExecutorState {
  ExecutorState(std::shared_ptr<const Executable> e, std::shared_ptr<StopCount> s) : executable(std::move(e)), stops(std::move(s)) {
    ensure(executable && stops, "an executor has an executable and a number of stops");
    check(*executable);
    places = arguments_of(*executable);
    for (size_t i = 0; i < executable->parameters.size(); ++i) parameters.push_back({executable->parameters[i].get(), executable->updated[i]});
    std::sort(parameters.begin(), parameters.end(), [](const LockedParameter& a, const LockedParameter& b) { return a.storage->id < b.storage->id; });
    threads = executable->threads ? executable->threads : available_cpus();
    if (threads > 1) {
      pool = shared_pool(threads);
      threads = pool->threads();
    }
  }

  // The inputs in the order of their declaration; UserError where one is missing or none of the name is taken.
  std::vector<const Tensor*> gathered(const NamedTensors& inputs) const {
    std::vector<const Tensor*> given;
    for (const NamedType& declared : executable->inputs) {
      auto found = inputs.find(declared.name);
      given.push_back(found == inputs.end() || !found->second.defined() ? nullptr : &found->second);
    }
    bool all = std::find(given.begin(), given.end(), nullptr) == given.end();
    if (!all || inputs.size() != given.size()) {
      refuse_unknown(executable->inputs, inputs);
      bind_inputs(executable->inputs, inputs);
    }
    return given;
  }

  bool fit(const Tables& tables, const std::vector<const Tensor*>& given) const {
    for (size_t i = 0; i < given.size(); ++i)
      if (given[i]->dtype() != executable->inputs[i].type.dtype || given[i]->sizes() != tables.input_sizes[i]) return false;
    return true;
  }

  std::shared_ptr<const Tables> tables_for(const NamedTensors& inputs, const std::vector<const Tensor*>& given) {
    auto fits = [&](const auto& t) { return fit(*t, given); };
    {
      std::lock_guard lock(mutex);
      auto found = std::find_if(known_tables.begin(), known_tables.end(), fits);
      if (found != known_tables.end()) {
        std::rotate(known_tables.begin(), found, found + 1);  // the one used last is looked at first
        return known_tables[0];
      }
    }
    auto made = std::make_shared<const Tables>(make_tables(*executable, bind_inputs(executable->inputs, inputs), threads));
    std::lock_guard lock(mutex);
    known_tables.insert(known_tables.begin(), made);
    if (known_tables.size() > most_tables) known_tables.pop_back();
    return made;
  }

  std::vector<Tensor> fresh_outputs(const Tables& tables) const {
    std::vector<Tensor> outputs;
    for (size_t i = 0; i < tables.output_sizes.size(); ++i) outputs.push_back(Tensor::uninitialized(executable->outputs[i].dtype, tables.output_sizes[i]));
    return outputs;
  }

  // What a call writes may lie over nothing that it reads.
  void refuse_overlaps(const std::vector<const Tensor*>& inputs) const {
    for (size_t p = 0; p < executable->parameters.size(); ++p) {
      if (!executable->updated[p]) continue;
      Range written(executable->parameters[p]->value);
      for (size_t i = 0; i < inputs.size(); ++i)
        if (written.overlaps(Range(*inputs[i])))
          throw UserError(fmt::format("the input '{}' shares memory with the parameter '{}', which this function updates; give it a copy", executable->inputs[i].name, executable->parameters[p]->name));
    }
  }
  void refuse_overlaps(const std::vector<const Tensor*>& inputs, const std::vector<Tensor>& outputs) const {
    for (size_t k = 0; k < outputs.size(); ++k) {
      Range written(outputs[k]);
      auto refuse = [&](const std::string& other) { throw UserError(fmt::format("output {} shares memory with {}; give it a buffer of its own", k, other)); };
      for (size_t i = 0; i < inputs.size(); ++i)
        if (written.overlaps(Range(*inputs[i]))) refuse(fmt::format("the input '{}'", executable->inputs[i].name));
      for (const auto& p : executable->parameters)
        if (written.overlaps(Range(p->value))) refuse(fmt::format("the parameter '{}'", p->name));
      for (const Tensor& c : executable->constants)
        if (written.overlaps(Range(c))) refuse("a constant");
      for (size_t j = 0; j < k; ++j)
        if (written.overlaps(Range(outputs[j]))) refuse(fmt::format("output {}", j));
    }
  }

  // Points the arguments at what they are; inputs are read only, whatever the type of the pointer.
  void fill(Workspace& w, const std::shared_ptr<const Tables>& tables, const std::vector<const Tensor*>& inputs, std::vector<Tensor>& outputs) {
    planned.store(tables->arena_bytes, std::memory_order_relaxed);
    lower_bound.store(tables->lower_bound, std::memory_order_relaxed);
    if (w.tables != tables) {
      w.tables = nullptr;
      if (!w.arena.base() || w.arena.bytes() < tables->arena_bytes) {
        w.arena = Arena();  // before the new one is there
        w.arena = Arena(tables->arena_bytes, high_water);
      }
      w.arguments.assign(places.count, nullptr);
      for (const auto& [argument, buffer] : places.arena) w.arguments[argument] = w.arena.base() + tables->places[buffer].offset;
      for (const auto& [argument, index] : places.constants) w.arguments[argument] = const_cast<void*>(executable->constants[index].raw());
      w.tables = tables;
      allow(w, nullptr);
    }
    for (const auto& [argument, index] : places.inputs) w.arguments[argument] = const_cast<void*>(inputs[index]->raw());
    for (const auto& [argument, index] : places.outputs) w.arguments[argument] = outputs[index].raw();
  }

  // Which bytes of the arena may be touched: of the step's own buffers, or of all. The others are gaps, or not the step's. It throws nothing, as
  // it is called amid the steps that update parameters.
  void allow(const Workspace& w, const Step* step) const noexcept {
    if (!address_sanitized) return;
    w.arena.forbid();
    if (step) for (uint32_t b : step->buffers) w.arena.allow(w.tables->places[b]);
    else for (const ArenaPlace& place : w.tables->places) w.arena.allow(place);
  }

  // What the native function does, one step after another; after(step) follows each.
  template <class After>
  int32_t run_steps(const Workspace& w, CallFrame& frame, After after) const {
    FloatingPointEnvironment environment;
    const Executable& e = *executable;
    size_t argument = 0, size = 0;
    int32_t code = 0;
    for (uint32_t i = 0; i < e.steps.size() && code == 0; ++i) {
      const Step& step = e.steps[i];
      if (step.commits) frame.committing = 1;
      allow(w, &step);
      code = step.call ? asked_to_stop(frame) ? call_stopped : run_call(&frame, *step.call, frame.arguments + argument, frame.sizes + size)
                       : run_chunks(&frame, e.kernels[step.kernel], frame.arguments + argument, frame.sizes + size, frame.chunks[i]);
      if (code == 0) after(i);
      argument += step.buffers.size();
      size += step.sizes.size();
    }
    allow(w, nullptr);
    return code;
  }

  CallFrame frame_of(Workspace& w) const {
    size_t most = 0;
    for (const CustomCall& call : executable->calls) most = std::max(most, call.arrays.size());
    w.host.pool = pool.get();
    w.host.executable = executable.get();
    w.host.arrays.resize(most);
    return {w.arguments.data(), w.tables->sizes.data(), w.tables->chunks.data(), run_chunks, &w.host, stops.get(), 0, 0, run_call};
  }

  // Under the parameters' locks, calls body(w, frame), which returns nonzero where it stopped midway. A transactional call writes parameters
  // once it commits, and nothing stops it then.
  template <class Body>
  void run(Workspace& w, CallFrame& frame, uint32_t began, Body body) {
    ParameterLocks locks(parameters);
    frame.began = began;
    frame.committing = 0;
    if (asked_to_stop(frame)) [[unlikely]] refuse(call_stopped);  // while it waited for the locks, perhaps
    for (const auto& [argument, index] : places.parameters) w.arguments[argument] = executable->parameters[index]->value.raw();
    bool whole = executable->transactional;
    if (!whole) locks.mark_torn(true);
    if (int32_t code = body(w, frame); code != 0) [[unlikely]] {
      if (frame.committing != 0) locks.mark_torn(true);
      if (code == call_failed) refuse(w.host);
      refuse(code);
    }
    if (!whole) locks.mark_torn(false);
  }
  [[noreturn]] static void refuse(Host& host) {
    const CustomCall& call = host.executable->calls[static_cast<size_t>(host.failed)];
    call.operation.refuse(host.code, std::exchange(host.thrown, nullptr), call.where);
  }
  [[noreturn]] static void refuse(int32_t code) {
    if (code == call_stopped) throw SystemError("the call was stopped");
    throw SystemError(fmt::format("the call was stopped midway (code {})", code));
  }

  // A workspace of its own for each call at one time.
  std::unique_ptr<Workspace> take() {
    std::lock_guard lock(mutex);
    if (idle.empty()) {
      auto made = std::make_unique<Workspace>();
      idle.reserve(++workspaces);  // putting one back never allocates
      return made;
    }
    auto w = std::move(idle.back());
    idle.pop_back();
    return w;
  }
  void put_back(std::unique_ptr<Workspace> w) noexcept {
    std::lock_guard lock(mutex);
    idle.push_back(std::move(w));
  }

  // A whole call by name.
  template <class Body>
  std::vector<Tensor> call(const NamedTensors& inputs, uint32_t began, Body body) {
    std::vector<const Tensor*> given = gathered(inputs);
    std::shared_ptr<const Tables> tables = tables_for(inputs, given);
    refuse_overlaps(given);
    std::vector<Tensor> outputs = fresh_outputs(*tables);
    struct Lease {
      ExecutorState& owner;
      std::unique_ptr<Workspace> workspace;
      ~Lease() { owner.put_back(std::move(workspace)); }
    } lease{*this, take()};
    fill(*lease.workspace, tables, given, outputs);
    CallFrame frame = frame_of(*lease.workspace);
    run(*lease.workspace, frame, began, body);
    return outputs;
  }

  std::shared_ptr<const Executable> executable;
  std::shared_ptr<StopCount> stops;
  Arguments places;
  std::vector<LockedParameter> parameters;  // by id
  unsigned threads = 1;
  std::shared_ptr<ThreadPool> pool;         // null where one thread is enough
  std::atomic<int64_t> planned{0}, lower_bound{0};
  HighWater high_water;
  std::mutex mutex;                         // of what follows
  std::vector<std::shared_ptr<const Tables>> known_tables;  // those used last first
  std::vector<std::unique_ptr<Workspace>> idle;
  size_t workspaces = 0;                    // idle and in use
};

struct BoundState {
  std::shared_ptr<ExecutorState> executor;
  std::vector<Tensor> inputs, outputs;
  Workspace workspace;
  CallFrame frame;
  std::atomic<bool> running{false};  // read and written apart, as an exchange would take as long as a small call: threads may slip past it
};

BoundFunction::BoundFunction(std::unique_ptr<BoundState> state) : state_(std::move(state)) {}
BoundFunction::BoundFunction(BoundFunction&&) noexcept = default;
BoundFunction& BoundFunction::operator=(BoundFunction&&) noexcept = default;
BoundFunction::~BoundFunction() = default;

void BoundFunction::operator()(Here where) {
  if (!state_) [[unlikely]] throw UserError("this bound function was moved elsewhere", where);
  BoundState& s = *state_;
  if (s.running.load(std::memory_order_relaxed)) [[unlikely]] throw UserError("this bound function is running already, and has one arena: bind another for each call at one time", where);
  s.running.store(true, std::memory_order_relaxed);
  struct Running {
    std::atomic<bool>& flag;
    ~Running() { flag.store(false, std::memory_order_relaxed); }
  } running{s.running};
  at_line(where, [&] {
    s.executor->run(s.workspace, s.frame, s.frame.stops->load(std::memory_order_relaxed), [run = s.executor->executable->run](const Workspace&, CallFrame& frame) { return run_native(run, frame); });
  });
}

const std::vector<Tensor>& BoundFunction::outputs(Here where) const {
  if (!state_) throw UserError("this bound function was moved elsewhere", where);
  return state_->outputs;
}

Executor::Executor(std::shared_ptr<const Executable> executable, std::shared_ptr<StopCount> stops)
    : state_(std::make_shared<ExecutorState>(std::move(executable), std::move(stops))) {}

std::vector<Tensor> Executor::call(const NamedTensors& inputs) { return call(inputs, stops()); }

std::vector<Tensor> Executor::call(const NamedTensors& inputs, uint32_t began) {
  return state_->call(inputs, began, [this](const Workspace& w, CallFrame& frame) {
    const Executable& e = *state_->executable;
    return guarded(e) ? state_->run_steps(w, frame, [](uint32_t) {}) : run_native(e.run, frame);
  });
}

BoundFunction Executor::bind(const NamedTensors& inputs, std::vector<Tensor> outputs) {
  std::vector<const Tensor*> given = state_->gathered(inputs);
  std::shared_ptr<const Tables> tables = state_->tables_for(inputs, given);
  const std::vector<Type>& types = state_->executable->outputs;
  if (outputs.empty()) outputs = state_->fresh_outputs(*tables);
  if (outputs.size() != types.size()) throw UserError(fmt::format("{} output buffers were given; the function has {} outputs, and takes a buffer for each, or none for fresh ones", outputs.size(), types.size()));
  for (size_t k = 0; k < outputs.size(); ++k) {
    if (!outputs[k].defined()) throw UserError(fmt::format("output {} was given an empty Tensor", k));
    if (outputs[k].dtype() != types[k].dtype || outputs[k].sizes() != tables->output_sizes[k])
      throw UserError(fmt::format("output {} is {}{}; it was given a buffer of {}{}", k, name(types[k].dtype), to_string(tables->output_sizes[k]), name(outputs[k].dtype()), to_string(outputs[k].sizes())));
  }
  state_->refuse_overlaps(given);
  state_->refuse_overlaps(given, outputs);
  auto bound = std::make_unique<BoundState>();
  bound->executor = state_;
  for (const Tensor* t : given) bound->inputs.push_back(*t);
  bound->outputs = std::move(outputs);
  state_->fill(bound->workspace, tables, given, bound->outputs);
  bound->frame = state_->frame_of(bound->workspace);
  return BoundFunction(std::move(bound));
}

std::vector<StepTime> Executor::profile(const NamedTensors& inputs) {
  const Executable& e = *state_->executable;
  if (e.kernels.empty() && std::any_of(e.steps.begin(), e.steps.end(), [](const Step& s) { return !s.call; })) throw UserError("this function was compiled without its single kernels; it cannot be run step by step");
  std::vector<StepTime> times;
  times.reserve(e.steps.size());  // nothing is thrown between the copies of a transactional call
  state_->call(inputs, stops(), [&](const Workspace& w, CallFrame& frame) {
    auto start = std::chrono::steady_clock::now();
    return state_->run_steps(w, frame, [&](uint32_t step) {
      auto end = std::chrono::steady_clock::now();
      times.push_back({step, std::chrono::duration<double>(end - start).count(), frame.chunks[step]});
      start = end;
    });
  });
  return times;
}

void Executor::stop() noexcept { state_->stops->fetch_add(1, std::memory_order_relaxed); }
uint32_t Executor::stops() const noexcept { return state_->stops->load(std::memory_order_relaxed); }

const std::shared_ptr<const Executable>& Executor::executable() const { return state_->executable; }
unsigned Executor::threads() const { return state_->threads; }
Memory Executor::memory() const {
  return {state_->planned.load(std::memory_order_relaxed), state_->lower_bound.load(std::memory_order_relaxed), state_->high_water.most()};
}

}  // namespace sinter
