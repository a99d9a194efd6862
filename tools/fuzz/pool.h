// What a random program has computed so far, for operations to draw their operands from.
#pragma once
#include <algorithm>

#include "graph/expr.h"
#include "tools/fuzz/sizes.h"

namespace sinter::fuzz {

class Pool {
 public:
  Pool(Random& random, const Sizes& sizes) : random_(random), sizes_(sizes) {}

  void add(const Expr& e) {
    if (e.shape().size() > 6 || sizes_.count(e.shape()) > sizes_.elements) throw UserError("too large");
    all_.push_back(e);
  }
  const Expr& operator[](size_t i) const { return all_[i]; }
  const Expr& last() const { return all_.back(); }

  // Late ones more often, so that programs are deep.
  const Expr& some() { return all_[all_.size() - 1 - std::min(random_.below(all_.size()), random_.below(all_.size()))]; }
  template <class Is>
  const Expr& some(Is is) {
    for (int i = 0; i < 30; ++i)
      if (const Expr& e = some(); is(e)) return e;
    throw UserError("there is none");
  }
  const Expr& some_float() {
    return some([](const Expr& e) { return is_float(e.dtype()); });
  }
  // One whose shape broadcasts with that of `other`, where one is found.
  const Expr& fitting(const Expr& other) {
    return some([&](const Expr& e) {
      const Shape &a = e.shape(), &b = other.shape();
      for (size_t i = 1; i <= std::min(a.size(), b.size()); ++i)
        if (const Dim &p = a[a.size() - i], &q = b[b.size() - i]; !(p == q) && !p.is(1) && !q.is(1)) return false;
      return true;
    });
  }

 private:
  Random& random_;
  const Sizes& sizes_;
  std::vector<Expr> all_;
};

}  // namespace sinter::fuzz
