// A scalar expression: what an elementwise operation computes of one element of each operand, as plain data. One definition serves the
// interpreter, the constant folder and every backend. Each code is exactly IEEE 754, so that they agree to the bit. Of f16 and bf16 there are but
// inputs, constants, selects and bitcasts: convert() is made of those and of integers.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "graph/dtype.h"

namespace sinter {

enum class ScalarCode : uint8_t {
  input,         // `bits` is its number
  constant,      // `bits` is its bit pattern, zero-extended
  add, subtract, multiply,  // integers wrap
  divide,        // integers truncate; x/0 is 0, INT_MIN/-1 wraps
  remainder,     // integers only: sign of the dividend; x%0 is 0
  fma,           // floats only: a*b + c in one rounding where the target has it, else in two
  negate, absolute,
  square_root, floor, ceil, truncate, round_even,  // floats only
  equal, not_equal, less, less_equal,              // -> boolean; false where a NaN is compared, not_equal true
  bit_and, bit_or, bit_xor, bit_not,               // boolean and integers
  shift_left, shift_right,  // integers; arithmetic for signed ones; a shift at or past the width (or negative) gives 0
  select,        // a (boolean) ? b : c
  convert,       // float to integer saturates, NaN gives 0; integers wrap; to boolean is != 0; not of f16 or bf16
  bitcast        // between types of one size; and between f16 or bf16 and u32, in whose low half they are
};

struct ScalarOp {
  ScalarCode code = ScalarCode::input;
  DType type = f32;                      // of the result
  std::array<uint32_t, 3> operands{};    // indices of earlier ops; unused ones are 0
  uint64_t bits = 0;
  bool operator==(const ScalarOp&) const = default;
};

int operand_count(ScalarCode);
std::string_view name(ScalarCode);

struct ScalarExpr {
  std::vector<ScalarOp> ops;       // each uses only earlier ones
  std::vector<DType> inputs;       // type of input k
  std::vector<uint32_t> outputs;   // indices into ops
  bool operator==(const ScalarExpr&) const = default;
};
std::string to_string(const ScalarExpr&);  // one op a line
size_t hash(const ScalarExpr&);

class ScalarBuilder;

// A value while an expression is being built; the operators append to it. Mixing types is an InternalError.
struct Scalar {
  ScalarBuilder* builder = nullptr;
  uint32_t index = 0;
  DType type() const;
  Scalar like(double value) const;  // a constant of this value's type
};

// Appends ops, sharing equal ones and folding those whose operands are all constant.
class ScalarBuilder {
 public:
  Scalar input(uint32_t number, DType);
  Scalar constant(DType, double value);
  Scalar constant_bits(DType, uint64_t bits);
  Scalar append(ScalarCode, DType result, std::initializer_list<Scalar> operands);
  // Appends all of `expr` with its inputs replaced; returns its outputs.
  std::vector<Scalar> inline_expr(const ScalarExpr& expr, std::span<const Scalar> inputs);
  ScalarExpr finish(std::span<const Scalar> outputs) const;  // drops what no output needs; keeps all inputs
  const ScalarOp& op(uint32_t index) const { return expr_.ops[index]; }

 private:
  struct Hash {
    size_t operator()(const ScalarOp&) const;
  };
  Scalar append(const ScalarOp&);
  ScalarExpr expr_;
  std::unordered_map<ScalarOp, uint32_t, Hash> known_;
};

namespace scalar {
Scalar operator+(Scalar, Scalar);
Scalar operator-(Scalar, Scalar);
Scalar operator*(Scalar, Scalar);
Scalar operator/(Scalar, Scalar);
Scalar operator%(Scalar, Scalar);
Scalar operator-(Scalar);
Scalar operator+(Scalar, double);
Scalar operator-(Scalar, double);
Scalar operator-(double, Scalar);
Scalar operator*(Scalar, double);
Scalar operator*(double, Scalar);
Scalar operator/(double, Scalar);
Scalar operator&(Scalar, Scalar);
Scalar operator|(Scalar, Scalar);
Scalar operator^(Scalar, Scalar);
Scalar operator~(Scalar);
Scalar operator<<(Scalar, int);
Scalar operator>>(Scalar, int);
Scalar operator==(Scalar, Scalar);
Scalar operator!=(Scalar, Scalar);
Scalar operator<(Scalar, Scalar);
Scalar operator<=(Scalar, Scalar);
Scalar operator>(Scalar, Scalar);
Scalar operator>=(Scalar, Scalar);
Scalar shift_left(Scalar, Scalar);
Scalar shift_right(Scalar, Scalar);
Scalar fma(Scalar a, Scalar b, Scalar c);
Scalar abs(Scalar);
Scalar sqrt(Scalar);
Scalar floor(Scalar);
Scalar ceil(Scalar);
Scalar trunc(Scalar);
Scalar round_even(Scalar);
Scalar select(Scalar condition, Scalar then, Scalar otherwise);
Scalar convert(Scalar, DType);
Scalar bitcast(Scalar, DType);
Scalar is_nan(Scalar);        // false for integers
Scalar maximum(Scalar, Scalar);  // NaN where either is
Scalar minimum(Scalar, Scalar);
}  // namespace scalar

// Evaluates `count` elements: inputs[k] points at count elements of expr.inputs[k], outputs[k] takes those of output k.
void evaluate(const ScalarExpr&, std::span<const void* const> inputs, std::span<void* const> outputs, int64_t count);

}  // namespace sinter
