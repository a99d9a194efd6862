// Calls given what does not fit, in every way that one can be wrong, by all that calls: refused by name, with nothing changed.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <numeric>

#include "sinter.h"
#include "tests/raises.h"

using namespace sinter;

namespace {

// A function of inputs of every type, and of parameters that it updates.
struct Subject {
  GraphScope scope;
  Parameter w{"w", uniform({3, 4}, 1)}, count{"count", zeros({})};
  std::vector<Variable> variables;
  NamedTensors right;
  Function f;

  Subject() {
    Expr total = sum(w);
    for (DType type : all_dtypes) {
      std::string name = "in_" + std::string(sinter::name(type));
      variables.emplace_back(name, type, Shape{"n", 4, Dim("k") + 1});
      total = total + sum(convert(variables.back(), f32));
      right[name] = full({2, 4, 3}, 1, type);
    }
    variables.emplace_back("k", f32, Shape{"k"});
    total = total + sum(variables.back());
    right["k"] = ones({2});
    f = compile({total, count}, {{w, w * 0.5}, {count, count + 1}});
  }

  // Refused whoever calls, with a message that has all of `parts`, and with nothing changed.
  void refuses(const NamedTensors& inputs, const std::vector<std::string>& parts) const {
    Tensor w_before = w.read();
    double count_before = count.read().item();
    const std::function<void()> ways[] = {[&] { f.all(inputs); }, [&] { f.bind(inputs); }, [&] { f.profile(inputs); }};
    for (const auto& way : ways) {
      Raised error = raised(way);
      INFO(error.message);
      for (const std::string& part : parts) REQUIRE(error.message.find(part) != std::string::npos);
      REQUIRE(error.where.known());
    }
    REQUIRE(same_bits(w.read(), w_before));
    REQUIRE(count.read().item() == count_before);
  }
  void takes(const NamedTensors& inputs) const {
    double before = count.read().item();
    f.all(inputs);
    f.bind(inputs)();
    REQUIRE(count.read().item() == before + 2);
  }
};

}  // namespace

TEST_CASE("every input left out, misnamed, of every wrong type, rank and size", "[calls]") {
  Subject s;
  for (const auto& [input, tensor] : s.right) {
    const std::string quoted = "'" + input + "'";
    CAPTURE(input);
    auto with = [&, &name = input](const Tensor& t) {
      NamedTensors inputs = s.right;
      inputs[name] = t;
      return inputs;
    };
    NamedTensors without = s.right;
    without.erase(input);
    s.refuses(without, {quoted, "missing"});
    s.refuses(with(Tensor()), {quoted, "empty"});
    for (const std::string& other : {input + " ", input + "\n", std::string("IN"), std::string(), input + std::string(1, '\0'), std::string("w")}) {
      NamedTensors misnamed = without;
      misnamed[other] = tensor;
      s.refuses(misnamed, {"no input"});
      misnamed[input] = tensor;
      s.refuses(misnamed, {"no input"});
    }
    for (DType type : all_dtypes)
      if (type != tensor.dtype()) s.refuses(with(full(tensor.sizes(), 1, type)), {quoted, std::string(name(tensor.dtype())), std::string(name(type))});
    std::vector<std::vector<int64_t>> shapes;
    for (size_t axis = 0; axis < tensor.sizes().size(); ++axis) {
      for (int64_t change : {-1, 1, 1000}) {
        shapes.push_back(tensor.sizes());
        shapes.back()[axis] += change;
      }
      shapes.push_back(tensor.sizes());
      shapes.back()[axis] = 0;
      shapes.push_back(tensor.sizes());
      shapes.back().erase(shapes.back().begin() + static_cast<std::ptrdiff_t>(axis));
      shapes.push_back(tensor.sizes());
      shapes.back().insert(shapes.back().begin() + static_cast<std::ptrdiff_t>(axis), 1);
    }
    shapes.emplace_back(65, 1);
    shapes.emplace_back();
    for (const auto& sizes : shapes)
      if (sizes != tensor.sizes()) s.refuses(with(full(sizes, 1, tensor.dtype())), {"the input '"});  // this one, or one that it no longer fits
    s.takes(s.right);
  }
  NamedTensors other = s.right;  // other sizes that do fit together
  for (auto& [input, tensor] : other) tensor = full(input == "k" ? std::vector<int64_t>{4} : std::vector<int64_t>{7, 4, 5}, 1, tensor.dtype());
  s.takes(other);
}

TEST_CASE("output buffers at every distance from inputs, parameters and each other", "[calls]") {
  GraphScope scope;
  const int64_t n = 5;
  Variable x("x", f32, {n}), y("y", f32, {n});
  Parameter w("w", zeros({n}));
  Function f = compile({x + y, x * y + w});
  std::vector<float> memory(40);
  auto part = [&](int64_t from) { return Tensor::borrow(memory.data() + from, f32, {n}); };
  auto meet = [&](int64_t a, int64_t b) { return std::abs(a - b) < n; };
  int refused = 0, taken = 0, by_parameter = 0;
  for (int64_t x_at : {12, 20})
    for (int64_t y_at : {12, 18})
      for (int64_t w_at : {0, 15, 35})
        for (int64_t first = 0; first <= 35; ++first)
          for (int64_t second : {0, 6, 11, 17, 25, 30}) {
            std::iota(memory.begin(), memory.end(), 1.0f);
            std::vector<float> before = memory;
            w.storage()->value = part(w_at);
            NamedTensors inputs = {{"x", part(x_at)}, {"y", part(y_at)}};
            bool overlaps = meet(first, x_at) || meet(first, y_at) || meet(second, x_at) || meet(second, y_at) || meet(first, second);
            bool overlaps_parameter = meet(first, w_at) || meet(second, w_at);
            bool is_refused = false;
            try {
              f.bind(inputs, {part(first), part(second)})();
            } catch (const UserError& error) {
              is_refused = true;
              REQUIRE(error.message().find("shares memory") != std::string::npos);
            }
            CAPTURE(x_at, y_at, w_at, first, second);
            REQUIRE(is_refused == (overlaps || overlaps_parameter));
            ++(is_refused ? refused : taken);
            by_parameter += overlaps_parameter && !overlaps;
            for (int64_t i = 0; !is_refused && i < n; ++i) {
              auto at = [&](int64_t place) { return before[static_cast<size_t>(place + i)]; };
              before[static_cast<size_t>(first + i)] = at(x_at) + at(y_at);
              before[static_cast<size_t>(second + i)] = at(x_at) * at(y_at) + at(w_at);
            }
            REQUIRE(memory == before);  // what was not asked for was not written
          }
  CHECK(refused > 100);
  CHECK(taken > 100);
  CHECK(by_parameter > 100);
  w.storage()->value = zeros({n});  // the other goes before it does
}

TEST_CASE("empty buffers share memory with nothing, wherever they point", "[calls]") {
  GraphScope scope;
  Variable x("x", f32, {"n"});
  Parameter w("w", ones({4}));
  Function f = compile(x + 1, {{w, w + 1}});
  float* inside = w.storage()->value.data<float>().data() + 2;
  f.bind({{"x", Tensor::borrow(inside, f32, {0})}}, {Tensor::borrow(inside, f32, {0})})();
  f.bind({{"x", Tensor::borrow(nullptr, f32, {0})}}, {Tensor::borrow(nullptr, f32, {0})})();
  CHECK(w.read().data<float>()[2] == 3);
}

TEST_CASE("parameters set to what does not fit stay as they are", "[calls]") {
  GraphScope scope;
  Parameter w("w", uniform({2, 3}, 1));
  Tensor before = w.read();
  for (const Tensor& wrong : {Tensor(), ones({3, 2}), ones({6}), ones({2, 3}, f64), ones({2, 3, 1}), zeros({0, 3}), ones({})}) {
    CHECK(raised([&] { w.set(wrong); }).message.starts_with("the parameter 'w' is f32[2, 3]; it cannot be set to "));
    CHECK(same_bits(w.read(), before));
  }
}

TEST_CASE("values of too many axes are refused where they are made", "[calls]") {
  GraphScope scope;
  for (size_t axes : {size_t{65}, size_t{20'000}}) {
    std::vector<int64_t> sizes(axes, 1);
    const std::string message = "a value has at most 64 axes, not " + std::to_string(axes);
    auto says = [&](auto f) {
      Raised error = raised(f);
      CHECK(error.message.find(message) != std::string::npos);
      CHECK(error.where.file.ends_with("calls.cpp"));
    };
    Shape shape(sizes.begin(), sizes.end());
    says([&] { Variable("x" + std::to_string(axes), f32, shape); });
    says([&] { Parameter("p" + std::to_string(axes), ones(sizes)); });
    says([&] { Constant{ones(sizes)}; });
    Variable x("y" + std::to_string(axes), f32, {1});
    says([&] { reshape(x, shape); });
    says([&] { broadcast_to(x, shape); });
    CHECK(reshape(x, Shape(64, Dim(1))).shape().size() == 64);
    Variable untyped("u" + std::to_string(axes));
    Function f = compile(untyped + 1);
    says([&] { f({{"u" + std::to_string(axes), ones(sizes)}}); });
  }
}
