// Floating-point environments that a host, or a custom operation, leaves: no bit of anything changes by them, and nothing traps.
#include <catch2/catch.hpp>
#include <cstring>

#include "graph/text.h"
#include "sinter.h"

#if defined(__x86_64__)
#include <xmmintrin.h>

using namespace sinter;

namespace {

// MXCSR: flush to zero and denormals are zero, upward, and with no exception masked.
constexpr unsigned flushing = 0x9FC0, upward = 0x5F80, trapping = 0x1F80 & ~0x0E80u;

class Control {
 public:
  explicit Control(unsigned word) : before_(_mm_getcsr()) { _mm_setcsr(word); }
  ~Control() { _mm_setcsr(before_); }
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

 private:
  unsigned before_;
};

template <class F>
auto under(unsigned word, F f) {
  Control control(word);
  return f();
}

// All that is computed beside kernels: tensors, literals, folded constants, the interpreter, texts.
std::vector<Tensor> values_beside_kernels(std::string& text) {
  GraphScope scope;
  Variable x("x", f32, {3});
  Tensor small = Tensor::of<float>({0x1p-140f, 3e38f, 0.1f});
  Expr folded = Constant(small) * 0.5f / 7 * 3 + Constant(Tensor::of<float>({0, 1e38f, 1})) * 0.3f;
  Program program = program_of({folded, x / 7 * 0.1 + 1e-40, exp(x), 1.0f / (x - x)});
  text = print(program) + print_tensor(small) + print(parse(print(program), "again.graph"));
  std::vector<Tensor> all = interpret(program, {{"x", small}}).outputs;
  for (const Tensor& t : compile(program).all({{"x", small}})) all.push_back(t);
  all.push_back(full({2}, 0.1));
  all.push_back(uniform({100}, 1, 0.3));
  all.push_back(normal({100}, 2, 0.3));
  return all;
}

}  // namespace

TEST_CASE("what is made beside kernels is the same in every environment", "[environment]") {
  std::string text, other;
  const std::vector<Tensor> wanted = values_beside_kernels(text);
  for (unsigned word : {flushing, upward, trapping}) {
    CAPTURE(word);
    const std::vector<Tensor> got = under(word, [&] { return values_beside_kernels(other); });
    REQUIRE(got.size() == wanted.size());
    for (size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      CHECK(same_bits(got[i], wanted[i]));
    }
    CHECK(other == text);
  }
}

TEST_CASE("what a custom operation leaves changes no kernel after it", "[environment]") {
  unsigned word = 0;
  CustomOperation op({.name = "leaving", .type = [](std::span<const Type> operands) { return operands[0]; }, .function = [&](const sinter_custom_call* call) -> int32_t {
                        std::memcpy(call->result.data, call->operands[0].data, static_cast<size_t>(call->result.sizes[0]) * sizeof(float));
                        if (word) _mm_setcsr(word);
                        return 0;
                      }});
  GraphScope scope;
  Variable x("x", f32, {"n"});
  for (unsigned threads : {1u, 2u}) {
    Function f = compile(sum(custom_call(op, {x}) * 0.1f) + custom_call(op, {x}) * 1e-38f, {}, {.threads = threads});
    const NamedTensors inputs{{"x", uniform({100000}, 1)}};
    word = 0;
    const Tensor wanted = f(inputs);
    const unsigned before = _mm_getcsr();
    for (unsigned left : {flushing, upward}) {
      word = left;
      CHECK(same_bits(f(inputs), wanted));
      CHECK((_mm_getcsr() & 0xFFC0) == (before & 0xFFC0));
    }
  }
}

#endif
