// Where in a group's loops a value would be computed.
#pragma once
#include "passes/fusion/plan.h"

namespace sinter {

// What a node reads, movement looked through.
struct Source {
  NodeId value;
  std::vector<NodeId> chain;  // the movement nodes between, from the reader's side
  bool padding = false;       // it is what a padding on the way to another puts around it: read at no index of the reader's
};

// The reader's index, from that of the source; nothing where there is none. The loop over a contraction's rows is taken apart where that helps.
std::optional<Index> pushed_through(const Graph&, Group&, const Source&, const Index& at_source);
// The source's index, from the reader's; nothing where that is not affine.
std::optional<Index> pulled_through(const Graph&, const Group&, const Source&, const Index& at_reader);

// Whether a reader at `at_reader` reads the source just where it is computed, at `at_source`: within one kernel it may read it nowhere else.
bool is_read_at(const Graph&, const Group&, const Source&, const Index& at_reader, const Index& at_source);

// Whether the value is computed once at each point of the loops; or once a row. Of what has no element no index says over which loops it is
// computed: neither is so.
bool is_full(const Graph&, const Group&, NodeId, const Index&);
bool is_row(const Graph&, const Group&, NodeId, const Index&);

}  // namespace sinter
