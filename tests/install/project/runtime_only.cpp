// Uses what runs a compiled function, and nothing that compiles one.
#include <sinter/graph/tensor.h>

#include <cstdio>
#include <vector>

int main() {
  const std::vector<float> values = {1, 2, 3};
  const sinter::Tensor tensor = sinter::Tensor::of<float>(values, {3}).clone();
  float sum = 0;
  for (float element : tensor.data<float>()) sum += element;
  std::printf("1 + 2 + 3 = %g\n", static_cast<double>(sum));
  return sum == 6 ? 0 : 1;
}
