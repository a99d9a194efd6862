#include "runtime/data/npy.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <charconv>
#include <system_error>
#include <utility>

#include "graph/support/file_writer.h"
#include "runtime/data/file.h"

namespace sinter {
namespace {

constexpr std::string_view magic = "\x93NUMPY";
constexpr int64_t longest_header = 65536;  // longer ones exist only for structured types, which are not read
constexpr size_t most_dimensions = 64;     // NumPy's own limit
constexpr bool little = std::endian::native == std::endian::little;
static_assert(little || std::endian::native == std::endian::big);

struct Header {
  DType type = f32;
  bool reversed = false;  // the elements' bytes, against this machine's
  bool fortran = false;
  std::vector<int64_t> sizes;
};

struct NumpyType {
  DType type;
  char kind;
};
constexpr NumpyType numpy_types[] = {{boolean, 'b'}, {u8, 'u'}, {i32, 'i'}, {i64, 'i'}, {u32, 'u'}, {u64, 'u'}, {f32, 'f'}, {f64, 'f'}, {f16, 'f'}};

// The header is a Python literal: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } with its keys in any order.
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text) : path_(path), text_(text) {}

  Header parse() {
    Header header;
    bool descr = false, order = false, shape = false;
    expect('{');
    while (!accept('}')) {
      std::string_view key = quoted("a key");
      expect(':');
      if (key == "descr" && !std::exchange(descr, true)) parse_type(header);
      else if (key == "fortran_order" && !std::exchange(order, true)) header.fortran = parse_bool();
      else if (key == "shape" && !std::exchange(shape, true)) header.sizes = parse_sizes();
      else fail(fmt::format("has the key '{}' twice, or where only descr, fortran_order and shape belong", excerpt(key)));
      if (accept(',')) continue;
      expect('}');
      break;
    }
    skip_blanks();
    if (!text_.empty()) fail(fmt::format("goes on after its end with \"{}\"", excerpt(text_)));
    if (!descr || !order || !shape) fail("lacks one of descr, fortran_order and shape");
    return header;
  }

 private:
  [[noreturn]] void fail(std::string_view what) const { throw UserError(fmt::format("{}: its .npy header {}", path_, what)); }

  void skip_blanks() { text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size())); }

  bool accept(std::string_view token) {
    skip_blanks();
    if (!text_.starts_with(token)) return false;
    text_.remove_prefix(token.size());
    return true;
  }
  bool accept(char c) { return accept(std::string_view(&c, 1)); }

  void expect(char c) {
    if (!accept(c)) fail(fmt::format("has \"{}\" where '{}' belongs", excerpt(text_), c));
  }

  std::string_view quoted(std::string_view what) {
    skip_blanks();
    size_t end = !text_.empty() && (text_[0] == '\'' || text_[0] == '"') ? text_.find(text_[0], 1) : std::string_view::npos;
    if (end == std::string_view::npos) fail(fmt::format("has \"{}\" where {} in quotes belongs", excerpt(text_), what));
    std::string_view inside = text_.substr(1, end - 1);
    text_.remove_prefix(end + 1);
    return inside;
  }

  void parse_type(Header& header) {
    skip_blanks();
    if (text_.starts_with('[')) fail("describes a structured type; an array of one plain type is read");
    std::string_view descr = quoted("a type");
    for (const auto& [type, kind] : numpy_types) {
      size_t width = size_of(type);
      if (descr.substr(std::min<size_t>(descr.size(), 1)) != fmt::format("{}{}", kind, width)) continue;
      char order = descr[0];
      if (order != '<' && order != '>' && order != '=' && (order != '|' || width > 1)) continue;
      header.type = type;
      header.reversed = width > 1 && order == (little ? '>' : '<');
      return;
    }
    fail(fmt::format("names the type '{}'; '|b1', '|u1', '<i4', '<i8', '<u4', '<u8', '<f2', '<f4', '<f8', and those with '>', are read", excerpt(descr)));
  }

  bool parse_bool() {
    if (accept("True")) return true;
    if (!accept("False")) fail(fmt::format("has \"{}\" where True or False belongs", excerpt(text_)));
    return false;
  }

  std::vector<int64_t> parse_sizes() {
    std::vector<int64_t> sizes;
    expect('(');
    bool comma = true;  // (3) is a number to Python, (3,) a tuple
    while (!accept(')')) {
      if (!comma) fail(fmt::format("has \"{}\" where ',' belongs", excerpt(text_)));
      skip_blanks();
      int64_t size = 0;
      auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (error != std::errc() || text_[0] == '-') fail(fmt::format("has \"{}\" where a size belongs", excerpt(text_)));
      text_.remove_prefix(static_cast<size_t>(end - text_.data()));
      if (text_.starts_with('L')) text_.remove_prefix(1);  // Python 2 wrote long integers so
      if (sizes.size() == most_dimensions) fail(fmt::format("has more than {} dimensions", most_dimensions));
      sizes.push_back(size);
      comma = accept(',');
    }
    if (sizes.size() == 1 && !comma) fail("has a number where a tuple of sizes belongs");
    return sizes;
  }

  const std::string& path_;
  std::string_view text_;
};

void read_exactly(std::FILE* file, const std::string& path, void* to, size_t bytes) {
  if (bytes == 0 || std::fread(to, 1, bytes, file) == bytes) return;
  if (std::ferror(file)) throw SystemError(fmt::format("cannot read {}: {}", path, std::generic_category().message(errno)));
  throw SystemError(fmt::format("{} became shorter while it was read", path));
}

// From column-major, whose first index runs fastest, to row-major.
Tensor from_fortran(const Tensor& columns) {
  const std::vector<int64_t>& sizes = columns.sizes();
  size_t rank = sizes.size();
  Tensor rows = Tensor::uninitialized(columns.dtype(), sizes);
  std::vector<int64_t> strides(rank, 1), index(rank, 0);
  for (size_t d = 1; d < rank; ++d) strides[d] = strides[d - 1] * sizes[d - 1];
  size_t width = size_of(columns.dtype());
  const char* from = static_cast<const char*>(columns.raw());
  char* to = static_cast<char*>(rows.raw());
  int64_t offset = 0;
  for (int64_t i = 0; i < columns.size(); ++i, to += width) {
    std::memcpy(to, from + static_cast<size_t>(offset) * width, width);
    for (size_t d = rank; d-- > 0;) {
      offset += strides[d];
      if (++index[d] < sizes[d]) break;
      offset -= strides[d] * sizes[d];
      index[d] = 0;
    }
  }
  return rows;
}

Header read_header(std::FILE* file, const std::string& path, int64_t& left) {
  auto take = [&](void* to, int64_t bytes, std::string_view what) {
    if (bytes > left) throw UserError(fmt::format("{}: ends within {} of a .npy file", path, what));
    read_exactly(file, path, to, static_cast<size_t>(bytes));
    left -= bytes;
  };
  char start[8];
  take(start, sizeof start, "the first 8 bytes");
  if (std::string_view(start, magic.size()) != magic) throw UserError(fmt::format("{}: is no .npy file: it does not begin with \\x93NUMPY", path));
  int major = static_cast<unsigned char>(start[6]), minor = static_cast<unsigned char>(start[7]);
  if (major < 1 || major > 3 || minor != 0)
    throw UserError(fmt::format("{}: is of .npy version {}.{}; 1.0, 2.0 and 3.0 are read", path, major, minor));
  unsigned char count[4] = {};
  take(count, major == 1 ? 2 : 4, "the header's length");
  int64_t length = count[0] | count[1] << 8 | count[2] << 16 | int64_t{count[3]} << 24;
  if (length > longest_header) throw UserError(fmt::format("{}: its .npy header has {} bytes; {} are read at most", path, length, longest_header));
  std::string text(static_cast<size_t>(length), ' ');
  take(text.data(), length, "the header");
  return HeaderParser(path, text).parse();
}

Tensor read_npy_array(const std::string& path) {
  int64_t left = regular_file_size(path);
  File file = open_file(path);
  Header header = read_header(file.get(), path, left);
  int64_t bytes = 0;
  try {
    bytes = checked_multiply(element_count(header.sizes), static_cast<int64_t>(size_of(header.type)));
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", path, error.message()));
  }
  // Before anything is allocated: a header may claim what it likes.
  if (bytes != left)
    throw UserError(fmt::format("{}: its header says {}{}, which takes {} bytes, but {} follow", path, name(header.type), to_string(header.sizes),
                                bytes, left));
  Tensor t = Tensor::uninitialized(header.type, header.sizes);
  read_exactly(file.get(), path, t.raw(), t.bytes());
  if (header.reversed) reverse_bytes(t.raw(), t.size(), size_of(header.type));
  if (header.type == boolean) {  // as bytes: to read one that is neither 0 nor 1 as a bool is undefined
    auto* each = static_cast<unsigned char*>(t.raw());
    for (int64_t i = 0; i < t.size(); ++i) each[i] = each[i] != 0;
  }
  return header.fortran && header.sizes.size() > 1 ? from_fortran(t) : t;
}

void write_npy_array(const std::string& path, const Tensor& t) {
  if (!t.defined()) throw UserError(fmt::format("{}: an undefined tensor cannot be written", path));
  auto found = std::find_if(std::begin(numpy_types), std::end(numpy_types), [&](const auto& each) { return each.type == t.dtype(); });
  if (found == std::end(numpy_types)) throw UserError(fmt::format("{}: NumPy has no type for {}; convert() it to f32 first", path, name(t.dtype())));
  size_t width = size_of(t.dtype());
  std::string shape;
  for (int64_t size : t.sizes()) shape += fmt::format("{}{}", shape.empty() ? "" : ", ", size);
  if (t.sizes().size() == 1) shape += ',';
  char order = width == 1 ? '|' : little ? '<' : '>';
  std::string text = fmt::format("{{'descr': '{}{}{}', 'fortran_order': False, 'shape': ({}), }}", order, found->kind, width, shape);
  // Blanks and a newline bring the data to a multiple of 64 bytes. Version 1.0 counts the header in two bytes, 2.0 in four.
  size_t before = magic.size() + 2 + 2;
  bool wide = text.size() + 64 > 65535;
  if (wide) before += 2;
  text.append(63 - (before + text.size()) % 64, ' ');
  text += '\n';
  std::string start(magic);
  start += wide ? '\2' : '\1';
  start += '\0';
  for (size_t i = 0; i < (wide ? 4u : 2u); ++i) start += static_cast<char>(text.size() >> (8 * i) & 0xFF);

  FileWriter file(path);
  file.write(start);
  file.write(text);
  file.write(t.raw(), t.bytes());
  file.finish();
}

}  // namespace

Tensor read_npy(const std::string& path, Here where) {
  return at_line(where, [&] { return read_npy_array(path); });
}

void write_npy(const std::string& path, const Tensor& t, Here where) {
  at_line(where, [&] { write_npy_array(path, t); });
}

}  // namespace sinter
