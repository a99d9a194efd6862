// Executables written by hand, as codegen would make them.
#pragma once
#include <algorithm>
#include <atomic>

#include "runtime/arena.h"
#include "runtime/arena_layout.h"
#include "runtime/executor.h"

namespace sinter::by_hand {

constexpr int64_t grain = 16;

// What a buffer takes of the arena.
constexpr int64_t placed(int64_t bytes) { return (bytes + red_zone + arena_alignment - 1) / arena_alignment * arena_alignment; }

inline Buffer buffer(Storage storage, uint32_t index, Type type) {
  Buffer b;
  b.storage = storage;
  b.index = index;
  b.type = std::move(type);
  b.name = "buffer";
  return b;
}
inline Buffer arena(Type type, uint32_t first, uint32_t last) {
  Buffer b = buffer(Storage::arena, 0, std::move(type));
  b.first = first, b.last = last;
  return b;
}
// A step over "n" elements in chunks of `grain`, whose kernel is given n.
inline Step step(uint32_t kernel, std::vector<uint32_t> buffers) {
  Step s;
  s.name = "loop";
  s.buffers = std::move(buffers);
  s.sizes = {Dim("n")};
  s.chunks = ceil_divide(Dim("n"), grain);
  s.kernel = kernel;
  return s;
}

template <class F>
void each(const int64_t* sizes, int64_t chunk, F f) {
  for (int64_t i = chunk * grain; i < std::min(sizes[0], (chunk + 1) * grain); ++i) f(i);
}
inline float* floats(void* p) { return static_cast<float*>(p); }

// b = 2a
inline void twice(void* const* arguments, const int64_t* sizes, int64_t chunk, int64_t) {
  each(sizes, chunk, [&](int64_t i) { floats(arguments[1])[i] = 2 * floats(arguments[0])[i]; });
}
// c = a + b
inline void add(void* const* arguments, const int64_t* sizes, int64_t chunk, int64_t) {
  each(sizes, chunk, [&](int64_t i) { floats(arguments[2])[i] = floats(arguments[0])[i] + floats(arguments[1])[i]; });
}

// Runs steps one after another, each with so many arguments and sizes.
struct Call {
  KernelFunction kernel;
  size_t arguments, sizes;
};
template <size_t count>
int32_t run_all(CallFrame* frame, const Call (&calls)[count]) {
  void* const* arguments = frame->arguments;
  const int64_t* sizes = frame->sizes;
  for (size_t i = 0; i < count; ++i) {
    if (int32_t stopped = frame->parallel(frame, calls[i].kernel, arguments, sizes, frame->chunks[i])) return stopped;
    arguments += calls[i].arguments, sizes += calls[i].sizes;
  }
  return 0;
}

// out = 2x + y, with 2x in the arena.
inline std::shared_ptr<Executable> two_steps(unsigned threads) {
  auto e = std::make_shared<Executable>();
  Type vector = Type::of(f32, {"n"});
  e->inputs = {{"x", vector}, {"y", vector}};
  e->outputs = {vector};
  e->buffers = {buffer(Storage::input, 0, vector), buffer(Storage::input, 1, vector), arena(vector, 0, 1), buffer(Storage::output, 0, vector)};
  e->steps = {step(0, {0, 2}), step(1, {2, 1, 3})};
  e->kernels = {twice, add};
  e->run = [](CallFrame* frame) {
    static constexpr Call calls[] = {{twice, 2, 1}, {add, 3, 1}};
    return run_all(frame, calls);
  };
  e->threads = threads;
  return e;
}

// p = p + x for a parameter of 100 elements; returns nothing. `run` may be replaced.
template <KernelFunction adding = add>
std::shared_ptr<Executable> update(const std::shared_ptr<ParameterStorage>& p, unsigned threads) {
  auto e = std::make_shared<Executable>();
  Type vector = Type::of(f32, {100});
  e->inputs = {{"x", vector}};
  e->parameters = {p};
  e->updated = {true};
  e->buffers = {buffer(Storage::input, 0, vector), buffer(Storage::parameter, 0, vector)};
  Step s = step(0, {1, 0, 1});
  s.sizes = {Dim(100)};
  s.chunks = ceil_divide(Dim(100), grain);
  e->steps = {s};
  e->kernels = {adding};
  e->run = [](CallFrame* frame) {
    static constexpr Call calls[] = {{adding, 3, 1}};
    return run_all(frame, calls);
  };
  e->threads = threads;
  return e;
}

// b = a
inline void copy(void* const* arguments, const int64_t* sizes, int64_t chunk, int64_t) {
  each(sizes, chunk, [&](int64_t i) { floats(arguments[1])[i] = floats(arguments[0])[i]; });
}

// p = p + x for the same parameter, through the arena: a copy into p comes last.
template <KernelFunction adding = add, KernelFunction copying = copy>
std::shared_ptr<Executable> transaction(const std::shared_ptr<ParameterStorage>& p, unsigned threads) {
  auto e = update(p, threads);
  e->transactional = true;
  e->buffers.push_back(arena(Type::of(f32, {100}), 0, 1));
  e->steps[0].buffers = {1, 0, 2};
  Step copies = e->steps[0];
  copies.buffers = {2, 1};
  copies.kernel = 1;
  copies.commits = true;
  e->steps.push_back(copies);
  e->kernels = {adding, copying};
  e->run = [](CallFrame* frame) {
    if (int32_t stopped = frame->parallel(frame, adding, frame->arguments, frame->sizes, frame->chunks[0])) return stopped;
    frame->committing = 1;
    return frame->parallel(frame, copying, frame->arguments + 3, frame->sizes + 1, frame->chunks[1]);
  };
  return e;
}

// out = 2p for the same parameter.
inline std::shared_ptr<Executable> evaluation(const std::shared_ptr<ParameterStorage>& p, unsigned threads) {
  auto e = std::make_shared<Executable>();
  Type vector = Type::of(f32, {100});
  e->parameters = {p};
  e->updated = {false};
  e->outputs = {vector};
  e->buffers = {buffer(Storage::parameter, 0, vector), buffer(Storage::output, 0, vector)};
  Step s = step(0, {0, 1});
  s.sizes = {Dim(100)};
  s.chunks = ceil_divide(Dim(100), grain);
  e->steps = {s};
  e->kernels = {twice};
  e->run = [](CallFrame* frame) {
    static constexpr Call calls[] = {{twice, 2, 1}};
    return run_all(frame, calls);
  };
  e->threads = threads;
  return e;
}

inline bool all_equal(const Tensor& t, float value) {
  auto d = t.data<float>();
  return std::all_of(d.begin(), d.end(), [&](float v) { return v == value; });
}

}  // namespace sinter::by_hand
