// Uses all of sinter through its umbrella header.
#include <sinter/sinter.h>

#include <cstdio>

using namespace sinter;

int main() {
  Variable A("A"), B("B");
  auto C = B * A;
  auto D = C + Constant(1);
  auto f = compile(D);
  Tensor d = f({{"A", ones({10})}, {"B", full({10}, 2)}});
  for (float element : d.data<float>()) {
    if (element != 3) return std::printf("expected 3, got %g\n", static_cast<double>(element)), 1;
  }
  std::puts("2 * 1 + 1 = 3");
}
