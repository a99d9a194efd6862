// What compile() returns: a graph as a function.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/executor.h"

namespace sinter {

// Copies share one function. Any number of threads may call it at once.
class Function {
 public:
  // Compiles the program at these types of its untyped variables, and these numbers for the symbols in the types of the others: none at first,
  // and where that is a UserError those of the call. Called by one thread at a time; what it throws last reaches the caller.
  using Specializer = std::function<std::shared_ptr<const Executable>(const std::unordered_map<std::string, Type>& untyped, const Bindings&)>;

  Function() = default;                                        // of nothing: calling it is a UserError
  explicit Function(std::shared_ptr<const Executable>);
  Function(std::vector<NamedType> inputs, Specializer);        // a template: compiled at the types of each call's inputs, once each

  // Runs it on inputs given by name and returns its output; undefined where it only updates parameters. UserError where it has several
  // outputs; what else is thrown, Executor::call says. Errors name the line of the call, and before it the one that declared what is missing or misfits.
  Tensor operator()(const NamedTensors& inputs, Here = Here::current()) const;
  std::vector<Tensor> all(const NamedTensors& inputs, Here = Here::current()) const;   // every output, in order

  // Fixes inputs and outputs (the caller's, or fresh ones), for calls that look nothing up and allocate nothing.
  BoundFunction bind(const NamedTensors& inputs, std::vector<Tensor> outputs = {}, Here = Here::current()) const;

  // Runs it step by step and says how long each took. Parameters are updated as by any call.
  std::vector<StepTime> profile(const NamedTensors& inputs, Here = Here::current()) const;

  // Asks every call of this function that runs now to stop as soon as it can: between two steps, or two chunks of one. It returns at once,
  // takes no lock, and may be called by any thread and by a signal handler. Those calls throw SystemError("the call was stopped"); one that
  // has too little left to do returns as ever, and so does one of a transactional function that has come to the copies into its parameters.
  // A call runs from its beginning, so one that still compiles or waits for a parameter is stopped once it is through with that. Calls that
  // begin after are not stopped. Parameters that a stopped call updates are refused until set, unless it had not begun to compute or the
  // function was compiled transactional: then they are as they were.
  void stop() const;

  // What was compiled (of a template: for the call that came last; UserError where none did).
  std::shared_ptr<const Executable> executable(Here = Here::current()) const;
  Report report(Here = Here::current()) const;
  std::vector<Step> steps(Here = Here::current()) const;
  Memory memory(Here = Here::current()) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  State& state() const;
  std::shared_ptr<Executor> executor(const NamedTensors& inputs) const;
  std::shared_ptr<Executor> latest(Here) const;
};

}  // namespace sinter
