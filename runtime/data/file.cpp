#include "runtime/data/file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "graph/support/errors.h"

namespace sinter {

int64_t regular_file_size(const std::string& path) {
  if (path.find('\0') != std::string::npos) throw SystemError(fmt::format("cannot read {}: its name holds a zero byte", path));
  std::error_code error;
  auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) throw SystemError(fmt::format("cannot read {}: {}", path, error ? error.message() : "there is no such file"));
  if (!std::filesystem::is_regular_file(status)) throw SystemError(fmt::format("cannot read {}: it is not an ordinary file", path));
  auto size = std::filesystem::file_size(path, error);
  if (error) throw SystemError(fmt::format("cannot read {}: {}", path, error.message()));
  return static_cast<int64_t>(size);
}

File open_file(const std::string& path) {
  File file(std::fopen(path.c_str(), "rb"));
  if (!file) throw SystemError(fmt::format("cannot open {}: {}", path, std::generic_category().message(errno)));
  return file;
}

void reverse_bytes(void* elements, int64_t count, size_t width) {
  auto* p = static_cast<unsigned char*>(elements);
  for (int64_t i = 0; i < count; ++i, p += width) std::reverse(p, p + width);
}

std::string excerpt(std::string_view text) {
  constexpr size_t most = 40;
  std::string s(text.substr(0, most));
  std::replace_if(s.begin(), s.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  return text.size() > most ? s + "..." : s;
}

}  // namespace sinter
