#include "graph/attributes.h"

#include <fmt/format.h>

#include <algorithm>

namespace sinter {
namespace {

size_t hash_of(const std::string& v) { return std::hash<std::string>()(v); }
size_t hash_of(const Dim& v) { return v.hash(); }
size_t hash_of(DType v) { return static_cast<size_t>(v); }
size_t hash_of(bool v) { return v; }
size_t hash_of(const CustomOperation& v) { return v.hash(); }
size_t hash_of(int64_t v) { return static_cast<size_t>(v); }
size_t hash_of(uint32_t v) { return v; }
template <class T>
size_t hash_of(const std::vector<T>& v) {
  size_t h = v.size();
  for (const T& e : v) h = h * 1000003 + hash_of(e);
  return h;
}

std::string text_of(const std::string& v) { return '"' + v + '"'; }
std::string text_of(const Dim& v) { return to_string(v); }
std::string text_of(DType v) { return std::string(name(v)); }
std::string text_of(const CustomOperation& v) { return text_of(v.name()); }
std::string text_of(bool v) { return v ? "true" : "false"; }
std::string text_of(int64_t v) { return std::to_string(v); }
std::string text_of(uint32_t v) { return std::to_string(v); }
std::string text_of(const Shape& v) { return to_string(v); }
std::string text_of(const Axes& v) { return to_string(v); }

}  // namespace

bool contains(const Axes& axes, int64_t axis) { return std::find(axes.begin(), axes.end(), axis) != axes.end(); }

bool same(const Attributes& a, const Attributes& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&](const auto& x) {
        using T = std::decay_t<decltype(x)>;
        const T& y = std::get<T>(b);
        // Walk both in step: collect a's fields' addresses, then compare in order.
        std::vector<const void*> of_x;
        T::fields(x, [&](const char*, const auto& v) { of_x.push_back(&v); });
        bool equal = true;
        size_t k = 0;
        T::fields(y, [&](const char*, const auto& v) { equal = equal && *static_cast<const std::decay_t<decltype(v)>*>(of_x[k++]) == v; });
        return equal;
      },
      a);
}

size_t hash(const Attributes& attributes) {
  size_t h = attributes.index();
  std::visit([&](const auto& x) { std::decay_t<decltype(x)>::fields(x, [&](const char*, const auto& v) { h = h * 1000003 + hash_of(v); }); }, attributes);
  return h;
}

std::string to_string(const Attributes& attributes) {
  std::string text;
  std::visit(
      [&](const auto& x) {
        std::decay_t<decltype(x)>::fields(x, [&](const char* field, const auto& v) { text += fmt::format("{}{}={}", text.empty() ? "" : ", ", field, text_of(v)); });
      },
      attributes);
  return text.empty() ? text : "{" + text + "}";
}

}  // namespace sinter
