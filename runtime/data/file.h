// What the readers of files have in common.
#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace sinter {

// The bytes of an ordinary file. SystemError where there is none at `path`: a pipe or a device could keep a reader waiting for ever, and
// has no size to check a header against.
int64_t regular_file_size(const std::string& path);

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// For reading. SystemError, with the path and the system's reason, where that fails.
File open_file(const std::string& path);

// Reverses the bytes of each of `count` elements of `width` bytes.
void reverse_bytes(void* elements, int64_t count, size_t width);

// Part of a file for an error message: at most 40 characters, '?' for what does not print.
std::string excerpt(std::string_view);

}  // namespace sinter
