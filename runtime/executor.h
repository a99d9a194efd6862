// The executor: runs an Executable, from any number of threads at once.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/interpreter.h"
#include "runtime/executable.h"

namespace sinter {

struct ExecutorState;
struct BoundState;

// What a function's arenas take, in bytes. Inputs, outputs, parameters and constants lie elsewhere.
struct Memory {
  int64_t planned = 0;      // of one call at the sizes seen last
  int64_t lower_bound = 0;  // the most that its steps need at once: no plan is smaller
  int64_t high_water = 0;   // the most held at once so far, by all calls that ran side by side
};

// How long a step took, in seconds.
struct StepTime {
  uint32_t step = 0;        // of Executable::steps
  double seconds = 0;
  int64_t chunks = 0;
};

// A call whose buffers are fixed: running it looks nothing up and allocates nothing. It works on the elements that its inputs hold at
// that time. It has one arena, so one call at a time: a custom operation of its own that calls it gets a UserError, and so does another thread,
// mostly. Movable; keeps everything it needs alive.
class BoundFunction {
 public:
  explicit BoundFunction(std::unique_ptr<BoundState>);
  BoundFunction(BoundFunction&&) noexcept;
  BoundFunction& operator=(BoundFunction&&) noexcept;
  ~BoundFunction();

  // What is thrown, Executor::call says.
  void operator()(Here = Here::current());
  const std::vector<Tensor>& outputs(Here = Here::current()) const;  // written anew by each call

 private:
  std::unique_ptr<BoundState> state_;
};

class Executor {
 public:
  // Throws InternalError where the executable is not well formed. `stops` may be shared with others, whose calls then stop together.
  explicit Executor(std::shared_ptr<const Executable>, std::shared_ptr<StopCount> stops = std::make_shared<StopCount>(0));

  // Runs it on `inputs` and returns fresh outputs. Parameters it reads are locked against updates meanwhile, those it updates against
  // everyone. UserError where an input is missing, unknown, of the wrong type or sizes, or shares memory with a parameter that is updated,
  // or where a parameter was left half-updated; SystemError where the call was stopped. One that had begun to compute leaves the parameters
  // it updates marked so, unless the executable is transactional: then they are as they were. `began` is what stops() was when the call
  // began, for a caller that had something else to do first.
  std::vector<Tensor> call(const NamedTensors& inputs);
  std::vector<Tensor> call(const NamedTensors& inputs, uint32_t began);

  // The same with the buffers fixed. `outputs` may be the caller's (their types and sizes are checked, and they must share no memory with
  // each other or with what the function reads: UserError); none: fresh ones.
  BoundFunction bind(const NamedTensors& inputs, std::vector<Tensor> outputs = {});

  // Runs it step by step and says how long each took; updates happen. UserError where the executable has no kernels to call one by one.
  std::vector<StepTime> profile(const NamedTensors& inputs);

  // Asks every call that runs now, bound ones too, to stop as soon as it can: see Function::stop.
  void stop() noexcept;
  uint32_t stops() const noexcept;

  const std::shared_ptr<const Executable>& executable() const;
  unsigned threads() const;  // that a call uses at most, the caller included
  Memory memory() const;

 private:
  std::shared_ptr<ExecutorState> state_;
};

}  // namespace sinter
