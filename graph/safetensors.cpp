#include "graph/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

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
    {"BOOL", 1, boolean}, {"U8", 1, u8}, {"I32", 4, i32}, {"I64", 8, i64}, {"U32", 4, u32}, {"U64", 8, u64}, {"F32", 4, f32}, {"F64", 8, f64},
    {"I8", 1, {}}, {"I16", 2, {}}, {"U16", 2, {}}, {"F16", 2, {}}, {"BF16", 2, {}}, {"F8_E4M3", 1, {}}, {"F8_E5M2", 1, {}},
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

Json parse_header(const std::string& path, const std::string& text) {
  std::set<std::string> seen;
  bool twice = false;
  auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth == 1 && event == Json::parse_event_t::key) twice = twice || !seen.insert(value.get<std::string>()).second;
    return true;
  };
  Json header = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (header.is_discarded() || !header.is_object()) refuse(path, "its header is not a JSON object");
  if (twice) refuse(path, "a name stands twice in its header");
  return header;
}

// A whole number of the header that is not negative.
std::optional<int64_t> count_of(const Json& value) {
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX}) return {};
  return static_cast<int64_t>(value.get<uint64_t>());
}

// What the header says of one tensor. The elements begin at `data`; the file ends at `size`.
SafetensorsFile::Entry checked_entry(const std::string& path, const std::string& tensor, const Json& described, int64_t data, int64_t size) {
  auto wrong = [&](const std::string& why) { refuse(path, fmt::format("the tensor '{}' {}", shown(tensor), why)); };
  if (!described.is_object() || !described.contains("dtype") || !described.contains("shape") || !described.contains("data_offsets"))
    wrong("lacks dtype, shape or data_offsets");
  const Json &dtype = described["dtype"], &shape = described["shape"], &offsets = described["data_offsets"];
  SafetensorsFile::Entry entry;
  if (!dtype.is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2)
    wrong("has a dtype, shape or data_offsets of another kind");
  entry.dtype = dtype.get<std::string>();
  const Format* format = format_named(entry.dtype);
  if (!format) wrong(fmt::format("has the unknown dtype '{}'", shown(entry.dtype)));
  for (const Json& extent : shape) {
    auto count = count_of(extent);
    if (!count) wrong("has a size that is not a whole number of 0 or more");
    entry.sizes.push_back(*count);
  }
  auto begin = count_of(offsets[0]), end = count_of(offsets[1]);
  if (!begin || !end || *begin > *end || *end > size - data) wrong(fmt::format("lies outside the {} bytes of elements", size - data));
  int64_t bytes = format->width;
  bool overflows = false;
  for (int64_t s : entry.sizes) overflows = __builtin_mul_overflow(bytes, s, &bytes) || overflows;
  if (overflows || bytes != *end - *begin)
    wrong(fmt::format("of shape {} does not fill the {} bytes given to it", to_string(entry.sizes), *end - *begin));
  entry.begin = data + *begin, entry.end = data + *end;
  return entry;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : path_(path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) throw SystemError(fmt::format("{}: there is no such file", path));
  int64_t size = static_cast<int64_t>(std::filesystem::file_size(path, error));
  std::ifstream file(path, std::ios::binary);
  if (error || !file) throw SystemError(fmt::format("{}: cannot be read", path));
  uint64_t length = 0;
  if (size < 8 || !file.read(reinterpret_cast<char*>(&length), 8)) refuse(path, "it is shorter than the 8 bytes of its header's length");
  if (length > uint64_t{most_header_bytes} || static_cast<int64_t>(length) > size - 8)
    refuse(path, fmt::format("its header would take {} bytes of the {} that follow", length, size - 8));
  std::string text(length, '\0');
  if (!file.read(text.data(), static_cast<std::streamsize>(length))) throw SystemError(fmt::format("{}: cannot be read", path));
  int64_t data = 8 + static_cast<int64_t>(length);
  Json header = parse_header(path, text);
  for (const auto& [name, json] : header.items())
    if (name != "__metadata__") entries_.emplace(name, checked_entry(path, name, json, data, size));
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
  if (found == entries_.end()) throw UserError(fmt::format("{} holds no tensor '{}'", path_, shown(tensor)));
  return found->second;
}

Type SafetensorsFile::type(const std::string& tensor) const {
  const Entry& e = entry(tensor);
  auto dtype = format_named(e.dtype)->dtype;
  if (!dtype)
    throw UserError(fmt::format("the tensor '{}' of {} is {}, a type that sinter has not; convert it first", shown(tensor), path_, e.dtype));
  return Type::of(*dtype, Shape(e.sizes.begin(), e.sizes.end()));
}

Tensor SafetensorsFile::read(const std::string& tensor) const {
  DType dtype = type(tensor).dtype;
  const Entry& e = entry(tensor);
  Tensor value = Tensor::uninitialized(dtype, e.sizes);
  std::ifstream file(path_, std::ios::binary);
  file.seekg(e.begin);
  if (!file || !file.read(static_cast<char*>(value.raw()), e.end - e.begin)) throw SystemError(fmt::format("{}: cannot be read", path_));
  const auto* bytes = static_cast<const unsigned char*>(value.raw());
  if (dtype == boolean && std::any_of(bytes, bytes + value.size(), [](unsigned char b) { return b > 1; }))
    throw UserError(fmt::format("the tensor '{}' of {} is bool, but holds bytes that are neither 0 nor 1", shown(tensor), path_));
  return value;
}

void write_safetensors(const std::string& path, const std::vector<std::pair<std::string, Tensor>>& tensors) {
  Json header = Json::object();
  size_t at = 0;
  for (const auto& [name, value] : tensors) {
    auto format = std::find_if(std::begin(formats), std::end(formats), [&](const Format& f) { return f.dtype == value.dtype(); });
    if (!value.defined()) throw UserError(fmt::format("the tensor '{}' is undefined", name));
    if (header.contains(name) || name == "__metadata__") throw UserError(fmt::format("the tensor name '{}' is taken", name));
    header[name] = {{"dtype", format->name}, {"shape", value.sizes()}, {"data_offsets", {at, at + value.bytes()}}};
    at += value.bytes();
  }
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');  // elements begin at a multiple of 8
  uint64_t length = text.size();
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(&length), 8);
  file << text;
  for (const auto& [name, value] : tensors) file.write(static_cast<const char*>(value.raw()), static_cast<std::streamsize>(value.bytes()));
  file.close();
  if (!file) throw SystemError(fmt::format("{}: cannot be written", path));
}

}  // namespace sinter
