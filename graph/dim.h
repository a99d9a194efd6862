// A dimension: a number, a symbol ("batch"), or a polynomial with whole coefficients of symbols and of quotients rounded up
// (batch*784, 2*batch + 1, ceil(batch/64)*10).
// Kept in a canonical form, so that equal expressions are equal values.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "graph/support/errors.h"

namespace sinter {

// What the symbols stand for in one call.
using Bindings = std::map<std::string, int64_t, std::less<>>;

class Dim {
 public:
  Dim() = default;
  template <class T>
    requires(std::is_integral_v<T> && !std::is_same_v<T, bool>)
  Dim(T number, Here where = Here::current()) : constant_(static_cast<int64_t>(number)) {
    if (!std::in_range<int64_t>(number)) throw UserError("a size does not fit 64 bits", where);
  }
  Dim(const char* symbol, Here = Here::current());  // a name: letters, digits, '_', not starting with a digit
  Dim(const std::string& symbol, Here = Here::current());

  bool is_number() const { return terms_.empty(); }
  bool is(int64_t number) const { return is_number() && constant_ == number; }
  int64_t number() const;                           // InternalError where symbolic
  std::optional<std::string> symbol() const;        // the name, where this is one bare symbol
  std::vector<std::string> symbols() const;         // all names in it
  bool never_negative() const;                      // whether that is plain for all sizes: no coefficient is negative
  int64_t evaluate(const Bindings&) const;          // UserError where a symbol is unbound or the value overflows 64 bits
  Dim with(const Bindings&) const;                  // numbers in place of the symbols that have one there
  std::optional<Dim> divided_by(const Dim&) const;  // the exact quotient, where there is one for every binding
  friend Dim ceil_divide(const Dim&, int64_t divisor);  // rounded up; UserError where the divisor is not positive

  friend Dim operator+(const Dim&, const Dim&);  // these throw UserError where a coefficient overflows, or where the text would be too long
  friend Dim operator-(const Dim&, const Dim&);
  friend Dim operator*(const Dim&, const Dim&);
  bool operator==(const Dim&) const = default;
  size_t hash() const;

 private:
  struct Term {
    std::vector<std::string> factors;  // symbols, and quotients by their text "ceil(batch/64)"; sorted, with repetition
    int64_t coefficient = 0;           // never 0
    bool operator==(const Term&) const = default;
  };
  void add_term(const std::vector<std::string>& factors, int64_t coefficient);
  std::vector<Term> terms_;  // sorted by factors
  int64_t constant_ = 0;
  friend std::string to_string(const Dim&);
};

using Shape = std::vector<Dim>;

std::string to_string(const Dim&);                     // "2*batch*k + 3"
std::string to_string(const Shape&);                   // "[batch, 784]"
Dim parse_dim(std::string_view);                       // inverse of to_string; UserError where malformed or too long
Dim product(const Shape&);                             // number of elements
std::vector<int64_t> evaluate(const Shape&, const Bindings&);
std::string to_string(const std::vector<int64_t>&);    // "[3, 4]"
int64_t checked_multiply(int64_t, int64_t);            // UserError on overflow
int64_t element_count(const std::vector<int64_t>&);    // checked

}  // namespace sinter
