// The lecture's practice: two layers by hand, their gradient, and gradient descent in one compiled step.
#include <cstdio>

#include <sinter/sinter.h>

using namespace sinter;

int main() {
  Variable x("x", f32, {"batch", 784}), y("y", f32, {"batch", 10});
  Parameter w1("w1", uniform({784, 512}, 1, 0.06)), w2("w2", uniform({512, 10}, 2, 0.06));  // own their values
  auto loss = mse(matmul(relu(matmul(x, w1)), w2), y);
  auto train = compile(loss, sgd(loss, {w1, w2}, {.rate = 1e-2}));  // the update is graph too
  auto evaluate = compile(loss);

  // One compile serves every batch size.
  double first = evaluate({{"x", uniform({64, 784}, 3)}, {"y", uniform({64, 10}, 4)}}).item(), last = first;
  for (int step = 0; step < 50; ++step) last = train({{"x", uniform({64, 784}, 3)}, {"y", uniform({64, 10}, 4)}}).item();
  std::printf("loss %.4f at first, %.4f after 50 steps\n", first, last);
  std::printf("loss of another batch size: %.4f\n", evaluate({{"x", uniform({7, 784}, 5)}, {"y", uniform({7, 10}, 6)}}).item());

  // Gradients are expressions: printed, compiled, differentiated again.
  auto g = gradients(loss, {w1, w2});
  auto penalty = sum(g[1] * g[1]);
  auto second = compile(gradients(penalty, {w2})[0]);
  std::printf("the gradient of a gradient's norm has %lld elements\n", static_cast<long long>(second({{"x", uniform({7, 784}, 5)}, {"y", uniform({7, 10}, 6)}}).size()));
  return last < first ? 0 : 1;
}
