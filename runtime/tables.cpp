#include "runtime/tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

#include "runtime/arena_layout.h"

namespace sinter {
namespace {

int64_t bytes_of(const Type& type, const Bindings& bindings) {
  return checked_multiply(element_count(evaluate(type.shape, bindings)), static_cast<int64_t>(size_of(type.dtype)));
}

// UserError where a value of the program has a negative size, or more bytes than 64 bits count.
void check_sizes(const SizedValue& value, const Bindings& bindings) {
  try {
    bytes_of(value.type, bindings);
  } catch (const UserError& error) {
    std::string bound;
    for (const auto& [symbol, number] : bindings) bound += fmt::format("{}{} = {}", bound.empty() ? " where " : ", ", symbol, number);
    throw UserError(fmt::format("{} gives {}{}: {}", value.name, to_string(value.type), bound, error.message()), value.where);
  }
}

}  // namespace

void check(const Executable& e) {
  ensure(e.run != nullptr, "an executable has its native function");
  ensure(e.updated.size() == e.parameters.size(), "an executable says of each parameter whether it is updated");
  std::set<uint64_t> ids;
  for (const auto& p : e.parameters) ensure(p && p->value.defined() && ids.insert(p->id).second, "an executable names each parameter once");
  for (const Tensor& c : e.constants) ensure(c.defined(), "an executable's constants have values");
  for (const NamedType& input : e.inputs) ensure(input.type.known, "an executable's inputs have types");
  for (const Buffer& b : e.buffers) {
    size_t most = 1;
    switch (b.storage) {
      case Storage::input: most = e.inputs.size(); break;
      case Storage::parameter: most = e.parameters.size(); break;
      case Storage::constant: most = e.constants.size(); break;
      case Storage::output: most = e.outputs.size(); break;
      case Storage::arena: ensure(b.first <= b.last && b.last < std::max<size_t>(e.steps.size(), 1), fmt::format("the buffer '{}' is live at some step", b.name)); break;
    }
    ensure(b.storage == Storage::arena || b.index < most, fmt::format("the buffer '{}' is of something that there is", b.name));
    ensure(b.storage == Storage::arena || !b.per_worker, fmt::format("the buffer '{}', one a worker, is in the arena", b.name));
  }
  for (uint32_t i = 0; i < e.steps.size(); ++i) {
    const Step& s = e.steps[i];
    ensure(s.commits ? e.transactional : i == 0 || !e.steps[i - 1].commits, fmt::format("step {} commits where those after it do, and the executable is transactional", i));
    ensure(s.call || e.kernels.empty() || s.kernel < e.kernels.size(), fmt::format("step {} has a kernel", i));
    if (s.call) {
      size_t sizes = 0;
      ensure(*s.call < e.calls.size() && e.calls[*s.call].operation.can_be_called(), fmt::format("step {} calls a function that there is", i));
      for (const Type& t : e.calls[*s.call].arrays) sizes += t.shape.size();
      ensure(s.buffers.size() == e.calls[*s.call].arrays.size() && !s.buffers.empty() && s.sizes.size() == sizes, fmt::format("step {} has its arrays' buffers and sizes", i));
    }
    for (uint32_t b : s.buffers) {
      ensure(b < e.buffers.size(), fmt::format("step {} uses buffers that there are", i));
      const Buffer& buffer = e.buffers[b];
      ensure(buffer.storage != Storage::arena || (buffer.first <= i && i <= buffer.last), fmt::format("step {} uses the buffer '{}' while it is live", i, buffer.name));
    }
  }
}

Tables make_tables(const Executable& e, const Bindings& bindings, unsigned threads) {
  Tables tables;
  for (const NamedType& input : e.inputs) tables.input_sizes.push_back(evaluate(input.type.shape, bindings));
  for (const SizedValue& value : e.values) check_sizes(value, bindings);
  for (const Type& output : e.outputs) {
    tables.output_sizes.push_back(evaluate(output.shape, bindings));
    bytes_of(output, bindings);
  }
  for (const Step& step : e.steps) {
    for (const Dim& size : step.sizes) tables.sizes.push_back(size.evaluate(bindings));
    const bool stores_nothing = !step.stored.empty() && std::all_of(step.stored.begin(), step.stored.end(), [&](uint32_t b) { return bytes_of(e.buffers[b].type, bindings) == 0; });
    tables.chunks.push_back(stores_nothing ? 0 : step.chunks.evaluate(bindings));
  }
  tables.places.resize(e.buffers.size());
  std::vector<ArenaRequest> requests;
  for (size_t i = 0; i < e.buffers.size(); ++i) {
    const Buffer& b = e.buffers[i];
    if (b.storage != Storage::arena) continue;
    int64_t bytes = checked_multiply(bytes_of(b.type, bindings), b.per_worker ? static_cast<int64_t>(threads) : 1);
    tables.places[i].bytes = bytes;
    requests.push_back({std::min(bytes, std::numeric_limits<int64_t>::max() - red_zone) + red_zone, b.first, b.last});
  }
  ArenaLayout layout = layout_arena(requests);
  tables.arena_bytes = layout.bytes;
  tables.lower_bound = layout.lower_bound;
  size_t next = 0;
  for (size_t b = 0; b < e.buffers.size(); ++b)
    if (e.buffers[b].storage == Storage::arena) tables.places[b].offset = layout.offsets[next++];
  return tables;
}

Arguments arguments_of(const Executable& e) {
  Arguments places;
  for (const Step& step : e.steps)
    for (uint32_t b : step.buffers) {
      const Buffer& buffer = e.buffers[b];
      uint32_t argument = static_cast<uint32_t>(places.count++);
      switch (buffer.storage) {
        case Storage::input: places.inputs.push_back({argument, buffer.index}); break;
        case Storage::parameter: places.parameters.push_back({argument, buffer.index}); break;
        case Storage::constant: places.constants.push_back({argument, buffer.index}); break;
        case Storage::output: places.outputs.push_back({argument, buffer.index}); break;
        case Storage::arena: places.arena.push_back({argument, b}); break;
      }
    }
  return places;
}

}  // namespace sinter
