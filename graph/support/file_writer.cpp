#include "graph/support/file_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "graph/support/errors.h"

namespace sinter {
namespace {

// Where the links at `path` lead, there or not; "" where one is the system's name of an open file (/dev/stdout), which is to be written as it is.
std::string target_of(const std::string& path) {
  std::filesystem::path at = path;
  std::error_code none;
  while (std::filesystem::is_symlink(at, none)) {
    std::filesystem::path folder = std::filesystem::canonical(at.has_parent_path() ? at.parent_path() : ".");
    if (folder.native().starts_with("/proc/")) return "";
    at = folder / std::filesystem::read_symlink(at);
  }
  return at.native();
}

}  // namespace

// Delegates, so that the destructor closes and removes where this throws.
FileWriter::FileWriter(std::string path) : FileWriter() {
  path_ = std::move(path);
  errno = EINVAL;
  if (path_.find('\0') != std::string::npos) fail("its name holds a zero byte: ");
  struct stat is = {};
  const bool exists = stat(path_.c_str(), &is) == 0;
  if (!exists && errno != ENOENT) fail();
  if (!exists || S_ISREG(is.st_mode)) target_ = target_of(path_);
  if (target_.empty()) {
    file_ = open(path_.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
    if (file_ < 0) fail();
    return;
  }
  if (exists && access(target_.c_str(), W_OK) != 0) fail();  // its folder's permission alone would do to replace it
  open_beside();
  if (!exists) return;
  [[maybe_unused]] int ignored = fchown(file_, is.st_uid, is.st_gid);  // who may not give files away owns the new one
  if (fchmod(file_, is.st_mode & 07777) != 0) fail();
}

FileWriter::~FileWriter() {
  if (file_ >= 0) close(file_);
  if (!beside_.empty()) unlink(beside_.c_str());
}

void FileWriter::open_beside() {
  const std::filesystem::path folder = std::filesystem::path(target_).parent_path();
  for (int number = 0; file_ < 0; ++number) {
    std::string name = folder / fmt::format(".sinter-{}-{}", getpid(), number);  // short: the file's own may be as long as names can be
    file_ = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file_ >= 0) beside_ = std::move(name);
    else if (errno != EEXIST) fail("in its folder no file can be made: ");
  }
}

void FileWriter::write(const void* from, size_t bytes) {
  const char* at = static_cast<const char*>(from);
  while (bytes > 0) {
    ssize_t written = ::write(file_, at, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail();
    at += written, bytes -= static_cast<size_t>(written);
  }
}

void FileWriter::finish() {
  if (close(std::exchange(file_, -1)) != 0) fail();
  if (beside_.empty()) return;
  if (rename(beside_.c_str(), target_.c_str()) != 0) fail();
  beside_.clear();
}

void FileWriter::fail(std::string_view what) const {
  int error = errno;
  throw SystemError(fmt::format("cannot write {}: {}{}", path_, what, std::generic_category().message(error)));
}

}  // namespace sinter
