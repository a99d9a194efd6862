// An operation of one's own: a function in C, with the rules that say what it gives and how it is differentiated, inside a compiled step.
#include <cmath>
#include <cstdio>

#include <sinter/sinter.h>

using namespace sinter;

// A servo that turns no further than a limit: limit * tanh(x / limit) of each element, the limit being the one element of operand 1.
extern "C" int32_t servo(const sinter_custom_call* call) {
  const float* x = static_cast<const float*>(call->operands[0].data);
  const float limit = *static_cast<const float*>(call->operands[1].data);
  float* y = static_cast<float*>(call->result.data);
  if (!(limit > 0)) return 1;  // fails the call
  int64_t count = 1;
  for (int32_t axis = 0; axis < call->result.rank; ++axis) count *= call->result.sizes[axis];
  for (int64_t i = 0; i < count; ++i) y[i] = limit * std::tanh(x[i] / limit);
  return 0;
}

int main() {
  const CustomOperation servo_operation({
      .name = "servo",
      .type =
          [](std::span<const Type> operands) {
            if (operands.size() != 2 || operands[0].dtype != f32 || operands[1] != Type::of(f32, {})) throw UserError("takes f32, and a limit, which is f32[]");
            return operands[0];
          },
      // In expressions, as any other: so it is compiled with all the rest.
      .gradient =
          [](const GradientRule& r) {
            const Expr limit = r.inputs[1], turned = r.output / limit;
            return r.each([&] { return r.adjoint * (1 - turned * turned); },
                          [&] { return sum(r.adjoint * (turned - r.inputs[0] / limit * (1 - turned * turned))); });
          },
      .in_place_of = 0,  // each element is read before it is written
      .function = servo,
  });

  Variable x("x", f32, {"batch", 3}), wanted("wanted", f32, {"batch", 2});
  Parameter w("w", uniform({3, 2}, 1, 0.5)), limit("limit", Tensor::scalar(0.5f));
  auto angle = custom_call(servo_operation, {matmul(x, w), limit});
  auto loss = mse(angle, wanted);
  auto step = compile(loss, sgd(loss, {w, limit}, {.rate = 0.3}));

  Tensor inputs = uniform({64, 3}, 2), targets(f32, {64, 2});
  for (size_t i = 0; i < 64; ++i)
    for (size_t k = 0; k < 2; ++k) targets.data<float>()[i * 2 + k] = 0.8f * std::tanh(inputs.data<float>()[i * 3 + k] / 0.8f);
  float first = 0, last = 0;
  for (int i = 0; i < 300; ++i) {
    last = static_cast<float>(step({{"x", inputs}, {"wanted", targets}}).item());
    if (i == 0) first = last;
  }
  std::printf("%s", print(angle).c_str());
  std::printf("loss %.5f, and after 300 steps %.5f, with a limit of %.3f\n", first, last, limit.read().item());

  // A call that fails says what failed, and where it was written.
  limit.set(Tensor::scalar(-1.f));
  try {
    compile(angle)({{"x", inputs}});
    return 1;
  } catch (const UserError& error) {
    std::printf("%s\n", error.what());
  }
  return last < first / 50 ? 0 : 1;
}
