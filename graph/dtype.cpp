#include "graph/dtype.h"

#include <algorithm>

namespace sinter {

std::string_view name(DType t) {
  switch (t) {
    case DType::boolean: return "bool";
    case DType::u8: return "u8";
    case DType::i32: return "i32";
    case DType::i64: return "i64";
    case DType::u32: return "u32";
    case DType::u64: return "u64";
    case DType::f32: return "f32";
    case DType::f64: return "f64";
    case DType::f16: return "f16";
    case DType::bf16: return "bf16";
  }
  throw InternalError("a data type outside its enumeration");
}

std::optional<DType> dtype_named(std::string_view wanted) {
  for (DType t : all_dtypes)
    if (name(t) == wanted) return t;
  return std::nullopt;
}

size_t size_of(DType t) {
  return dispatch_stored(t, [](auto tag) { return sizeof(typename decltype(tag)::type); });
}

DType promote(DType a, DType b) {
  if (a == b) return a;
  if (a == boolean) return b;
  if (b == boolean) return a;
  if (is_stored_only(a) || is_stored_only(b)) return promote(computing(a), computing(b));
  if (is_float(a) || is_float(b)) {
    auto narrow = [](DType t) { return t == u8 || t == i32 || t == f32; };
    return narrow(a) && narrow(b) ? f32 : f64;
  }
  if (a == u8) return b;
  if (b == u8) return a;
  if (is_signed(a) == is_signed(b)) return size_of(a) >= size_of(b) ? a : b;
  return i64;
}

DType float_for(DType t) {
  if (is_float(t)) return computing(t);
  return t == boolean || t == u8 || t == i32 ? f32 : f64;
}

DType accumulator_for(DType t) {
  if (t == boolean || t == u8 || t == i32) return i64;
  return t == u32 ? u64 : computing(t);
}

}  // namespace sinter
