#include "runtime/data/npy.h"

#include <sys/stat.h>

#include <bit>
#include <catch2/catch.hpp>
#include <limits>

#include "tests/raises.h"
#include "tests/runtime/temporary_folder.h"

namespace sinter {
namespace {

// A file of the given version, its header as given, with no padding.
std::string npy_bytes(int version, const std::string& header, const std::string& data) {
  std::string s = "\x93NUMPY";
  s += static_cast<char>(version);
  s += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) s += static_cast<char>(header.size() >> (8 * i) & 0xFF);
  return s + header + data;
}

std::string header_of(const std::string& descr, const std::string& shape, const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

// Every bit pattern that is easily got wrong, for each type.
Tensor awkward(DType type, std::vector<int64_t> sizes) {
  Tensor t = Tensor::uninitialized(type, std::move(sizes));
  if (is_stored_only(type)) {
    for (int64_t i = 0; i < t.size(); ++i) static_cast<uint16_t*>(t.raw())[i] = static_cast<uint16_t>(i * 0x2f31);
    return t;
  }
  dispatch(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    using L = std::numeric_limits<T>;
    constexpr T minus_one_or_zero = static_cast<T>(-static_cast<int>(L::is_signed));
    const T values[] = {L::max(), L::lowest(), T(0), T(1), L::min(), L::denorm_min(), L::infinity(), minus_one_or_zero};
    for (int64_t i = 0; i < t.size(); ++i) static_cast<T*>(t.raw())[i] = values[(i * 5) % 8];
  });
  return t;
}

const std::vector<std::vector<int64_t>> shapes = {{}, {1}, {7}, {0}, {2, 3}, {3, 0}, {1, 4, 2}, {2, 3, 4, 5}};

}  // namespace

TEST_CASE("what is written as .npy is read back", "[npy]") {
  TemporaryFolder folder;
  for (DType type : all_dtypes)
    for (const auto& sizes : shapes) {
      Tensor t = awkward(type, sizes);
      if (type == bf16) {
        CHECK_THAT(raised([&] { write_npy(folder.file("t.npy"), t); }).message, Catch::Contains("NumPy has no type for bf16"));
        continue;
      }
      write_npy(folder.file("t.npy"), t);
      CHECK(same_bits(read_npy(folder.file("t.npy")), t));
    }
}

TEST_CASE(".npy files are written byte for byte as numpy.save does", "[npy]") {
  TemporaryFolder folder;
  auto expect = [&](const Tensor& t, const std::string& header, const std::string& data) {
    write_npy(folder.file("t.npy"), t);
    CHECK(bytes_of(folder.file("t.npy")) == std::string("\x93NUMPY\1\0\x76\0", 10) + header + std::string(117 - header.size(), ' ') + "\n" + data);
  };
  const float floats[] = {1, -2, 0.5f, 3, 4, 5};
  expect(Tensor::of<float>(floats, {2, 3}), "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }",
         std::string("\0\0\x80\x3f\0\0\0\xc0\0\0\0\x3f\0\0\x40\x40\0\0\x80\x40\0\0\xa0\x40", 24));
  expect(Tensor::scalar(uint64_t{0x0102030405060708}), "{'descr': '<u8', 'fortran_order': False, 'shape': (), }", "\x08\x07\x06\x05\x04\x03\x02\x01");
  const bool bools[] = {true, false};
  expect(Tensor::of<bool>(bools, {2}), "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", std::string("\1\0", 2));
  expect(Tensor::scalar(uint8_t{255}), "{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "\xff");
}

TEST_CASE("a header too long for version 1.0 is written as 2.0", "[npy]") {
  TemporaryFolder folder;
  write_npy(folder.file("t.npy"), Tensor(u8, std::vector<int64_t>(30000, 1)));
  std::string bytes = bytes_of(folder.file("t.npy"));
  CHECK(bytes[6] == 2);
  CHECK(bytes.size() % 64 == 1);
  CHECK_THROWS_AS(read_npy(folder.file("t.npy")), UserError);  // no reader has to take so many dimensions
}

TEST_CASE("every version, byte order and element order is read", "[npy]") {
  TemporaryFolder folder;
  const int32_t numbers[] = {1, 2, 3, 4, 5, 6};
  Tensor expected = Tensor::of<int32_t>(numbers, {2, 3});
  std::string rows, columns, big;
  for (int i : {1, 2, 3, 4, 5, 6}) rows += {static_cast<char>(i), 0, 0, 0}, big += {0, 0, 0, static_cast<char>(i)};
  for (int i : {1, 4, 2, 5, 3, 6}) columns += {static_cast<char>(i), 0, 0, 0};
  for (int version : {1, 2, 3}) {
    auto read = [&](const std::string& header, const std::string& data) { return read_npy(folder.write("t.npy", npy_bytes(version, header, data))); };
    CHECK(same_bits(read(header_of("<i4", "(2, 3)"), rows), expected));
    CHECK(same_bits(read(header_of(">i4", "(2, 3)"), big), expected));
    CHECK(same_bits(read(header_of("<i4", "(2, 3)", "True"), columns), expected));
    CHECK(same_bits(read("{\"shape\":(2L,3L),\"fortran_order\":False,\"descr\":\"<i4\"}", rows), expected));
    CHECK(same_bits(read("  {  'fortran_order'  :  False , 'descr' : '<i4' , 'shape' : ( 2 , 3 , ) }  \n", rows), expected));
  }
  Tensor bools = read_npy(folder.write("t.npy", npy_bytes(1, header_of("|b1", "(4,)"), std::string("\0\1\2\xff", 4))));
  const bool expected_bools[] = {false, true, true, true};
  CHECK(same_bits(bools, Tensor::of<bool>(expected_bools, {4})));
}

TEST_CASE("Fortran order is read at every rank and width", "[npy]") {
  TemporaryFolder folder;
  for (const auto& sizes : shapes)
    for (DType type : {u8, f32, f64}) {
      Tensor expected = Tensor::uninitialized(type, sizes);
      std::string data(expected.bytes(), '\0');
      // Element (i, j, k …) is numbered by its place in row-major order, and lies at i + n0 * (j + n1 * (k …)).
      size_t width = size_of(type);
      for (int64_t n = 0; n < expected.size(); ++n) {
        int64_t rest = n, place = 0;
        for (size_t d = sizes.size(); d-- > 0; rest /= sizes[d]) {
          int64_t stride = 1;
          for (size_t before = 0; before < d; ++before) stride *= sizes[before];
          place += rest % sizes[d] * stride;
        }
        for (size_t byte = 0; byte < width; ++byte) {
          char value = static_cast<char>(n + static_cast<int64_t>(byte));
          static_cast<char*>(expected.raw())[static_cast<size_t>(n) * width + byte] = value;
          data[static_cast<size_t>(place) * width + byte] = value;
        }
      }
      std::string shape = "(";
      for (int64_t size : sizes) shape += std::to_string(size) + ",";
      std::string descr = type == u8 ? "|u1" : type == f32 ? "<f4" : "<f8";
      CHECK(same_bits(read_npy(folder.write("t.npy", npy_bytes(1, header_of(descr, shape + ")", "True"), data))), expected));
    }
}

TEST_CASE("a malformed .npy file is a clear error", "[npy]") {
  TemporaryFolder folder;
  auto message = [&](const std::string& bytes) {
    std::string path = folder.write("t.npy", bytes), what = raised([&] { read_npy(path); }).message;
    CHECK_THAT(what, Catch::StartsWith(path + ": "));
    return what;
  };
  auto header_message = [&](const std::string& header) { return message(npy_bytes(1, header, std::string(4, '\0'))); };
  using Catch::Contains;
  CHECK_THAT(message(""), Contains("ends within the first 8 bytes"));
  CHECK_THAT(message("PK\3\4 a zip file, say"), Contains("is no .npy file"));
  CHECK_THAT(message(npy_bytes(4, header_of("<f4", "(1,)"), "1234")), Contains("version 4.0"));
  CHECK_THAT(message(std::string("\x93NUMPY\1\1\0\0", 10)), Contains("version 1.1"));
  CHECK_THAT(message(std::string("\x93NUMPY\2\0\xff\xff\xff\xff{}", 14)), Contains("4294967295 bytes"));
  CHECK_THAT(message(std::string("\x93NUMPY\1\0\xff\xff{}", 12)), Contains("ends within the header"));
  CHECK_THAT(header_message("{}"), Contains("lacks one of"));
  CHECK_THAT(header_message("{'descr': '<f4', 'fortran_order': False}"), Contains("lacks one of"));
  CHECK_THAT(header_message(header_of("<f4", "(1,)") + "more"), Contains("goes on after its end with \"more\""));
  CHECK_THAT(header_message("{'descr': '<f4', 'descr': '<f4'}"), Contains("'descr' twice"));
  CHECK_THAT(header_message("{'colour': 'red'}"), Contains("'colour'"));
  CHECK_THAT(header_message("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}"), Contains("structured"));
  for (const char* descr : {"<f16", "<f16", "<c8", "|O", "<U3", "|f4", "f4", "<", "", "<i1", "<u2", "|b2", "!f4", "<f4 "})
    CHECK_THAT(header_message(header_of(descr, "(1,)")), Contains("names the type '" + std::string(descr) + "'"));
  CHECK_THAT(header_message("{'descr': '<f4"), Contains("in quotes"));
  CHECK_THAT(header_message(header_of("<f4", "(1,)", "false")), Contains("True or False"));
  CHECK_THAT(header_message(header_of("<f4", "(1)")), Contains("a number where a tuple"));
  CHECK_THAT(header_message(header_of("<f4", "(-1,)")), Contains("where a size belongs"));
  CHECK_THAT(header_message(header_of("<f4", "(-0,)")), Contains("where a size belongs"));
  CHECK_THAT(header_message(header_of("<f4", "(1 1)")), Contains("where ',' belongs"));
  CHECK_THAT(header_message(header_of("<f4", "(,)")), Contains("where a size belongs"));
  CHECK_THAT(header_message(header_of("<f4", "(1.5,)")), Contains("where ',' belongs"));
  CHECK_THAT(header_message(header_of("<f4", "(9223372036854775808,)")), Contains("where a size belongs"));
  CHECK_THAT(header_message(header_of("<f4", "(4294967296, 4294967296)")), Contains("overflows"));
  CHECK_THAT(header_message(header_of("<f4", "(4611686018427387904,)")), Contains("overflows"));
  CHECK_THAT(header_message(header_of("<f4", "(1000000000000,)")), Contains("takes 4000000000000 bytes, but 4 follow"));
  CHECK_THAT(header_message(header_of("<f4", "(2,)")), Contains("takes 8 bytes, but 4 follow"));
  CHECK_THAT(header_message(header_of("<f4", "(0,)")), Contains("takes 0 bytes, but 4 follow"));
  std::string many = "(";
  for (int i = 0; i < 10000; ++i) many += "1,";
  CHECK_THAT(header_message(header_of("<f4", many + ")")), Contains("more than 64 dimensions"));
  CHECK_THAT(header_message("{'\x1b[31m\n" + std::string(100, 'x') + "': 1}"), Contains("'?[31m?xxx") && Contains("xxx...'"));
}

TEST_CASE("a .npy file that cannot be read or written is a SystemError", "[npy]") {
  TemporaryFolder folder;
  CHECK_THROWS_AS(read_npy(folder.file("missing.npy")), SystemError);
  CHECK_THROWS_AS(read_npy(folder.path()), SystemError);
  CHECK_THROWS_AS(read_npy(folder.file("t.npy/below")), SystemError);
  CHECK_THROWS_AS(read_npy(""), SystemError);
  REQUIRE(mkfifo(folder.file("pipe").c_str(), 0600) == 0);
  CHECK_THROWS_AS(read_npy(folder.file("pipe")), SystemError);  // and does not wait for a writer
  CHECK_THROWS_AS(write_npy(folder.file("missing/t.npy"), Tensor(f32, {1})), SystemError);
  CHECK_THROWS_AS(write_npy(folder.path(), Tensor(f32, {1})), SystemError);
  if (std::filesystem::exists("/dev/full")) CHECK_THROWS_AS(write_npy("/dev/full", Tensor(f32, {1})), SystemError);
  CHECK_THROWS_AS(write_npy(folder.file("t.npy"), Tensor()), UserError);
}

TEST_CASE("a .npy file cut short anywhere is an error", "[npy]") {
  TemporaryFolder folder;
  std::string plain = npy_bytes(1, header_of("<f4", "(2, 3)"), std::string(24, 'x'));
  std::string rarer = npy_bytes(2, header_of(">u8", "(2,)", "True"), std::string(16, 'x'));
  for (const std::string& whole : {plain, rarer}) {
    CHECK_NOTHROW(read_npy(folder.write("t.npy", whole)));
    for (size_t length = 0; length < whole.size(); ++length) {
      folder.write("t.npy", whole.substr(0, length));
      CHECK_THROWS_AS(read_npy(folder.file("t.npy")), UserError);
    }
    folder.write("t.npy", whole + "x");
    CHECK_THROWS_AS(read_npy(folder.file("t.npy")), UserError);
  }
}

TEST_CASE("a .npy file with any byte changed is an error or an array of the file's size", "[npy]") {
  TemporaryFolder folder;
  std::string whole = npy_bytes(1, header_of("<f4", "(2, 3)", "True"), std::string(24, 'x'));
  for (size_t at = 0; at < whole.size(); ++at)
    for (int change = 1; change < 256; change = change < 8 ? change + 1 : change + 13) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ change);
      folder.write("t.npy", bytes);
      try {
        Tensor t = read_npy(folder.file("t.npy"));
        CHECK(t.bytes() == 24);
      } catch (const UserError&) {
      }
    }
}

}  // namespace sinter
