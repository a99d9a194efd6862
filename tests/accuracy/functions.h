// The float functions of the op table whose error is measured over all inputs, or very many, with what they should give.
#pragma once
#include <span>
#include <string_view>

#include "graph/op.h"

namespace sinter::accuracy {

struct OfOne {
  Op op;
  double (*of_f32)(double);                    // good to an ulp of double
  long double (*of_f64)(long double);
  double bound_f32, bound_f64;                 // ulps
  long double (*size)(long double) = nullptr;  // what the result is the difference of, where that is more: an error is in its last place then
};
std::span<const OfOne> functions_of_one();

struct OfTwo {
  Op op;
  double (*of_f32)(double, double);
  long double (*of_f64)(long double, long double);
  double bound_f32, bound_f64;
  bool (*counts)(long double, long double) = nullptr;  // whether there is a bound at this pair; null: at all
};
std::span<const OfTwo> functions_of_two();

}  // namespace sinter::accuracy
