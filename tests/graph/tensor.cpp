// Tensors from values.
#include "graph/tensor.h"

#include <catch2/catch.hpp>
#include <cstdlib>

#include "graph/text.h"

namespace sinter {

TEST_CASE("tensors are made of lists", "[tensor]") {
  auto text = [](const Tensor& t) { return print_tensor(t, false); };
  CHECK(text(Tensor::of<float>({1, 2.5f, 3})) == "[1, 2.5, 3] : f32[3]");
  CHECK(text(Tensor::of<int32_t>({{1, 2, 3}, {4, 5, 6}})) == "[1, 2, 3, 4, 5, 6] : i32[2, 3]");
  CHECK(text(Tensor::of<double>({1, 2, 3, 4}, {2, 2})) == "[1, 2, 3, 4] : f64[2, 2]");
  CHECK(text(Tensor::of<float>(std::vector<float>{1, 2}, {2, 1})) == "[1, 2] : f32[2, 1]");
  CHECK(text(Tensor::of<bool>({true, false})) == "[true, false] : bool[2]");
  CHECK(text(Tensor::of<float>({{1, 2}})) == "[1, 2] : f32[1, 2]");
}

TEST_CASE("decimal text reads back to the same float", "[tensor]") {
  for (float v : {0.1f, 1e-45f, 3.4028235e38f, -0.0f, 1.0f / 3}) CHECK(std::strtof(print_tensor(Tensor::scalar(v), false).c_str(), nullptr) == v);
}

}  // namespace sinter
