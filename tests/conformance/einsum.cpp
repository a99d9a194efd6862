// einsum, and matmul's batching, against loops over all labels.
#include "graph/arrays/einsum.h"

#include <map>

#include "tests/conformance/arrays.h"
#include "tests/conformance/bounds.h"
#include "tests/conformance/readings.h"
#include "tests/conformance/samples.h"
#include "tests/conformance/support.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

// The products that each element of the result is the sum of, over all values of the labels that `to` has not. Labels are single letters here;
// sizes of 1 repeat.
struct Products {
  Sizes sizes;
  std::vector<std::vector<long double>> of_element;
};
Products products(const std::vector<std::string>& from, const std::string& to, const std::vector<Tensor>& x) {
  std::map<char, int64_t> sizes;
  for (size_t i = 0; i < from.size(); ++i)
    for (size_t a = 0; a < from[i].size(); ++a) {
      int64_t& size = sizes.try_emplace(from[i][a], 1).first->second;
      size = std::max(size, x[i].sizes()[a]);
      if (x[i].sizes()[a] == 0) size = 0;
    }
  std::string labels;
  Sizes all;
  Products result;
  for (auto [l, size] : sizes) labels += l, all.push_back(size);
  for (char l : to) result.sizes.push_back(sizes.at(l));
  result.of_element.resize(static_cast<size_t>(element_count(result.sizes)));
  for (const Position& p : positions_of(all)) {
    auto at = [&](const std::string& axes, const Sizes& of) {
      Position q;
      for (size_t a = 0; a < axes.size(); ++a) q.push_back(of[a] == 1 ? 0 : p[labels.find(axes[a])]);
      return flat(q, of);
    };
    long double product = 1;
    for (size_t i = 0; i < from.size(); ++i)
      product *= dispatch(x[i].dtype(), [&](auto tag) { return static_cast<long double>(x[i].data<typename decltype(tag)::type>()[at(from[i], x[i].sizes())]); });
    result.of_element[at(to, result.sizes)].push_back(product);
  }
  return result;
}

struct Case {
  std::string specification;
  std::vector<Sizes> sizes;
  std::vector<std::string> from;  // the same with a letter for each axis
  std::string to;
};

}  // namespace

TEST_CASE("einsum is the sum of products that it says") {
  const Case cases[] = {
      {"ij,jk->ik", {{3, 4}, {4, 5}}, {"ij", "jk"}, "ik"},
      {"ij,jk->ki", {{3, 4}, {4, 5}}, {"ij", "jk"}, "ki"},
      {"ij,jk", {{3, 4}, {4, 5}}, {"ij", "jk"}, "ik"},
      {"ba", {{3, 4}}, {"ba"}, "ab"},
      {"i,i->", {{7}, {7}}, {"i", "i"}, ""},
      {"i,i->i", {{7}, {7}}, {"i", "i"}, "i"},
      {"i,j->ij", {{3}, {4}}, {"i", "j"}, "ij"},
      {"i,j->ji", {{3}, {4}}, {"i", "j"}, "ji"},
      {"i,j", {{3}, {4}}, {"i", "j"}, "ij"},
      {"i,j->", {{3}, {4}}, {"i", "j"}, ""},
      {"ii->", {{4, 4}}, {"ii"}, ""},
      {"ii", {{4, 4}}, {"ii"}, ""},
      {"ii->i", {{4, 4}}, {"ii"}, "i"},
      {"iii->i", {{3, 3, 3}}, {"iii"}, "i"},
      {"iji->j", {{3, 2, 3}}, {"iji"}, "j"},
      {"ii,i->i", {{3, 3}, {3}}, {"ii", "i"}, "i"},
      {"ij->", {{3, 4}}, {"ij"}, ""},
      {"ij->j", {{3, 4}}, {"ij"}, "j"},
      {"ijk->kj", {{2, 3, 4}}, {"ijk"}, "kj"},
      {"bij,bjk->bik", {{2, 3, 4}, {2, 4, 5}}, {"bij", "bjk"}, "bik"},
      {"bhqd,bhkd->bhqk", {{2, 3, 4, 5}, {2, 3, 6, 5}}, {"bhqd", "bhkd"}, "bhqk"},
      {"ijk,jil->kl", {{2, 3, 4}, {3, 2, 5}}, {"ijk", "jil"}, "kl"},
      {"ij,kl->", {{2, 3}, {4, 5}}, {"ij", "kl"}, ""},
      {"ij,jk,kl->il", {{2, 3}, {3, 4}, {4, 5}}, {"ij", "jk", "kl"}, "il"},
      {"i,ij,j->", {{3}, {3, 4}, {4}}, {"i", "ij", "j"}, ""},
      {"a,ab,abc->abc", {{2}, {2, 3}, {2, 3, 4}}, {"a", "ab", "abc"}, "abc"},
      {"ij,ij,ij->i", {{3, 4}, {3, 4}, {3, 4}}, {"ij", "ij", "ij"}, "i"},
      {"...ij,...jk->...ik", {{2, 3, 4}, {2, 4, 5}}, {"xij", "xjk"}, "xik"},
      {"...ij,...jk", {{6, 1, 3, 4}, {2, 4, 5}}, {"yxij", "xjk"}, "yxik"},
      {"...ij,jk->...ik", {{2, 2, 3, 4}, {4, 5}}, {"xyij", "jk"}, "xyik"},
      {"...,...->...", {{2, 3}, {3}}, {"xy", "y"}, "xy"},
      {"i...->...i", {{2, 3, 4}}, {"ixy"}, "xyi"},
      {"...i->...", {{2, 3}}, {"xi"}, "x"},
      {"i...j,j...->i...", {{2, 3, 4}, {4, 3}}, {"ixj", "jx"}, "ix"},
      {"ij,jk->ik", {{3, 1}, {4, 5}}, {"ij", "jk"}, "ik"},
      {"ij,ij->ij", {{3, 1}, {1, 4}}, {"ij", "ij"}, "ij"},
      {"ij->ij", {{1, 4}}, {"ij"}, "ij"},
      {" i j , j k -> i k ", {{3, 4}, {4, 5}}, {"ij", "jk"}, "ik"},
      {",ij->ij", {{}, {2, 3}}, {"", "ij"}, "ij"},
      {"ij,jk->ik", {{3, 0}, {0, 5}}, {"ij", "jk"}, "ik"},
      {"Aa,aB->AB", {{3, 4}, {4, 5}}, {"Aa", "aB"}, "AB"},
      {"abcde,edf->bfac", {{2, 3, 2, 2, 3}, {3, 2, 4}}, {"abcde", "edf"}, "bfac"},
      {"abcdef,fbg->gdeca", {{2, 3, 2, 1, 2, 3}, {3, 3, 2}}, {"abcdef", "fbg"}, "gdeca"},
      {"abcdef,afcbde->abcdef", {{2, 1, 3, 2, 2, 3}, {2, 3, 3, 1, 2, 2}}, {"abcdef", "afcbde"}, "abcdef"},
      {"...abc,...cd->...bad", {{2, 1, 3, 2, 3, 4}, {3, 4, 2}}, {"xyzabc", "zcd"}, "xyzbad"},
      {"abcacb->cab", {{2, 3, 2, 2, 2, 3}}, {"abcacb"}, "cab"},
  };
  for (DType type : computing_dtypes) {
    if (type == boolean) continue;  // refused
    GraphScope scope;
    Batch batch;
    NamedTensors inputs;
    std::vector<Products> wanted;
    std::vector<int> factors;
    for (const Case& c : cases) {
      // To save compiling, all cases of floats and every third of another type, others of each.
      if (!is_float(type) && (static_cast<size_t>(&c - cases) + static_cast<size_t>(type)) % 3 != 0) continue;
      std::vector<Expr> operands;
      std::vector<Tensor> values;
      for (const Sizes& sizes : c.sizes) {
        const std::string name = "x" + std::to_string(inputs.size());
        const ReadOperand x = read_as(reading(wanted.size() + operands.size()), name, type, sizes, inputs.size() + 1);
        inputs.emplace(name, x.stored);
        operands.push_back(x.expression), values.push_back(x.value);
      }
      batch.add(c.specification + " of " + label(type), einsum(c.specification, operands));
      wanted.push_back(products(c.from, c.to, values));
      factors.push_back(static_cast<int>(values.size()));
    }
    auto values = CompiledBatch(batch)(inputs);
    for (size_t i = 0; i < wanted.size(); ++i)
      for (const auto& results : {values.interpreted, values.compiled}) {
        INFO(batch.names[i]);
        REQUIRE(results[i].dtype() == type);
        REQUIRE(results[i].sizes() == wanted[i].sizes);
        dispatch(type, [&](auto tag) {
          using T = typename decltype(tag)::type;
          for (size_t k = 0; k < wanted[i].of_element.size(); ++k) {
            const std::vector<long double>& terms = wanted[i].of_element[k];
            if constexpr (std::is_floating_point_v<T>) CHECK(near_sum(results[i].data<T>()[k], terms, factors[i]) == "");
            else CHECK(results[i].data<T>()[k] == wrapped_sum<T>(terms));
          }
        });
      }
  }
}

TEST_CASE("einsum keeps symbols, promotes, and stays in its type") {
  GraphScope scope;
  Variable q("q", f32, {"batch", "n", 8}), k("k", f32, {"batch", "m", 8}), i("i", i32, {3, 4}), d("d", f64, {4});
  Expr scores = einsum("bnd,bmd->bnm", {q, k});
  CHECK(scores.shape() == Shape{"batch", "n", "m"});
  CHECK(einsum("ij->", {i}).dtype() == i32);
  CHECK(einsum("ij,j->i", {i, d}).dtype() == f64);
  Batch batch;
  batch.add("scores", scores);
  CompiledBatch compiled(batch);
  const Tensor left = random_tensor(f32, {2, 3, 8}, 1), right = random_tensor(f32, {2, 5, 8}, 2);
  auto values = compiled({{"q", left}, {"k", right}});
  const Products wanted = products({"bnd", "bmd"}, "bnm", {left, right});
  for (size_t n = 0; n < 30; ++n) CHECK(near_sum(values.compiled[0].data<float>()[n], wanted.of_element[n], 2) == "");
}

TEST_CASE("einsum refuses what does not fit, and says what") {
  GraphScope scope;
  Variable x("x", f32, {3, 4}), y("y", f32, {5, 6}), b("b", boolean, {3}), n("n", f32, {"n", "n"});
  auto refuses = [&](const char* specification, std::vector<Expr> operands, const std::string& why) {
    INFO(specification);
    try {
      einsum(specification, operands);
      FAIL("it was taken");
    } catch (const UserError& error) {
      INFO(error.message());
      CHECK(error.message().find(std::string("einsum '") + specification + "'") == 0);
      CHECK(error.message().find(why) != std::string::npos);
      CHECK(error.where().known());
    }
  };
  refuses("ij,jk->ik", {x, y}, "'j' is of two sizes, 4 and 5");
  refuses("ij,jk->ik", {x}, "names 2 operands, and there are 1");
  refuses("i->i", {x}, "1 axes of it are named");
  refuses("ij->ik", {x}, "no operand has");
  refuses("ij->ii", {x}, "twice");
  refuses("ii->i", {x}, "of two sizes, 3 and 4");
  refuses("i1->i", {x}, "'1' names no axis");
  refuses("...j->j", {x}, "leaves out the axes of '...'");
  refuses("i->i", {b}, "not bool");
}
