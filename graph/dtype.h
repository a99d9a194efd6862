// Element types, what they are in C++, and the promotion table.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "graph/half.h"
#include "graph/support/errors.h"

namespace sinter {

// f16 and bf16 are only stored: movement, gather, select and convert() touch them, everything else takes them to f32 first.
enum class DType : uint8_t { boolean, u8, i32, i64, u32, u64, f32, f64, f16, bf16 };

inline constexpr DType boolean = DType::boolean, u8 = DType::u8, i32 = DType::i32, i64 = DType::i64, u32 = DType::u32, u64 = DType::u64,
                       f32 = DType::f32, f64 = DType::f64, f16 = DType::f16, bf16 = DType::bf16;
inline constexpr DType all_dtypes[] = {boolean, u8, i32, i64, u32, u64, f32, f64, f16, bf16};
inline constexpr DType computing_dtypes[] = {boolean, u8, i32, i64, u32, u64, f32, f64};

std::string_view name(DType);                             // "f32"; boolean is "bool"
std::optional<DType> dtype_named(std::string_view name);  // the inverse
size_t size_of(DType);                                    // bytes; boolean is stored as one byte, 0 or 1

constexpr bool is_stored_only(DType t) { return t == f16 || t == bf16; }
constexpr DType computing(DType t) { return is_stored_only(t) ? f32 : t; }  // what `t` is taken to where it is computed with
constexpr bool is_float(DType t) { return computing(t) == f32 || t == f64; }
constexpr bool is_signed(DType t) { return is_float(t) || t == i32 || t == i64; }
constexpr bool is_integer(DType t) { return !is_float(t) && t != boolean; }

// The common type of two operands. bool yields to all; u8 to all else; among integers the wider, and a signed with an unsigned of
// its own width or more the wider signed (i64 at most); i32 and smaller with f32 give f32; u32, i64, u64 with a float give f64. f16 and bf16
// are f32 beside all but themselves and bool.
DType promote(DType, DType);
// The type a float-only function (exp, sqrt …) computes in: of integers f32 up to i32, f64 beyond.
DType float_for(DType);
// The type a sum or product of `t` accumulates and returns: i64 for bool, u8, i32; u64 for u32; f32 for f16, bf16; else t.
DType accumulator_for(DType);

template <class T>
struct Tag {
  using type = T;
};

// Calls f(Tag<T>{}) with the C++ type that stores `t`, one that computes: bool is bool, f32 float, and so on.
template <class F>
decltype(auto) dispatch(DType t, F&& f) {
  switch (t) {
    case DType::boolean: return f(Tag<bool>{});
    case DType::u8: return f(Tag<uint8_t>{});
    case DType::i32: return f(Tag<int32_t>{});
    case DType::i64: return f(Tag<int64_t>{});
    case DType::u32: return f(Tag<uint32_t>{});
    case DType::u64: return f(Tag<uint64_t>{});
    case DType::f32: return f(Tag<float>{});
    case DType::f64: return f(Tag<double>{});
    case DType::f16:
    case DType::bf16: break;
  }
  throw InternalError("computes with a data type that is only stored, or is outside its enumeration");
}

// The same of every type.
template <class F>
decltype(auto) dispatch_stored(DType t, F&& f) {
  if (t == f16) return f(Tag<float16>{});
  if (t == bf16) return f(Tag<bfloat16>{});
  return dispatch(t, f);
}

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, bool>) return boolean;
  else if constexpr (std::is_same_v<T, uint8_t>) return u8;
  else if constexpr (std::is_same_v<T, int32_t>) return i32;
  else if constexpr (std::is_same_v<T, int64_t>) return i64;
  else if constexpr (std::is_same_v<T, uint32_t>) return u32;
  else if constexpr (std::is_same_v<T, uint64_t>) return u64;
  else if constexpr (std::is_same_v<T, float>) return f32;
  else if constexpr (std::is_same_v<T, float16>) return f16;
  else if constexpr (std::is_same_v<T, bfloat16>) return bf16;
  else {
    static_assert(std::is_same_v<T, double>, "no sinter data type stores this C++ type");
    return f64;
  }
}

}  // namespace sinter
