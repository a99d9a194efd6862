// The memory plan: where every value that a fusion plan stores lives, and when.
//
// How it becomes a runtime/executable.h Executable:
// - buffers[i] becomes buffers[i]: `storage` by name; `index` is, for input, parameter and constant, what the executable calls the leaf `leaf`,
//   for output, `output`; `type` is copied. What kernels need beside (packed panels, scratch) is appended.
// - each step becomes one executable step or more (a contraction packs first), in this order; arena buffers are then live from the first
//   executable step of step `first` to the last one of step `last`, and a step's own scratch from its first to its last.
// - the argument that reads or stores value v of the graph is buffers[buffer_of[v]].
// - a copy step moves all elements of `from` to the same positions of `to`; it goes by the type of `to` (equal in bytes).
#pragma once
#include <string>
#include <vector>

#include "graph/graph.h"
#include "passes/fusion/plan.h"
#include "passes/schedule.h"

namespace sinter {

enum class Place : uint8_t { input, parameter, constant, output, arena };

struct PlannedBuffer {
  Place place = Place::arena;
  NodeId leaf;                   // input, parameter, constant
  uint32_t output = 0;           // output: which
  Type type;                     // of what is first stored here; what replaces it in place is equal in elements and in bytes
  uint32_t first = 0, last = 0;  // arena: the steps between which it is live, inclusive
};

// One group's computation, or a copy.
struct PlannedStep {
  static constexpr uint32_t copy = ~uint32_t{0};
  uint32_t group = copy;         // of the fusion plan
  uint32_t from = 0, to = 0;     // copy: buffers, never the same
};

struct MemoryOptions {
  bool transactional = false;    // no parameter is written before every group has run: each takes its new value by a copy at the end
};

struct MemoryPlan {
  static constexpr uint32_t none = ~uint32_t{0};
  std::vector<PlannedBuffer> buffers;
  std::vector<uint32_t> buffer_of;  // by node: of leaves that are read, of stored values, and of reshapes of those; none elsewhere
  std::vector<PlannedStep> steps;
  bool transactional = false;       // what MemoryOptions says holds of it
};

// Outputs get their own buffers, parameters are updated where they lie, a value that dies is written over by one that
// GroupRead::replaceable_by allows, and the rest shares the arena. A parameter whose update is not provably possible in place takes its new
// value from elsewhere by a copy after the last group; an output that is a leaf, or listed twice, is a copy too.
MemoryPlan plan_memory(const Program&, const FusionPlan&, const Schedule&, const MemoryOptions& = {});

// Walks the steps with what each buffer holds and throws InternalError where a read does not find its value, a group writes what it still
// reads, an output or a parameter does not hold its value at the end, or an arena buffer is used outside its steps; and where a
// transactional plan writes a parameter before the last group has run. Knows nothing of how the plan was made.
void check(const Program&, const FusionPlan&, const MemoryPlan&);

// For people: the steps, then a row a buffer: what it holds, its bytes, where it is, from which step to which.
std::string to_string(const Program&, const FusionPlan&, const MemoryPlan&);

}  // namespace sinter
