// The elementary functions of one argument, what they should be, and how far off they may be.
#pragma once
#include <stdexcept>
#include <string>
#include <string_view>

#include "tests/scalar/support.h"

namespace sinter {

struct Elementary {
  const char* name;
  Scalar (*make)(Scalar);
  double (*reference)(double);              // for f32: the host's libm, good to an ulp of double
  long double (*wide)(long double);         // for f64
  double bound_f32, bound_f64;              // ulps
  double bound_f32_without_fma, bound_f64_without_fma;
  int cost_f32, cost_f64;                   // instructions()
};

namespace reference {
template <class T>
T sigmoid(T x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }
template <class T>
T softplus(T x) { return std::max(x, T(0)) + std::log1p(std::exp(-std::fabs(x))); }
template <class T>
T softplus_or_nan(T x) { return std::isnan(x) ? x : softplus(x); }
template <class T>
T rsqrt(T x) { return 1 / std::sqrt(x); }
}  // namespace reference

inline const Elementary elementary[] = {
    {"exp", scalar::exp, std::exp, std::exp, 1.5, 2, 3, 3, 16, 22},
    {"exp2", scalar::exp2, std::exp2, std::exp2, 1.25, 2, 3, 3, 15, 22},
    {"expm1", scalar::expm1, std::expm1, std::expm1, 1.5, 2, 3, 3, 19, 24},
    {"log", scalar::log, std::log, std::log, 1, 1, 3, 3, 27, 36},
    {"log2", scalar::log2, std::log2, std::log2, 0.51, 0.51, 1, 3, 27, 72},
    {"log10", scalar::log10, std::log10, std::log10, 0.51, 0.51, 1, 3, 28, 78},
    {"log1p", scalar::log1p, std::log1p, std::log1p, 1.5, 2, 3, 3, 25, 37},
    {"tanh", scalar::tanh, std::tanh, std::tanh, 1.51, 2, 3, 3, 22, 27},
    {"sigmoid", scalar::sigmoid, reference::sigmoid<double>, reference::sigmoid<long double>, 1.75, 2, 3, 3, 16, 22},
    {"softplus", scalar::softplus, reference::softplus_or_nan<double>, reference::softplus_or_nan<long double>, 2.75, 2.75, 3, 3, 29, 62},
    {"erf", scalar::erf, std::erf, std::erf, 1.25, 2, 3, 3, 28, 63},
    {"sin", scalar::sin, std::sin, std::sin, 1, 1, 1, 4, 32, 52},
    {"cos", scalar::cos, std::cos, std::cos, 1, 1, 1, 4, 33, 50},
    {"tan", scalar::tan, std::tan, std::tan, 1, 2.5, 1, 4, 46, 51},
    {"cbrt", scalar::cbrt, std::cbrt, std::cbrt, 0.51, 1, 0.51, 1.25, 48, 46},
    {"asin", scalar::asin, std::asin, std::asin, 0.51, 2.25, 0.51, 3, 31, 29},
    {"acos", scalar::acos, std::acos, std::acos, 0.51, 1.5, 0.51, 3, 38, 36},
    {"atan", scalar::atan, std::atan, std::atan, 0.51, 2.5, 0.51, 3, 33, 31},
    {"sinh", scalar::sinh, std::sinh, std::sinh, 0.51, 2.5, 0.51, 3.5, 40, 38},
    {"cosh", scalar::cosh, std::cosh, std::cosh, 0.51, 2, 0.51, 3, 27, 25},
    {"asinh", scalar::asinh, std::asinh, std::asinh, 0.51, 2, 0.51, 3, 53, 51},
    {"acosh", scalar::acosh, std::acosh, std::acosh, 0.51, 2.75, 0.51, 3, 51, 49},
    {"atanh", scalar::atanh, std::atanh, std::atanh, 0.51, 2.5, 0.51, 3, 46, 44},
    {"erfc", scalar::erfc, std::erfc, std::erfc, 0.51, 7, 0.51, 8, 69, 67},
    {"tgamma", scalar::tgamma, std::tgamma, std::tgamma, 0.51, 6, 0.51, 1200, 230, 228},
    {"rsqrt", scalar::rsqrt, reference::rsqrt<double>, reference::rsqrt<long double>, 1.5, 1.5, 1.5, 1.5, 2, 2},
};

// How far off the other float functions may be, in ulps: those of two arguments, and lgamma and digamma, whose error is counted in the last
// place of what the result is the difference of, where that is more.
struct Bounds {
  const char* name;
  double f32, f64;
};
inline constexpr Bounds other_bounds[] = {{"power", 1.5, 2}, {"hypot", 0.51, 1.25}, {"atan2", 0.51, 3}, {"lgamma", 0.51, 8}, {"digamma", 0.51, 14}};

// Of any of them, by the name of its row in the op table.
inline Bounds bounds_of(std::string_view name) {
  for (const Elementary& f : elementary)
    if (f.name == name) return {f.name, f.bound_f32, f.bound_f64};
  for (const Bounds& b : other_bounds)
    if (b.name == name) return b;
  throw std::invalid_argument("no bounds are stated for " + std::string(name));
}

}  // namespace sinter
