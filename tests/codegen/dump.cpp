// What is left behind where a compile fails by a fault of sinter's own, here a target that nothing checked.
#include <catch2/catch.hpp>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <sys/wait.h>
#include <unistd.h>

#include "codegen/compile.h"
#include "codegen/dump.h"
#include "graph/text.h"
#include "sinter.h"

namespace sinter {
namespace {

namespace fs = std::filesystem;

// A directory that takes the place of /tmp for as long as it lives.
struct TemporaryFiles {
  std::string path = (fs::temp_directory_path() / "sinter-test-dump-XXXXXX").string();
  const char* outer = std::getenv("TMPDIR");
  TemporaryFiles() {
    REQUIRE(mkdtemp(path.data()));
    setenv("TMPDIR", path.c_str(), 1);
  }
  ~TemporaryFiles() {
    outer ? setenv("TMPDIR", outer, 1) : unsetenv("TMPDIR");
    fs::remove_all(path);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(path)) all.push_back(entry.path().string());
    return all;
  }
};

Program some_program() {
  Variable x("x", f32, {"n"});
  Parameter w("w", full({100}, 7));
  return program_of({exp(x) + 1}, {{w, w * 2}});
}

// LLVM has its own words for what it cannot be asked.
Target of_features(const std::string& features) {
  Target target = host_target();
  target.features += features;
  return target;
}

}  // namespace

TEST_CASE("a compile that fails by a fault of ours leaves the program, without the values of parameters, for its user alone") {
  if (!host_target().triple.starts_with("x86_64")) return;
  TemporaryFiles temporary;
  GraphScope scope;
  Program program = some_program();
  Target target = of_features(",-x87,-sse");  // calls for all arithmetic, and nothing to call
  std::string said;
  try {
    executable_of(program, {.target = &target});
  } catch (const InternalError& error) {
    said = error.what();
  }
  REQUIRE(temporary.files().size() == 1);
  const std::string file = temporary.files()[0];
  CHECK(said.find("please report it, with " + file) != std::string::npos);
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK(print(read_graph(file)) == print(program));
  CHECK(read_graph(file).graph.parameter(program.updates[0].parameter)->value.data<float>()[0] == 0);

  CHECK_THROWS_AS(executable_of(program, {.target = &target, .leaves_dump = false}), InternalError);
  CHECK(temporary.files().size() == 1);
  setenv("TMPDIR", "/no/such/directory", 1);
  CHECK(write_dump(program) == "");
}

TEST_CASE("what LLVM ends the process over leaves it too, and says why") {
  if (!host_target().triple.starts_with("x86_64")) return;
  TemporaryFiles temporary;
  GraphScope scope;
  Program program = some_program();
  std::string says = temporary.path + "/stderr";
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // Catch's would report it
    if (!freopen(says.c_str(), "w", stderr)) _exit(3);
    Target target = of_features(",-64bit");
    executable_of(program, {.threads = 1, .target = &target});
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(!(WIFEXITED(status) && WEXITSTATUS(status) == 0));
  std::string text, dump;
  for (const std::string& file : temporary.files())
    if (file != says) dump = file;
  REQUIRE(dump != "");
  FILE* file = fopen(says.c_str(), "r");
  for (int c; file && (c = fgetc(file)) != EOF;) text += static_cast<char>(c);
  if (file) fclose(file);
  CHECK(text.find("64-bit") != std::string::npos);
  CHECK(text.find("please report it, with " + dump) != std::string::npos);
  CHECK(print(read_graph(dump)) == print(program));
}

}  // namespace sinter
