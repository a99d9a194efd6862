#include "tests/aot/image.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstring>

#include "runtime/tables.h"

namespace sinter::aot {
namespace {

constexpr size_t gap = 64;
constexpr char filler = '\xA5';

struct ImageMemory {
  std::string bytes = std::string(gap, filler);
  // Aligned, with a gap after it.
  size_t add(size_t size, const void* from = nullptr) {
    size_t at = bytes.size();
    bytes.resize((at + size + gap + 63) / 64 * 64, filler);
    if (from) std::memcpy(bytes.data() + at, from, size);
    return at;
  }
  size_t add(const Tensor& t) { return add(t.bytes(), t.raw()); }
};

void append(std::string& to, const std::vector<int64_t>& numbers) { to.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(int64_t)); }

}  // namespace

Image image_of(size_t function, const Executable& e, const NamedTensors& inputs, unsigned workers) {
  const Tables tables = make_tables(e, bind_inputs(e.inputs, inputs), workers);
  Image image;
  ImageMemory memory;
  std::vector<size_t> constants;
  for (const NamedType& input : e.inputs) image.inputs.push_back(memory.add(inputs.at(input.name)));
  for (const auto& parameter : e.parameters) image.parameters.push_back(memory.add(parameter->value));
  for (const Tensor& constant : e.constants) constants.push_back(memory.add(constant));
  for (size_t i = 0; i < e.outputs.size(); ++i)
    image.outputs.push_back(memory.add(static_cast<size_t>(element_count(tables.output_sizes[i])) * size_of(e.outputs[i].dtype)));
  const size_t arena = memory.add(static_cast<size_t>(tables.arena_bytes));
  image.output_sizes = tables.output_sizes;

  const Arguments places = arguments_of(e);
  std::vector<int64_t> arguments(places.count);
  auto put = [&](const std::vector<Arguments::Place>& all, const std::vector<size_t>& where) {
    for (const Arguments::Place& place : all) arguments[place.argument] = static_cast<int64_t>(where[place.index]);
  };
  put(places.inputs, image.inputs), put(places.parameters, image.parameters), put(places.constants, constants), put(places.outputs, image.outputs);
  for (const Arguments::Place& place : places.arena) arguments[place.argument] = static_cast<int64_t>(arena) + tables.places[place.index].offset;

  image.memory = memory.bytes.size();
  append(image.bytes, {static_cast<int64_t>(function), static_cast<int64_t>(image.memory), static_cast<int64_t>(arguments.size()),
                       static_cast<int64_t>(tables.sizes.size()), static_cast<int64_t>(tables.chunks.size())});
  append(image.bytes, arguments), append(image.bytes, tables.sizes), append(image.bytes, tables.chunks);
  image.bytes += memory.bytes;
  return image;
}

Outcome outcome_of(const Image& image, const Executable& e, std::string_view came_back) {
  REQUIRE(came_back.size() == image.memory + sizeof(int64_t));
  Outcome outcome;
  std::memcpy(&outcome.result, came_back.data(), sizeof outcome.result);
  const char* after = came_back.data() + sizeof outcome.result;
  const char* before = image.bytes.data() + image.bytes.size() - image.memory;
  // What may be written: outputs, updated parameters, and the arena, which is the last.
  size_t checked = 0;
  auto unchanged_up_to = [&](size_t end) {
    CHECK(std::memcmp(before + checked, after + checked, end - checked) == 0);
    checked = end;
  };
  auto take = [&](size_t at, DType dtype, const std::vector<int64_t>& sizes, bool written) {
    Tensor tensor(dtype, sizes);
    std::memcpy(tensor.raw(), after + at, tensor.bytes());
    unchanged_up_to(at);
    if (written) checked = at + tensor.bytes();
    return tensor;
  };
  for (size_t i = 0; i < e.parameters.size(); ++i)
    outcome.parameters.push_back(take(image.parameters[i], e.parameters[i]->value.dtype(), e.parameters[i]->value.sizes(), e.updated[i]));
  for (size_t i = 0; i < e.outputs.size(); ++i) outcome.outputs.push_back(take(image.outputs[i], e.outputs[i].dtype, image.output_sizes[i], true));
  unchanged_up_to(checked + gap);
  CHECK(std::all_of(after + image.memory - gap, after + image.memory, [](char c) { return c == filler; }));
  return outcome;
}

}  // namespace sinter::aot
