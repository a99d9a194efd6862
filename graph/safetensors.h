// Files of named tensors. Format: https://huggingface.co/docs/safetensors/index (8 bytes of length, a JSON header, the elements).
#pragma once
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "graph/tensor.h"
#include "graph/type.h"

namespace sinter {

// An open file: its header read and checked, its tensors read when asked for. A file is taken for hostile: every length, offset, overlap
// and gap is checked before it is used. SystemError where it cannot be read, UserError, naming it, where it is no such file.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);
  std::vector<std::string> names() const;
  bool holds(const std::string& tensor) const { return entries_.contains(tensor); }
  Type type(const std::string& tensor) const;    // UserError where there is none of that name, or of a type that sinter has not
  Tensor read(const std::string& tensor) const;  // as type(); also where the file ends too soon

  struct Entry {
    std::string dtype;  // as the file calls it: it may be one that sinter has not
    std::vector<int64_t> sizes;
    int64_t begin = 0, end = 0;  // bytes, from the file's beginning
  };

 private:
  const Entry& entry(const std::string& tensor) const;
  void check_layout(int64_t data, int64_t size) const;
  std::string path_;
  std::map<std::string, Entry> entries_;
};

// Writes, or overwrites, a file of these. UserError where two have one name, SystemError where it cannot be written: what was at `path` is there still.
void write_safetensors(const std::string& path, const std::vector<std::pair<std::string, Tensor>>&);

}  // namespace sinter
