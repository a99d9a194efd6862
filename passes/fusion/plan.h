// The fusion plan: which nodes become one kernel, and of what kind. A plan, not a rewrite: the graph stays as it is.
#pragma once
#include <string>
#include <vector>

#include "graph/graph.h"
#include "passes/fusion/index_map.h"

namespace sinter {

enum class GroupKind : uint8_t { loop, row, contraction, call };

// A value that a group reads from memory: a leaf, or what another group stores.
struct GroupRead {
  NodeId value;
  // Those of the group's stored values that may be written over `value`: each element is read, by the same point of the loops, only
  // before the element of the same position is stored, and the element types have one size.
  std::vector<NodeId> replaceable_by;
};

struct Group {
  GroupKind kind = GroupKind::loop;
  NodeId hero;                   // the contraction, the custom call, or the first reduction; invalid in a loop
  Shape loops;                   // extents; of a contraction the axes of its result, its rows split into several where what joins it has them so
  std::vector<bool> reduced;     // row: which loops the reductions run over
  std::vector<NodeId> members;   // what it computes, in topological order; movement in between is not listed, but where it is stored
  std::vector<Index> at;         // by member: the index computed at a point of the loops (of a reduction: of its row)
  std::vector<uint32_t> stage;   // by member: how many reductions, one after another, must have finished before it (row)
  std::vector<NodeId> stored;    // those of the members that others read, or that leave the program
  std::vector<GroupRead> reads;
  // row: groups whose reductions run over all of this one's rows and whose other members are computed once of each of their own rows. `reads`
  // and `stored` hold theirs, too; what they reduce is among `members`.
  std::vector<Group> riders;
};

struct FusionPlan {
  std::vector<Group> groups;        // every group comes after those it reads from
  std::vector<bool> recomputed;     // by node: no group stores it; each reader computes it anew (cheap ones, and a contraction's prologue)
  std::vector<int32_t> stored_by;   // by node: the group that stores it, or -1
};

// `joins`: whether several nodes may become one kernel. Without that each is computed by itself, but for movement, which costs nothing.
FusionPlan fuse(const Program&, bool joins = true);

// Which of its members that is, or how many there are where it is none.
size_t member_number(const Group&, NodeId);
bool stores(const Group&, NodeId);

// A size and the elements of a row, as cost models take them: symbols count as 64.
double nominal(const Dim&);
double row_elements(const Group&);

// Whether a rider of the group reduces this member.
bool feeds_rider(const Graph&, const Group&, NodeId member);

// Whether a row group computes its member number `i` once a row, not at every point of it.
bool is_row_value(const Group&, size_t i);

// Throws InternalError where the plan is not one: each value that is read is stored by exactly one earlier group or is a leaf or
// recomputed; outputs and updates are stored; members are reached only through members, reads and recomputed nodes; kinds hold what they
// may; indices agree along every edge; replaceable_by holds. Knows nothing of how the plan was made.
void check(const Program&, const FusionPlan&);

std::string to_string(const Program&, const FusionPlan&);

// The value whose buffer holds `id`: reshapes of a stored or leaf value share its elements.
NodeId stored_value(const Program&, const FusionPlan&, NodeId id);

}  // namespace sinter
