// Expressions that only say where elements go, each with the array it should give.
#pragma once
#include <algorithm>
#include <string>
#include <vector>

#include "tests/conformance/arrays.h"
#include "tests/conformance/readings.h"
#include "tests/conformance/samples.h"
#include "tests/conformance/support.h"

namespace sinter::conformance {

// Of variables of their own, compiled together: each as it is, of an operand that is itself read elsewhere than where it lies, and inside a
// computation, where a movement is not a copy but an index map. Special values are among the elements.
class Moves {
 public:
  explicit Moves(DType type) : type_(type) {}

  // make(operand of the sizes `from`) has the sizes `to`, and at each position the operand's element at source(position), or `fill`.
  template <class Make, class From>
  void add(const std::string& what, const std::vector<int64_t>& from, const std::vector<int64_t>& to, Make make, From source, const Tensor* fill = nullptr) {
    const std::string name = what + " of " + label(type_) + to_string(from);
    auto operand = [&](Reading how) {
      const std::string variable = "x" + std::to_string(wanted_.size());
      ReadOperand x = read_as(how, variable, type_, from, wanted_.size() + 1, mixed_tensor);
      inputs_.emplace(variable, x.stored);
      return x;
    };
    auto expect = [&](const std::string& which, const Expr& result, Tensor want) {
      batch_.add(name + which, result);
      wanted_.push_back(std::move(want));
    };
    const ReadOperand plain = operand(Reading::straight);
    expect("", make(plain.expression), gathered(plain.value, to, source, fill));
    const ReadOperand read = operand(reading(1 + wanted_.size() / 3 % (readings - 1)));
    expect(", read otherwise", make(read.expression), gathered(read.value, to, source, fill));
    const ReadOperand computed = operand(Reading::straight);
    expect(", in a computation", make(computed.expression) < 1, below_one(gathered(computed.value, to, source, fill)));
  }

  void check() const {
    std::vector<Tensor> values = CompiledBatch(batch_).equal(inputs_);
    for (size_t i = 0; i < values.size(); ++i) {
      INFO(batch_.names[i]);
      CHECK(values[i].sizes() == wanted_[i].sizes());
      CHECK(same_bits(values[i], wanted_[i]));
    }
  }

 private:
  static Tensor below_one(const Tensor& x) {
    Tensor result = Tensor::uninitialized(boolean, x.sizes());
    dispatch_stored(x.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      std::ranges::transform(x.data<T>(), result.data<bool>().begin(), [](T v) { return v < T(1); });
    });
    return result;
  }

  DType type_;
  Batch batch_;
  NamedTensors inputs_;
  std::vector<Tensor> wanted_;
};

}  // namespace sinter::conformance
