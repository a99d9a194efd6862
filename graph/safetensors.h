// Files of named tensors. Format: https://huggingface.co/docs/safetensors/index (8 bytes of length, a JSON header, the elements).
#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/tensor.h"
#include "graph/type.h"

namespace sinter {

// An open file: its header read and checked, its tensors read when asked for, whatever has taken its name since. A file is taken for hostile: every length, offset, overlap
// and gap is checked before it is used. SystemError where it cannot be read, UserError, naming it, where it is no such file.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path, Here = Here::current());
  std::vector<std::string> names() const;
  bool holds(const std::string& tensor) const { return entries_.contains(tensor); }
  Type type(const std::string& tensor, Here = Here::current()) const;    // UserError where there is none of that name, or of a type that sinter has not
  Tensor read(const std::string& tensor, Here = Here::current()) const;  // as type(); also where the file ends too soon

  struct Entry {
    std::string dtype;  // as the file calls it: it may be one that sinter has not
    std::vector<int64_t> sizes;
    int64_t begin = 0, end = 0;  // bytes, from the file's beginning
  };

 private:
  void open();
  const Entry& entry(const std::string& tensor) const;
  DType dtype_of(const std::string& tensor) const;
  Tensor elements(const std::string& tensor) const;
  void check_layout(int64_t data, int64_t size) const;
  std::string path_;
  struct Descriptor;
  std::shared_ptr<const Descriptor> file_;  // of copies, too
  std::map<std::string, Entry> entries_;
};

// Writes, or overwrites, a file of these. UserError where two have one name, or one that is not UTF-8, SystemError where it cannot be written: what was at `path` is there still.
void write_safetensors(const std::string& path, const std::vector<std::pair<std::string, Tensor>>&, Here = Here::current());

}  // namespace sinter
