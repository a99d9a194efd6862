#include "tests/goldens/goldens.h"

using namespace sinter;
using namespace sinter::goldens;

TEST_CASE("arrays are joined, cut, rolled and accumulated as by NumPy") {
  using I = const Inputs&;
  std::vector<Row> rows = {
    {"np.concatenate([x, y])", [](I i) { return concatenate({i.x, i.y}); }},
    {"np.concatenate([x, y], -1)", [](I i) { return concatenate({i.x, i.y}, -1); }},
    {"np.concatenate([x, y, x, z], 1)", [](I i) { return concatenate({i.x, i.y, i.x, i.z}, 1); }},
    {"np.stack([x, y])", [](I i) { return stack({i.x, i.y}); }},
    {"np.stack([x, y, x], 1)", [](I i) { return stack({i.x, i.y, i.x}, 1); }},
    {"np.stack([x, y], -1)", [](I i) { return stack({i.x, i.y}, -1); }},
    {"np.split(x, [1, -2], -1)[1]", [](I i) { return split(i.x, Axes{1, -2}, -1)[1]; }},
    {"np.roll(x, 1, -2)", [](I i) { return roll(i.x, 1, -2); }},
    {"np.diagonal(x, 1, 0, 2)", [](I i) { return diagonal(i.x, 1, 0, 2); }},
    {"np.diagonal(x, -1, 2, 1)", [](I i) { return diagonal(i.x, -1, 2, 1); }},
    {"np.diagonal(x, 0, -1, -3)", [](I i) { return diagonal(i.x, 0, -1, -3); }},
    {"lax.cummax(x, 1)", [](I i) { return cummax(i.x, 1); }},
    {"lax.cummin(x, 1, reverse=True)", [](I i) { return flip(cummin(flip(i.x, {1}), 1), {1}); }},
    {"np.isnan(x)", [](I i) { return isnan(i.x); }},
    {"np.isinf(x)", [](I i) { return isinf(i.x); }},
    {"np.isfinite(x)", [](I i) { return isfinite(i.x); }},
    {"np.logical_xor(x, y)", [](I i) { return logical_xor(i.x, i.y); }},
    {"np.clip(x, y, z)", [](I i) { return clip(i.x, i.y, i.z); }},
  };
  auto numbered = [&](const char* python, int64_t n, auto make) { rows.push_back({fmt::format(fmt::runtime(python), n), [n, make](I i) { return make(i.x, n); }}); };
  for (int64_t part : {0, 1, 2}) numbered("np.split(x, 3, 1)[{}]", part, [](const Expr& x, int64_t n) { return split(x, 3, 1)[static_cast<size_t>(n)]; });
  for (int64_t part : {0, 1, 2, 3}) numbered("np.split(x, [2, 5, 5])[{}]", part, [](const Expr& x, int64_t n) { return split(x, Axes{2, 5, 5})[static_cast<size_t>(n)]; });
  for (int64_t shift : {0, 2, -2, 20, -9}) numbered("np.roll(x, {}, 1)", shift, [](const Expr& x, int64_t n) { return roll(x, n, 1); });
  for (int64_t offset : {-3, -2, 0, 1, 4, 8, 9}) numbered("np.diagonal(x, {})", offset, [](const Expr& x, int64_t n) { return diagonal(x, n); });
  for (int64_t offset : {-3, -1, 0, 2, 9}) {
    numbered("np.tril(x, {})", offset, [](const Expr& x, int64_t n) { return tril(x, n); });
    numbered("np.triu(x, {})", offset, [](const Expr& x, int64_t n) { return triu(x, n); });
  }
  for (int64_t axis : {0, 1, -1}) {
    numbered("np.cumsum(x, {})", axis, [](const Expr& x, int64_t n) { return cumsum(x, n); });
    numbered("np.cumprod(x, {})", axis, [](const Expr& x, int64_t n) { return cumprod(x, n); });
    numbered("np.maximum.accumulate(x, {})", axis, [](const Expr& x, int64_t n) { return cummax(x, n); });
    numbered("np.minimum.accumulate(x, {})", axis, [](const Expr& x, int64_t n) { return cummin(x, n); });
  }
  check("joining", rows);
}
