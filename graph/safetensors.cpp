#include "graph/safetensors.h"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <system_error>

#include "graph/support/file_writer.h"
#include "graph/verify.h"

namespace sinter {
namespace {

using Json = nlohmann::json;

static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");

constexpr int64_t most_header_bytes = 100'000'000;  // the format's own limit

struct Format {
  std::string_view name;
  int64_t width;
  std::optional<DType> dtype;  // where sinter has it
};
constexpr Format formats[] = {
    {"BOOL", 1, boolean}, {"U8", 1, u8}, {"I32", 4, i32}, {"I64", 8, i64}, {"U32", 4, u32}, {"U64", 8, u64}, {"F32", 4, f32}, {"F64", 8, f64}, {"F16", 2, f16}, {"BF16", 2, bf16},
    {"I8", 1, {}}, {"I16", 2, {}}, {"U16", 2, {}}, {"F8_E4M3", 1, {}}, {"F8_E5M2", 1, {}},
};

const Format* format_named(std::string_view name) {
  auto found = std::find_if(std::begin(formats), std::end(formats), [&](const Format& f) { return f.name == name; });
  return found == std::end(formats) ? nullptr : found;
}

[[noreturn]] void refuse(const std::string& path, const std::string& why) {
  throw UserError(fmt::format("{} is no sound safetensors file: {}", path, why));
}

std::string shown(const std::string& name) {
  std::string text;
  for (char c : name.substr(0, 60)) text += c < ' ' || c == 0x7f ? '?' : c;
  return text;
}

// What the header says of one tensor, unchecked.
struct Described {
  std::string name;
  bool is_object = false;
  struct Field {
    bool is_there = false, is_of_its_kind = false;
    std::string text;                            // dtype
    std::vector<std::optional<int64_t>> counts;  // shape and data_offsets; nothing for what is no whole number of 0 or more
  };
  Field dtype, shape, offsets;
};

// Takes a header as it is parsed. Json values hold no part of it: to destroy one takes memory, and where there is none the process ends.
class HeaderReader {
 public:
  std::vector<Described> tensors;
  bool repeats = false;  // a name

  bool null() { return value(); }
  bool boolean(bool) { return value(); }
  bool number_integer(int64_t) { return value(); }
  bool number_unsigned(uint64_t n) { return value(n <= uint64_t{INT64_MAX} ? std::optional(static_cast<int64_t>(n)) : std::nullopt); }
  bool number_float(double, const std::string&) { return value(); }
  bool binary(Json::binary_t&) { return value(); }
  bool string(std::string& text) {
    if (depth_ == 2 && field_ && !wants_list_) field_->text = text, field_->is_of_its_kind = true;
    return value();
  }
  bool start_object(size_t) {
    if (depth_ == 1) tensors.back().is_object = true;
    if (depth_ > 0) value();
    ++depth_;
    return true;
  }
  bool key(std::string& text) {
    if (depth_ == 1) {
      repeats = !names_.insert(text).second || repeats;
      tensors.emplace_back().name = text;
    }
    if (depth_ != 2 || !tensors.back().is_object) return true;
    Described& t = tensors.back();
    wants_list_ = text != "dtype";
    field_ = text == "dtype" ? &t.dtype : text == "shape" ? &t.shape : text == "data_offsets" ? &t.offsets : nullptr;
    if (field_) *field_ = {}, field_->is_there = true;
    return true;
  }
  bool end_object() { return end(); }
  bool start_array(size_t) {
    if (!value()) return false;
    if (depth_ == 2) is_list_ = field_ && wants_list_;
    if (depth_ == 2 && is_list_) field_->is_of_its_kind = true;
    ++depth_;
    return true;
  }
  bool end_array() { return end(); }
  bool parse_error(size_t, const std::string&, const Json::exception&) { return false; }

 private:
  // A value begins: one of a list, perhaps. It is refused where it would be the whole header.
  bool value(std::optional<int64_t> count = {}) {
    if (depth_ == 3 && is_list_) field_->counts.push_back(count);
    return depth_ > 0;
  }
  bool end() {
    --depth_;
    if (depth_ <= 2) is_list_ = false;
    if (depth_ <= 1) field_ = nullptr;
    return true;
  }

  int64_t depth_ = 0;  // of objects and lists that are open
  Described::Field* field_ = nullptr;  // whose value comes
  bool wants_list_ = false;            // it does
  bool is_list_ = false;               // the one at depth 3 is its list
  std::set<std::string> names_;
};

std::vector<Described> parse_header(const std::string& path, const std::string& text) {
  HeaderReader reader;
  if (!Json::sax_parse(text, &reader)) refuse(path, "its header is not a JSON object");
  if (reader.repeats) refuse(path, "a name stands twice in its header");
  return std::move(reader.tensors);
}

// What the header says of one tensor. The elements begin at `data`; the file ends at `size`.
SafetensorsFile::Entry checked_entry(const std::string& path, const Described& tensor, int64_t data, int64_t size) {
  auto wrong = [&](const std::string& why) { refuse(path, fmt::format("the tensor '{}' {}", shown(tensor.name), why)); };
  const Described::Field &dtype = tensor.dtype, &shape = tensor.shape, &offsets = tensor.offsets;
  if (!dtype.is_there || !shape.is_there || !offsets.is_there) wrong("lacks dtype, shape or data_offsets");
  if (!dtype.is_of_its_kind || !shape.is_of_its_kind || !offsets.is_of_its_kind || offsets.counts.size() != 2)
    wrong("has a dtype, shape or data_offsets of another kind");
  SafetensorsFile::Entry entry;
  entry.dtype = dtype.text;
  const Format* format = format_named(entry.dtype);
  if (!format) wrong(fmt::format("has the unknown dtype '{}'", shown(entry.dtype)));
  for (auto count : shape.counts) {
    if (!count) wrong("has a size that is not a whole number of 0 or more");
    if (entry.sizes.size() == most_axes) wrong(fmt::format("has more than {} sizes", most_axes));
    entry.sizes.push_back(*count);
  }
  auto begin = offsets.counts[0], end = offsets.counts[1];
  if (!begin || !end || *begin > *end || *end > size - data) wrong(fmt::format("lies outside the {} bytes of elements", size - data));
  int64_t bytes = format->width;
  bool overflows = false;
  for (int64_t s : entry.sizes) overflows = __builtin_mul_overflow(bytes, s, &bytes) || overflows;
  if (overflows || bytes != *end - *begin)
    wrong(fmt::format("of shape {} does not fill the {} bytes given to it", to_string(entry.sizes), *end - *begin));
  entry.begin = data + *begin, entry.end = data + *end;
  return entry;
}

// The first few, for messages.
std::string some_names(const std::map<std::string, SafetensorsFile::Entry>& entries) {
  constexpr size_t most = 8;
  if (entries.empty()) return "none";
  std::string text;
  size_t count = 0;
  for (const auto& [name, entry] : entries) {
    if (count++ == most) return fmt::format("{} and {} more", text, entries.size() - most);
    text += fmt::format("{}'{}'", text.empty() ? "" : ", ", shown(name));
  }
  return text;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path, Here where) : path_(path) {
  at_line(where, [&] { open(); });
}

struct SafetensorsFile::Descriptor {
  explicit Descriptor(const std::string& path) {
    if (path.find('\0') != std::string::npos) throw SystemError(fmt::format("{}: the name of a file holds no zero byte", path));
    number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // of a pipe it does not wait for a writer
    if (number < 0 || fstat(number, &is) != 0) {
      const int error = errno;
      if (number >= 0) ::close(number);
      errno = error;
      cannot_read(path);
    }
  }
  ~Descriptor() { ::close(number); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[noreturn]] static void cannot_read(const std::string& path) { throw SystemError(fmt::format("{}: cannot be read: {}", path, std::generic_category().message(errno))); }

  void read(const std::string& path, void* to, size_t bytes, int64_t from) const {
    for (auto* at = static_cast<char*>(to); bytes > 0;) {
      const ssize_t got = pread(number, at, bytes, from);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) cannot_read(path);
      if (got == 0) throw SystemError(fmt::format("{}: became shorter since it was opened", path));
      at += got, from += got, bytes -= static_cast<size_t>(got);
    }
  }

  int number = -1;
  struct stat is = {};
};

void SafetensorsFile::open() {
  const std::string& path = path_;
  file_ = std::make_shared<const Descriptor>(path);
  if (!S_ISREG(file_->is.st_mode)) throw SystemError(fmt::format("{}: is no ordinary file", path));
  const int64_t size = file_->is.st_size;
  uint64_t length = 0;
  if (size >= 8) file_->read(path, &length, 8, 0);
  else refuse(path, "it is shorter than the 8 bytes of its header's length");
  if (length > uint64_t{most_header_bytes} || static_cast<int64_t>(length) > size - 8)
    refuse(path, fmt::format("its header would take {} bytes of the {} that follow", length, size - 8));
  std::string text(length, '\0');
  file_->read(path, text.data(), length, 8);
  int64_t data = 8 + static_cast<int64_t>(length);
  for (const Described& tensor : parse_header(path, text))
    if (tensor.name != "__metadata__") entries_.emplace(tensor.name, checked_entry(path, tensor, data, size));
  check_layout(data, size);
}

// The format wants every byte to belong to exactly one tensor.
void SafetensorsFile::check_layout(int64_t data, int64_t size) const {
  std::vector<std::pair<int64_t, int64_t>> parts;
  for (const auto& [name, entry] : entries_) parts.emplace_back(entry.begin, entry.end);
  std::sort(parts.begin(), parts.end());
  int64_t at = data;
  for (const auto& [begin, end] : parts) {
    if (begin != at) refuse(path_, begin < at ? "two tensors overlap" : "there is a gap between two tensors");
    at = end;
  }
  if (at != size) refuse(path_, fmt::format("{} bytes at its end belong to no tensor", size - at));
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> all;
  for (const auto& [name, entry] : entries_) all.push_back(name);
  return all;
}

const SafetensorsFile::Entry& SafetensorsFile::entry(const std::string& tensor) const {
  auto found = entries_.find(tensor);
  if (found == entries_.end()) throw UserError(fmt::format("{} holds no tensor '{}'; it holds {}", path_, shown(tensor), some_names(entries_)));
  return found->second;
}

DType SafetensorsFile::dtype_of(const std::string& tensor) const {
  const Entry& e = entry(tensor);
  auto dtype = format_named(e.dtype)->dtype;
  if (!dtype)
    throw UserError(fmt::format("the tensor '{}' of {} is {}, a type that sinter has not; convert it first", shown(tensor), path_, e.dtype));
  return *dtype;
}

Type SafetensorsFile::type(const std::string& tensor, Here where) const {
  return at_line(where, [&] {
    const std::vector<int64_t>& sizes = entry(tensor).sizes;
    return Type::of(dtype_of(tensor), Shape(sizes.begin(), sizes.end()));
  });
}

Tensor SafetensorsFile::read(const std::string& tensor, Here where) const {
  return at_line(where, [&] { return elements(tensor); });
}

Tensor SafetensorsFile::elements(const std::string& tensor) const {
  DType dtype = dtype_of(tensor);
  const Entry& e = entry(tensor);
  Tensor value = Tensor::uninitialized(dtype, e.sizes);
  file_->read(path_, value.raw(), static_cast<size_t>(e.end - e.begin), e.begin);
  const auto* bytes = static_cast<const unsigned char*>(value.raw());
  if (dtype == boolean && std::any_of(bytes, bytes + value.size(), [](unsigned char b) { return b > 1; }))
    throw UserError(fmt::format("the tensor '{}' of {} is bool, but holds bytes that are neither 0 nor 1", shown(tensor), path_));
  return value;
}

namespace {

void write_all(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& tensors) {
  std::map<std::string, std::string> described;  // in JSON
  size_t at = 0;
  for (const auto& [name, value] : tensors) {
    if (!value.defined()) throw UserError(fmt::format("the tensor '{}' is undefined", name));
    auto format = std::find_if(std::begin(formats), std::end(formats), [&](const Format& f) { return f.dtype == value.dtype(); });
    std::string text = fmt::format(R"({{"data_offsets":[{},{}],"dtype":"{}","shape":[{}]}})", at, at + value.bytes(), format->name, fmt::join(value.sizes(), ","));
    if (name == "__metadata__" || !described.emplace(name, std::move(text)).second) throw UserError(fmt::format("the tensor name '{}' is taken", name));
    at += value.bytes();
  }
  const auto quoted = [](const std::string& name) {
    try {
      return Json(name).dump();
    } catch (const Json::type_error&) {
      throw UserError(fmt::format("the tensor name '{}' is not UTF-8, as those in a safetensors file are", shown(name)));
    }
  };
  std::string text = "{";
  for (const auto& [name, tensor] : described) text += fmt::format("{}{}:{}", text.size() == 1 ? "" : ",", quoted(name), tensor);
  text += '}';
  text.append((8 - text.size() % 8) % 8, ' ');  // elements begin at a multiple of 8
  uint64_t length = text.size();
  FileWriter file(path);
  file.write(&length, 8);
  file.write(text);
  for (const auto& [name, value] : tensors) file.write(value.raw(), value.bytes());
  file.finish();
}

}  // namespace

void write_safetensors(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& tensors, Here where) {
  at_line(where, [&] { write_all(path, tensors); });
}

}  // namespace sinter
