// Files that were cut short, changed anywhere, or claim what cannot be. Whatever the bytes, a reader says which file is wrong and how, or what
// it read is whole; and it never asks for much more memory than the file is long.
#include <zlib.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <functional>
#include <regex>

#include "graph/safetensors.h"
#include "graph/text.h"
#include "graph/verify.h"
#include "runtime/data/idx.h"
#include "runtime/data/npy.h"
#include "tests/hostile/memory.h"
#include "tests/runtime/temporary_folder.h"

using namespace sinter;

namespace {

std::string in_bytes(uint64_t value, int width, bool big_endian) {
  std::string s;
  for (int i = 0; i < width; ++i) s += static_cast<char>(value >> 8 * (big_endian ? width - 1 - i : i) & 0xFF);
  return s;
}

std::string gzipped(const std::string& bytes) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(bytes.size() + 1000, '\0'), from = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(from.data()), stream.avail_in = static_cast<uInt>(from.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data()), stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// A header that stands in the file after its length, and where numbers in it say how much follows.
std::string npy(const std::string& shape, const std::string& data, const std::string& descr = "<f4", const std::string& order = "False") {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
  return "\x93NUMPY" + std::string("\2\0", 2) + in_bytes(header.size(), 4, false) + header + data;
}
std::string safetensors(const std::string& header, const std::string& data) { return in_bytes(header.size(), 8, false) + header + data; }
std::string idx(unsigned char type, const std::vector<uint64_t>& sizes, const std::string& data) {
  std::string s = in_bytes(uint64_t{type} << 8 | sizes.size(), 4, true);
  for (uint64_t size : sizes) s += in_bytes(size, 4, true);
  return s + data;
}

const std::string forty = "forty bytes that make no sense as floats";
const std::string tensors_header = R"({"__metadata__":{"by":"x"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                   R"("n":{"dtype":"U8","shape":[16],"data_offsets":[24,40]}})";
const std::string graph_seed = R"(sinter 1
%x = variable : f32[batch, 2*k + 3]  # a.cpp:3
%"my w" = parameter {file="w.safetensors", tensor="w"} : f32[2, 3]
%2 = constant [0x1p+0, -inf, 3] : f32[3]
%3 = broadcast %2 {shape=[2, 3], axes=[1]} : f32[2, 3]
%4 = contract %"my w", %3 {lhs_contracted=[1], rhs_contracted=[1]} : f32[2, 2]
%5 = slice %4 {starts=[0, 1], stops=[2, 2], steps=[1, 1]} : f32[2, 1]
%6 = iota {shape=[4, 3], axis=0, dtype=i32}
%7 = reshape %6 {shape=[2, 6]}
%z = constant 7 : f32[]
%9 = pad %2, %z {low=[1], high=[2], interior=[3]} : f32[12]
update %"my w" = %3
return %5, %x, %7
)";

// A kind of file: what reads one, throwing what a caller would see, and where it read something, checks that it is whole.
struct Kind {
  std::string name, file;
  std::vector<std::string> seeds;
  std::function<void(const std::string& path)> read;
};

// What was read is as long as it says, and written and read again is the same.
void check_tensor(const Tensor& t, const std::string& beside) {
  REQUIRE(t.defined());
  if (t.sizes().size() > 64) return;  // .npy has no more
  write_npy(beside, t);
  REQUIRE(same_bits(read_npy(beside), t));
}

std::vector<Kind> kinds() {
  auto read_tensor_by = [](Tensor (*read)(const std::string&, Here)) { return [read](const std::string& path) { check_tensor(read(path, Here()), path + ".npy"); }; };
  const std::string plain = idx(0x0D, {2, 5}, forty), small = idx(0x08, {3, 4}, "a dozen here");
  return {
      {".npy", "t.npy", {npy("(2, 5)", forty), npy("(5, 1, 1)", forty, ">u8", "True"), npy("()", "x", "|b1")}, read_tensor_by(read_npy)},
      {"IDX", "t.idx", {plain, small, idx(0x0E, {}, "8 bytes.")}, read_tensor_by(read_idx)},
      {"gzipped IDX", "t.idx.gz", {gzipped(plain), gzipped(small)}, read_tensor_by(read_idx)},
      {"safetensors", "t.safetensors", {safetensors(tensors_header, forty), safetensors("{}", "")},
       [](const std::string& path) {
         SafetensorsFile file(path);
         for (const std::string& name : file.names()) {
           if (file.type(name).dtype == boolean) continue;  // its bytes may be no bools
           Tensor t = file.read(name);
           write_safetensors(path + ".again", {{name, t}});
           REQUIRE(same_bits(SafetensorsFile(path + ".again").read(name), t));
         }
       }},
      {".graph", "t.graph", {graph_seed},
       [](const std::string& path) {
         ParseOptions options;
         options.max_bytes = 1 << 16;
         Program p = read_graph(path, options);
         verify(p);
         const std::string text = print(p);
         REQUIRE(print(parse(text, "again.graph")) == text);
       }},
  };
}

enum class Read : uint8_t { refused, whole };

// Reads `bytes` as a file of this kind: refused by an error that names the file, or whole.
Read read_as(const Kind& kind, const TemporaryFolder& folder, const std::string& bytes) {
  const std::string path = folder.write(kind.file, bytes);
  auto names_it = [&](const std::string& what) {
    INFO(what);
    REQUIRE(what.find(folder.path() + "/") != std::string::npos);  // this file, or one beside it that it names
    REQUIRE(what.size() > path.size() + 10);
  };
  memory::Peak peak;
  try {
    kind.read(path);
    REQUIRE(peak.bytes() < (int64_t{1} << 22) + 40 * static_cast<int64_t>(bytes.size()));
    return Read::whole;
  } catch (const UserError& error) {
    names_it(error.what());
  } catch (const SystemError& error) {
    names_it(error.what());
  }
  REQUIRE(peak.bytes() < (int64_t{1} << 22) + 40 * static_cast<int64_t>(bytes.size()));
  return Read::refused;
}

struct Files {
  TemporaryFolder folder;
  Files() { folder.write("w.safetensors", safetensors(tensors_header, forty)); }
  Read read(const Kind& kind, const std::string& bytes) const { return read_as(kind, folder, bytes); }
};

// Lengths that fields of files may claim. Two floats times 2^61 + 3 are 24 bytes, and 2^61 + 5 are 40, to who does not look.
const uint64_t claims[] = {0, 1, 127, 128, 255, 256, 65535, 65536, 0x7fffffff, 0x80000000, 0xffffffff, uint64_t{1} << 32,
                           (uint64_t{1} << 61) + 3, (uint64_t{1} << 61) + 5, (uint64_t{1} << 62) + 1,
                           INT64_MAX, uint64_t{1} << 63, UINT64_MAX};

}  // namespace

TEST_CASE("a file that was cut short anywhere is refused", "[files]") {
  Files files;
  for (const Kind& kind : kinds())
    for (const std::string& seed : kind.seeds) {
      INFO(kind.name);
      REQUIRE(files.read(kind, seed) == Read::whole);
      for (size_t length = 0; length < seed.size(); ++length) {
        CAPTURE(length);
        REQUIRE(files.read(kind, seed.substr(0, length)) == Read::refused);
      }
    }
}

TEST_CASE("a file with more after its end is refused", "[files]") {
  Files files;
  for (const Kind& kind : kinds()) {
    if (kind.name == "gzipped IDX") continue;  // zlib reads past what is no stream, as gzip does
    for (const std::string& seed : kind.seeds)
      for (const char* more : {"x", "0", "return"}) {
        CAPTURE(kind.name, more);
        REQUIRE(files.read(kind, seed + more) == Read::refused);
      }
  }
}

TEST_CASE("a file with any byte changed, doubled, added or lost is refused or whole", "[files]") {
  Files files;
  for (const Kind& kind : kinds())
    for (const std::string& seed : kind.seeds)
      for (size_t at = 0; at < seed.size(); ++at) {
        CAPTURE(kind.name, at);
        auto changed = [&](size_t taken, const std::string& put) { files.read(kind, seed.substr(0, at) + put + seed.substr(at + taken)); };
        const char byte = seed[at];
        for (int flip : {1, 0x80}) changed(1, {static_cast<char>(byte ^ flip)});
        for (char other : {'\0', '"'}) changed(1, {other});
        changed(1, "");
        changed(1, {byte, byte});
        changed(0, std::string(9, '9'));
      }
}

TEST_CASE("a gzip stream's checksum guards what is in it", "[files]") {
  Files files;
  for (const std::string& plain : {idx(0x0D, {2, 5}, forty), idx(0x08, {3, 4}, "a dozen here")}) {
    Tensor original = read_idx(files.folder.write("plain.idx", plain));
    const std::string seed = gzipped(plain);
    for (size_t at = 0; at < seed.size(); ++at)
      for (int flip = 1; flip < 256; flip *= 2) {
        std::string bytes = seed;
        bytes[at] = static_cast<char>(bytes[at] ^ flip);
        bool is_guarded = true;
        try {
          is_guarded = same_bits(read_idx(files.folder.write("t.idx.gz", bytes)), original);
        } catch (const UserError&) {
        }
        REQUIRE(is_guarded);
      }
  }
}

TEST_CASE("numbers in text that claim too much, or too little", "[files]") {
  Files files;
  std::vector<std::string> numbers = {"-1", "-0", "18446744073709551616", "99999999999999999999999999", "1e3", "0x10", "1.0", "", "nan", "+1", " ", "1,1", "[1]"};
  for (uint64_t claim : claims) numbers.push_back(std::to_string(claim));
  struct Text {
    Kind kind;
    std::string text;
    std::function<std::string(const std::string&)> file_of;
  };
  std::vector<Kind> all = kinds();
  const Text texts[] = {
      {all[0], "(2, 5)", [](const std::string& shape) { return npy(shape, forty); }},
      {all[0], "(2, 5)", [](const std::string& shape) { return npy(shape, forty, "<f4", "True"); }},
      {all[3], tensors_header, [](const std::string& header) { return safetensors(header, forty); }},
      {all[4], graph_seed, [](const std::string& text) { return text; }},
  };
  const std::regex number("[0-9]+");
  for (const Text& t : texts) {
    REQUIRE(files.read(t.kind, t.file_of(t.text)) == Read::whole);
    for (std::sregex_iterator at(t.text.begin(), t.text.end(), number), end; at != end; ++at)
      for (const std::string& n : numbers) {
        std::string changed = t.text;
        changed.replace(static_cast<size_t>(at->position()), static_cast<size_t>(at->length()), n);
        INFO(t.kind.name << ": " << changed);
        files.read(t.kind, t.file_of(changed));
      }
  }
}

TEST_CASE("binary lengths that claim too much, or too little", "[files]") {
  Files files;
  std::vector<Kind> all = kinds();
  for (uint64_t claim : claims) {
    CAPTURE(claim);
    std::string bytes = npy("(2, 5)", forty);
    bool is_right = claim == static_cast<unsigned char>(bytes[8]);
    CHECK((files.read(all[0], bytes.replace(8, 4, in_bytes(claim, 4, false))) == Read::refused || is_right));
    bytes = safetensors(tensors_header, forty);
    CHECK((files.read(all[3], bytes.replace(0, 8, in_bytes(claim, 8, false))) == Read::refused || claim == tensors_header.size()));
    for (uint64_t other : claims) {
      uint32_t a = static_cast<uint32_t>(claim), b = static_cast<uint32_t>(other);
      for (int type : {0x08, 0x0C, 0x0D, 0x0E}) {
        uint64_t width = type == 0x08 ? 1 : type == 0x0E ? 8 : 4, elements = uint64_t{a} * b;
        bool fits = elements <= 40 && elements * width == 40;
        bytes = idx(static_cast<unsigned char>(type), {a, b}, forty);
        CHECK((files.read(all[1], bytes) == Read::whole) == fits);
        if (type == 0x0E) CHECK((files.read(all[2], gzipped(bytes)) == Read::whole) == fits);
      }
    }
  }
  for (int dimensions = 0; dimensions < 256; ++dimensions) {
    std::string bytes = idx(0x08, {}, std::string(4, '\1') + forty);
    bytes[3] = static_cast<char>(dimensions);
    files.read(all[1], bytes);
  }
}

TEST_CASE("a million dimensions", "[files]") {
  Files files;
  std::vector<Kind> all = kinds();
  auto many = [](const std::string& one, size_t count, const std::string& between) {
    std::string text;
    for (size_t i = 0; i < count; ++i) text += (i ? between : "") + one;
    return text;
  };
  for (const char* one : {"1", "0", "2", "9223372036854775807"})
    for (size_t count : {size_t{65}, size_t{5000}, size_t{1'000'000}}) {
      if (count > 5000 && *one != '1') continue;
      CAPTURE(one, count);
      const std::string shape = many(one, count, ",");
      CHECK(files.read(all[0], npy("(" + shape + ")", "1234")) == Read::refused);
      CHECK(files.read(all[3], safetensors(R"({"w":{"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[0,4]}})", "1234")) == Read::refused);
      CHECK(files.read(all[4], "sinter 1\n%x = variable : f32[" + shape + "]\nreturn %x\n") == Read::refused);
      CHECK(files.read(all[4], "sinter 1\n%x = variable : f32[1]\n%y = reshape %x {shape=[" + shape + "]}\nreturn %y\n") == Read::refused);
      CHECK(files.read(all[4], "sinter 1\n%x = variable : f32[1]\n%y = sum %x {axes=[" + shape + "]}\nreturn %y\n") == Read::refused);
      CHECK(files.read(all[4], "sinter 1\n%x = constant [" + shape + "] : f32[3]\nreturn %x\n") == Read::refused);
    }
  CHECK(files.read(all[1], idx(0x08, std::vector<uint64_t>(255, 0xffffffff), "1234")) == Read::refused);
  CHECK(files.read(all[1], idx(0x08, std::vector<uint64_t>(255, 1), "1")) == Read::whole);
}
