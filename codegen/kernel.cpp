// What is derived from the kernel form's fields: equality, hash and print, all by one walk.
#include "codegen/kernel.h"

#include <algorithm>
#include <type_traits>

#include "graph/support/errors.h"

namespace sinter {
namespace {

// The fields of each struct, once: visit(name, field) for each.
template <class V> void fields(const Affine& x, V&& visit) { visit("offset", x.offset), visit("strides", x.strides); }
template <class V> void fields(const KernelArgument& x, V&& visit) { visit("dtype", x.dtype), visit("written", x.written), visit("worker_stride", x.worker_stride); }
template <class V> void fields(const Bound& x, V&& visit) { visit("index", x.index), visit("size", x.size); }
template <class V>
void fields(const LoadInput& x, V&& visit) {
  visit("argument", x.argument), visit("position", x.position), visit("bounds", x.bounds);
}
template <class V> void fields(const IndexInput& x, V&& visit) { visit("index", x.index), visit("dtype", x.dtype); }
template <class V> void fields(const InsideInput& x, V&& visit) { visit("bounds", x.bounds); }
template <class V> void fields(const SizeInput& x, V&& visit) { visit("value", x.value); }
template <class V> void fields(const RowInput& x, V&& visit) { visit("slot", x.slot); }
template <class V> void fields(const AccumulatorInput&, V&&) {}
template <class V> void fields(const Store& x, V&& visit) { visit("argument", x.argument), visit("position", x.position), visit("output", x.output); }
template <class V> void fields(const Body& x, V&& visit) { visit("inputs", x.inputs), visit("expr", x.expr), visit("stores", x.stores); }
template <class V>
void fields(const LoopKernel& x, V&& visit) {
  visit("extents", x.extents), visit("streaming", x.streaming), visit("body", x.body);
}
template <class V> void fields(const RowReduction& x, V&& visit) { visit("kind", x.kind), visit("output", x.output), visit("slot", x.slot); }
template <class V> void fields(const RowValue& x, V&& visit) { visit("output", x.output), visit("slot", x.slot); }
template <class V> void fields(const RowStage& x, V&& visit) {
  visit("inner", x.inner), visit("body", x.body), visit("reductions", x.reductions), visit("values", x.values);
}
template <class V> void fields(const RowKernel& x, V&& visit) {
  visit("outer", x.outer), visit("inner", x.inner), visit("slots", x.slots), visit("vector_outer", x.vector_outer), visit("numbered", x.numbered),
      visit("split", x.split), visit("before", x.before), visit("stages", x.stages);
}
template <class V> void fields(const PackKernel& x, V&& visit) {
  visit("batch", x.batch), visit("rows", x.rows), visit("depth", x.depth), visit("panel", x.panel), visit("packed", x.packed), visit("body", x.body);
}
template <class V> void fields(const ContractionOperand& x, V&& visit) {
  visit("argument", x.argument), visit("packed", x.packed), visit("position", x.position);
}
template <class V> void fields(const ContractionKernel& x, V&& visit) {
  visit("batch", x.batch), visit("m", x.m), visit("rows", x.rows), visit("n", x.n), visit("k", x.k), visit("dtype", x.dtype), visit("a", x.a), visit("b", x.b), visit("copies_b", x.copies_b);
  visit("tile_m", x.tile_m), visit("tile_n", x.tile_n), visit("block_m", x.block_m), visit("block_n", x.block_n), visit("block_k", x.block_k);
  visit("scratch", x.scratch), visit("epilogue", x.epilogue);
}
template <class V> void fields(const Kernel& x, V&& visit) {  // all but the name
  visit("arguments", x.arguments), visit("sizes", x.sizes), visit("grain", x.grain), visit("body", x.body);
}

template <class T> constexpr const char* title() {
  if constexpr (std::is_same_v<T, LoadInput>) return "load";
  else if constexpr (std::is_same_v<T, IndexInput>) return "index";
  else if constexpr (std::is_same_v<T, InsideInput>) return "inside";
  else if constexpr (std::is_same_v<T, SizeInput>) return "size";
  else if constexpr (std::is_same_v<T, RowInput>) return "row value";
  else if constexpr (std::is_same_v<T, AccumulatorInput>) return "accumulator";
  else if constexpr (std::is_same_v<T, LoopKernel>) return "loop";
  else if constexpr (std::is_same_v<T, RowKernel>) return "row";
  else if constexpr (std::is_same_v<T, PackKernel>) return "pack";
  else if constexpr (std::is_same_v<T, ContractionKernel>) return "contraction";
  else return "";
}

// --- hash --------------------------------------------------------------------------------------------------------------------------

class Hasher {
 public:
  size_t value = 0x9e3779b97f4a7c15;

  void mix(size_t more) { value ^= more + 0x9e3779b97f4a7c15 + (value << 6) + (value >> 2); }
  void operator()(const Dim& dim) { mix(dim.hash()); }
  void operator()(const ScalarExpr& expr) { mix(hash(expr)); }
  template <class T> void operator()(const std::vector<T>& all) {
    mix(all.size());
    for (const T& one : all) (*this)(one);
  }
  template <class... T> void operator()(const std::variant<T...>& any) {
    mix(any.index());
    std::visit([&](const auto& held) { (*this)(held); }, any);
  }
  template <class T> void operator()(const T& x) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) mix(static_cast<size_t>(x));
    else fields(x, [&](const char*, const auto& field) { (*this)(field); });
  }
};

// --- print -------------------------------------------------------------------------------------------------------------------------

std::string indented(const std::string& text, const std::string& by) {
  std::string result;
  size_t begin = 0;
  while (begin < text.size()) {
    size_t end = std::min(text.find('\n', begin), text.size());
    result += "\n" + by + text.substr(begin, end - begin);
    begin = end + 1;
  }
  return result;
}

std::string text(const Dim& dim) { return to_string(dim); }
std::string text(DType dtype) { return std::string(name(dtype)); }
std::string text(bool yes) { return yes ? "true" : "false"; }
std::string text(int64_t number) { return std::to_string(number); }
std::string text(uint32_t number) { return std::to_string(number); }
std::string text(Reduction kind) {
  static constexpr std::string_view names[] = {"sum", "product", "max", "min"};
  return std::string(names[static_cast<size_t>(kind)]);
}
std::string text(const ScalarExpr& expr) { return indented(to_string(expr), "  "); }
std::string text(const KernelArgument& argument) {
  return text(argument.dtype) + (argument.written ? " written" : "") + (argument.worker_stride.is(0) ? "" : " " + text(argument.worker_stride) + " a worker");
}
// 3 + 784*i0 + i1
std::string text(const Affine& f) {
  std::string sum;
  auto add = [&](const std::string& term) { sum += (sum.empty() ? "" : " + ") + term; };
  if (!f.offset.is(0)) add(text(f.offset));
  for (size_t i = 0; i < f.strides.size(); ++i) {
    const Dim& stride = f.strides[i];
    std::string index = "i" + std::to_string(i);
    bool one_word = stride.is_number() || stride.symbol();
    if (!stride.is(0)) add(stride.is(1) ? index : (one_word ? text(stride) : "(" + text(stride) + ")") + "*" + index);
  }
  return sum.empty() ? "0" : sum;
}
std::string text(const Bound& bound) { return "0 <= " + text(bound.index) + " < " + text(bound.size); }
template <class T> std::string text(const T& x);
template <class... T> std::string text(const std::variant<T...>& any) {
  return std::visit([](const auto& held) { return title<std::decay_t<decltype(held)>>() + std::string(" ") + text(held); }, any);
}
template <class T> std::string text(const std::vector<T>& all) {
  std::string list;
  constexpr bool short_ones = std::is_same_v<T, Dim> || std::is_same_v<T, DType> || std::is_same_v<T, KernelArgument> || std::is_same_v<T, Bound>;
  if constexpr (short_ones) {
    for (const T& one : all) list += (list.empty() ? "" : ", ") + text(one);
    return "[" + list + "]";
  } else {
    for (size_t i = 0; i < all.size(); ++i) list += indented(std::to_string(i) + ": " + text(all[i]), "  ");
    return list;
  }
}
template <class T> constexpr bool on_lines() {
  return std::is_same_v<T, Kernel> || std::is_same_v<T, Body> || std::is_same_v<T, LoopKernel> || std::is_same_v<T, RowKernel> ||
         std::is_same_v<T, RowStage> || std::is_same_v<T, PackKernel> || std::is_same_v<T, ContractionKernel>;
}
template <class T> std::string text(const T& x) {
  std::string result;
  fields(x, [&](const char* label, const auto& field) {
    std::string value = text(field);
    bool nothing = value.empty() || value == "[]";
    if (nothing) return;
    std::string line = std::string(label) + (value.front() == '\n' ? ":" : " ") + value;
    if constexpr (on_lines<T>()) result += indented(line, "  ");
    else result += (result.empty() ? "" : ", ") + line;
  });
  return result;
}

}  // namespace

bool same(const Kernel& a, const Kernel& b) {
  return a.arguments == b.arguments && a.sizes == b.sizes && a.grain == b.grain && a.body == b.body;
}

size_t hash(const Kernel& kernel) {
  Hasher hasher;
  hasher(kernel);
  return hasher.value;
}

std::string to_string(const Kernel& kernel) { return "kernel " + kernel.name + text(kernel) + "\n"; }

Dim steps_of(const Kernel& kernel) {
  if (auto* loop = std::get_if<LoopKernel>(&kernel.body)) return loop->extents.at(0);
  if (auto* row = std::get_if<RowKernel>(&kernel.body)) return row->split ? row->inner.at(0) : row->outer.at(0);
  if (auto* pack = std::get_if<PackKernel>(&kernel.body)) return product(pack->batch) * ceil_divide(pack->rows, pack->panel);
  const ContractionKernel& c = std::get<ContractionKernel>(kernel.body);
  auto blocks = [](const Dim& extent, int64_t tile, int64_t block) { return ceil_divide(extent, checked_multiply(tile, block)); };
  return product(c.batch) * blocks(c.m, c.tile_m, c.block_m) * blocks(c.n, c.tile_n, c.block_n);
}

Dim chunks_of(const Kernel& kernel) { return ceil_divide(steps_of(kernel), kernel.grain); }

}  // namespace sinter
