#include "runtime/data/idx.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <optional>
#include <system_error>

#include "runtime/data/file.h"

namespace sinter {
namespace {

// Reads a file through zlib, which passes on as it is what does not begin as gzip does.
class GzipReader {
 public:
  explicit GzipReader(const std::string& path) : path_(path) {
    regular_file_size(path);
    errno = 0;
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) throw SystemError(fmt::format("cannot open {}: {}", path, errno ? std::generic_category().message(errno) : "out of memory"));
    gzbuffer(file_.get(), 1 << 17);
  }

  // As many bytes as there are, up to `bytes`; fewer only at the end of the file.
  int64_t read(void* to, int64_t bytes) {
    int64_t done = 0;
    while (done < bytes) {
      auto want = static_cast<unsigned>(std::min(bytes - done, int64_t{1} << 30));
      int got = gzread(file_.get(), static_cast<char*>(to) + done, want);
      if (got <= 0) break;
      done += got;
    }
    if (done < bytes) check();
    return done;
  }

 private:
  // The end of the file is no error to gzread, nor is the end of a file in the midst of its gzip stream.
  void check() {
    int code = Z_OK;
    const char* message = gzerror(file_.get(), &code);
    if (code == Z_ERRNO) throw SystemError(fmt::format("cannot read {}: {}", path_, std::generic_category().message(errno)));
    if (code == Z_MEM_ERROR) throw SystemError(fmt::format("cannot read {}: out of memory", path_));
    if (code == Z_BUF_ERROR) throw UserError(fmt::format("{}: its gzip stream ends early", path_));
    if (code != Z_OK) throw UserError(fmt::format("{}: its gzip stream is damaged ({})", path_, message));
  }

  struct Close {
    void operator()(gzFile_s* file) const { gzclose_r(file); }
  };
  const std::string& path_;
  std::unique_ptr<gzFile_s, Close> file_;
};

std::optional<DType> idx_type(unsigned char code) {
  switch (code) {
    case 0x08: return u8;
    case 0x0C: return i32;
    case 0x0D: return f32;
    case 0x0E: return f64;
  }
  return std::nullopt;
}

Tensor read_idx_array(const std::string& path) {
  GzipReader reader(path);
  auto take = [&](unsigned char (&to)[4]) {
    if (reader.read(to, 4) < 4) throw UserError(fmt::format("{}: ends within the header of an IDX file", path));
  };
  unsigned char word[4];
  take(word);
  std::optional<DType> type = idx_type(word[2]);
  if (word[0] != 0 || word[1] != 0) throw UserError(fmt::format("{}: is no IDX file: it does not begin with two zero bytes", path));
  if (!type) throw UserError(fmt::format("{}: holds IDX type {:#04x}; 0x08 (u8), 0x0c (i32), 0x0d (f32) and 0x0e (f64) are read", path, word[2]));
  std::vector<int64_t> sizes(word[3]);
  for (int64_t& size : sizes) {
    take(word);
    size = int64_t{word[0]} << 24 | word[1] << 16 | word[2] << 8 | word[3];
  }
  int64_t bytes = 0;
  std::string claim = fmt::format("its header says {}{}", name(*type), to_string(sizes));
  try {
    bytes = checked_multiply(element_count(sizes), static_cast<int64_t>(size_of(*type)));
  } catch (const UserError& error) {
    throw UserError(fmt::format("{}: {}", path, error.message()));
  }

  // A gzipped file's real size is known only at its end, and its header may claim what it likes: the buffer doubles as data comes.
  int64_t have = 0;
  Tensor data = Tensor::uninitialized(u8, {std::min(bytes, int64_t{1} << 20)});
  for (;;) {
    have += reader.read(static_cast<char*>(data.raw()) + have, data.size() - have);
    if (have < data.size()) throw UserError(fmt::format("{}: {}, which takes {} bytes, but only {} follow", path, claim, bytes, have));
    if (have == bytes) break;
    Tensor larger = Tensor::uninitialized(u8, {have > bytes / 2 ? bytes : 2 * have});
    std::memcpy(larger.raw(), data.raw(), static_cast<size_t>(have));
    data = larger;
  }
  // Looking for one byte more also makes zlib verify the checksum at the stream's end.
  if (reader.read(word, 1) != 0) throw UserError(fmt::format("{}: {}, which takes {} bytes, but more follow", path, claim, bytes));

  if (*type == u8) return data.reshaped(sizes);
  Tensor t = Tensor::uninitialized(*type, sizes);
  std::memcpy(t.raw(), data.raw(), t.bytes());
  if constexpr (std::endian::native == std::endian::little) reverse_bytes(t.raw(), t.size(), size_of(*type));
  return t;
}

}  // namespace

Tensor read_idx(const std::string& path, Here where) {
  return at_line(where, [&] { return read_idx_array(path); });
}

}  // namespace sinter
