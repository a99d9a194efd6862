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
  // Compiles the program at these types of its untyped variables. Called by one thread at a time; what it throws reaches the caller.
  using Specializer = std::function<std::shared_ptr<const Executable>(const std::unordered_map<std::string, Type>& untyped)>;

  Function() = default;                                        // of nothing: calling it is a UserError
  explicit Function(std::shared_ptr<const Executable>);
  Function(std::vector<NamedType> inputs, Specializer);        // a template: compiled at the types of each call's inputs, once each

  // Runs it on inputs given by name and returns its output; undefined where it only updates parameters. UserError where it has several
  // outputs; what else is thrown, Executor::call says.
  Tensor operator()(const NamedTensors& inputs) const;
  std::vector<Tensor> all(const NamedTensors& inputs) const;   // every output, in order

  // Fixes inputs and outputs (the caller's, or fresh ones), for calls that look nothing up and allocate nothing.
  BoundFunction bind(const NamedTensors& inputs, std::vector<Tensor> outputs = {}) const;

  // Runs it step by step and says how long each took. Parameters are updated as by any call.
  std::vector<StepTime> profile(const NamedTensors& inputs) const;

  // What was compiled (of a template: for the call that came last; UserError where none did).
  std::shared_ptr<const Executable> executable() const;
  Report report() const;
  std::vector<Step> steps() const;
  Memory memory() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
  std::shared_ptr<Executor> executor(const NamedTensors& inputs) const;
  std::shared_ptr<Executor> latest() const;
};

}  // namespace sinter
