// What a node's value is: element type, shape, layout, device.
#pragma once
#include <cstdint>
#include <string>

#include "graph/dim.h"
#include "graph/dtype.h"

namespace sinter {

enum class Layout : uint8_t { row_major };

struct Type {
  DType dtype = f32;
  Shape shape;
  bool known = true;   // false in a template: a value that depends on a Variable declared with no type
  bool weak = false;   // a literal: takes the type of what it meets
  Layout layout = Layout::row_major;
  uint8_t device = 0;
  bool operator==(const Type&) const = default;
  static Type unknown() {
    Type t;
    t.known = false;
    return t;
  }
  static Type of(DType dtype, Shape shape) {
    Type t;
    t.dtype = dtype;
    t.shape = std::move(shape);
    return t;
  }
};

// An input as it was declared: what a caller must give, and where that was said.
struct NamedType {
  std::string name;
  Type type;
  Location where = {};
};

inline std::string to_string(const Type& t) { return t.known ? (t.weak ? "weak " : "") + std::string(name(t.dtype)) + to_string(t.shape) : "?"; }

}  // namespace sinter
