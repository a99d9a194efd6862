// Errors of files, of what is printed, and of calls that the system fails name the user's file and line.
#include "graph/safetensors.h"
#include "graph/text.h"
#include "runtime/data/idx.h"
#include "runtime/data/npy.h"
#include "tests/errors/expected.h"
#include "tests/runtime/temporary_folder.h"

using namespace sinter;

namespace {

// That `f`, which is written on the caller's line, raises an E which names that line.
template <class E, class F>
void names_line(F f, const std::string& text, Here here = Here::current()) {
  try {
    f();
  } catch (const E& error) {
    CHECK(error.where() == Location(here));
    CHECK(error.message().find(text) != std::string::npos);
    CHECK(std::string(error.what()) == to_string(error.where()) + ": " + error.message());
    return;
  }
  FAIL("nothing of that kind was raised");
}

}  // namespace

TEST_CASE("errors of files name the line of the call") {
  TemporaryFolder folder;
  const std::string none = folder.file("none"), text = folder.file("text");
  folder.write("text", "neither this nor that, but longer than any header");
  names_line<SystemError>([&] { read_npy(none); }, none);
  names_line<UserError>([&] { read_npy(text); }, text);
  names_line<SystemError>([&] { write_npy(folder.file("no/where"), ones({1})); }, "no/where");
  names_line<UserError>([&] { write_npy(none, Tensor()); }, "undefined");
  names_line<SystemError>([&] { read_idx(none); }, none);
  names_line<UserError>([&] { read_idx(text); }, text);
  names_line<SystemError>([&] { read_graph(none); }, none);
  names_line<SystemError>([&] { SafetensorsFile file(none); }, none);
  names_line<UserError>([&] { SafetensorsFile file(text); }, text);
  names_line<SystemError>([&] { write_safetensors(folder.file("no/where"), {}); }, "no/where");
  names_line<UserError>([&] { write_safetensors(none, {{"a", Tensor()}}); }, "'a' is undefined");
  write_safetensors(text, {{"a", ones({1})}, {"b", ones({1})}});
  names_line<UserError>([&] { SafetensorsFile(text).read("c"); }, "holds no tensor 'c'; it holds 'a', 'b'");
  names_line<UserError>([&] { SafetensorsFile(text).type("c"); }, "holds no tensor 'c'");
}

TEST_CASE("a graph's file that is wrong names its own line, and so does what it refers to") {
  TemporaryFolder folder;
  folder.write("a.graph", "sinter 1\n%x = variable : f32[2]\n%y = exp %z : f32[2]\nreturn %y\n");
  CHECK(raised([&] { read_graph(folder.file("a.graph")); }).where == Location(folder.file("a.graph"), 3));
  folder.write("b.graph", "sinter 1\n%c = constant @none.safetensors:c : f32[2]\nreturn %c\n");
  CHECK_THAT(message_of([&] { read_graph(folder.file("b.graph")); }), !Catch::Contains("files.cpp"));
}

TEST_CASE("what is printed or written of nothing names its line") {
  TemporaryFolder folder;
  names_line<UserError>([&] { print_tensor(Tensor()); }, "empty Tensor");
  GraphScope scope;
  Program program = program_of({Variable("x", f32, {2}) + 1});
  names_line<SystemError>([&] { write_graph(program, folder.file("no/where")); }, "no/where");
}

TEST_CASE("a bound call names its line where it is refused") {
  GraphScope scope;
  Parameter w("w", ones({2}));
  BoundFunction call = compile(w * 2).bind({});
  w.storage()->torn = true;
  names_line<UserError>([&] { call(); }, "'w' was left half-updated");
  w.set(ones({2}));
  call();
}
