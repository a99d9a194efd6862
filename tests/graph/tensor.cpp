// Tensors from values.
#include "graph/tensor.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>

#include "graph/expr.h"
#include "graph/text.h"
#include "tests/raises.h"

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

TEST_CASE("a value that an integer type does not hold is refused", "[tensor]") {
  CHECK(raised([] { full({2}, 300, u8); }).message == "u8 does not hold 300");
  CHECK(raised([] { full({2}, -1, u32); }).message.find("-1") != std::string::npos);
  CHECK(raised([] { full({}, NAN, i32); }).message.find("nan") != std::string::npos);
  CHECK(raised([] { full({}, 0x1p63, i64); }).message.find("i64") != std::string::npos);
  CHECK(full({}, -0x1p63, i64).data<int64_t>()[0] == INT64_MIN);
  CHECK(full({}, 255, u8).item() == 255);
  CHECK(full({}, 2.5, i32).item() == 2);
  CHECK(full({}, 7, boolean).item() == 1);
}

TEST_CASE("decimal text reads back to the same float", "[tensor]") {
  for (float v : {0.1f, 1e-45f, 3.4028235e38f, -0.0f, 1.0f / 3}) CHECK(std::strtof(print_tensor(Tensor::scalar(v), false).c_str(), nullptr) == v);
}

TEST_CASE("large tensors are aligned, zero, and as long as they say", "[tensor]") {
  for (int64_t size : {1, 1 << 19, (1 << 20) + 3}) {
    Tensor t(f32, {size});
    CHECK(reinterpret_cast<uintptr_t>(t.raw()) % (t.bytes() < 2 << 20 ? 64 : 2 << 20) == 0);  // for huge pages
    std::span<float> values = t.data<float>();
    CHECK(std::all_of(values.begin(), values.end(), [](float v) { return v == 0; }));
    values.back() = 1;
    CHECK(t.clone().data<float>().back() == 1);
  }
}

TEST_CASE("a parameter shares its elements with no tensor, and takes over what nobody else has", "[tensor]") {
  GraphScope scope;
  Tensor given = ones({2}), shared = ones({2}), other = shared;
  float buffer[2] = {1, 1};
  const void* moved_from = given.raw();
  Parameter copy("copy", given), of_shared("of_shared", std::move(shared)), of_buffer("of_buffer", Tensor::borrow(buffer, f32, {2})), taken("taken", std::move(given));
  for (float* elements : {taken.storage()->value.data<float>().data(), other.data<float>().data(), buffer}) elements[0] = 2;
  CHECK(taken.storage()->value.raw() == moved_from);
  for (const Parameter& p : {copy, of_shared, of_buffer}) CHECK(p.read().data<float>()[0] == 1);
}

}  // namespace sinter
