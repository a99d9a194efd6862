// All drafts while they are made: who computes what, who reads whom, and which have room.
#pragma once
#include <map>
#include <tuple>

#include "passes/fusion/draft.h"
#include "passes/fusion/placement.h"
#include "passes/growing_order.h"

namespace sinter {

class Drafts {
 public:
  explicit Drafts(const Graph& of) : graph(of), draft_of_(of.size(), -1) {}

  const Graph& graph;
  std::vector<Draft> all;

  int of(NodeId id) const { return draft_of_[id.index]; }  // the draft that computes it, or -1
  bool is_in(NodeId id, size_t d) const { return of(id) == static_cast<int>(d); }
  const Index& at(size_t d, NodeId id) const { return all[d].group.at[member_number(all[d].group, id)]; }

  // Every value that `id` reads, paddings' values included.
  std::vector<Source> sources(NodeId) const;
  // The stage of draft `d` in which what reads these is computed.
  uint32_t stage_in(size_t d, const std::vector<Source>&) const;

  // A draft of that node alone, or with more than its own loops.
  size_t start(NodeId, GroupKind);
  size_t start(NodeId, Draft, Index);
  void add(size_t d, NodeId, Index, uint32_t stage);
  // Makes `d` compute what `other` did, whose members lie at `moved`.
  void merge(size_t d, size_t other, std::vector<Index> moved);

  // Whether one of `drafts` reads, through others, from `b`; or so many stand between that it is not worth while to know. Nothing follows from
  // which members came first: a draft that another reads may since have got members that read from anywhere.
  bool depend(const std::vector<uint32_t>& drafts, size_t b);

  // Whether a kernel of the draft and the node, or of both drafts, would not be too large; or of the draft and one more reduction of its own.
  bool has_room(size_t d, NodeId, const std::vector<Source>&);
  bool have_room(size_t a, size_t b) const;
  bool has_room_for_reduction(size_t d) const;

 private:
  size_t work_of(NodeId);
  void read_from(size_t d, size_t producer);

  std::vector<int> draft_of_;  // by node
  std::map<std::tuple<Op, DType, std::vector<DType>>, size_t> work_;
  GrowingOrder order_;  // of the drafts: producers come before what reads them; those absorbed keep their places
};

}  // namespace sinter
