// What a body's kernel must compute: plain loops over its points and the interpreter of scalar expressions.
#pragma once
#include <functional>
#include <map>

#include "codegen/kernel.h"
#include "tests/codegen/run_kernel.h"

namespace sinter {

class PlainLoops {
 public:
  PlainLoops(const Kernel& kernel, const std::vector<void*>& arguments, const Bindings& bindings)
      : kernel_(kernel), arguments_(arguments), bindings_(bindings) {}

  // The body's outputs at each point of `extents` (in bytes, by output), then its stores.
  std::vector<std::vector<char>> run(const Body& body, const std::vector<Dim>& extents) {
    points_.clear();
    std::vector<int64_t> index(extents.size());
    visit(evaluate(extents), index, 0);
    auto count = static_cast<int64_t>(points_.size());
    std::vector<std::vector<char>> inputs, outputs;
    std::vector<const void*> input_pointers;
    std::vector<void*> output_pointers;
    for (size_t k = 0; k < body.inputs.size(); ++k) inputs.push_back(values(body.inputs[k], body.expr.inputs.at(k)));
    for (uint32_t output : body.expr.outputs) outputs.emplace_back(static_cast<size_t>(count) * size_of(body.expr.ops[output].type));
    for (auto& one : inputs) input_pointers.push_back(one.data());
    for (auto& one : outputs) output_pointers.push_back(one.data());
    sinter::evaluate(body.expr, input_pointers, output_pointers, count);
    for (const Store& store : body.stores) {
      size_t width = size_of(kernel_.arguments[store.argument].dtype);
      for (size_t p = 0; p < points_.size(); ++p)
        std::memcpy(static_cast<char*>(arguments_[store.argument]) + at(store.position, points_[p]) * static_cast<int64_t>(width),
                    &outputs[store.output][p * width], width);
    }
    return outputs;
  }

 private:
  std::vector<int64_t> evaluate(const std::vector<Dim>& dims) const {
    std::vector<int64_t> numbers;
    for (const Dim& dim : dims) numbers.push_back(dim.evaluate(bindings_));
    return numbers;
  }
  void visit(const std::vector<int64_t>& extents, std::vector<int64_t>& index, size_t depth) {
    if (depth == extents.size()) {
      points_.push_back(index);
      return;
    }
    for (index[depth] = 0; index[depth] < extents[depth]; ++index[depth]) visit(extents, index, depth + 1);
  }
  int64_t at(const Affine& f, const std::vector<int64_t>& index) const {
    int64_t sum = f.offset.evaluate(bindings_);
    for (size_t i = 0; i < f.strides.size(); ++i) sum += f.strides[i].evaluate(bindings_) * index[i];
    return sum;
  }
  bool inside(const std::vector<Bound>& bounds, const std::vector<int64_t>& index) const {
    for (const Bound& bound : bounds)
      if (int64_t i = at(bound.index, index); i < 0 || i >= bound.size.evaluate(bindings_)) return false;
    return true;
  }
  std::vector<char> values(const BodyInput& input, DType dtype) const {
    size_t width = size_of(dtype);
    std::vector<char> result(points_.size() * width);
    for (size_t p = 0; p < points_.size(); ++p) {
      char* to = &result[p * width];
      if (auto* load = std::get_if<LoadInput>(&input)) {
        if (inside(load->bounds, points_[p]))
          std::memcpy(to, static_cast<const char*>(arguments_[load->argument]) + at(load->position, points_[p]) * static_cast<int64_t>(width), width);
      } else if (auto* index = std::get_if<IndexInput>(&input)) {
        dispatch(dtype, [&](auto tag) {
          auto value = static_cast<typename decltype(tag)::type>(at(index->index, points_[p]));
          std::memcpy(to, &value, width);
        });
      } else if (auto* bounds = std::get_if<InsideInput>(&input)) {
        *to = inside(bounds->bounds, points_[p]);
      } else if (auto* size = std::get_if<SizeInput>(&input)) {
        int64_t value = size->value.evaluate(bindings_);
        std::memcpy(to, &value, width);
      } else {
        throw InternalError("this reference knows neither rows nor accumulators");
      }
    }
    return result;
  }

  const Kernel& kernel_;
  const std::vector<void*>& arguments_;
  const Bindings& bindings_;
  std::vector<std::vector<int64_t>> points_;
};

// A buffer of elements of any type, between guard words; it is `offset` elements away from being aligned.
class Elements {
 public:
  Elements(DType dtype, int64_t count, size_t offset = 0) : dtype_(dtype), count_(static_cast<size_t>(count)) {
    size_t room = guard + offset * size_of(dtype);
    begin_ = (room + 63) / 64 * 64 + offset * size_of(dtype);
    bytes_.assign(begin_ + bytes() + guard + 64, canary);
    shift_ = (64 - reinterpret_cast<uintptr_t>(bytes_.data()) % 64) % 64;
    std::fill_n(data(), bytes(), static_cast<char>(0));
  }
  Elements(const Elements& other) : Elements(other.dtype_, static_cast<int64_t>(other.count_)) { std::copy_n(other.data(), bytes(), data()); }
  Elements& operator=(const Elements&) = delete;

  DType dtype() const { return dtype_; }
  size_t count() const { return count_; }
  size_t bytes() const { return count_ * size_of(dtype_); }
  char* data() { return bytes_.data() + shift_ + begin_; }
  const char* data() const { return bytes_.data() + shift_ + begin_; }
  template <class T>
  T& at(size_t i) { return reinterpret_cast<T*>(data())[i]; }
  bool guards_hold() const {
    auto is_canary = [](char c) { return c == canary; };
    return std::all_of(bytes_.data(), data(), is_canary) && std::all_of(data() + bytes(), bytes_.data() + bytes_.size(), is_canary);
  }
  // The first element that differs; -1 where none does. Any NaN equals any NaN.
  int64_t first_difference(const Elements& other) const {
    for (size_t i = 0; i < count_; ++i) {
      bool same = dispatch(dtype_, [&](auto tag) {
        using T = typename decltype(tag)::type;
        return same_bits(reinterpret_cast<const T*>(data())[i], reinterpret_cast<const T*>(other.data())[i]);
      });
      if (!same) return static_cast<int64_t>(i);
    }
    return -1;
  }
  // Special values, then bits that look random: of floats half any bits, half between -100 and 100.
  void fill(uint64_t seed) {
    Numbers numbers(seed);
    dispatch(dtype_, [&](auto tag) {
      using T = typename decltype(tag)::type;
      using L = std::numeric_limits<T>;
      std::vector<T> specials;
      if constexpr (std::is_same_v<T, bool>) specials = {false, true};
      else
        specials = {T(0), T(1), T(2), T(3), T(7), T(31), T(32), T(63), T(64), L::max(), L::lowest(), static_cast<T>(L::max() - 1),
                    static_cast<T>(L::lowest() + 1)};
      if constexpr (std::is_signed_v<T> && !std::is_same_v<T, bool>) specials.insert(specials.end(), {T(-1), T(-2), T(-31)});
      if constexpr (std::is_floating_point_v<T>)
        specials.insert(specials.end(),
                        {T(-0.0), L::infinity(), -L::infinity(), L::quiet_NaN(), L::denorm_min(), -L::denorm_min(), L::min(), L::epsilon(), T(0.5),
                         T(-0.5), T(1.5), T(2.5), T(-2.5), T(0.49999997f), T(8388607.5f), T(8388608), T(16777216), T(4503599627370495.5),
                         T(2147483648.0), T(-2147483648.0), T(2147483647.0), T(4294967296.0), T(4294967295.0), T(9223372036854775808.0),
                         T(-9223372036854775808.0), T(18446744073709551616.0), T(255), T(256), T(255.5), T(-0.7), T(1e30f)});
      for (size_t i = 0; i < count_; ++i) {
        uint64_t bits = numbers.bits();
        T& to = at<T>(i);
        if (bits % 3 == 0) to = specials[(bits >> 8) % specials.size()];
        else if constexpr (std::is_same_v<T, bool>) to = (bits >> 9) % 2 != 0;
        else if constexpr (std::is_floating_point_v<T>) {
          if (bits % 3 == 1) to = static_cast<T>(numbers.unit() * 200 - 100);
          else {
            std::memcpy(&to, &(bits = numbers.bits()), sizeof(T));
            if (to != to) to = T(1);  // a signalling NaN's payload is nobody's business
          }
        } else to = static_cast<T>((bits >> 9) % 2 ? numbers.bits() : numbers.bits() % 70);
      }
    });
  }

 private:
  static constexpr size_t guard = 256;
  static constexpr char canary = static_cast<char>(0xa5);
  DType dtype_;
  size_t count_, begin_ = 0, shift_ = 0;
  std::vector<char> bytes_;
};

inline std::vector<void*> pointers(std::vector<Elements>& arguments) {
  std::vector<void*> result;
  for (Elements& one : arguments) result.push_back(one.data());
  return result;
}

}  // namespace sinter
