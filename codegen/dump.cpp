#include "codegen/dump.h"

#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "graph/text.h"
#include "graph/verify.h"

namespace sinter {

std::string write_dump(const Program& program) noexcept try {
  verify(program);  // what is not sound cannot be printed
  const std::string text = print(program), ending = ".graph";
  std::string path = (std::filesystem::temp_directory_path() / ("sinter-XXXXXX" + ending)).string();
  int file = mkstemps(path.data(), static_cast<int>(ending.size()));
  if (file < 0) return "";
  size_t written = 0;
  while (written < text.size()) {
    ssize_t part = write(file, text.data() + written, text.size() - written);
    if (part <= 0) break;
    written += static_cast<size_t>(part);
  }
  if (close(file) == 0 && written == text.size()) return path;
  unlink(path.c_str());
  return "";
} catch (...) {
  return "";
}

}  // namespace sinter
