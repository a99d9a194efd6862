#include "codegen/body.h"

#include <algorithm>
#include <cstring>

namespace sinter {

uint32_t ArgumentTable::read(NodeId value, DType dtype) {
  auto [at, is_new] = of_value_.try_emplace({value, false}, static_cast<uint32_t>(arguments.size()));
  if (is_new) kernel_arguments.push_back({dtype, false}), arguments.push_back({value, 0});
  return at->second;
}

uint32_t ArgumentTable::write(NodeId value, DType dtype) {
  auto [at, is_new] = of_value_.try_emplace({value, true}, static_cast<uint32_t>(arguments.size()));
  if (is_new) kernel_arguments.push_back({dtype, true}), arguments.push_back({value, 0});
  return at->second;
}

uint32_t ArgumentTable::scratch(uint32_t index, DType dtype, bool written, const Dim& worker_stride) {
  kernel_arguments.push_back({dtype, written, worker_stride});
  arguments.push_back({NodeId(), index});
  return static_cast<uint32_t>(arguments.size() - 1);
}

Scalar BodyMaker::input(const BodyInput& wanted, DType dtype) {
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (inputs_[i] == wanted) return builder_.input(static_cast<uint32_t>(i), dtype);
  inputs_.push_back(wanted);
  return builder_.input(static_cast<uint32_t>(inputs_.size() - 1), dtype);
}

Scalar BodyMaker::load(NodeId value, const Affine& position, const std::vector<Bound>& bounds) {
  DType dtype = graph_.type(value).dtype;
  return input(LoadInput{arguments_.read(value, dtype), position, bounds}, dtype);
}

Scalar BodyMaker::load(uint32_t argument, DType dtype, const Affine& position) { return input(LoadInput{argument, position, {}}, dtype); }

Scalar BodyMaker::constant(const Tensor& one) {
  uint64_t bits = 0;
  std::memcpy(&bits, one.raw(), one.bytes());
  return builder_.constant_bits(one.dtype(), bits);
}

Scalar BodyMaker::counter(const Affine& index, DType dtype) {
  // Floats are converted from the index as an i64, which is exact up to 2^53 and rounds as a conversion does beyond.
  if (is_float(dtype)) return scalar::convert(input(IndexInput{index, i64}, i64), dtype);
  return input(IndexInput{index, dtype}, dtype);
}

Scalar BodyMaker::size(const Dim& value) {
  if (value.is_number()) return builder_.constant_bits(i64, static_cast<uint64_t>(value.number()));
  return input(SizeInput{value}, i64);
}

Scalar BodyMaker::inside(const std::vector<Bound>& bounds) { return input(InsideInput{bounds}, boolean); }

Scalar BodyMaker::apply(NodeId id, std::span<const Scalar> operands) {
  std::vector<DType> types;
  for (const Scalar& s : operands) types.push_back(s.type());
  return builder_.inline_expr(expression_of(graph_.node(id).op, types, graph_.type(id).dtype), operands)[0];
}

bool BodyMaker::given(NodeId id, Scalar& value) {
  BodyInput held;
  if (!at_hand(id, held)) return false;
  value = input(held, graph_.type(id).dtype);
  return true;
}

uint32_t BodyMaker::output(Scalar value) {
  outputs_.push_back(value);
  return static_cast<uint32_t>(outputs_.size() - 1);
}

void BodyMaker::store(NodeId value, const Affine& position, Scalar scalar) { store(arguments_.write(value, graph_.type(value).dtype), position, scalar); }
void BodyMaker::store(uint32_t argument, const Affine& position, Scalar scalar) { stores_.push_back({argument, position, output(scalar)}); }

Body BodyMaker::finish() {
  Body body{inputs_, builder_.finish(outputs_), stores_};
  // Inputs that no output needs are not read.
  std::vector<uint32_t> moved(inputs_.size(), ~0u);
  std::vector<BodyInput> used;
  std::vector<DType> types;
  for (ScalarOp& op : body.expr.ops) {
    if (op.code != ScalarCode::input) continue;
    if (moved[op.bits] == ~0u) moved[op.bits] = static_cast<uint32_t>(used.size()), used.push_back(inputs_[op.bits]), types.push_back(op.type);
    op.bits = moved[op.bits];
  }
  body.inputs = std::move(used);
  body.expr.inputs = std::move(types);
  return body;
}

void for_each_affine(Body& body, const std::function<void(Affine&)>& f) {
  auto bounds = [&](std::vector<Bound>& all) {
    for (Bound& b : all) f(b.index);
  };
  for (BodyInput& input : body.inputs) {
    if (auto* load = std::get_if<LoadInput>(&input)) f(load->position), bounds(load->bounds);
    if (auto* index = std::get_if<IndexInput>(&input)) f(index->index);
    if (auto* inside = std::get_if<InsideInput>(&input)) bounds(inside->bounds);
  }
  for (Store& store : body.stores) f(store.position);
}

size_t coalesce(std::vector<Dim>& extents, size_t first, size_t last, size_t least, const std::vector<Affine*>& functions) {
  auto drop = [&](size_t loop) {
    extents.erase(extents.begin() + static_cast<std::ptrdiff_t>(loop));
    for (Affine* a : functions) a->strides.erase(a->strides.begin() + static_cast<std::ptrdiff_t>(loop));
    --last;
  };
  for (size_t l = first; l < last && last - first > least;)
    if (extents[l].is(1)) drop(l);
    else ++l;
  for (size_t l = first; l + 1 < last && last - first > least;) {
    bool one = std::all_of(functions.begin(), functions.end(), [&](Affine* a) { return a->strides[l] == a->strides[l + 1] * extents[l + 1]; });
    if (!one) {
      ++l;
      continue;
    }
    extents[l + 1] = extents[l] * extents[l + 1];
    drop(l);
  }
  return last - first;
}

std::vector<Dim> symbolic_sizes(Kernel& kernel) {
  std::vector<Dim> all;
  auto add = [&](const Dim& d) {
    if (!d.is_number() && std::find(all.begin(), all.end(), d) == all.end()) all.push_back(d);
  };
  auto extents = [&](const std::vector<Dim>& dims) {
    for (const Dim& d : dims) add(d);
  };
  auto affine = [&](Affine& a) { add(a.offset), extents(a.strides); };
  auto body = [&](Body& b) {
    for_each_affine(b, affine);
    for (BodyInput& input : b.inputs) {
      if (auto* size = std::get_if<SizeInput>(&input)) add(size->value);
      auto bounds = [&](std::vector<Bound>& of) {
        for (Bound& bound : of) add(bound.size);
      };
      if (auto* load = std::get_if<LoadInput>(&input)) bounds(load->bounds);
      if (auto* inside = std::get_if<InsideInput>(&input)) bounds(inside->bounds);
    }
  };
  for (const KernelArgument& argument : kernel.arguments) add(argument.worker_stride);
  std::visit(
      [&](auto& k) {
        using K = std::decay_t<decltype(k)>;
        if constexpr (std::is_same_v<K, LoopKernel>) extents(k.extents), body(k.body);
        else if constexpr (std::is_same_v<K, RowKernel>) {
          extents(k.outer), extents(k.inner);
          for (RowStage& s : k.before) body(s.body);
          for (RowStage& s : k.stages) body(s.body);
        } else if constexpr (std::is_same_v<K, PackKernel>) extents(k.batch), add(k.rows), add(k.depth), body(k.body);
        else {
          extents(k.batch), add(k.m), extents(k.rows), add(k.n), add(k.k), body(k.epilogue);
          affine(k.a.position), affine(k.b.position);
        }
      },
      kernel.body);
  return all;
}

}  // namespace sinter
