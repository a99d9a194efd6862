// Lowering: from a group of the fusion plan to kernels in kernel form.
#pragma once
#include <string>
#include <vector>

#include "codegen/kernel.h"
#include "codegen/llvm/target.h"
#include "passes/fusion/plan.h"

namespace sinter {

// Memory that a group needs beside its values: packed operands, sums between blocks.
struct Scratch {
  Dim bytes;                 // of one worker's where per_worker
  bool per_worker = false;
};

struct LoweredArgument {
  NodeId value;              // of the graph; invalid where this is scratch
  uint32_t scratch = 0;      // index into LoweredGroup::scratch
};

struct LoweredKernel {
  Kernel kernel;
  std::vector<LoweredArgument> arguments;  // of kernel.arguments
  std::vector<NodeId> members;             // of the group, for people: what it computes
};

// The kernels of a group, in the order they run in.
struct LoweredGroup {
  std::vector<LoweredKernel> kernels;
  std::vector<Scratch> scratch;
};

LoweredGroup lower(const Program&, const FusionPlan&, const Group&, const Target&);

// A kernel that copies all elements of one value: argument 0 to argument 1.
Kernel copy_kernel(const Type&);

}  // namespace sinter
