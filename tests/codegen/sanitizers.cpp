// What the sanitizers report of compiled code, in a build that has one. Each program that goes wrong is a section of a hidden case, which a
// process of its own runs.
#include <catch2/catch.hpp>

#include <cstdio>
#include <filesystem>

#include "graph/support/sanitizers.h"
#include "runtime/executor.h"
#include "tests/codegen/run_kernel.h"

namespace sinter {
namespace {

// to[row * to_row + column * stride + to_offset] = from[row * from_row + column * stride + from_offset], of 2 rows, one a chunk, of `columns` floats.
struct Copy {
  int64_t columns = 64;
  int64_t from_offset = 0, to_offset = 0, stride = 1;
  int64_t from_row = 64, to_row = 64;
};
Kernel kernel_of(const Copy& copy) {
  ScalarBuilder builder;
  Scalar outputs[] = {builder.input(0, f32)};
  LoopKernel loop;
  loop.extents = {2, copy.columns};
  loop.body.inputs = {LoadInput{0, {copy.from_offset, {copy.from_row, copy.stride}}, {}}};
  loop.body.expr = builder.finish(outputs);
  loop.body.stores = {{1, {copy.to_offset, {copy.to_row, copy.stride}}, 0}};
  return {"copy", {{f32, false}, {f32, true}}, {}, 1, loop};
}

// Both chunks after another, from and to the heap, which ends where the arrays end.
void run_in_turn(const Copy& copy) {
  std::vector<float> from(64 + static_cast<size_t>(copy.columns)), to(from.size());
  CompiledKernel(kernel_of(copy)).run({from.data(), to.data()});
}

// Both chunks in one array, on threads that never wait for each other.
void run_at_once(const Copy& copy) {
  Compiled compiled = jit_compile({kernel_of(copy)}, {}, host_target(), 1);
  std::vector<float> array(512);
  void* arguments[] = {array.data(), array.data()};
  auto chunk = [&](int64_t number) { compiled.kernels[0](arguments, nullptr, number, number); };
  std::thread other(chunk, 1);
  chunk(0);
  other.join();
}

// x -> t -> u -> output, t and u in the arena, by copies of which the first is this one.
Executor chain(const Copy& first) {
  Compiled compiled = jit_compile({kernel_of(first), kernel_of({})}, {{0, 0, 0, 2, true}, {1, 2, 0, 2, true}, {1, 4, 0, 2, true}}, host_target(), 1);
  auto e = std::make_shared<Executable>();
  Type vector = Type::of(f32, {128});
  e->inputs = {{"x", vector}};
  e->outputs = {vector};
  e->buffers = {{Storage::input, 0, vector, false, 0, 0, "x"}, {Storage::arena, 0, vector, false, 0, 1, "t"},
                {Storage::arena, 0, vector, false, 1, 2, "u"}, {Storage::output, 0, vector, false, 0, 0, "output"}};
  for (uint32_t i = 0; i < 3; ++i) {
    Step step;
    step.buffers = {i, i + 1};
    step.chunks = 2;
    step.kernel = i > 0;
    e->steps.push_back(step);
  }
  e->run = compiled.run;
  e->kernels = compiled.kernels;
  e->code = compiled.code;
  e->threads = 2;
  return Executor(e);
}
void call(const Copy& first) { chain(first).call({{"x", ones({128})}}); }
void call_bound(const Copy& first) { chain(first).bind({{"x", ones({128})}})(); }

// Whether a process that runs that section alone ends well, and what it prints.
struct Outcome {
  bool well = false;
  std::string text;
};
Outcome outcome_of(const std::string& section) {
  std::string command = "'" + std::filesystem::read_symlink("/proc/self/exe").string() + "' 'compiled code that may go wrong' -c '" + section + "' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  REQUIRE(pipe);
  Outcome outcome;
  char part[4096];
  while (size_t read = std::fread(part, 1, sizeof part, pipe)) outcome.text.append(part, read);
  outcome.well = pclose(pipe) == 0;
  return outcome;
}
void check_reported(const std::string& section, std::initializer_list<const char*> reports) {
  Outcome outcome = outcome_of(section);
  INFO(section << ":\n" << outcome.text);
  CHECK(!outcome.well);
  for (const char* report : reports) CHECK(outcome.text.find(report) != std::string::npos);
}
void check_well(const std::string& section) {
  Outcome outcome = outcome_of(section);
  INFO(section << ":\n" << outcome.text);
  CHECK(outcome.well);
  CHECK(outcome.text.find("1 assertion in") != std::string::npos);  // the section was there
}

}  // namespace

TEST_CASE("compiled code that may go wrong", "[.wrong]") {
  SECTION("right in turn") { run_in_turn({}); }
  SECTION("right at once") { run_at_once({.to_offset = 128}); }
  SECTION("right call") { call({}); }
  SECTION("right bound call") { call_bound({}); }
  SECTION("a vector is read past the end") { run_in_turn({.from_offset = 1}); }
  SECTION("a vector is stored past the end") { run_in_turn({.to_offset = 1}); }
  SECTION("a vector is stored before the beginning") { run_in_turn({.to_offset = -1}); }
  SECTION("the rest of a row is read past the end") { run_in_turn({.columns = 5, .from_offset = 1}); }
  SECTION("the rest of a row is stored past the end") { run_in_turn({.columns = 5, .to_offset = 1}); }
  SECTION("a call stores into a gap of the arena") { call({.to_offset = 1}); }
  SECTION("a bound call stores into a gap of the arena") { call_bound({.to_offset = 1}); }
  SECTION("a call stores into a buffer of another step") { call({.to_offset = 144}); }
  SECTION("two chunks store the same vectors") { run_at_once({.to_row = 0}); }
  SECTION("two chunks store the same rest of a row") { run_at_once({.columns = 5, .to_offset = 128, .to_row = 0}); }
  SECTION("two chunks store the same elements, strided") { run_at_once({.columns = 21, .to_offset = 128, .stride = 2, .to_row = 0}); }
  SECTION("a chunk reads the vectors that another stores") { run_at_once({.from_offset = 64}); }
  SECTION("a chunk reads the rest of a row that another stores") { run_at_once({.columns = 5, .from_offset = 64}); }
  SUCCEED();
}

TEST_CASE("the address sanitizer reports what compiled code touches beside its buffers") {
  if (!address_sanitized) {
    WARN("not here: it takes the address sanitizer");
    return;
  }
  for (const char* section : {"right in turn", "right call", "right bound call"}) check_well(section);
  for (const char* section : {"a vector is read past the end", "the rest of a row is read past the end"})
    check_reported(section, {"AddressSanitizer: heap-buffer-overflow", "READ of size"});
  for (const char* section : {"a vector is stored past the end", "a vector is stored before the beginning", "the rest of a row is stored past the end"})
    check_reported(section, {"AddressSanitizer: heap-buffer-overflow", "WRITE of size"});
  for (const char* section : {"a call stores into a gap of the arena", "a bound call stores into a gap of the arena", "a call stores into a buffer of another step"})
    check_reported(section, {"AddressSanitizer: use-after-poison", "WRITE of size"});
}

TEST_CASE("the thread sanitizer reports what two chunks of compiled code do to one element") {
  if (!thread_sanitized) {
    WARN("not here: it takes the thread sanitizer");
    return;
  }
  for (const char* section : {"right at once", "right call", "right bound call"}) check_well(section);
  for (const char* section : {"two chunks store the same vectors", "two chunks store the same rest of a row", "two chunks store the same elements, strided",
                              "a chunk reads the vectors that another stores", "a chunk reads the rest of a row that another stores"})
    check_reported(section, {"ThreadSanitizer: data race"});
}

}  // namespace sinter
