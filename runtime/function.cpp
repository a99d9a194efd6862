#include "runtime/function.h"

#include <fmt/format.h>

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

namespace sinter {
namespace {

// How many specialisations of a template are kept; the oldest goes first.
constexpr size_t most_specializations = 256;

}  // namespace

struct Function::State {
  std::vector<NamedType> inputs;   // a template's
  Specializer specialize;          // null where this is no template
  std::shared_ptr<StopCount> stops = std::make_shared<StopCount>(0);

  std::mutex specializing;         // held while one compiles, so that no shape is compiled twice
  std::atomic<std::thread::id> compiling{};  // who holds that
  std::mutex mutex;                // of what follows
  using Key = std::vector<int64_t>;  // type and sizes of each untyped input, and after them those of the others where it was compiled for them
  std::map<Key, std::shared_ptr<Executor>> executors;
  std::deque<Key> in_order;
  std::shared_ptr<Executor> last;  // of no template: the only one

  void append(Key& key, const NamedTensors& given, bool typed) const {
    for (const auto& [name, type, where] : inputs) {
      if (type.known != typed) continue;
      auto found = given.find(name);
      if (found == given.end()) throw UserError(fmt::format("the input '{}' is missing", name), where);
      if (!found->second.defined()) throw UserError(fmt::format("the input '{}' was given an empty Tensor", name), where);
      key.push_back(static_cast<int64_t>(found->second.dtype()));
      key.push_back(static_cast<int64_t>(found->second.sizes().size()));
      key.insert(key.end(), found->second.sizes().begin(), found->second.sizes().end());
    }
  }

  std::shared_ptr<Executor> known(const Key& key) {
    std::lock_guard lock(mutex);
    auto found = executors.find(key);
    return found == executors.end() ? nullptr : last = found->second;
  }

  std::shared_ptr<Executor> keep(Key key, std::shared_ptr<const Executable> executable) {
    auto made = std::make_shared<Executor>(std::move(executable), stops);
    std::lock_guard lock(mutex);
    executors.emplace(key, made);
    in_order.push_back(std::move(key));
    if (in_order.size() > most_specializations) {
      executors.erase(in_order.front());
      in_order.pop_front();
    }
    return last = made;
  }

  // One that serves every value of the program's symbols, or, where sizes of untyped inputs meet them, one for those of the call.
  std::shared_ptr<Executor> executor(const NamedTensors& given) {
    if (!specialize) return last;
    refuse_unknown(inputs, given);
    Key any, these;
    append(any, given, false);
    auto look = [&] {
      auto found = known(any);
      if (found) return found;
      these = any;
      append(these, given, true);
      return known(these);
    };
    if (auto found = look()) return found;
    if (compiling == std::this_thread::get_id()) throw UserError("this function is called by what compiles it for another call");
    std::lock_guard one_at_a_time(specializing);
    struct Compiling {
      std::atomic<std::thread::id>& by;
      explicit Compiling(std::atomic<std::thread::id>& who) : by(who) { by = std::this_thread::get_id(); }
      ~Compiling() { by = std::thread::id(); }
    } mark(compiling);
    if (auto found = look()) return found;
    std::unordered_map<std::string, Type> types;
    std::vector<NamedType> typed;
    for (const NamedType& input : inputs)
      if (input.type.known) typed.push_back(input);
      else types.emplace(input.name, type_of(given.at(input.name)));
    Bindings symbols = bind_inputs(typed, given);
    try {
      return keep(any, specialize(types, {}));
    } catch (const UserError&) {
      if (symbols.empty()) throw;
    }
    return keep(these, specialize(types, symbols));
  }
};

namespace {

// What `f` returns; an error of its says which call it comes from, a UserError beside the line that declared what misfits.
template <class F>
auto at_call(const Here& where, F&& f) {
  try {
    return f();
  } catch (UserError& error) {
    error = error.where().known() ? UserError(fmt::format("{} (in the call at {})", error.message(), to_string(where)), error.where()) : UserError(error.message(), where);
    throw;  // the same exception, with what a custom operation's function threw nested in it
  } catch (const SystemError& error) {
    throw SystemError(error.message(), where);
  }
}

}  // namespace

Function::Function(std::shared_ptr<const Executable> executable) : state_(std::make_shared<State>()) { state_->last = std::make_shared<Executor>(std::move(executable), state_->stops); }

Function::Function(std::vector<NamedType> inputs, Specializer specialize) : state_(std::make_shared<State>()) {
  ensure(specialize != nullptr, "a template has something to compile it");
  state_->inputs = std::move(inputs);
  state_->specialize = std::move(specialize);
}

Function::State& Function::state() const {
  if (!state_) throw UserError("this Function was never assigned what compile() returns");
  return *state_;
}

std::shared_ptr<Executor> Function::executor(const NamedTensors& inputs) const { return state().executor(inputs); }

std::vector<Tensor> Function::all(const NamedTensors& inputs, Here where) const {
  return at_call(where, [&] {
    uint32_t began = state().stops->load(std::memory_order_relaxed);
    return executor(inputs)->call(inputs, began);
  });
}

void Function::stop() const { state().stops->fetch_add(1, std::memory_order_relaxed); }

Tensor Function::operator()(const NamedTensors& inputs, Here where) const {
  return at_call(where, [&] {
    uint32_t began = state().stops->load(std::memory_order_relaxed);
    auto executor = this->executor(inputs);
    if (size_t n = executor->executable()->outputs.size(); n > 1) throw UserError(fmt::format("this function has {} outputs; call all() for them", n));
    std::vector<Tensor> outputs = executor->call(inputs, began);
    return outputs.empty() ? Tensor() : std::move(outputs[0]);
  });
}

BoundFunction Function::bind(const NamedTensors& inputs, std::vector<Tensor> outputs, Here where) const {
  return at_call(where, [&] { return executor(inputs)->bind(inputs, std::move(outputs)); });
}

std::vector<StepTime> Function::profile(const NamedTensors& inputs, Here where) const {
  return at_call(where, [&] { return executor(inputs)->profile(inputs); });
}

std::shared_ptr<Executor> Function::latest(Here where) const {
  State& s = at_line(where, [&]() -> State& { return state(); });
  std::lock_guard lock(s.mutex);
  if (!s.last) throw UserError("this function has variables without types: it is compiled at its first call, and there was none yet", where);
  return s.last;
}

std::shared_ptr<const Executable> Function::executable(Here where) const { return latest(where)->executable(); }
Report Function::report(Here where) const { return executable(where)->report; }
std::vector<Step> Function::steps(Here where) const { return executable(where)->steps; }
Memory Function::memory(Here where) const { return latest(where)->memory(); }

}  // namespace sinter
