#include "runtime/data/idx.h"

#include <zlib.h>

#include <catch2/catch.hpp>
#include <limits>

#include "tests/runtime/temporary_folder.h"

namespace sinter {
namespace {

void append(std::string& s, uint64_t value, int width) {
  for (int i = width; i-- > 0;) s += static_cast<char>(value >> (8 * i) & 0xFF);
}

std::string idx_bytes(unsigned char type, const std::vector<uint32_t>& sizes, const std::string& data) {
  std::string s;
  append(s, uint64_t{type} << 8 | sizes.size(), 4);
  for (uint32_t size : sizes) append(s, size, 4);
  return s + data;
}

std::string gzipped(const TemporaryFolder& folder, const std::string& bytes) {
  gzFile file = gzopen(folder.file("z").c_str(), "wb");
  REQUIRE(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())) == static_cast<int>(bytes.size()));
  REQUIRE(gzclose(file) == Z_OK);
  return bytes_of(folder.file("z"));
}

}  // namespace

TEST_CASE("every type of IDX is read, gzipped or not", "[idx]") {
  TemporaryFolder folder;
  auto check = [&](const std::string& bytes, const Tensor& expected) {
    CHECK(same_bits(read_idx(folder.write("t.idx", bytes)), expected));
    CHECK(same_bits(read_idx(folder.write("t.idx.gz", gzipped(folder, bytes))), expected));
  };
  const uint8_t u8s[] = {0, 1, 127, 128, 255, 7};
  check(idx_bytes(0x08, {6}, std::string("\0\1\x7f\x80\xff\7", 6)), Tensor::of<uint8_t>(u8s, {6}));
  check(idx_bytes(0x08, {1, 2, 3}, std::string("\0\1\x7f\x80\xff\7", 6)), Tensor::of<uint8_t>(u8s, {1, 2, 3}));
  check(idx_bytes(0x08, {}, "\xff"), Tensor::scalar(uint8_t{255}));
  check(idx_bytes(0x08, {3, 0, 2}, ""), Tensor(u8, {3, 0, 2}));
  check(idx_bytes(0x08, std::vector<uint32_t>(255, 1), "\7"), Tensor::scalar(uint8_t{7}).reshaped(std::vector<int64_t>(255, 1)));
  const int32_t i32s[] = {1, -2, std::numeric_limits<int32_t>::min()};
  check(idx_bytes(0x0C, {3}, std::string("\0\0\0\1\xff\xff\xff\xfe\x80\0\0\0", 12)), Tensor::of<int32_t>(i32s, {3}));
  const float f32s[] = {1, -0.5f};
  check(idx_bytes(0x0D, {2, 1}, std::string("\x3f\x80\0\0\xbf\0\0\0", 8)), Tensor::of<float>(f32s, {2, 1}));
  check(idx_bytes(0x0E, {}, std::string("\x3f\xf0\0\0\0\0\0\1", 8)), Tensor::scalar(1.0000000000000002));
}

TEST_CASE("an IDX file larger than the reader's first buffer is read", "[idx]") {
  TemporaryFolder folder;
  for (size_t size : {(size_t{1} << 20) - 1, size_t{1} << 20, (size_t{1} << 20) + 1, (size_t{1} << 22) + 12345}) {
    std::string data(size, '\0');
    for (size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * i >> 7);
    std::string bytes = idx_bytes(0x08, {static_cast<uint32_t>(size)}, data);
    for (const std::string& file : {bytes, gzipped(folder, bytes)}) {
      Tensor t = read_idx(folder.write("t", file));
      REQUIRE(t.bytes() == size);
      CHECK(std::memcmp(t.raw(), data.data(), size) == 0);
    }
  }
}

TEST_CASE("a malformed IDX file is a clear error", "[idx]") {
  TemporaryFolder folder;
  auto message = [&](const std::string& bytes) -> std::string {
    std::string path = folder.write("t.idx", bytes);
    try {
      read_idx(path);
    } catch (const UserError& e) {
      CHECK_THAT(e.message(), Catch::StartsWith(path + ": "));
      return e.message();
    }
    return "no UserError";
  };
  using Catch::Contains;
  CHECK_THAT(message(""), Contains("ends within the header"));
  CHECK_THAT(message("{'descr': '<f4'}"), Contains("does not begin with two zero bytes"));
  CHECK_THAT(message(idx_bytes(0x09, {1}, "x")), Contains("type 0x09"));
  CHECK_THAT(message(idx_bytes(0x0B, {1}, "xx")), Contains("type 0x0b"));
  CHECK_THAT(message(idx_bytes(0x08, {5}, "xxxx")), Contains("u8[5], which takes 5 bytes, but only 4 follow"));
  CHECK_THAT(message(idx_bytes(0x08, {5}, "xxxxxx")), Contains("takes 5 bytes, but more follow"));
  CHECK_THAT(message(idx_bytes(0x08, {0}, "x")), Contains("but more follow"));
  CHECK_THAT(message(idx_bytes(0x0E, {~0u, ~0u, ~0u}, "x")), Contains("overflows"));
  CHECK_THAT(message(idx_bytes(0x0E, {1u << 31, 1u << 30}, "x")), Contains("overflows"));
  CHECK_THAT(message(idx_bytes(0x08, {~0u, 1u << 31}, "x")), Contains("takes 9223372034707292160 bytes, but only 1 follow"));  // and is not allocated
  CHECK_THAT(message(gzipped(folder, idx_bytes(0x0E, {~0u, 1u << 20}, "x"))), Contains("but only 1 follow"));
  std::string zipped = gzipped(folder, idx_bytes(0x08, {1000}, std::string(1000, 'x')));
  CHECK_THAT(message(zipped.substr(0, zipped.size() - 1)), Contains("gzip stream ends early"));
  CHECK_THAT(message(zipped.substr(0, 20)), Contains("gzip stream ends early"));
  zipped[zipped.size() - 5] ^= 1;
  CHECK_THAT(message(zipped), Contains("gzip stream is damaged"));
}

TEST_CASE("an IDX file that cannot be read is a SystemError", "[idx]") {
  TemporaryFolder folder;
  CHECK_THROWS_AS(read_idx(folder.file("missing")), SystemError);
  CHECK_THROWS_AS(read_idx(folder.path()), SystemError);
  CHECK_THROWS_AS(read_idx(""), SystemError);
}

TEST_CASE("an IDX file cut short anywhere is an error", "[idx]") {
  TemporaryFolder folder;
  std::string bytes = idx_bytes(0x0D, {2, 5}, "some forty bytes of data, and so forth..");
  for (const std::string& whole : {bytes, gzipped(folder, bytes)}) {
    CHECK_NOTHROW(read_idx(folder.write("t", whole)));
    for (size_t length = 0; length < whole.size(); ++length) {
      folder.write("t", whole.substr(0, length));
      CHECK_THROWS_AS(read_idx(folder.file("t")), UserError);
    }
  }
}

TEST_CASE("an IDX file with any byte changed is an error or right", "[idx]") {
  TemporaryFolder folder;
  std::string bytes = idx_bytes(0x0D, {2, 5}, "some forty bytes of data, and so forth..");
  Tensor original = read_idx(folder.write("t", bytes));
  auto mutate = [&](const std::string& whole, auto check) {
    for (size_t at = 0; at < whole.size(); ++at)
      for (int change = 1; change < 256; change = change < 8 ? change + 1 : change + 13) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ change);
        folder.write("t", changed);
        try {
          check(read_idx(folder.file("t")));
        } catch (const UserError&) {
        }
      }
  };
  mutate(bytes, [](const Tensor& t) { CHECK(t.bytes() == 40); });
  mutate(gzipped(folder, bytes), [&](const Tensor& t) { CHECK(same_bits(t, original)); });  // its checksum guards it
}

TEST_CASE("Fashion-MNIST is read where it is installed", "[idx]") {
  const std::string folder = "/usr/share/datasets/fashion-mnist/";
  if (!std::filesystem::exists(folder)) {
    WARN("the package dataset-fashion-mnist is not installed");
    return;
  }
  auto sum = [](const Tensor& t) {
    int64_t s = 0;
    for (uint8_t each : t.data<uint8_t>()) s += each;
    return s;
  };
  Tensor images = read_idx(folder + "train-images-idx3-ubyte.gz"), labels = read_idx(folder + "train-labels-idx1-ubyte.gz");
  CHECK(images.sizes() == std::vector<int64_t>{60000, 28, 28});
  CHECK(labels.sizes() == std::vector<int64_t>{60000});
  CHECK(sum(labels) == 270000);  // 6000 of each of the ten classes
  CHECK(labels.data<uint8_t>()[0] == 9);
  CHECK(std::abs(static_cast<double>(sum(images)) / static_cast<double>(images.size()) / 255 - 0.2860) < 0.0001);  // the mean it is known for
  Tensor test_images = read_idx(folder + "t10k-images-idx3-ubyte.gz"), test_labels = read_idx(folder + "t10k-labels-idx1-ubyte.gz");
  CHECK(test_images.sizes() == std::vector<int64_t>{10000, 28, 28});
  CHECK(sum(test_labels) == 45000);
}

}  // namespace sinter
