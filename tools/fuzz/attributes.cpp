#include "tools/fuzz/attributes.h"

#include <algorithm>

#include "graph/verify.h"
#include "tools/fuzz/turned.h"

namespace sinter::fuzz {
namespace {

struct Maker {
  Random& random;
  const Sizes& sizes;
  Op op;
  std::vector<Expr>& x;
  Values values;

  const Shape& shape() const { return x[0].shape(); }
  size_t rank() const { return shape().size(); }
  Attributes operator()(const NoAttributes& a) const { return a; }
  Attributes operator()(const VariableAttributes&) const { throw UserError("made where the leaves are"); }
  Attributes operator()(const ParameterAttributes&) const { throw UserError("made where the leaves are"); }
  Attributes operator()(const ConstantAttributes&) const { throw UserError("made where the leaves are"); }
  Attributes operator()(const DimensionAttributes&) const {
    Dim d = sizes.dim(random);
    return DimensionAttributes{d * Dim(random.number(0, 2))};
  }
  Attributes operator()(const ConvertAttributes&) const {
    DType to = random_dtype(random);
    // What a float may be off by leaves nothing known of an integer.
    if (!is_float(to) && is_float(x[0].dtype()) && values == Values::plain && !random.chance(4)) to = random.chance(2) ? f32 : f64;
    return ConvertAttributes{to};
  }
  Attributes operator()(const IotaAttributes&) const {
    Shape s = sizes.shape(random);
    return IotaAttributes{s, random.number(0, static_cast<int64_t>(s.size())), random_dtype(random)};
  }

  // One axis more or less, two of them one, one of them two, all of them one, or another order of the sizes.
  Attributes operator()(const ShapeAttributes&) const {
    Shape s = shape();
    size_t at = random.below(s.size() + 1);
    auto ones = std::find(s.begin(), s.end(), Dim(1));
    switch (random.below(6)) {
      case 0: s.insert(s.begin() + static_cast<std::ptrdiff_t>(at), Dim(1)); break;
      case 1:
        if (ones != s.end()) s.erase(ones);
        break;
      case 2:
        if (at + 1 < s.size()) s[at] = s[at] * s[at + 1], s.erase(s.begin() + static_cast<std::ptrdiff_t>(at) + 1);
        break;
      case 3:
        if (at < s.size())
          for (int64_t part : {2, 3, 5, 7, 8, 16})
            if (auto rest = s[at].divided_by(Dim(part)); rest && random.chance(2)) {
              s[at] = *rest;
              s.insert(s.begin() + static_cast<std::ptrdiff_t>(at), Dim(part));
              break;
            }
        break;
      case 4: s = {-1}; break;
      default: std::reverse(s.begin(), s.end());
    }
    return ShapeAttributes{s};
  }
  Attributes operator()(const TransposeAttributes&) const { return TransposeAttributes{random.permutation(rank())}; }
  Attributes operator()(const BroadcastAttributes&) const {
    BroadcastAttributes a;
    for (const Dim& d : shape()) {
      if (random.chance(4)) a.shape.push_back(sizes.dim(random));
      a.axes.push_back(static_cast<int64_t>(a.shape.size()));
      a.shape.push_back(d.is(1) && random.chance(2) ? sizes.dim(random) : d);
    }
    if (random.chance(3)) a.shape.push_back(sizes.dim(random));
    return a;
  }
  Attributes operator()(const SliceAttributes&) const {
    SliceAttributes a;
    for (const Dim& d : shape()) {
      int64_t start = 0, step = 1;
      Dim stop = d;
      if (d.is_number() && !random.chance(2)) {
        start = random.number(0, d.number());
        stop = Dim(random.number(start, d.number()));
        if (random.chance(3)) step = random.number(1, 3);
      } else if (!d.is_number() && random.chance(6)) {  // of a size that may be too small for it
        random.chance(2) ? void(start = 1) : void(stop = d - Dim(1));
      }
      a.starts.push_back(start), a.stops.push_back(stop), a.steps.push_back(step);
    }
    return a;
  }
  Attributes operator()(const PadAttributes&) const {
    PadAttributes a{Shape(rank()), Shape(rank()), Axes(rank())};
    for (size_t i = 0; i < rank(); ++i) {
      a.low[i] = random.chance(12) ? sizes.dim(random) : Dim(random.number(-1, 3) / 2), a.high[i] = Dim(random.number(0, 3) / 2);
      if (shape()[i].is_number() && random.chance(4)) a.interior[i] = random.number(1, 2);
    }
    if (!x[1].shape().empty() || x[1].dtype() != x[0].dtype() || random.chance(2)) x[1] = Constant(random_tensor(random, x[0].dtype(), {}, values));
    return a;
  }
  Attributes operator()(const ReduceAttributes&) const {
    if (random.chance(4)) return ReduceAttributes{{}, true, op != Op::size && random.chance(3)};
    Axes axes = random.some_axes(rank());
    if (axes.size() > 1 && random.chance(2)) axes.resize(1);
    for (int64_t& a : axes)
      if (random.chance(4)) a -= static_cast<int64_t>(rank());
    return ReduceAttributes{axes, false, op != Op::size && random.chance(2)};
  }

  Attributes operator()(const CustomCallAttributes&) const { return CustomCallAttributes{turned()}; }

  Attributes operator()(const ReverseAttributes&) const { return ReverseAttributes{random.some_axes(rank())}; }

  // Some of the leading axes that two values have in common.
  int64_t shared(const Expr& a, const Expr& b) const {
    size_t count = 0;
    while (count < std::min(a.shape().size(), b.shape().size()) && a.shape()[count] == b.shape()[count]) ++count;
    return random.number(0, static_cast<int64_t>(count));
  }
  void check_work(const Shape& a, const Shape& b) const {
    Shape loops = a;
    loops.insert(loops.end(), b.begin(), b.end());
    if (sizes.count(loops) > sizes.products) throw UserError("too much work");
  }
  Expr positions(const Expr& of) const {
    static const DType types[] = {i32, i64, u8, u64};
    DType type = random.of(types);
    bool counted = !of.shape().empty() && random.chance(2);
    return counted ? iota(of.shape(), static_cast<int64_t>(random.below(of.shape().size())), type) : convert(of, type);
  }
  Attributes operator()(const GatherAttributes&) const {
    x[1] = positions(x[1]);
    check_work(x[0].shape(), x[1].shape());
    return GatherAttributes{shared(x[0], x[1])};
  }
  Attributes operator()(const ScatterAttributes&) const {
    if (x[1].dtype() == boolean) x[1] = convert(x[1], f32);
    Expr at = positions(x[1]);
    for (size_t gone = random.below(at.shape().size() + 1); gone > 0; --gone) at = max(at, {-1});
    x[0] = at;
    Dim size = sizes.dim(random);
    check_work(x[1].shape(), {size});
    return ScatterAttributes{random.number(0, static_cast<int64_t>(at.shape().size())), size};
  }

  // Axes of equal sizes are contracted, or batch, or left.
  Attributes operator()(const ContractionAttributes&) const {
    if (x[0].dtype() == boolean) x[0] = convert(x[0], random.chance(2) ? f32 : i32);
    if (x[0].dtype() != x[1].dtype()) x[1] = convert(x[1], x[0].dtype());
    const Shape &a = x[0].shape(), &b = x[1].shape();
    ContractionAttributes c;
    Shape all = a, other;
    all.insert(all.end(), b.begin(), b.end());
    std::vector<bool> taken(b.size());
    size_t unlikely = random.chance(4) ? 2 : 5, batches = random.chance(2) ? 100 : 3;
    for (int64_t left : random.permutation(a.size()))
      for (int64_t right : random.permutation(b.size())) {
        size_t r = static_cast<size_t>(right);
        if (taken[r] || !(a[static_cast<size_t>(left)] == b[r]) || random.chance(unlikely)) continue;
        taken[r] = true;
        bool batch = random.chance(batches);
        (batch ? c.lhs_batch : c.lhs_contracted).push_back(left);
        (batch ? c.rhs_batch : c.rhs_contracted).push_back(right);
        break;
      }
    Shape loops = a;
    for (size_t i = 0; i < b.size(); ++i)
      if (!taken[i]) loops.push_back(b[i]);
    if (sizes.count(loops) > sizes.products) throw UserError("too many products");
    return c;
  }
};

}  // namespace

Attributes random_attributes(Random& random, const Sizes& sizes, Op op, std::vector<Expr>& operands, Values values) {
  return std::visit(Maker{random, sizes, op, operands, values}, blank_attributes(op));
}

DType random_dtype(Random& random) { return random.chance(2) ? f32 : all_dtypes[random.below(std::size(all_dtypes))]; }

}  // namespace sinter::fuzz
