#include "graph/dim.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

namespace sinter {
namespace {

int64_t checked_add(int64_t a, int64_t b) {
  int64_t r;
  if (__builtin_add_overflow(a, b, &r)) throw UserError(fmt::format("a size overflows 64 bits: {} + {}", a, b));
  return r;
}

bool is_symbol_name(std::string_view s) {
  if (s.empty() || std::isdigit(static_cast<unsigned char>(s[0]))) return false;
  return std::all_of(s.begin(), s.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

// A factor that is a quotient rounded up, taken apart; nothing of a symbol.
struct Quotient {
  Dim dividend;
  int64_t divisor;
};
constexpr std::string_view quotient_begins = "ceil(";

std::optional<Quotient> quotient_of(const std::string& factor) {
  if (!factor.starts_with(quotient_begins)) return std::nullopt;
  const size_t slash = factor.rfind('/');
  return Quotient{parse_dim(std::string_view(factor).substr(quotient_begins.size(), slash - quotient_begins.size())), std::stoll(factor.substr(slash + 1))};
}

// Characters: every Dim's text is shorter. Products of sums double with each factor, quotients nest, and reading one recurses; no program needs a
// size that takes a page to write.
constexpr size_t longest_dim = 4000;

// `length` is a bound on the characters that writing a sum of these terms takes.
template <class Terms>
void check_length(const Terms& terms) {
  constexpr size_t longest_number = 24;  // with the "*" or " + " beside it
  size_t length = longest_number;
  for (const auto& t : terms) {
    length += longest_number;
    for (const std::string& f : t.factors) length += f.size() + 1;
  }
  if (length > longest_dim) throw UserError(fmt::format("a size of {} terms would take more than {} characters to write", terms.size(), longest_dim));
}

int64_t ceil_divide_number(int64_t dividend, int64_t divisor) { return dividend / divisor + (dividend % divisor > 0); }

}  // namespace

int64_t checked_multiply(int64_t a, int64_t b) {
  int64_t r;
  if (__builtin_mul_overflow(a, b, &r)) throw UserError(fmt::format("a size overflows 64 bits: {} * {}", a, b));
  return r;
}

Dim::Dim(const char* symbol, Here where) : Dim(std::string(symbol ? symbol : ""), where) {}

Dim::Dim(const std::string& symbol, Here where) {
  if (!is_symbol_name(symbol)) throw UserError(fmt::format("'{}' cannot name a dimension: use letters, digits and '_', not starting with a digit", symbol), where);
  terms_.push_back({{symbol}, 1});
  at_line(where, [&] { check_length(terms_); });
}

int64_t Dim::number() const {
  ensure(is_number(), "a number was asked of a symbolic dimension");
  return constant_;
}

std::optional<std::string> Dim::symbol() const {
  if (constant_ != 0 || terms_.size() != 1 || terms_[0].coefficient != 1 || terms_[0].factors.size() != 1 || quotient_of(terms_[0].factors[0])) return std::nullopt;
  return terms_[0].factors[0];
}

std::vector<std::string> Dim::symbols() const {
  std::set<std::string> all;
  for (const Term& t : terms_)
    for (const std::string& f : t.factors)
      if (auto quotient = quotient_of(f)) {
        for (std::string& symbol : quotient->dividend.symbols()) all.insert(std::move(symbol));
      } else {
        all.insert(f);
      }
  return {all.begin(), all.end()};
}

bool Dim::never_negative() const {
  return constant_ >= 0 && std::all_of(terms_.begin(), terms_.end(), [](const Term& t) { return t.coefficient > 0; });
}

int64_t Dim::evaluate(const Bindings& bindings) const {
  int64_t sum = constant_;
  for (const Term& t : terms_) {
    int64_t value = t.coefficient;
    for (const std::string& f : t.factors) {
      if (auto quotient = quotient_of(f)) {
        value = checked_multiply(value, ceil_divide_number(quotient->dividend.evaluate(bindings), quotient->divisor));
        continue;
      }
      auto found = bindings.find(f);
      if (found == bindings.end()) throw UserError(fmt::format("the dimension '{}' has no value in this call", f));
      value = checked_multiply(value, found->second);
    }
    sum = checked_add(sum, value);
  }
  return sum;
}

Dim Dim::with(const Bindings& bindings) const {
  Dim sum(constant_);
  for (const Term& t : terms_) {
    Dim value(t.coefficient);
    for (const std::string& f : t.factors) {
      auto quotient = quotient_of(f);
      auto found = bindings.find(f);
      value = value * (quotient ? ceil_divide(quotient->dividend.with(bindings), quotient->divisor) : found == bindings.end() ? Dim(f) : Dim(found->second));
    }
    sum = sum + value;
  }
  return sum;
}

void Dim::add_term(const std::vector<std::string>& factors, int64_t coefficient) {
  if (coefficient == 0) return;
  if (factors.empty()) {
    constant_ = checked_add(constant_, coefficient);
    return;
  }
  auto at = std::lower_bound(terms_.begin(), terms_.end(), factors, [](const Term& t, const auto& f) { return t.factors < f; });
  if (at == terms_.end() || at->factors != factors) {
    terms_.insert(at, {factors, coefficient});
    return;
  }
  at->coefficient = checked_add(at->coefficient, coefficient);
  if (at->coefficient == 0) terms_.erase(at);
}

Dim operator+(const Dim& a, const Dim& b) {
  Dim r = a;
  r.add_term({}, b.constant_);
  for (const auto& t : b.terms_) r.add_term(t.factors, t.coefficient);
  if (!b.is_number()) check_length(r.terms_);
  return r;
}

Dim operator-(const Dim& a, const Dim& b) { return a + b * Dim(-1); }

Dim operator*(const Dim& a, const Dim& b) {
  if (a.is_number() && b.is_number()) return Dim(checked_multiply(a.constant_, b.constant_));
  Dim r;
  auto terms = [](const Dim& d) {
    std::vector<Dim::Term> all = d.terms_;
    if (d.constant_ != 0) all.push_back({{}, d.constant_});
    return all;
  };
  for (const auto& x : terms(a)) {
    for (const auto& y : terms(b)) {
      std::vector<std::string> factors = x.factors;
      factors.insert(factors.end(), y.factors.begin(), y.factors.end());
      std::sort(factors.begin(), factors.end());
      r.add_term(factors, checked_multiply(x.coefficient, y.coefficient));
    }
    check_length(r.terms_);
  }
  return r;
}

// Division by a single term is enough for reshapes and for merging loops; a longer divisor divides only itself and its multiples by a
// number, which comparing tries.
std::optional<Dim> Dim::divided_by(const Dim& d) const {
  if (*this == d && !(d == Dim(0))) return Dim(1);
  if (d.is_number() && d.constant_ == 0) return std::nullopt;
  std::vector<Term> divisor = d.terms_;
  if (d.constant_ != 0) divisor.push_back({{}, d.constant_});
  if (divisor.size() != 1) return std::nullopt;
  Dim quotient;
  std::vector<Term> dividend = terms_;
  if (constant_ != 0) dividend.push_back({{}, constant_});
  for (const Term& t : dividend) {
    if (t.coefficient % divisor[0].coefficient != 0) return std::nullopt;
    if (!std::includes(t.factors.begin(), t.factors.end(), divisor[0].factors.begin(), divisor[0].factors.end())) return std::nullopt;
    std::vector<std::string> rest;
    std::set_difference(t.factors.begin(), t.factors.end(), divisor[0].factors.begin(), divisor[0].factors.end(), std::back_inserter(rest));
    quotient.add_term(rest, t.coefficient / divisor[0].coefficient);
  }
  return quotient;
}

// Whole multiples of the divisor leave the quotient, and ceil(ceil(a / b) / c) is ceil(a / (b * c)), so that equal quotients are equal values.
Dim ceil_divide(const Dim& d, int64_t divisor) {
  if (divisor <= 0) throw UserError(fmt::format("a size is divided by a positive number, not by {}", divisor));
  if (divisor == 1) return d;
  Dim whole, rest;
  for (const Dim::Term& t : d.terms_) {
    rest.add_term(t.factors, t.coefficient % divisor);
    whole.add_term(t.factors, t.coefficient / divisor);
  }
  if (rest.terms_.empty()) return whole + Dim(ceil_divide_number(d.constant_, divisor));
  rest.add_term({}, d.constant_ % divisor);
  whole.add_term({}, d.constant_ / divisor);
  if (rest.constant_ == 0 && rest.terms_.size() == 1 && rest.terms_[0].coefficient == 1 && rest.terms_[0].factors.size() == 1)
    if (auto inner = quotient_of(rest.terms_[0].factors[0])) return whole + ceil_divide(inner->dividend, checked_multiply(inner->divisor, divisor));
  whole.add_term({fmt::format("{}{}/{})", quotient_begins, to_string(rest), divisor)}, 1);
  check_length(whole.terms_);
  return whole;
}

size_t Dim::hash() const {
  size_t h = std::hash<int64_t>()(constant_);
  for (const Term& t : terms_) {
    h = h * 1000003 + static_cast<size_t>(t.coefficient);
    for (const auto& f : t.factors) h = h * 1000003 + std::hash<std::string>()(f);
  }
  return h;
}

std::string to_string(const Dim& d) {
  if (d.is_number()) return std::to_string(d.constant_);
  std::string s;
  for (const auto& t : d.terms_) {
    std::string term = t.coefficient == 1 ? "" : t.coefficient == -1 ? "-" : std::to_string(t.coefficient) + "*";
    s += (s.empty() ? "" : " + ") + term + fmt::format("{}", fmt::join(t.factors, "*"));
  }
  return d.constant_ == 0 ? s : s + " + " + std::to_string(d.constant_);
}

std::string to_string(const Shape& shape) {
  std::string s = "[";
  for (size_t i = 0; i < shape.size(); ++i) s += (i ? ", " : "") + to_string(shape[i]);
  return s + "]";
}

std::string to_string(const std::vector<int64_t>& sizes) { return fmt::format("[{}]", fmt::join(sizes, ", ")); }

namespace {

// Reads  sum = term { "+" term },  term = factor { "*" factor },  factor = number | symbol | "ceil(" sum "/" number ")".
class DimReader {
 public:
  explicit DimReader(std::string_view text) : text_(text), rest_(text) {}

  Dim whole() {
    Dim value = sum();
    if (!rest_.empty()) malformed();
    return value;
  }

 private:
  [[noreturn]] void malformed() const {
    throw UserError(fmt::format("'{}' is not a dimension: write a number, a name, sums and products of those, or a quotient rounded up, as ceil(n/2)", text_));
  }

  bool eat(std::string_view what) {
    while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    if (!rest_.starts_with(what)) return false;
    rest_.remove_prefix(what.size());
    return true;
  }

  Dim sum() {
    Dim value = term();
    while (eat("+")) value = value + term();
    return value;
  }

  Dim term() {
    Dim value = factor();
    while (eat("*")) value = value * factor();
    eat("");
    return value;
  }

  std::optional<int64_t> number() {
    int64_t value = 0;
    auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc()) return std::nullopt;
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return value;
  }

  Dim factor() {
    if (eat(quotient_begins)) {
      Dim dividend = sum();
      if (!eat("/")) malformed();
      eat("");
      auto divisor = number();
      if (!divisor || !eat(")")) malformed();
      return ceil_divide(dividend, *divisor);
    }
    eat("");
    if (auto value = number()) return Dim(*value);
    const bool negative = eat("-");
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
    const std::string symbol(rest_.begin(), end);
    if (!is_symbol_name(symbol)) malformed();
    rest_.remove_prefix(symbol.size());
    return negative ? Dim(-1) * Dim(symbol) : Dim(symbol);
  }

  std::string_view text_, rest_;
};

}  // namespace

Dim parse_dim(std::string_view text) {
  if (text.size() > longest_dim) throw UserError(fmt::format("a size is written in at most {} characters", longest_dim));  // DimReader recurses
  return DimReader(text).whole();
}

Dim product(const Shape& shape) {
  Dim p(1);
  for (const Dim& d : shape) p = p * d;
  return p;
}

std::vector<int64_t> evaluate(const Shape& shape, const Bindings& bindings) {
  std::vector<int64_t> sizes;
  for (const Dim& d : shape) sizes.push_back(d.evaluate(bindings));
  return sizes;
}

int64_t element_count(const std::vector<int64_t>& sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) {
    if (s < 0) throw UserError(fmt::format("a size is negative: {}", to_string(sizes)));
    n = checked_multiply(n, s);
  }
  return n;
}

}  // namespace sinter
