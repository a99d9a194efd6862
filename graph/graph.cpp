#include "graph/graph.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

namespace sinter {

ParameterStorage::ParameterStorage(std::string parameter_name, Tensor initial) : name(std::move(parameter_name)), value(std::move(initial)) {
  static std::atomic<uint64_t> last{0};
  id = ++last;
}

Graph::Graph() = default;
Graph::Graph(const Graph&) = default;
Graph::Graph(Graph&&) = default;
Graph& Graph::operator=(const Graph&) = default;
Graph& Graph::operator=(Graph&&) = default;
Graph::~Graph() = default;

NodeId Graph::append(Op op, std::span<const NodeId> inputs, Attributes attributes, Type type, Origins origins) {
  if (nodes_.size() >= NodeId::none - 1 || inputs_.size() >= NodeId::none - inputs.size()) throw UserError("a graph holds fewer than 2^32 nodes");
  NodeId id(nodes_.size());
  for (NodeId i : inputs) ensure(i.index < id.index, "a node's inputs come before it");
  const std::string* name = nullptr;
  if (auto* variable = std::get_if<VariableAttributes>(&attributes)) name = &variable->name;
  if (auto* parameter = std::get_if<ParameterAttributes>(&attributes)) name = &parameter->name;
  std::vector<NodeId> copied(inputs.begin(), inputs.end());  // `inputs` may point into inputs_
  uint32_t first_input = static_cast<uint32_t>(inputs_.size());
  // All tables or none: who runs out of memory midway may go on with the graph.
  auto new_name = names_.end();
  try {
    inputs_.insert(inputs_.end(), copied.begin(), copied.end());
    origins_.push_back(std::move(origins));
    if (name)
      if (auto [at, is_new] = names_.emplace(*name, id); is_new) new_name = at;
    nodes_.push_back({op, first_input, static_cast<uint32_t>(copied.size()), std::move(type), std::move(attributes)});
  } catch (...) {
    inputs_.resize(first_input);
    origins_.resize(id.index);
    if (new_name != names_.end()) names_.erase(new_name);
    throw;
  }
  return id;
}

Origins united(const Origins& a, const Origins& b) {
  Origins r;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(r));
  return r;
}

void Graph::add_origins(NodeId id, const Origins& more) { origins_[id.index] = united(origins_[id.index], more); }

uint32_t Graph::intern(const Location& where) {
  auto [at, is_new] = location_index_.try_emplace(to_string(where) + '\0' + where.composition, static_cast<uint32_t>(locations_.size()));
  if (is_new) try {
      locations_.push_back(where);
    } catch (...) {
      location_index_.erase(at);
      throw;
    }
  return at->second;
}

Location Graph::where(NodeId id) const {
  const Origins& o = origins_[id.index];
  return o.empty() ? Location() : locations_[o.front()];
}

namespace {

// Any NaN is as good as any other, and text has one.
template <class T>
Tensor with_one_nan(const Tensor& value) {
  auto is_nan = [](T v) { return std::isnan(v); };
  if (std::ranges::none_of(value.data<T>(), is_nan)) return value;
  Tensor same = value.clone();
  std::ranges::replace_if(same.data<T>(), is_nan, static_cast<T>(std::numeric_limits<double>::quiet_NaN()));
  return same;
}

size_t hash_of(const Tensor& value) {
  const Tensor hashed = dispatch_stored(value.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (is_float(dtype_of<T>())) return with_one_nan<T>(value);
    else return value;
  });
  return std::hash<std::string_view>()({static_cast<const char*>(hashed.raw()), hashed.bytes()}) * 31 + static_cast<size_t>(value.dtype());
}

}  // namespace

uint32_t Graph::add_constant(const Tensor& value) { return add_constant(value, hash_of(value)); }

uint32_t Graph::copy_constant(const Graph& from, uint32_t index) { return add_constant(from.constants_[index], from.constant_hashes_[index]); }

uint32_t Graph::add_constant(const Tensor& value, size_t hash) {
  auto [begin, end] = constant_index_.equal_range(hash);
  for (auto at = begin; at != end; ++at) {
    const Tensor& other = constants_[at->second];
    if (other.dtype() != value.dtype() || other.sizes() != value.sizes()) continue;
    if (other.raw() == value.raw() || std::memcmp(other.raw(), value.raw(), value.bytes()) == 0) return at->second;
  }
  const uint32_t index = static_cast<uint32_t>(constants_.size());
  auto known = constant_index_.emplace(hash, index);
  try {
    constant_hashes_.push_back(hash);
    constants_.push_back(value);
  } catch (...) {
    constant_hashes_.resize(index);
    constant_index_.erase(known);
    throw;
  }
  return index;
}

void Graph::add_parameter(std::shared_ptr<ParameterStorage> storage) { parameters_.insert_or_assign(storage->name, std::move(storage)); }

const std::shared_ptr<ParameterStorage>& Graph::parameter(const std::string& name) const {
  auto found = parameters_.find(name);
  ensure(found != parameters_.end(), "a parameter node without its storage");
  return found->second;
}

NodeId Graph::named(const std::string& name) const {
  auto found = names_.find(name);
  return found == names_.end() ? NodeId() : found->second;
}

std::vector<bool> reachable(const Program& program) {
  std::vector<bool> seen(program.graph.size());
  for (NodeId o : program.outputs) seen[o.index] = true;
  for (const Update& u : program.updates) seen[u.parameter.index] = seen[u.value.index] = true;
  for (size_t i = program.graph.size(); i-- > 0;)
    if (seen[i])
      for (NodeId input : program.graph.inputs(NodeId(i))) seen[input.index] = true;
  return seen;
}

bool is_template(const Program& program) {
  std::vector<bool> needed = reachable(program);
  for (size_t i = 0; i < needed.size(); ++i)
    if (needed[i] && !program.graph.type(NodeId(i)).known) return true;
  return false;
}

}  // namespace sinter
