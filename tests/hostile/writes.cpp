// Files that cannot be written, or not to their end: the error says so, and what was there before is there whole, with nothing beside it.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <functional>
#include <map>

#include "graph/safetensors.h"
#include "graph/support/file_writer.h"
#include "graph/text.h"
#include "runtime/data/npy.h"
#include "tests/runtime/temporary_folder.h"
#include "tools/fuzz/child.h"

using namespace sinter;
namespace fs = std::filesystem;

namespace {

// What `write` throws in a process of its own that `prepare` has put in its place, "" where it throws nothing.
std::string refusal(const std::function<void()>& write, const std::function<void()>& prepare = [] {}) {
  fuzz::ChildResult child = fuzz::in_child(
      [&](fuzz::Progress&) {
        prepare();
        try {
          write();
        } catch (const SystemError& error) {
          return error.message();
        }
        return std::string();
      },
      60);
  CHECK_FALSE(child.died);
  return child.text;
}

std::function<void()> no_file_longer_than(rlim_t bytes) {
  return [bytes] {
    std::signal(SIGXFSZ, SIG_IGN);  // which otherwise ends the process
    rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
  };
}

// To whom permissions apply.
void be_nobody() {
  if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) _exit(3);
}

void write_text(const std::string& path, std::string_view text) {
  FileWriter file(path);
  file.write(text);
  file.finish();
}

std::map<std::string, std::string> all_in(const std::string& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) files[entry.path().filename()] = bytes_of(entry.path());
  return files;
}

// A parameter of 20 elements, and as many nodes as make the text long.
Program program(float value, int nodes) {
  std::string text = "sinter 1\n%w = parameter : f32[20]\n%0 = exp %w : f32[20]\n";
  for (int i = 1; i < nodes; ++i) text += "%" + std::to_string(i) + " = exp %" + std::to_string(i - 1) + " : f32[20]\n";
  Program made = parse(text + "return %" + std::to_string(nodes - 1) + "\n", "made.graph");
  made.graph.parameter("w")->value = full({20}, value);
  return made;
}

}  // namespace

TEST_CASE("a write that fails anywhere leaves the old file as it was", "[writes]") {
  struct Writer {
    const char* name;
    std::function<void(const std::string& path, float value)> write;
  };
  const Writer writers[] = {
      {"npy", [](const std::string& path, float value) { write_npy(path, full({100}, value)); }},
      {"safetensors", [](const std::string& path, float value) { write_safetensors(path, {{"a", full({100}, value)}, {"b", ones({3})}}); }},
      {"text longer than tensors", [](const std::string& path, float value) { write_graph(program(value, value > 1 ? 50 : 1), path); }},
      {"tensors longer than text", [](const std::string& path, float value) { write_graph(program(value, 1), path); }},
  };
  for (const Writer& writer : writers) {
    TemporaryFolder folder, other;
    const std::string path = folder.file("old.graph");
    writer.write(path, 1);
    const auto before = all_in(folder.path());
    writer.write(other.file("old.graph"), 2);
    size_t longest = 0;
    for (const auto& [name, bytes] : all_in(other.path())) longest = std::max(longest, bytes.size());
    int refused = 0;
    for (size_t most : {size_t{0}, size_t{1}, size_t{64}, size_t{130}, longest / 2, longest - 1, longest}) {
      CAPTURE(writer.name, most);
      std::string said = refusal([&] { writer.write(path, 2); }, no_file_longer_than(most));
      if (said.empty()) {
        CHECK(all_in(folder.path()) == all_in(other.path()));
        writer.write(path, 1);
      } else {
        ++refused;
        CHECK(said.find("File too large") != std::string::npos);
        CHECK(said.starts_with("cannot write " + folder.path() + "/old."));
      }
      CHECK(all_in(folder.path()) == before);
    }
    CHECK(refused == 6);
  }
}

TEST_CASE("an exception between the first byte and the last leaves the old file", "[writes]") {
  TemporaryFolder folder;
  const std::string old = folder.write("old", "old");
  {
    FileWriter file(old);
    file.write("half of it");
    CHECK(bytes_of(old) == "old");
  }
  CHECK(all_in(folder.path()) == std::map<std::string, std::string>{{"old", "old"}});
}

TEST_CASE("a new file has the old one's permissions, or what is usual", "[writes]") {
  TemporaryFolder folder;
  const std::string old = folder.write("old", "old"), fresh = folder.file(std::string(255, 'n'));
  fs::permissions(old, fs::perms(0604));
  refusal([&] { write_text(old, "new"), write_text(fresh, "new"); }, [] { umask(027); });
  CHECK(fs::status(old).permissions() == fs::perms(0604));
  CHECK(fs::status(fresh).permissions() == fs::perms(0640));
  CHECK(all_in(folder.path()) == std::map<std::string, std::string>{{"old", "new"}, {std::string(255, 'n'), "new"}});
}

TEST_CASE("links stay links, and what they lead to is written", "[writes]") {
  TemporaryFolder folder;
  folder.write("there/old", "old");
  fs::create_symlink("there", folder.file("folder"));
  fs::create_symlink("folder/old", folder.file("link"));
  fs::create_symlink(folder.file("link"), folder.file("link to link"));
  fs::create_symlink("there/fresh", folder.file("to nothing"));
  fs::create_symlink("circle", folder.file("circle"));
  write_text(folder.file("link to link"), "new");
  write_text(folder.file("to nothing"), "fresh");
  CHECK(all_in(folder.file("there")) == std::map<std::string, std::string>{{"old", "new"}, {"fresh", "fresh"}});
  for (const char* link : {"link", "link to link", "to nothing"}) CHECK(fs::is_symlink(folder.file(link)));
  CHECK_THROWS_AS(write_text(folder.file("circle"), "new"), SystemError);
}

TEST_CASE("what is no ordinary file is written as it is", "[writes]") {
  TemporaryFolder folder;
  auto standard_output = [](const std::string& path) {
    return [path] {
      int file = open(path.c_str(), O_RDWR);
      if (file < 0 || dup2(file, STDOUT_FILENO) < 0) _exit(3);
    };
  };
  const std::string redirected = folder.write("redirected", "something longer");
  struct stat before = {}, after = {};
  REQUIRE(stat(redirected.c_str(), &before) == 0);
  for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    CHECK(refusal([&] { write_text(name, name); }, standard_output(redirected)) == "");
    CHECK(bytes_of(redirected) == name);
  }
  REQUIRE(stat(redirected.c_str(), &after) == 0);
  CHECK(before.st_ino == after.st_ino);  // which the process that redirected it has open

  const std::string pipe = folder.file("pipe");
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  int reader = open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  write_text(pipe, "to the reader");
  char read_back[13];
  CHECK(read(reader, read_back, sizeof read_back) == sizeof read_back);
  CHECK(std::string(read_back, sizeof read_back) == "to the reader");
  close(reader);
  CHECK(fs::is_fifo(pipe));
  CHECK(refusal([] { write_text("/dev/null", "nothing"); }, be_nobody) == "");
  CHECK(refusal([] { write_text("/dev/full", "something"); }, be_nobody) == "cannot write /dev/full: No space left on device");
}

TEST_CASE("what may not be written is not replaced either", "[writes]") {
  TemporaryFolder folder;
  fs::permissions(folder.path(), fs::perms(0777));
  const std::string old = folder.write("old", "old"), fresh = folder.file("fresh");
  fs::permissions(old, fs::perms(0444));
  CHECK(refusal([&] { write_text(old, "new"); }, be_nobody) == "cannot write " + old + ": Permission denied");
  fs::permissions(old, fs::perms(0666));
  fs::permissions(folder.path(), fs::perms(0555));
  for (const std::string& path : {old, fresh})
    CHECK(refusal([&] { write_text(path, "new"); }, be_nobody) == "cannot write " + path + ": in its folder no file can be made: Permission denied");
  CHECK(refusal([&] { write_text(folder.file("none/x"), "new"); }) == "cannot write " + folder.file("none/x") + ": in its folder no file can be made: No such file or directory");
  CHECK(refusal([&] { write_text(folder.path(), "new"); }) == "cannot write " + folder.path() + ": Is a directory");
  fs::permissions(folder.path(), fs::perms(0777));
  CHECK(all_in(folder.path()) == std::map<std::string, std::string>{{"old", "old"}});
}
