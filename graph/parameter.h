// The storage of a parameter: its value, which functions that use it share and training steps replace.
#pragma once
#include <atomic>
#include <memory>
#include <shared_mutex>
#include <string>

#include "graph/tensor.h"

namespace sinter {

struct ParameterStorage {
  std::string name;
  uint64_t id = 0;      // unique in the process: locks are taken in its order
  Tensor value;         // its dtype and sizes never change once it is made
  std::shared_mutex lock;  // shared to evaluate, alone to update
  bool torn = false;    // a step failed midway: refused until a new value is set

  ParameterStorage(std::string parameter_name, Tensor initial);
};

}  // namespace sinter
