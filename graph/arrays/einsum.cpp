#include "graph/arrays/einsum.h"

#include <algorithm>
#include <map>
#include <string>

#include "graph/arrays/pieces.h"
#include "graph/arrays/selecting.h"

namespace sinter {
namespace {

using namespace arrays;

// An axis's label: a letter, or for the axes of "..." first_unnamed and up, the last axis having the highest.
using Label = int;
using Labels = std::vector<Label>;
constexpr Label first_unnamed = 1000;

bool has(const Labels& labels, Label l) { return std::find(labels.begin(), labels.end(), l) != labels.end(); }
int64_t place(const Labels& labels, Label l) { return std::find(labels.begin(), labels.end(), l) - labels.begin(); }

struct Term {
  std::string before, after;  // letters on both sides of "..."
  bool open = false;          // whether it has one
};

struct Factor {
  Expr value;
  Labels labels;
};

class Einsum {
 public:
  Einsum(std::string_view specification, const std::vector<Expr>& operands, Here where) : specification_(specification), where_(where) {
    std::string text;
    for (char c : specification)
      if (c != ' ') text += c;
    size_t arrow = text.find("->");
    std::string left = text.substr(0, arrow);
    for (size_t start = 0, comma = 0; start <= left.size(); start = comma + 1) {
      comma = std::min(left.find(',', start), left.size());
      terms_.push_back(term(left.substr(start, comma - start)));
    }
    if (terms_.size() != operands.size()) fail(fmt::format("it names {} operands, and there are {}", terms_.size(), operands.size()));
    size_t unnamed = 0;
    for (size_t i = 0; i < operands.size(); ++i) {
      size_t named = terms_[i].before.size() + terms_[i].after.size(), rank = operands[i].shape().size();
      if (terms_[i].open ? named > rank : named != rank) fail(fmt::format("operand {} is {}, and {} axes of it are named", i, to_string(operands[i].type()), named));
      unnamed = std::max(unnamed, rank - named);
    }
    for (size_t i = 0; i < operands.size(); ++i) {
      Labels labels = labels_of(terms_[i], operands[i].shape().size() - terms_[i].before.size() - terms_[i].after.size(), unnamed);
      factors_.push_back({operands[i], std::move(labels)});
    }
    output_ = arrow == std::string::npos ? implied(unnamed) : labels_of(output_term(text.substr(arrow + 2), unnamed), unnamed, unnamed);
    for (size_t i = 0; i < output_.size(); ++i) {
      if (place(output_, output_[i]) != static_cast<int64_t>(i)) fail("the result names an axis twice");
      if (std::none_of(factors_.begin(), factors_.end(), [&](const Factor& f) { return has(f.labels, output_[i]); })) fail("the result names an axis that no operand has");
    }
  }

  Expr run() {
    DType common = factors_[0].value.dtype();
    for (const Factor& f : factors_) common = promote(common, f.value.dtype());
    if (common == boolean) fail("it multiplies numbers, not bool; convert() them first");
    common = computing(common);
    for (Factor& f : factors_) f.value = convert(f.value, common), take_diagonals(f);
    find_sizes();
    for (Factor& f : factors_) drop_ones(f);
    Factor product = factors_[0];
    for (size_t i = 1; i < factors_.size(); ++i) {
      Labels kept = output_;
      for (size_t k = i + 1; k < factors_.size(); ++k) kept.insert(kept.end(), factors_[k].labels.begin(), factors_[k].labels.end());
      product = multiplied(product, factors_[i], kept);
    }
    sum_out(product, output_);
    return arranged(product, common);
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw UserError(fmt::format("einsum '{}': {}", specification_, why), line_at(where_)); }

  Term term(std::string_view text) const {
    Term t;
    size_t dots = text.find("...");
    t.open = dots != std::string_view::npos;
    t.before = text.substr(0, dots);
    if (t.open) t.after = text.substr(dots + 3);
    for (char c : t.before + t.after)
      if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) fail(fmt::format("'{}' names no axis; letters do", c));
    return t;
  }

  Term output_term(std::string_view text, size_t unnamed) const {
    Term t = term(text);
    if (!t.open && unnamed > 0) fail("the result leaves out the axes of '...'");
    return t;
  }

  static Labels labels_of(const Term& t, size_t own_unnamed, size_t unnamed) {
    Labels labels(t.before.begin(), t.before.end());
    if (t.open)
      for (size_t i = unnamed - own_unnamed; i < unnamed; ++i) labels.push_back(first_unnamed + static_cast<Label>(i));
    labels.insert(labels.end(), t.after.begin(), t.after.end());
    return labels;
  }

  Labels implied(size_t unnamed) const {
    Labels labels;
    for (size_t i = 0; i < unnamed; ++i) labels.push_back(first_unnamed + static_cast<Label>(i));
    std::map<Label, int> count;
    for (const Factor& f : factors_)
      for (Label l : f.labels) ++count[l];
    for (auto [l, n] : count)
      if (n == 1 && l < first_unnamed) labels.push_back(l);
    return labels;
  }

  void take_diagonals(Factor& f) const {
    for (size_t i = 0; i < f.labels.size(); ++i)
      for (size_t k = i + 1; k < f.labels.size(); ++k) {
        if (f.labels[i] != f.labels[k]) continue;
        const Dim a = f.value.shape()[i], b = f.value.shape()[k];
        if (!(a == b)) fail(fmt::format("'{}' is of two sizes, {} and {}", static_cast<char>(f.labels[i]), to_string(a), to_string(b)));
        f.value = diagonal(f.value, 0, static_cast<int64_t>(i), static_cast<int64_t>(k));
        Label repeated = f.labels[i];
        f.labels.erase(f.labels.begin() + static_cast<std::ptrdiff_t>(k)), f.labels.erase(f.labels.begin() + static_cast<std::ptrdiff_t>(i));
        f.labels.push_back(repeated);
        return take_diagonals(f);
      }
  }

  void find_sizes() {
    for (const Factor& f : factors_)
      for (size_t i = 0; i < f.labels.size(); ++i) {
        const Dim& size = f.value.shape()[i];
        Dim& known = sizes_.try_emplace(f.labels[i], Dim(1)).first->second;
        if (known.is(1)) known = size;
        else if (!size.is(1) && !(size == known))
          fail(fmt::format("{} is of two sizes, {} and {}", f.labels[i] < first_unnamed ? fmt::format("'{}'", static_cast<char>(f.labels[i])) : "an axis of '...'", to_string(known), to_string(size)));
      }
  }

  // An axis of size 1 where another operand's is longer says nothing.
  void drop_ones(Factor& f) const {
    Labels labels;
    Shape shape;
    for (size_t i = 0; i < f.labels.size(); ++i)
      if (!f.value.shape()[i].is(1) || sizes_.at(f.labels[i]).is(1)) labels.push_back(f.labels[i]), shape.push_back(f.value.shape()[i]);
    if (labels.size() == f.labels.size()) return;
    f = {reshape(f.value, shape), labels};
  }

  static void sum_out(Factor& f, const Labels& kept) {
    Axes gone;
    Labels left;
    for (size_t i = 0; i < f.labels.size(); ++i)
      if (has(kept, f.labels[i])) left.push_back(f.labels[i]);
      else gone.push_back(static_cast<int64_t>(i));
    if (!gone.empty()) f = {convert(sum(f.value, gone), f.value.dtype()), left};
  }

  // The product of two, of which what nobody needs any more is summed over.
  static Factor multiplied(Factor a, Factor b, const Labels& kept) {
    Labels of_a = kept, of_b = kept;
    of_a.insert(of_a.end(), b.labels.begin(), b.labels.end()), of_b.insert(of_b.end(), a.labels.begin(), a.labels.end());
    sum_out(a, of_a), sum_out(b, of_b);
    ContractionAttributes axes;
    Labels shared, free_a, free_b;
    for (size_t i = 0; i < a.labels.size(); ++i) {
      Label l = a.labels[i];
      if (!has(b.labels, l)) free_a.push_back(l);
      else if (has(kept, l)) axes.lhs_batch.push_back(static_cast<int64_t>(i)), axes.rhs_batch.push_back(place(b.labels, l)), shared.push_back(l);
      else axes.lhs_contracted.push_back(static_cast<int64_t>(i)), axes.rhs_contracted.push_back(place(b.labels, l));
    }
    for (Label l : b.labels)
      if (!has(a.labels, l)) free_b.push_back(l);
    Labels labels = shared;
    labels.insert(labels.end(), free_a.begin(), free_a.end()), labels.insert(labels.end(), free_b.begin(), free_b.end());
    if (!axes.lhs_contracted.empty()) return {contract(a.value, b.value, axes), labels};
    return {spread(a, labels) * spread(b, labels), labels};
  }

  // The axes in the order of `labels`, with sizes of 1 for those that it has not.
  static Expr spread(const Factor& f, const Labels& labels) {
    Axes order;
    Shape shape;
    for (Label l : labels) {
      bool own = has(f.labels, l);
      if (own) order.push_back(place(f.labels, l));
      shape.push_back(own ? f.value.shape()[static_cast<size_t>(order.back())] : Dim(1));
    }
    Expr moved = std::is_sorted(order.begin(), order.end()) ? f.value : transpose(f.value, order);
    return moved.shape() == shape ? moved : reshape(moved, shape);
  }

  Expr arranged(const Factor& f, DType dtype) const {
    Expr result = convert(spread(f, output_), dtype);
    Shape whole;
    for (Label l : output_) whole.push_back(sizes_.at(l));
    return result.shape() == whole ? result : broadcast_to(result, whole);
  }

  std::string specification_;
  Here where_;
  std::vector<Term> terms_;
  std::vector<Factor> factors_;
  Labels output_;
  std::map<Label, Dim> sizes_;
};

}  // namespace

Expr einsum(std::string_view specification, const std::vector<Expr>& operands, Here where) {
  if (operands.empty()) throw UserError(fmt::format("einsum '{}': takes one operand or more", specification), line_at(where));
  Operand at(operands[0], where);
  OriginScope scope(at, "einsum");
  GraphScope joined(operands[0].graph());
  std::vector<Expr> own;
  for (const Expr& e : operands) own.push_back(Operand(e, where).in(operands[0].graph())), require_type("einsum", e, at);
  return Einsum(specification, own, where).run();
}

}  // namespace sinter
