// What a row kernel must do, point by point in plain C++, to the bit: the order of its sums is the one that codegen/kernel.h states.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <type_traits>

#include "codegen/kernel.h"
#include "codegen/llvm/target.h"

namespace sinter {

class RowReference {
 public:
  RowReference(const Kernel& kernel, const std::vector<void*>& arguments, const Bindings& bindings, const Target& target)
      : kernel_(kernel), row_(std::get<RowKernel>(kernel.body)), arguments_(arguments), bindings_(bindings), target_(target) {}

  void run() {
    over(row_.outer, [&](const std::vector<int64_t>& outer) {
      slots_.assign(row_.slots.size(), 0);
      for (const RowStage& stage : row_.stages) run_stage(stage, outer);
    });
  }

 private:
  using Bits = uint64_t;  // of one element, zero-extended

  int64_t value(const Dim& dim) const { return dim.evaluate(bindings_); }

  void over(const std::vector<Dim>& extents, const std::function<void(const std::vector<int64_t>&)>& body) const {
    std::vector<int64_t> index(extents.size());
    const std::function<void(size_t)> nest = [&](size_t loop) {
      if (loop == extents.size()) return body(index);
      for (index[loop] = 0; index[loop] < value(extents[loop]); ++index[loop]) nest(loop + 1);
    };
    nest(0);
  }

  int64_t at(const Affine& affine, const std::vector<int64_t>& index) const {
    int64_t sum = value(affine.offset);
    for (size_t i = 0; i < index.size(); ++i) sum += value(affine.strides[i]) * index[i];
    return sum;
  }
  bool inside(const std::vector<Bound>& bounds, const std::vector<int64_t>& index) const {
    return std::all_of(bounds.begin(), bounds.end(), [&](const Bound& b) { return at(b.index, index) >= 0 && at(b.index, index) < value(b.size); });
  }
  char* element(uint32_t argument, const Affine& position, const std::vector<int64_t>& index) const {
    return static_cast<char*>(arguments_[argument]) + at(position, index) * static_cast<int64_t>(size_of(kernel_.arguments[argument].dtype));
  }

  std::vector<Bits> outputs(const Body& body, const std::vector<int64_t>& index) const {
    std::vector<Bits> in(body.inputs.size(), 0), out(body.expr.outputs.size(), 0);
    for (size_t i = 0; i < in.size(); ++i) {
      if (auto* load = std::get_if<LoadInput>(&body.inputs[i])) {
        if (inside(load->bounds, index)) std::memcpy(&in[i], element(load->argument, load->position, index), size_of(body.expr.inputs[i]));
      } else if (auto* row = std::get_if<RowInput>(&body.inputs[i])) {
        in[i] = slots_[row->slot];
      } else if (auto* size = std::get_if<SizeInput>(&body.inputs[i])) {
        in[i] = static_cast<Bits>(value(size->value));
      } else {
        throw std::runtime_error("the reference has no such input");
      }
    }
    std::vector<const void*> from;
    std::vector<void*> to;
    for (Bits& bits : in) from.push_back(&bits);
    for (Bits& bits : out) to.push_back(&bits);
    evaluate(body.expr, from, to, 1);
    for (const Store& store : body.stores)
      std::memcpy(element(store.argument, store.position, index), &out[store.output], size_of(kernel_.arguments[store.argument].dtype));
    return out;
  }

  template <class T>
  static T combine(Reduction kind, T a, T b) {
    if constexpr (std::is_integral_v<T>) {
      if (kind == Reduction::sum) return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));  // wraps, as the kernels do
      if (kind == Reduction::product) return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
    } else {
      if (kind == Reduction::sum) return a + b;
      if (kind == Reduction::product) return a * b;
    }
    if (a != a) return a;
    if (kind == Reduction::max) return a > b ? a : b;
    return a < b ? a : b;
  }

  template <class T>
  static T identity(Reduction kind) {
    using Limits = std::numeric_limits<T>;
    if (kind == Reduction::sum) return T(0);
    if (kind == Reduction::product) return T(1);
    if (kind == Reduction::max) return Limits::has_infinity ? static_cast<T>(-Limits::infinity()) : Limits::lowest();
    return Limits::has_infinity ? Limits::infinity() : Limits::max();
  }

  int64_t lanes(const Body& body) const {
    size_t widest = 1;
    for (const ScalarOp& op : body.expr.ops) widest = std::max(widest, size_of(op.type));
    for (const Store& store : body.stores) widest = std::max(widest, size_of(kernel_.arguments[store.argument].dtype));
    return target_.lanes(widest);
  }

  template <class T>
  Bits reduce(Reduction kind, const std::vector<std::vector<Bits>>& points, uint32_t output, int64_t width) const {
    const auto get = [&](size_t i) {
      T element;
      std::memcpy(&element, &points[i][output], sizeof(T));
      return element;
    };
    T result = identity<T>(kind);
    if (row_.vector_outer) {
      for (size_t i = 0; i < points.size(); ++i) result = combine(kind, result, get(i));
    } else {
      // Runs of the last inner loop are cut into vectors; vector number v is added to partial result v % 4.
      const int64_t run = value(row_.inner.back());
      const auto partials = std::make_unique<T[]>(static_cast<size_t>(4 * width));
      std::fill_n(partials.get(), 4 * width, result);
      int64_t vector = 0;
      for (int64_t begin = 0; begin < static_cast<int64_t>(points.size()); begin += run)
        for (int64_t first = 0; first < run; first += width, ++vector)
          for (int64_t lane = 0; lane < std::min(width, run - first); ++lane) {
            T& partial = partials[static_cast<size_t>(vector % 4 * width + lane)];
            partial = combine(kind, partial, get(static_cast<size_t>(begin + first + lane)));
          }
      const auto partial = [&](int64_t i, int64_t lane) -> T& { return partials[static_cast<size_t>((vector + i) % 4 * width + lane)]; };
      for (int64_t lane = 0; lane < width; ++lane) {
        const T even = combine<T>(kind, partial(0, lane), partial(2, lane)), odd = combine<T>(kind, partial(1, lane), partial(3, lane));
        partial(0, lane) = combine<T>(kind, even, odd);
      }
      for (int64_t half = width / 2; half > 0; half /= 2)
        for (int64_t lane = 0; lane < half; ++lane) partial(0, lane) = combine<T>(kind, partial(0, lane), partial(0, lane + half));
      result = partial(0, 0);
    }
    Bits bits = 0;
    std::memcpy(&bits, &result, sizeof(T));
    return bits;
  }

  void run_stage(const RowStage& stage, std::vector<int64_t> index) {
    index.resize(row_.outer.size() + row_.inner.size(), 0);
    if (!stage.inner) {
      const std::vector<Bits> out = outputs(stage.body, index);
      for (const RowValue& v : stage.values) slots_[v.slot] = out[v.output];
      return;
    }
    std::vector<std::vector<Bits>> points;
    over(row_.inner, [&](const std::vector<int64_t>& inner) {
      std::copy(inner.begin(), inner.end(), index.begin() + static_cast<int64_t>(row_.outer.size()));
      points.push_back(outputs(stage.body, index));
    });
    for (const RowReduction& r : stage.reductions) {
      const DType type = stage.body.expr.ops[stage.body.expr.outputs[r.output]].type;
      slots_[r.slot] = dispatch(type, [&]<class T>(Tag<T>) { return reduce<T>(r.kind, points, r.output, lanes(stage.body)); });
    }
  }

  const Kernel& kernel_;
  const RowKernel& row_;
  const std::vector<void*>& arguments_;
  const Bindings& bindings_;
  const Target& target_;
  std::vector<Bits> slots_;
};

}  // namespace sinter
