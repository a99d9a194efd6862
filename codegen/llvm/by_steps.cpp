#include "codegen/llvm/by_steps.h"

namespace sinter {

using llvm::Value;

namespace {

// The parts of f32 or f64 as an unsigned integer of its size.
struct Format {
  llvm::IntegerType* bits;
  unsigned width, fraction;  // of all, and of the fraction, in bits
  int64_t bias;
};
Format format_of(llvm::Type* type) {
  bool is_double = type->isDoubleTy();
  unsigned width = is_double ? 64 : 32;
  return {llvm::IntegerType::get(type->getContext(), width), width, is_double ? 52u : 23u, is_double ? 1023 : 127};
}

Value* leading_zeros(llvm::IRBuilder<>& b, Value* x) { return b.CreateBinaryIntrinsic(llvm::Intrinsic::ctlz, x, b.getFalse()); }

}  // namespace

Division divide_by_steps(Emitter& e, Value* number, Value* divisor) {
  // Long division: each step moves one bit of the number into the remainder, and one of the quotient in behind it.
  llvm::IRBuilder<>& b = e.builder;
  llvm::Type* type = number->getType();
  const unsigned bits = type->getIntegerBitWidth();
  Values last = e.loop(e.number(0), e.number(bits), 1, {number, llvm::Constant::getNullValue(type)}, [&](Value*, const Values& carried) -> Values {
    Value *left = carried[0], *rest = carried[1];
    Value* carry = b.CreateICmpSLT(rest, llvm::Constant::getNullValue(type));  // the bit that the shift loses
    rest = b.CreateOr(b.CreateShl(rest, 1), b.CreateLShr(left, bits - 1));
    Value* fits = b.CreateOr(carry, b.CreateICmpUGE(rest, divisor));
    return {b.CreateOr(b.CreateShl(left, 1), b.CreateZExt(fits, type)), b.CreateSelect(fits, b.CreateSub(rest, divisor), rest)};
  });
  return {last[0], last[1]};
}

Value* square_root_by_steps(Emitter& e, Value* x) {
  llvm::IRBuilder<>& b = e.builder;
  const Format f = format_of(x->getType());
  auto number = [&](uint64_t value) { return llvm::ConstantInt::get(f.bits, value); };
  Value* bits = b.CreateBitCast(x, f.bits);
  Value *exponent = b.CreateLShr(bits, f.fraction), *fraction = b.CreateAnd(bits, number((uint64_t{1} << f.fraction) - 1));
  // x = mantissa * 2^(exponent - bias - fraction bits), the mantissa's highest bit at the place of the implicit one; what is negative or not
  // finite is chosen out at the end.
  Value* denormal = b.CreateICmpEQ(exponent, number(0));
  Value* shift = b.CreateSelect(denormal, b.CreateSub(leading_zeros(b, b.CreateOr(fraction, number(1))), number(f.width - 1 - f.fraction)), number(0));
  Value* mantissa = b.CreateSelect(denormal, b.CreateShl(fraction, shift), b.CreateOr(fraction, number(uint64_t{1} << f.fraction)));
  exponent = b.CreateSub(b.CreateSelect(denormal, number(1), exponent), shift);
  Value* power = b.CreateSub(exponent, number(static_cast<uint64_t>(f.bias)));
  Value* odd = b.CreateAnd(power, number(1));
  mantissa = b.CreateShl(mantissa, odd);
  // One bit of the root a step, and one more to round by: root and rest hold the square so far, twice the root's place being added to it.
  Values start = {mantissa, number(0), number(0), number(uint64_t{1} << (f.fraction + 1))};
  Values last = e.loop(e.number(0), e.number(f.fraction + 2), 1, start, [&](Value*, const Values& carried) -> Values {
    Value *rest = b.CreateShl(carried[0], 1), *root = carried[1], *sum = carried[2], *bit = carried[3];
    Value* tried = b.CreateAdd(sum, bit);
    Value* fits = b.CreateICmpULE(tried, rest);
    return {b.CreateSelect(fits, b.CreateSub(rest, tried), rest), b.CreateSelect(fits, b.CreateAdd(root, bit), root),
            b.CreateSelect(fits, b.CreateAdd(tried, bit), sum), b.CreateLShr(bit, 1)};
  });
  Value* root = last[1];
  Value* up = b.CreateAnd(root, b.CreateZExt(b.CreateICmpNE(last[0], number(0)), f.bits));  // no root lies half way between two floats
  root = b.CreateLShr(b.CreateAdd(root, up), 1);
  Value* half = b.CreateAShr(power, 1);
  Value* result = b.CreateAdd(root, b.CreateShl(b.CreateAdd(half, number(static_cast<uint64_t>(f.bias) - 1)), f.fraction));
  Value* zero = llvm::Constant::getNullValue(x->getType());
  Value* negative = b.CreateSelect(b.CreateFCmpOEQ(x, zero), x, llvm::ConstantFP::getNaN(x->getType()));
  Value* ordinary = b.CreateFCmpOGT(x, zero);
  Value* finite = b.CreateFCmpOLT(x, llvm::ConstantFP::getInfinity(x->getType()));
  return b.CreateSelect(ordinary, b.CreateSelect(finite, b.CreateBitCast(result, x->getType()), x), negative);
}

Value* wide_to_float(Emitter& e, Value* x, bool is_signed, llvm::Type* to) {
  llvm::IRBuilder<>& b = e.builder;
  const Format f = format_of(to);
  Value* zero = b.getInt64(0);
  Value* negative = is_signed ? b.CreateICmpSLT(x, zero) : b.getFalse();
  Value* size = b.CreateSelect(negative, b.CreateNeg(x), x);
  Value* zeros = leading_zeros(b, b.CreateOr(size, b.getInt64(1)));
  Value* left = b.CreateShl(size, zeros);  // its highest bit is the implicit one
  const unsigned dropped = 63 - f.fraction;
  Value* kept = b.CreateLShr(left, dropped);
  Value *rest = b.CreateAnd(left, b.getInt64((uint64_t{1} << dropped) - 1)), *half = b.getInt64(uint64_t{1} << (dropped - 1));
  Value* is_odd = b.CreateTrunc(kept, b.getInt1Ty());
  Value* up = b.CreateOr(b.CreateICmpUGT(rest, half), b.CreateAnd(b.CreateICmpEQ(rest, half), is_odd));
  // The implicit bit adds one to the exponent, and so does a carry out of the fraction.
  Value* exponent = b.CreateSub(b.getInt64(static_cast<uint64_t>(f.bias + 62)), zeros);
  Value* bits = b.CreateAdd(b.CreateAdd(b.CreateShl(exponent, f.fraction), kept), b.CreateZExt(up, b.getInt64Ty()));
  bits = b.CreateSelect(b.CreateICmpEQ(x, zero), zero, bits);
  bits = b.CreateOr(bits, b.CreateShl(b.CreateZExt(negative, b.getInt64Ty()), f.width - 1));
  return b.CreateBitCast(b.CreateTrunc(bits, f.bits), to);
}

Value* float_to_wide(Emitter& e, Value* x) {
  llvm::IRBuilder<>& b = e.builder;
  const Format f = format_of(x->getType());
  Value* bits = b.CreateZExt(b.CreateBitCast(x, f.bits), b.getInt64Ty());
  Value* negative = b.CreateICmpNE(b.CreateLShr(bits, f.width - 1), b.getInt64(0));
  Value* exponent = b.CreateAnd(b.CreateLShr(bits, f.fraction), b.getInt64((uint64_t{1} << (f.width - 1 - f.fraction)) - 1));
  Value* mantissa = b.CreateOr(b.CreateAnd(bits, b.getInt64((uint64_t{1} << f.fraction) - 1)), b.getInt64(uint64_t{1} << f.fraction));
  Value* left = b.CreateSub(exponent, b.getInt64(static_cast<uint64_t>(f.bias) + f.fraction));  // shifts too far give what is chosen out
  Value* right = b.CreateNeg(left);
  Value* size = b.CreateSelect(b.CreateICmpSGE(left, b.getInt64(0)), b.CreateShl(mantissa, b.CreateAnd(left, b.getInt64(63))), b.CreateLShr(mantissa, b.CreateAnd(right, b.getInt64(63))));
  size = b.CreateSelect(b.CreateICmpULT(exponent, b.getInt64(static_cast<uint64_t>(f.bias))), b.getInt64(0), size);  // below one
  return b.CreateSelect(negative, b.CreateNeg(size), size);
}

}  // namespace sinter
