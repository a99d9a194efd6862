// How files are written: a new one beside the old, which takes its place once it is whole.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace sinter {

// A file being written. What `path` held before is there until finish(), and stays where that is never reached; the new file has its
// permissions. A link is followed, and what it leads to replaced. What is no ordinary file (a pipe, a device, /dev/stdout wherever it leads) is
// written directly. SystemError, with the path and the system's reason, where something fails.
class FileWriter {
 public:
  explicit FileWriter(std::string path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(const void* from, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void finish();

 private:
  FileWriter() = default;
  void open_beside();
  [[noreturn]] void fail(std::string_view what = "") const;

  std::string path_, target_, beside_;  // as it was given; the ordinary file there; the new one, as long as it is beside it
  int file_ = -1;
};

}  // namespace sinter
