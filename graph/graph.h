// The graph: nodes in an append-only vector, named by 32-bit ids; inputs always come before their users.
#pragma once
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "graph/attributes.h"
#include "graph/ids.h"
#include "graph/op.h"
#include "graph/parameter.h"
#include "graph/tensor.h"
#include "graph/type.h"

namespace sinter {

struct Node {
  Op op = Op::constant;
  uint32_t first_input = 0, input_count = 0;  // into the graph's one vector of inputs
  Type type;
  Attributes attributes;
};

using Origins = std::vector<uint32_t>;  // sorted indices into Graph::locations

class Graph {
 public:
  // Here and in graph.cpp, not implicit: every file that passes a Program on would compile what copies and destroys its tables.
  Graph();
  Graph(const Graph&);
  Graph(Graph&&);  // throws where memory runs out, as a deque's does
  Graph& operator=(const Graph&);
  Graph& operator=(Graph&&);
  ~Graph();

  // Appends as given: no check, no inference. Use build() of graph/builder.h unless the type is known to be right.
  NodeId append(Op, std::span<const NodeId> inputs, Attributes, Type, Origins);

  size_t size() const { return nodes_.size(); }
  const Node& node(NodeId id) const { return nodes_[id.index]; }
  const Type& type(NodeId id) const { return nodes_[id.index].type; }
  std::span<const NodeId> inputs(NodeId id) const { return {inputs_.data() + nodes_[id.index].first_input, nodes_[id.index].input_count}; }
  template <class T>
  const T& attributes(NodeId id) const {
    return std::get<T>(nodes_[id.index].attributes);
  }

  // Where nodes come from: outside equality and hash; passes unite the sets of what they replace.
  const Origins& origins(NodeId id) const { return origins_[id.index]; }
  void add_origins(NodeId id, const Origins& more);
  uint32_t intern(const Location&);
  const Location& location(uint32_t index) const { return locations_[index]; }
  Location where(NodeId) const;  // its first origin, or an unknown one

  uint32_t add_constant(const Tensor&);  // the index of an equal constant where there is one
  uint32_t copy_constant(const Graph& from, uint32_t index);  // that of another graph, without reading its elements again
  size_t constant_count() const { return constants_.size(); }
  size_t constant_hash(uint32_t index) const { return constant_hashes_[index]; }  // of its elements and type
  const Tensor& constant(uint32_t index) const { return constants_[index]; }
  const Tensor& constant_value(NodeId id) const { return constants_[attributes<ConstantAttributes>(id).index]; }

  void add_parameter(std::shared_ptr<ParameterStorage>);
  bool has_parameter(const std::string& name) const { return parameters_.contains(name); }
  const std::shared_ptr<ParameterStorage>& parameter(const std::string& name) const;  // InternalError where there is none
  const std::shared_ptr<ParameterStorage>& parameter(NodeId id) const { return parameter(attributes<ParameterAttributes>(id).name); }

  NodeId named(const std::string& name) const;  // the variable or parameter of that name; invalid where there is none

 private:
  // Deques: references to what they hold outlive an append, so that a type or a shape can be used while more is built.
  std::deque<Node> nodes_;
  std::vector<NodeId> inputs_;
  std::deque<Origins> origins_;
  std::deque<Location> locations_;
  std::unordered_map<std::string, uint32_t> location_index_;
  uint32_t add_constant(const Tensor&, size_t hash);
  std::deque<Tensor> constants_;
  std::vector<size_t> constant_hashes_;
  std::unordered_multimap<size_t, uint32_t> constant_index_;
  std::unordered_map<std::string, std::shared_ptr<ParameterStorage>> parameters_;
  std::unordered_map<std::string, NodeId> names_;
};

Origins united(const Origins&, const Origins&);

// A parameter and the value that replaces it after a call.
struct Update {
  NodeId parameter, value;
};

// What is compiled: a graph, what it returns and what it updates.
struct Program {
  Graph graph;
  std::vector<NodeId> outputs;
  std::vector<Update> updates;
};

std::vector<bool> reachable(const Program&);  // from outputs and updates, by node
bool is_template(const Program&);             // whether anything reachable has no type yet

}  // namespace sinter
