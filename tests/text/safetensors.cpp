// Files of tensors, sound and hostile, and the graphs that refer to them.
#include "graph/safetensors.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "graph/builder.h"
#include "graph/text.h"
#include "tests/raises.h"
#include "tests/runtime/temporary_folder.h"

using namespace sinter;

namespace {

void write_bytes(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::string file_of(const std::string& header, const std::string& data) {
  uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

}  // namespace

TEST_CASE("tensors come back as they were written") {
  TemporaryFolder folder;
  std::string path = folder.file("a.safetensors");
  std::vector<std::pair<std::string, Tensor>> tensors;
  for (DType d : all_dtypes) tensors.emplace_back(std::string(name(d)), full({2, 3}, 1, d));
  tensors.emplace_back("scalar", Tensor::scalar(2.5));
  tensors.emplace_back("empty", zeros({0, 4}));
  tensors.emplace_back("a name / with \"quotes\"", ones({1}));
  write_safetensors(path, tensors);
  SafetensorsFile file(path);
  CHECK(file.names().size() == tensors.size());
  for (const auto& [name, value] : tensors) CHECK(same_bits(file.read(name), value));
  CHECK(raised([&] { file.read("none"); }).message.starts_with(path + " holds no tensor 'none'; it holds 'a name / with "));
  CHECK(raised([&] { write_safetensors(path, {{"a", ones({1})}, {"a", ones({1})}}); }).message == "the tensor name 'a' is taken");
  CHECK_THROWS_AS(SafetensorsFile{folder.file("none")}, SystemError);
  CHECK_THROWS_AS(write_safetensors(folder.file("none/a"), tensors), SystemError);
}

TEST_CASE("a file that is not sound is refused") {
  TemporaryFolder folder;
  std::string path = folder.file("bad.safetensors");
  std::string eight(8, '\0');
  const std::pair<std::string, std::string> cases[] = {
      {"", "it is shorter than the 8 bytes of its header's length"},
      {"1234567", "it is shorter than the 8 bytes of its header's length"},
      {std::string(8, '\xff'), "its header would take 18446744073709551615 bytes of the 0 that follow"},
      {file_of("{}", "").substr(0, 9), "its header would take 2 bytes of the 1 that follow"},
      {file_of("[]", ""), "its header is not a JSON object"},
      {file_of("{\"a\":", ""), "its header is not a JSON object"},
      {file_of(std::string(100000, '['), ""), "its header is not a JSON object"},
      {file_of(R"({"a":1})", ""), "the tensor 'a' lacks dtype, shape or data_offsets"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2]}})", eight), "the tensor 'a' lacks dtype, shape or data_offsets"},
      {file_of(R"({"a":{"dtype":1,"shape":[2],"data_offsets":[0,8]}})", eight), "the tensor 'a' has a dtype, shape or data_offsets of another kind"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", eight),
       "the tensor 'a' has a dtype, shape or data_offsets of another kind"},
      {file_of(R"({"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}})", eight), "the tensor 'a' has the unknown dtype 'F33'"},
      {file_of(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", eight),
       "the tensor 'a' has a size that is not a whole number of 0 or more"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", eight),
       "the tensor 'a' has a size that is not a whole number of 0 or more"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}})", eight), "the tensor 'a' lies outside the 8 bytes of elements"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", eight), "the tensor 'a' lies outside the 8 bytes of elements"},
      {file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", eight), "the tensor 'a' lies outside the 8 bytes of elements"},
      {file_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", eight),
       "the tensor 'a' of shape [3] does not fill the 8 bytes given to it"},
      {file_of(R"({"a":{"dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8]}})", eight),
       "the tensor 'a' of shape [4611686018427387906] does not fill the 8 bytes given to it"},
      {file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[5],"data_offsets":[3,8]}})", eight),
       "two tensors overlap"},
      {file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[3],"data_offsets":[5,8]}})", eight),
       "there is a gap between two tensors"},
      {file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", eight), "4 bytes at its end belong to no tensor"},
      {file_of(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", eight),
       "a name stands twice in its header"},
  };
  for (const auto& [bytes, why] : cases) {
    write_bytes(path, bytes);
    CHECK(raised([&] { SafetensorsFile file(path); }).message == path + " is no sound safetensors file: " + why);
  }
}

TEST_CASE("what other programs write is read: metadata, any order, types that sinter has not") {
  TemporaryFolder folder;
  std::string path = folder.file("other.safetensors");
  std::string header = R"({"__metadata__":{"format":"pt"},"late":{"dtype":"U8","shape":[2],"data_offsets":[4,6]},)"
                       R"("half":{"dtype":"I16","shape":[2],"data_offsets":[0,4]},"flag":{"dtype":"BOOL","shape":[1],"data_offsets":[6,7]}})";
  write_bytes(path, file_of(header, std::string("\1\2\3\4\5\6\2", 7)));
  SafetensorsFile file(path);
  CHECK(file.names() == std::vector<std::string>{"flag", "half", "late"});
  CHECK(file.read("late").data<uint8_t>()[1] == 6);
  CHECK(raised([&] { file.read("half"); }).message == "the tensor 'half' of " + path + " is I16, a type that sinter has not; convert it first");
  CHECK(raised([&] { file.read("flag"); }).message == "the tensor 'flag' of " + path + " is bool, but holds bytes that are neither 0 nor 1");
}

TEST_CASE("a graph's large constants and parameters lie in a file beside it") {
  TemporaryFolder folder;
  Program program;
  Graph& graph = program.graph;
  NodeId large = build_constant(graph, uniform({100}, 1)), again = build_constant(graph, uniform({100}, 1)),
         alike = build_constant(graph, full({100}, 3)), tiny = build_constant(graph, uniform({3}, 2)),
         c0 = build_parameter(graph, std::make_shared<ParameterStorage>("c0", uniform({4}, 3)));
  program.outputs = {large, again, alike, tiny, c0};
  std::string path = folder.file("model.graph");
  write_graph(program, path);
  Program back = read_graph(path);
  for (size_t i = 0; i < 4; ++i) CHECK(same_bits(back.graph.constant_value(NodeId(i)), graph.constant_value(NodeId(i))));
  CHECK(same_bits(back.graph.parameter("c0")->value, graph.parameter("c0")->value));
  CHECK(print(back) == print(program));
  PrintOptions options;
  options.tensors = "model.safetensors";
  CHECK(print(back, options) == print(program, options));
  CHECK(SafetensorsFile(folder.file("model.safetensors")).names() == std::vector<std::string>{"c0", "c0_"});
  CHECK(print(program, options).starts_with("sinter 1\n%0 = constant {file=\"model.safetensors\", tensor=\"c0_\"} : f32[100]\n"));

  auto refused = [&](const std::string& line) {
    write_bytes(path, "sinter 1\n" + line + "\n");
    return raised([&] { read_graph(path); }).message;
  };
  CHECK(refused("%0 = constant {file=\"model.safetensors\", tensor=\"c0\"} : f32[5]") ==
        "the tensor \"c0\" of \"model.safetensors\" is f32[4], not f32[5]");
  CHECK(refused("%0 = constant {file=\"model.safetensors\", tensor=\"c0\"} : i32[4]") ==
        "the tensor \"c0\" of \"model.safetensors\" is f32[4], not i32[4]");
  CHECK(refused("%0 = constant {file=\"model.safetensors\"} : f32[4]") == "constant needs the attribute 'tensor'");
  CHECK(refused("%0 = constant {file=\"../model.safetensors\", tensor=\"c0\"} : f32[4]") ==
        "\"../model.safetensors\" is not to be read from here: only files beside a graph's own are");
  CHECK(refused("%0 = constant {file=\"/etc/passwd\", tensor=\"c0\"} : f32[4]") ==
        "\"/etc/passwd\" is not to be read from here: only files beside a graph's own are");
  CHECK_THROWS_AS(read_graph(folder.file("none.graph")), SystemError);
  CHECK_THROWS_AS(read_graph(folder.path()), SystemError);
}

TEST_CASE("a file is read as it was when it was opened, whatever has taken its name") {
  TemporaryFolder folder;
  const std::string path = folder.file("m.safetensors");
  write_safetensors(path, {{"a", full({4}, 1)}, {"b", full({4}, 2)}});
  const SafetensorsFile file(path), copy = file;
  write_safetensors(path, {{"b", full({4}, 20)}, {"a", full({4}, 10)}, {"a longer name", full({64}, 30)}});
  CHECK(same_bits(file.read("a"), full({4}, 1)));
  CHECK(same_bits(copy.read("b"), full({4}, 2)));
  CHECK(same_bits(SafetensorsFile(path).read("a"), full({4}, 10)));
  std::filesystem::resize_file(path, 100);
  CHECK_THROWS_AS(SafetensorsFile(path), UserError);
  write_safetensors(path, {{"a", full({1000}, 1)}});
  const SafetensorsFile cut(path);
  std::filesystem::resize_file(path, 100);
  CHECK_THAT(message_of([&] { cut.read("a"); }), Catch::Contains("became shorter since it was opened"));
}

TEST_CASE("names that a file cannot hold are refused, and what was there stays") {
  TemporaryFolder folder;
  const std::string path = folder.file("m.safetensors");
  write_safetensors(path, {{"a", ones({1})}});
  CHECK(raised([&] { write_safetensors(path, {{"a\xff", ones({1})}, {"a\xfe", ones({1})}}); }).message.find("is not UTF-8") != std::string::npos);
  CHECK(same_bits(SafetensorsFile(path).read("a"), ones({1})));
  const std::string cut(path + std::string("\0.more", 6));
  CHECK_THROWS_AS(write_safetensors(cut, {{"b", ones({1})}}), SystemError);
  CHECK_THROWS_AS(SafetensorsFile(cut), SystemError);
  CHECK(same_bits(SafetensorsFile(path).read("a"), ones({1})));
}
