// What graph/arrays and graph/nn make of rows. Each names an operation that it is expected to hold.
#include "graph/arrays/arrays.h"
#include "graph/nn/nn.h"
#include "tests/gradients/check.h"

namespace sinter {
namespace {

Constant whole(const std::vector<int64_t>& values, const std::vector<int64_t>& sizes) { return Constant(Tensor::of<int64_t>(values, sizes)); }

// Pieces of one value, so that each is part of what is differentiated.
Expr product(const std::vector<Expr>& pieces) {
  Expr all = pieces[0];
  for (size_t i = 1; i < pieces.size(); ++i) all = all * pieces[i];
  return all;
}

Case einsum_case(const char* specification, const std::vector<std::vector<int64_t>>& sizes, Op op = Op::contract, bool symbolic = false) {
  return {op, std::string("einsum ") + specification, sizes, [specification](const Inputs& x) { return tanh(einsum(specification, x)); }, {}, symbolic};
}

}  // namespace

const std::vector<Case>& composition_cases() {
  static const std::vector<Case> all = {
      einsum_case("ij,jk->ik", {{2, 3}, {3, 4}}, Op::contract, true),
      einsum_case("ij,jk,kl->li", {{2, 3}, {3, 4}, {4, 2}}),
      einsum_case("bij,bkj->bik", {{2, 3, 4}, {2, 2, 4}}, Op::contract, true),
      einsum_case("...i,i->...", {{2, 3, 4}, {4}}),
      einsum_case("i,j->ij", {{2}, {3}}, Op::multiply, true),
      einsum_case("ij,ij->", {{2, 3}, {2, 3}}),
      einsum_case("ij,kj->k", {{2, 3}, {1, 3}}),
      einsum_case("ii->i", {{3, 3}}, Op::slice),
      einsum_case("iji,j", {{3, 2, 3}, {2}}, Op::slice),
      einsum_case("ij->j", {{2, 3}}, Op::sum, true),

      {Op::pad, "concatenate of three", {{2, 3}, {2, 1}, {2, 2}}, [](const Inputs& x) { return tanh(concatenate(x, 1)); }},
      {Op::pad, "concatenate of symbols", {{2, 3}, {4, 3}}, [](const Inputs& x) { return tanh(concatenate({x[0], x[1], x[0]}, 0)); }, {}, true},
      {Op::pad, "stack, one twice", {{2, 3}, {2, 3}}, [](const Inputs& x) { return tanh(stack({x[0], x[1], x[0]}, 1)); }, {}, true},
      {Op::slice, "split in equal parts", {{2, 6}}, [](const Inputs& x) { return product(split(x[0], 3, 1)); }},
      {Op::slice, "split before positions", {{6}}, [](const Inputs& x) { auto p = split(x[0], Axes{1, 3}); return product({p[0], sum(p[1]), tanh(p[2])}); }},
      {Op::pad, "roll", {{2, 5}}, [](const Inputs& x) { return x[0] * roll(x[0], -2, 1); }},

      {Op::slice, "diagonal above the main one", {{2, 3, 4}}, [](const Inputs& x) { return tanh(diagonal(x[0], 1, 0, 2)); }},
      {Op::slice, "diagonal below it", {{4, 3}}, [](const Inputs& x) { return tanh(diagonal(x[0], -1)); }},
      {Op::select, "tril", {{2, 3, 4}}, [](const Inputs& x) { return exp(tril(x[0], 1)) * x[0]; }, {}, true},
      {Op::select, "triu", {{3, 4}}, [](const Inputs& x) { return exp(triu(x[0], -1)) * x[0]; }, {}, true},
      {Op::gather, "take of all elements", {{2, 3}}, [](const Inputs& x) { return tanh(take(x[0], whole({5, 0, 5, 9}, {2, 2}))); }},
      {Op::gather, "take along an axis", {{2, 4, 3}}, [](const Inputs& x) { return tanh(take(x[0], whole({3, 0, -1, 1, 1, 1}, {2, 3}), 1)); }, {}, true},
      {Op::gather, "take_along_axis", {{3, 4}}, [](const Inputs& x) { return tanh(take_along_axis(x[0], whole({2, 2, 0, 1, 1, 0, 2, 5}, {2, 4}), 0)); }},
      {Op::gather, "take_along_axis, broadcast", {{1, 4}}, [](const Inputs& x) { return tanh(take_along_axis(x[0], whole({2, 2, 0, 3}, {2, 2}), -1)); }},
      {Op::gather, "take_along_axis of the largest", {{3, 4}}, [](const Inputs& x) { return tanh(take_along_axis(x[0], reshape(argmax(x[0]), {3, 1}), 1)); }},
      {Op::gather, "embedding", {{4, 3}}, [](const Inputs& x) { return tanh(embedding(x[0], whole({1, 1, 3, 0}, {2, 2}))); }, {}, true},
      {Op::contract, "one_hot", {{4, 3}}, [](const Inputs& x) { return tanh(matmul(one_hot(whole({1, 1, 3, 9}, {4}), 4, f64), x[0])); }},

      {Op::pad, "cumsum", {{2, 5}}, [](const Inputs& x) { return tanh(cumsum(x[0], 1)); }},
      {Op::sum, "cumsum along a symbol", {{2, 5}}, [](const Inputs& x) { return tanh(cumsum(x[0], 1)); }, {}, true},
      {Op::pad, "cumprod", {{5, 2}}, [](const Inputs& x) { return tanh(cumprod(x[0], 0)); }},
      {Op::prod, "cumprod along a symbol", {{5, 2}}, [](const Inputs& x) { return tanh(cumprod(x[0], 0)); }, {}, true},
      {Op::maximum, "cummax", {{2, 5}}, [](const Inputs& x) { return tanh(cummax(x[0], -1)); }},
      {Op::max, "cummax along a symbol", {{2, 5}}, [](const Inputs& x) { return tanh(cummax(x[0], -1)); }, {}, true},
      {Op::minimum, "cummin", {{2, 5}}, [](const Inputs& x) { return tanh(cummin(x[0], -1)); }},
      {Op::min, "cummin along a symbol", {{2, 5}}, [](const Inputs& x) { return tanh(cummin(x[0], -1)); }, {}, true},

      {Op::divide, "mean of all", {{2, 3}}, [](const Inputs& x) { return mean(x[0] * x[0]); }, {}, true},
      {Op::divide, "mean along an axis", {{2, 3}}, [](const Inputs& x) { return x[0] * mean(x[0], {0}, true); }, {}, true},
      {Op::divide, "variance of all", {{2, 3}}, [](const Inputs& x) { return tanh(variance(x[0])); }, {}, true},
      {Op::divide, "variance along an axis", {{2, 3, 4}}, [](const Inputs& x) { return tanh(variance(x[0], {1})); }, {}, true},
      {Op::sqrt, "norm of all", {{2, 3}}, [](const Inputs& x) { return norm(x[0]); }, {}, true},
      {Op::sqrt, "norm along an axis", {{2, 3}}, [](const Inputs& x) { return x[0] / norm(x[0], {-1}, true); }, {}, true},
      {Op::log, "logsumexp", {{2, 3}}, [](const Inputs& x) { return tanh(logsumexp(x[0])); }, {}, true},
      {Op::log, "logsumexp along the first axis, kept", {{2, 3}}, [](const Inputs& x) { return x[0] * logsumexp(x[0], 0, true); }},
      {Op::exp, "softmax", {{2, 3}}, [](const Inputs& x) { return softmax(x[0]); }, {}, true},
      {Op::exp, "softmax along the first axis", {{2, 3}}, [](const Inputs& x) { return softmax(x[0], 0); }},
      {Op::log, "log_softmax", {{2, 3}}, [](const Inputs& x) { return tanh(log_softmax(x[0])); }, {}, true},
      {Op::log, "log_softmax along the first axis", {{2, 3}}, [](const Inputs& x) { return tanh(log_softmax(x[0], 0)); }},

      {Op::contract, "linear", {{2, 3}, {3, 4}, {4}}, [](const Inputs& x) { return tanh(linear(x[0], x[1], x[2])); }, {}, true},
      {Op::rsqrt, "layer_norm", {{2, 4}, {4}, {4}}, [](const Inputs& x) { return layer_norm(x[0], x[1], x[2]); }, {}, true},
      {Op::rsqrt, "layer_norm along the first axis", {{4, 2}, {4}, {4}}, [](const Inputs& x) { return layer_norm(x[0], x[1], x[2], 0); }},
      {Op::contract, "attention", {{2, 3}, {4, 3}, {4, 2}}, [](const Inputs& x) { return matmul(softmax(matmul(x[0], transpose(x[1]))), x[2]); }, {}, true},
      {Op::sum, "mse", {{2, 3}, {2, 3}}, [](const Inputs& x) { return mse(x[0], x[1]); }, {}, true},
      {Op::select, "cross_entropy, of one label that is no class", {{3, 4}}, [](const Inputs& x) { return cross_entropy(x[0], whole({2, -1, 0}, {3})); }},
      {Op::minimum, "clip by what is differentiated", {{6}, {6}, {6}}, [](const Inputs& x) { return exp(clip(x[0], x[1], x[2])); }, {{-1.5, 1.5}, {-1, -0.5}, {0.5, 1}}, true},
      {Op::maximum, "relu", {{6}}, [](const Inputs& x) { return x[0] * relu(x[0]); }, {}, true},
      {Op::select, "leaky_relu", {{6}}, [](const Inputs& x) { return x[0] * leaky_relu(x[0], 0.25); }, {}, true},
      {Op::sigmoid, "silu", {{6}}, [](const Inputs& x) { return silu(x[0]); }, {}, true},
      {Op::tanh, "gelu", {{6}}, [](const Inputs& x) { return gelu(x[0]); }, {}, true},
      {Op::erf, "gelu by erf", {{6}}, [](const Inputs& x) { return gelu(x[0], Gelu::erf); }, {}, true},
  };
  return all;
}

}  // namespace sinter
