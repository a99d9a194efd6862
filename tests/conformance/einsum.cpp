// einsum, and matmul's batching, against loops over all labels.
#include "graph/arrays/einsum.h"

#include <cmath>
#include <map>

#include "tests/conformance/arrays.h"
#include "tests/conformance/samples.h"
#include "tests/conformance/support.h"

using namespace sinter;
using namespace sinter::conformance;

namespace {

using Sizes = std::vector<int64_t>;

// The sum, over all values of the labels that `to` has not, of the products. Labels are single letters here; sizes of 1 repeat.
Tensor reference(const std::vector<std::string>& from, const std::string& to, const std::vector<Tensor>& x) {
  std::map<char, int64_t> sizes;
  for (size_t i = 0; i < from.size(); ++i)
    for (size_t a = 0; a < from[i].size(); ++a) {
      int64_t& size = sizes.try_emplace(from[i][a], 1).first->second;
      size = std::max(size, x[i].sizes()[a]);
      if (x[i].sizes()[a] == 0) size = 0;
    }
  std::string labels;
  Sizes all, result_sizes;
  for (auto [l, size] : sizes) labels += l, all.push_back(size);
  for (char l : to) result_sizes.push_back(sizes.at(l));
  Tensor result(f64, result_sizes);
  for (const Position& p : positions_of(all)) {
    auto at = [&](const std::string& axes, const Sizes& of) {
      Position q;
      for (size_t a = 0; a < axes.size(); ++a) q.push_back(of[a] == 1 ? 0 : p[labels.find(axes[a])]);
      return flat(q, of);
    };
    double product = 1;
    for (size_t i = 0; i < from.size(); ++i) product *= x[i].data<double>()[at(from[i], x[i].sizes())];
    result.data<double>()[at(to, result_sizes)] += product;
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
  };
  GraphScope scope;
  Batch batch;
  NamedTensors inputs;
  std::vector<Tensor> wanted;
  for (const Case& c : cases) {
    std::vector<Expr> operands;
    std::vector<Tensor> values;
    for (const Sizes& sizes : c.sizes) {
      std::string name = "x" + std::to_string(inputs.size());
      values.push_back(random_tensor(f64, sizes, inputs.size() + 1));
      inputs.emplace(name, values.back());
      operands.push_back(Variable(name, f64, Shape(sizes.begin(), sizes.end())));
    }
    batch.add(c.specification, einsum(c.specification, operands));
    wanted.push_back(reference(c.from, c.to, values));
  }
  auto values = CompiledBatch(batch)(inputs);
  for (size_t i = 0; i < wanted.size(); ++i)
    for (const auto& results : {values.interpreted, values.compiled}) {
      INFO(batch.names[i] << ", case " << i);
      REQUIRE(results[i].sizes() == wanted[i].sizes());
      for (size_t k = 0; k < static_cast<size_t>(wanted[i].size()); ++k) CHECK(results[i].data<double>()[k] == Approx(wanted[i].data<double>()[k]).margin(1e-12));
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
  auto values = compiled({{"q", random_tensor(f32, {2, 3, 8}, 1)}, {"k", random_tensor(f32, {2, 5, 8}, 2)}});
  for (size_t n = 0; n < 30; ++n) CHECK(values.compiled[0].data<float>()[n] == Approx(values.interpreted[0].data<float>()[n]).epsilon(1e-5));
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
