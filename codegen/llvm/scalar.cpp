// The scalar codes, with exactly the semantics of graph/scalar.h, on scalars and vectors alike.
#include <cmath>
#include <limits>

#include "codegen/llvm/by_steps.h"
#include "codegen/llvm/emit.h"

namespace sinter {

using llvm::Value;

namespace {

// The float constant with x's type, lanes included.
Value* like(Value* x, double value) { return llvm::ConstantFP::get(x->getType(), value); }

// An integer division that cannot trap: x/0 is 0, x%0 is 0, INT_MIN/-1 wraps and INT_MIN%-1 is 0.
Value* divide_integers(Emitter& e, bool remainder, DType dtype, Value* x, Value* y) {
  llvm::IRBuilder<>& b = e.builder;
  llvm::Type* type = x->getType();
  bool by_steps = !type->isVectorTy() && type->getScalarSizeInBits() > e.target.division_bits;
  auto unsigned_result = [&](Value* number, Value* divisor) {
    if (!by_steps) return remainder ? b.CreateURem(number, divisor) : b.CreateUDiv(number, divisor);
    Division both = divide_by_steps(e, number, divisor);
    return remainder ? both.remainder : both.quotient;
  };
  Value *zero = llvm::Constant::getNullValue(type), *one = llvm::ConstantInt::get(type, 1);
  Value* by_zero = b.CreateICmpEQ(y, zero);
  if (!is_signed(dtype)) {
    Value* divisor = b.CreateSelect(by_zero, one, y);
    return b.CreateSelect(by_zero, zero, unsigned_result(x, divisor));
  }
  Value* by_minus_one = b.CreateICmpEQ(y, llvm::Constant::getAllOnesValue(type));
  Value* divisor = b.CreateSelect(b.CreateOr(by_zero, by_minus_one), one, y);
  Value* result = nullptr;  // x%1 is 0 already
  if (by_steps) {
    auto size = [&](Value* of) { return b.CreateSelect(b.CreateICmpSLT(of, zero), b.CreateNeg(of), of); };
    result = unsigned_result(size(x), size(divisor));
    result = b.CreateSelect(b.CreateICmpSLT(remainder ? x : b.CreateXor(x, divisor), zero), b.CreateNeg(result), result);
  } else {
    result = remainder ? b.CreateSRem(x, divisor) : b.CreateSDiv(x, divisor);
  }
  if (remainder) return b.CreateSelect(by_zero, zero, result);
  return b.CreateSelect(by_zero, zero, b.CreateSelect(by_minus_one, b.CreateNeg(x), result));
}

Value* shift(llvm::IRBuilder<>& b, bool left, DType dtype, Value* x, Value* by) {
  llvm::Type* type = x->getType();
  Value* fits = b.CreateICmpULT(by, llvm::ConstantInt::get(type, type->getScalarSizeInBits()));  // negative ones are large, unsigned
  // What a shift too far gives is poison, which a select does not let through.
  Value* shifted = left ? b.CreateShl(x, by) : is_signed(dtype) ? b.CreateAShr(x, by) : b.CreateLShr(x, by);
  return b.CreateSelect(fits, shifted, llvm::Constant::getNullValue(type));
}

// Rounds to a whole number where the target has no instruction for it and LLVM would call libm: adding and taking away 2^23 (2^52) leaves
// no room for a fraction, and rounds to even.
Value* round_by_adding(llvm::IRBuilder<>& b, ScalarCode code, Value* x) {
  double whole = x->getType()->getScalarType()->isFloatTy() ? 0x1p23 : 0x1p52;  // all numbers from here on are whole
  Value* size = b.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, x);
  Value* has_fraction = b.CreateFCmpOLT(size, like(x, whole));                  // false for NaN
  Value* rounded = b.CreateFSub(b.CreateFAdd(size, like(x, whole)), like(x, whole));
  if (code == ScalarCode::truncate)
    rounded = b.CreateSelect(b.CreateFCmpOGT(rounded, size), b.CreateFSub(rounded, like(x, 1)), rounded);
  rounded = b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, rounded, x);
  if (code == ScalarCode::floor) rounded = b.CreateSelect(b.CreateFCmpOGT(rounded, x), b.CreateFSub(rounded, like(x, 1)), rounded);
  if (code == ScalarCode::ceil) rounded = b.CreateSelect(b.CreateFCmpOLT(rounded, x), b.CreateFAdd(rounded, like(x, 1)), rounded);
  return b.CreateSelect(has_fraction, b.CreateBinaryIntrinsic(llvm::Intrinsic::copysign, rounded, x), x);
}

// Whether what the target has for floats it has for x's type.
bool has(const Target& target, bool for_floats, Value* x) { return for_floats && (target.has_doubles || !x->getType()->getScalarType()->isDoubleTy()); }

Value* round(llvm::IRBuilder<>& b, const Target& target, ScalarCode code, Value* x) {
  if (!has(target, target.has_rounding, x)) return round_by_adding(b, code, x);
  switch (code) {
    case ScalarCode::floor: return b.CreateUnaryIntrinsic(llvm::Intrinsic::floor, x);
    case ScalarCode::ceil: return b.CreateUnaryIntrinsic(llvm::Intrinsic::ceil, x);
    case ScalarCode::truncate: return b.CreateUnaryIntrinsic(llvm::Intrinsic::trunc, x);
    default: return b.CreateUnaryIntrinsic(llvm::Intrinsic::roundeven, x);
  }
}

// Between 64-bit integers and floats.
bool converts_by_steps(const Target& target, llvm::Type* type) { return !target.has_wide_conversions && !type->isVectorTy(); }

// Float to integer: saturates, NaN gives 0. Selects by hand, as LLVM takes its own saturating conversions of vectors apart.
Value* float_to_integer(Emitter& e, DType to, Value* x, llvm::Type* type) {
  llvm::IRBuilder<>& b = e.builder;
  unsigned bits = type->getScalarSizeInBits();
  double limit = std::ldexp(1.0, static_cast<int>(is_signed(to) ? bits - 1 : bits));
  auto largest = is_signed(to) ? llvm::APInt::getSignedMaxValue(bits) : llvm::APInt::getMaxValue(bits);
  auto smallest = is_signed(to) ? llvm::APInt::getSignedMinValue(bits) : llvm::APInt(bits, 0);
  Value* inside = nullptr;  // what does not fit makes it poison, which the selects do not let through
  if (bits < 32) inside = b.CreateTrunc(b.CreateFPToSI(x, type->getWithNewBitWidth(32)), type);
  else if (bits == 64 && converts_by_steps(e.target, type)) inside = float_to_wide(e, x);
  else inside = is_signed(to) ? b.CreateFPToSI(x, type) : b.CreateFPToUI(x, type);
  Value* result = b.CreateSelect(b.CreateFCmpOGE(x, like(x, limit)), llvm::ConstantInt::get(type, largest), inside);
  result = b.CreateSelect(b.CreateFCmpOLT(x, like(x, is_signed(to) ? -limit : 0)), llvm::ConstantInt::get(type, smallest), result);
  return b.CreateSelect(b.CreateFCmpUNO(x, x), llvm::Constant::getNullValue(type), result);
}

Value* convert(Emitter& e, DType from, DType to, Value* x, llvm::Type* type) {
  llvm::IRBuilder<>& b = e.builder;
  if (from == to) return x;
  Value* zero = llvm::Constant::getNullValue(x->getType());
  if (to == boolean) return is_float(from) ? b.CreateFCmpUNE(x, zero) : b.CreateICmpNE(x, zero);
  if (from == boolean)
    return is_float(to) ? b.CreateSelect(x, llvm::ConstantFP::get(type, 1.0), llvm::Constant::getNullValue(type)) : b.CreateZExt(x, type);
  if (is_float(from) && is_float(to)) return to == f64 ? b.CreateFPExt(x, type) : b.CreateFPTrunc(x, type);
  if (is_float(from)) return float_to_integer(e, to, x, type);
  if (is_float(to) && size_of(from) == 8 && converts_by_steps(e.target, type)) return wide_to_float(e, x, is_signed(from), type);
  if (is_float(to)) return is_signed(from) ? b.CreateSIToFP(x, type) : b.CreateUIToFP(x, type);
  return is_signed(from) ? b.CreateSExtOrTrunc(x, type) : b.CreateZExtOrTrunc(x, type);
}

Value* compare(llvm::IRBuilder<>& b, ScalarCode code, DType from, Value* x, Value* y) {
  using P = llvm::CmpInst::Predicate;
  bool floats = is_float(from), with_sign = is_signed(from);
  switch (code) {
    case ScalarCode::equal: return b.CreateCmp(floats ? P::FCMP_OEQ : P::ICMP_EQ, x, y);
    case ScalarCode::not_equal: return b.CreateCmp(floats ? P::FCMP_UNE : P::ICMP_NE, x, y);
    case ScalarCode::less: return b.CreateCmp(floats ? P::FCMP_OLT : with_sign ? P::ICMP_SLT : P::ICMP_ULT, x, y);
    default: return b.CreateCmp(floats ? P::FCMP_OLE : with_sign ? P::ICMP_SLE : P::ICMP_ULE, x, y);
  }
}

Value* bitcast(llvm::IRBuilder<>& b, DType from, DType to, Value* x, llvm::Type* type) {
  if (from == to) return x;
  if (to == boolean) return b.CreateICmpNE(x, llvm::Constant::getNullValue(x->getType()));
  if (from == boolean) return b.CreateZExt(x, type);
  if (is_stored_only(from) || is_stored_only(to)) return b.CreateZExtOrTrunc(x, type);
  return b.CreateBitCast(x, type);
}

}  // namespace

Value* Emitter::fma(Value* a, Value* b, Value* c) {
  unsigned lanes = std::max({lanes_of(a), lanes_of(b), lanes_of(c)});
  a = widen(a, lanes);
  b = widen(b, lanes);
  c = widen(c, lanes);
  if (!has(target, target.has_fma, a)) return builder.CreateFAdd(builder.CreateFMul(a, b), c);
  return builder.CreateIntrinsic(llvm::Intrinsic::fma, {a->getType()}, {a, b, c});
}

Value* Emitter::maximum(DType dtype, Value* a, Value* b) {
  unsigned lanes = std::max(lanes_of(a), lanes_of(b));
  a = widen(a, lanes);
  b = widen(b, lanes);
  Value* larger = builder.CreateSelect(compare(builder, ScalarCode::less, dtype, b, a), a, b);
  return is_float(dtype) ? builder.CreateSelect(builder.CreateFCmpUNO(a, a), a, larger) : larger;
}

Value* Emitter::minimum(DType dtype, Value* a, Value* b) {
  unsigned lanes = std::max(lanes_of(a), lanes_of(b));
  a = widen(a, lanes);
  b = widen(b, lanes);
  Value* lesser = builder.CreateSelect(compare(builder, ScalarCode::less, dtype, a, b), a, b);
  return is_float(dtype) ? builder.CreateSelect(builder.CreateFCmpUNO(a, a), a, lesser) : lesser;
}

Value* Emitter::scalar(const ScalarOp& op, DType from, const Values& operands) {
  unsigned lanes = 1;
  for (Value* operand : operands) lanes = std::max(lanes, lanes_of(operand));
  auto operand = [&](size_t k) { return widen(operands.at(k), lanes); };
  bool floats = is_float(op.type);
  switch (op.code) {
    case ScalarCode::input:
    case ScalarCode::constant: throw InternalError("a leaf is no operation");
    case ScalarCode::add: return floats ? builder.CreateFAdd(operand(0), operand(1)) : builder.CreateAdd(operand(0), operand(1));
    case ScalarCode::subtract: return floats ? builder.CreateFSub(operand(0), operand(1)) : builder.CreateSub(operand(0), operand(1));
    case ScalarCode::multiply: return floats ? builder.CreateFMul(operand(0), operand(1)) : builder.CreateMul(operand(0), operand(1));
    case ScalarCode::divide:
      return floats ? builder.CreateFDiv(operand(0), operand(1)) : divide_integers(*this, false, op.type, operand(0), operand(1));
    case ScalarCode::remainder: return divide_integers(*this, true, op.type, operand(0), operand(1));
    case ScalarCode::fma: return fma(operand(0), operand(1), operand(2));
    case ScalarCode::negate: return floats ? builder.CreateFNeg(operand(0)) : builder.CreateNeg(operand(0));
    case ScalarCode::absolute:
      if (floats) return builder.CreateUnaryIntrinsic(llvm::Intrinsic::fabs, operand(0));
      if (!is_signed(op.type)) return operand(0);
      return builder.CreateBinaryIntrinsic(llvm::Intrinsic::abs, operand(0), builder.getFalse());
    case ScalarCode::square_root:
      if (!has(target, target.has_square_root, operand(0))) return square_root_by_steps(*this, operand(0));
      return builder.CreateUnaryIntrinsic(llvm::Intrinsic::sqrt, operand(0));
    case ScalarCode::floor:
    case ScalarCode::ceil:
    case ScalarCode::truncate:
    case ScalarCode::round_even: return round(builder, target, op.code, operand(0));
    case ScalarCode::equal:
    case ScalarCode::not_equal:
    case ScalarCode::less:
    case ScalarCode::less_equal: return compare(builder, op.code, from, operand(0), operand(1));
    case ScalarCode::bit_and: return builder.CreateAnd(operand(0), operand(1));
    case ScalarCode::bit_or: return builder.CreateOr(operand(0), operand(1));
    case ScalarCode::bit_xor: return builder.CreateXor(operand(0), operand(1));
    case ScalarCode::bit_not: return builder.CreateNot(operand(0));
    case ScalarCode::shift_left:
    case ScalarCode::shift_right: return shift(builder, op.code == ScalarCode::shift_left, op.type, operand(0), operand(1));
    case ScalarCode::select: return builder.CreateSelect(operand(0), operand(1), operand(2));
    case ScalarCode::convert: return convert(*this, from, op.type, operand(0), type(op.type, lanes));
    case ScalarCode::bitcast: return bitcast(builder, from, op.type, operand(0), type(op.type, lanes));
  }
  throw InternalError("a scalar code outside its enumeration");
}

}  // namespace sinter
