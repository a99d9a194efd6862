// Making bodies: the scalar expression, inputs and stores of what a group computes at a point.
#pragma once
#include <functional>
#include <map>

#include "codegen/lower.h"
#include "passes/fusion/walk.h"

namespace sinter {

// The arguments of a kernel while it is lowered: one for each value that is read and one for each that is written.
class ArgumentTable {
 public:
  uint32_t read(NodeId value, DType);
  uint32_t write(NodeId value, DType);
  uint32_t scratch(uint32_t index, DType, bool written, const Dim& worker_stride = 0);
  std::vector<KernelArgument> kernel_arguments;
  std::vector<LoweredArgument> arguments;

 private:
  std::map<std::pair<NodeId, bool>, uint32_t> of_value_;
};

// A visitor of Walk that writes a Body.
class BodyMaker {
 public:
  using Value = Scalar;
  BodyMaker(const Graph& graph, ArgumentTable& arguments) : graph_(graph), arguments_(arguments) {}

  // What is at hand in this body beside memory: returns false, or sets the input that holds a member.
  std::function<bool(NodeId, BodyInput&)> at_hand = [](NodeId, BodyInput&) { return false; };

  Scalar load(NodeId, const Affine& position, const std::vector<Bound>&);
  Scalar load(uint32_t argument, DType, const Affine& position);
  Scalar constant(const Tensor&);
  Scalar counter(const Affine&, DType);
  Scalar size(const Dim&);
  Scalar inside(const std::vector<Bound>&);
  Scalar apply(NodeId, std::span<const Scalar>);
  Scalar choose(Scalar condition, Scalar then, Scalar otherwise) { return scalar::select(condition, then, otherwise); }
  bool given(NodeId, Scalar&);

  uint32_t output(Scalar);                                     // adds an output; returns its number
  void store(NodeId value, const Affine& position, Scalar);
  void store(uint32_t argument, const Affine& position, Scalar);
  Body finish();

 private:
  Scalar input(const BodyInput&, DType);
  const Graph& graph_;
  ArgumentTable& arguments_;
  ScalarBuilder builder_;
  std::vector<BodyInput> inputs_;
  std::vector<Scalar> outputs_;
  std::vector<Store> stores_;
};

// Calls f with every affine function of the body.
void for_each_affine(Body&, const std::function<void(Affine&)>& f);

// Fuses neighbouring loops of [first, last) that every function walks as one, and drops those of extent 1; leaves at least `least` of them.
// Adjusts the functions and the extents, and returns how many are left.
size_t coalesce(std::vector<Dim>& extents, size_t first, size_t last, size_t least, const std::vector<Affine*>& functions);

// All symbolic Dims that the kernel uses, each once.
std::vector<Dim> symbolic_sizes(Kernel&);

}  // namespace sinter
