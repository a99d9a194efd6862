// The op table: one row an operation. What can be derived from a row is derived, here and everywhere.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "graph/attributes.h"
#include "graph/ids.h"
#include "graph/scalar.h"
#include "graph/tensor.h"
#include "graph/type.h"

namespace sinter {

class Graph;
class Expr;

enum class Op : uint8_t {
  // leaves
  variable, parameter, constant, dimension, iota,
  // elementwise, one operand
  negate, abs, sign, floor, ceil, trunc, round, exp, exp2, expm1, log, log2, log10, log1p, sqrt, rsqrt, cbrt, sin, cos, tan, asin, acos, atan,
  sinh, cosh, tanh, asinh, acosh, atanh, sigmoid, softplus, erf, erfc, lgamma, tgamma, digamma, logb, logical_not, bitwise_not, bitwise_count, convert,
  // elementwise, more operands
  add, subtract, multiply, divide, floor_divide, remainder, power, hypot, atan2, copysign, nextafter, maximum, minimum,
  equal, not_equal, less, less_equal, logical_and, logical_or, bitwise_and, bitwise_or, bitwise_xor, shift_left, shift_right, select,
  // movement
  broadcast, reshape, transpose, slice, reverse, pad,
  // the rest
  sum, prod, max, min, gather, scatter_add, contract, stop_gradient, custom_call,
  // sugar: what the builder expands as soon as it knows the operands' types
  matmul, size, same_shape,
  count_
};

enum class Family : uint8_t { leaf, elementwise, movement, reduction, contraction, indexing, identity, call, sugar };

// What the builder does to operands before the shape rule sees them; all but `none` also broadcast them to one shape, as NumPy does.
enum class Promotion : uint8_t {
  none,      // nothing
  numeric,   // to the common type; not boolean
  any,       // to the common type
  floating,  // to the common type, integers to the float that holds them
  logical,   // must be boolean
  bits,      // to the common type; no float
  select     // the first boolean, the others to their common type
};

struct Inference {
  std::span<const Type> inputs;
  const Attributes& attributes;
};

// What a gradient rule is given. A rule returns one expression an input, undefined where nothing flows; it need not build what
// wanted[i] does not ask for.
struct GradientRule {
  std::span<const Expr> inputs;
  const Expr& output;
  const Expr& adjoint;  // of the output: same type
  const Attributes& attributes;
  const std::vector<bool>& wanted;
  bool masked;          // every use of the output, at once or further on, may drop elements of it: select, maximum, minimum, max, min, slice, gather
  // `value`, but 0 for the NaN that a zero adjoint makes where a mask may have made it zero: 0 * inf is 0 where the value was not selected.
  Expr guarded(const Expr& value) const;
  // One maker an input, called where wanted.
  template <class... F>
  std::vector<Expr> each(F&&... make) const;
};

// What reference semantics are given: values of the inputs, and the type and sizes of the result.
struct Reference {
  std::span<const Tensor> inputs;
  const Attributes& attributes;
  DType dtype;
  const std::vector<int64_t>& sizes;
  const Bindings& bindings;
};

// What a reduction of no elements gives: 0 for sum, 1 for prod, of max and min an infinity or the least and the greatest integer.
Tensor reduction_of_nothing(Op reduction, DType);

// Where tests sample an operand of an elementwise row.
struct Domain {
  double low = -3, high = 3;
};

// The `derivative` of a row without a gradient rule: said by the row, so that none is left out unnoticed.
inline constexpr std::string_view not_differentiable = "not differentiable";

inline constexpr int any_arity = -1;

struct OpInfo {
  Op op;
  std::string_view name;
  int arity;                                            // any_arity: as many operands as a node has
  Family family;
  Promotion promotion;
  bool commutative;
  Type (*infer)(const Inference&);                      // throws UserError (with no location) where the operands do not fit
  std::string_view shape;                               // its rule for the shape, in words; empty: elementwise, which share one
  Scalar (*expression)(std::span<const Scalar>, DType result);  // elementwise: of one element of each operand
  Tensor (*reference)(const Reference&);                // all but leaves, elementwise, calls and sugar
  std::vector<Expr> (*gradient)(const GradientRule&);   // null: not differentiable, no gradient flows
  std::string_view derivative;                          // the rule as a formula, g being the output's adjoint and y the output; empty: a leaf, or sugar
  std::vector<Domain> domains;                          // elementwise: one an operand
  std::string_view doc;
  std::string_view operands = {};                       // their names, where those are not x, or a and b
  std::string_view written = {};                        // how users write it, where that is not name(operands, attributes)
};

const OpInfo& info(Op);
std::span<const OpInfo> op_table();  // indexed by Op
const OpInfo* op_named(std::string_view);

// The scalar expression of an elementwise row at operand types `inputs` and result type `result`.
ScalarExpr expression_of(Op, std::span<const DType> inputs, DType result);

}  // namespace sinter
