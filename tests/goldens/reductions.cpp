#include "tests/goldens/goldens.h"

using namespace sinter;
using namespace sinter::goldens;

namespace {

using I = const Inputs&;

// What stands between the brackets in Python, and what that is here.
struct Over {
  const char* arguments;
  Axes axes;
  bool keep = false;
};

}  // namespace

TEST_CASE("reductions over any axes give what NumPy's do") {
  std::vector<Row> rows;
  for (const Over& over : {Over{"x, axis=0", {0}}, {"x, axis=1", {1}}, {"x, axis=-1, keepdims=True", {-1}, true}, {"x, axis=(0, 2)", {0, 2}}, {"x, axis=(-1, 0), keepdims=True", {-1, 0}, true},
                           {"x, axis=(0, 1, 2), keepdims=True", {0, 1, 2}, true}, {"x, axis=()", {}}}) {
    auto add = [&](const char* name, auto reduce) { rows.push_back({fmt::format("np.{}({})", name, over.arguments), [over, reduce](I i) { return reduce(i.x, over.axes, over.keep); }}); };
    bool with_products = over.axes != Axes{1} && over.axes != Axes{-1, 0} && !over.axes.empty();
    add("sum", [](const Expr& x, const Axes& axes, bool keep) { return sum(x, axes, keep); });
    if (with_products) add("prod", [](const Expr& x, const Axes& axes, bool keep) { return prod(x, axes, keep); });
    add("max", [](const Expr& x, const Axes& axes, bool keep) { return max(x, axes, keep); });
    add("min", [](const Expr& x, const Axes& axes, bool keep) { return min(x, axes, keep); });
    add("any", [](const Expr& x, const Axes& axes, bool keep) { return any(x, axes, keep); });
    add("all", [](const Expr& x, const Axes& axes, bool keep) { return all(x, axes, keep); });
  }
  for (const Row& row : std::vector<Row>{
           {"np.sum(x)", [](I i) { return sum(i.x); }},
           {"np.prod(x)", [](I i) { return prod(i.x); }},
           {"np.max(x)", [](I i) { return max(i.x); }},
           {"np.min(x)", [](I i) { return min(i.x); }},
           {"np.any(x)", [](I i) { return any(i.x); }},
           {"np.all(x)", [](I i) { return all(i.x); }},
           {"np.argmax(x, 0)", [](I i) { return argmax(i.x, 0); }},
           {"np.argmax(x, -1)", [](I i) { return argmax(i.x); }},
           {"np.argmin(x, 0)", [](I i) { return argmin(i.x, 0); }},
           {"np.argmin(x, -1)", [](I i) { return argmin(i.x); }},
       })
    rows.push_back(row);
  // What rounds: sums in another order, and exp and log, each right to a few units.
  constexpr double few = 8;
  for (const Row& row : std::vector<Row>{
           {"np.mean(x)", [](I i) { return mean(i.x); }, few},
           {"np.mean(x, axis=1)", [](I i) { return mean(i.x, {1}); }, few},
           {"np.mean(x, axis=(0, 2), keepdims=True)", [](I i) { return mean(i.x, {0, 2}, true); }, few},
           {"np.var(x)", [](I i) { return variance(i.x); }, few},
           {"np.var(x, axis=1)", [](I i) { return variance(i.x, {1}); }, few},
           {"np.var(x, axis=(0, 2), keepdims=True)", [](I i) { return variance(i.x, {0, 2}, true); }, few},
           {"rounded(np.mean, x)", [](I i) { return mean(i.x); }, few},
           {"rounded(np.mean, x, axis=1)", [](I i) { return mean(i.x, {1}); }, few},
           {"rounded(np.mean, x, axis=(0, 2), keepdims=True)", [](I i) { return mean(i.x, {0, 2}, true); }, few},
           {"rounded(np.var, x)", [](I i) { return variance(i.x); }, few},
           {"rounded(np.var, x, axis=1)", [](I i) { return variance(i.x, {1}); }, few},
           {"rounded(np.var, x, axis=(0, 2), keepdims=True)", [](I i) { return variance(i.x, {0, 2}, true); }, few},
           {"rounded(np.linalg.norm, x.ravel())", [](I i) { return norm(i.x); }, few},
           {"rounded(np.linalg.norm, x, axis=1, keepdims=True)", [](I i) { return norm(i.x, {1}, true); }, few},
           {"rounded(np.linalg.norm, x, axis=(0, 2))", [](I i) { return norm(i.x, {0, 2}); }, few},
           {"rounded(logsumexp, x, axis=0)", [](I i) { return logsumexp(i.x, 0); }, few},
           {"rounded(logsumexp, x, axis=-1)", [](I i) { return logsumexp(i.x); }, few},
           {"rounded(logsumexp, x, axis=1, keepdims=True)", [](I i) { return logsumexp(i.x, 1, true); }, few},
           {"rounded(softmax, x, axis=0)", [](I i) { return softmax(i.x, 0); }, few},
           {"rounded(softmax, x, axis=-1)", [](I i) { return softmax(i.x); }, few},
           {"rounded(log_softmax, x, axis=0)", [](I i) { return log_softmax(i.x, 0); }, few},
           {"rounded(log_softmax, x, axis=-1)", [](I i) { return log_softmax(i.x); }, few},
       })
    rows.push_back(row);
  check("reductions", rows, {Family::reduction});
}
