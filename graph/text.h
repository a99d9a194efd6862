// The text form: a program as lines that print and parse back to the same program. graph/README.md has the grammar.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace sinter {

struct PrintOptions {
  bool origins = true;         // as comments at the end of lines
  int64_t inline_limit = 64;   // elements up to which a constant stands in the text
  // The safetensors file, as the text is to name it, that holds larger constants and the values of parameters (referenced() lists what
  // that file must hold). Empty: every constant stands in the text, and parameters have no value there.
  std::string tensors;
};

std::string print(const Program&, const PrintOptions& = {});
// One line, for messages: large constants are cut short, so it need not parse.
std::string print_node(const Graph&, NodeId);
// As a constant is written, the elements after the 64th cut off: "[0x1p+0, 0x1p+1] : f32[2]", or "[1, 2] : f32[2]", both to the bit.
std::string print_tensor(const Tensor&, bool hexadecimal = true, Here = Here::current());
// What print() with the same options refers to: each tensor and its name in the file.
std::vector<std::pair<std::string, Tensor>> referenced(const Program&, const PrintOptions&);

struct ParseOptions {
  std::string directory;                   // where the safetensors files that the text names lie; empty: it may name none
  bool lines_as_origins = false;           // a node whose line names no origin comes from that line
  size_t max_bytes = size_t{4} << 30;      // that the constants and parameters together may take
  // What custom_call may name. Any other is taken for CustomOperation::without_function, of the type that its line says.
  std::vector<CustomOperation> operations;
  std::vector<std::string>* without_value = nullptr;  // where given, the names of parameters that have no value in a file are added to it
};

// The nodes as written, each checked as verify() does. Parameters with no value in a file are zeros. UserError, at file_name:line, where the
// text is malformed, a node cannot be, or the text is not whole: what is cut off anywhere before its last newline that counts is refused.
Program parse(std::string_view text, std::string_view file_name, const ParseOptions& = {});

// A .graph file, and the safetensors file beside it that it may name. SystemError where one cannot be read or written; where the text or the
// tensors cannot be written, both files stay as they were.
Program read_graph(const std::string& path, ParseOptions = {}, Here = Here::current());       // the directory is the file's own
void write_graph(const Program&, const std::string& path, PrintOptions = {}, Here = Here::current());  // large constants and parameters to `path` with .safetensors

}  // namespace sinter
