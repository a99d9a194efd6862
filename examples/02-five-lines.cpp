// The lecture's five lines: no shapes are declared, each call's are taken and what is compiled for them is kept.
#include <cstdio>

#include <sinter/sinter.h>

using namespace sinter;

int main() {
  Variable A("A"), B("B");
  auto C = B * A;
  auto D = C + Constant(1);
  auto f = compile(D);
  Tensor d = f({{"A", ones({10})}, {"B", full({10}, 2)}});
  for (float v : d.data<float>()) {
    std::printf("%g ", static_cast<double>(v));
    if (v != 3) return 1;
  }
  std::printf("\n");
}
