// Formulas that hold each row that is not elementwise of operands of one shape.
#include "graph/custom_operation.h"
#include "tests/gradients/check.h"

namespace sinter {
namespace {

// An operation of a user's: the product, element by element.
const CustomOperation& product() {
  static const CustomOperation operation({
      .name = "product",
      .type = [](std::span<const Type> operands) { return operands[0]; },
      .gradient = [](const GradientRule& r) { return r.each([&] { return custom_call(product(), {r.adjoint, r.inputs[1]}); }, [&] { return r.adjoint * r.inputs[0]; }); },
      .function = [](const sinter_custom_call* call) -> int32_t {
        auto of = [&](int k) { return static_cast<const double*>(call->operands[k].data); };
        for (int64_t i = 0; i < call->result.sizes[0] * call->result.sizes[1]; ++i) static_cast<double*>(call->result.data)[i] = of(0)[i] * of(1)[i];
        return 0;
      },
  });
  return operation;
}

}  // namespace

const std::vector<Case>& structural_cases() {
  static const std::vector<Case> all = {
      {Op::broadcast,
       "a new leading axis",
       {{3}},
       [](const Inputs& x) {
         return tanh(broadcast_to(x[0], {2, 3}));
       }},
      {Op::broadcast,
       "a size of 1 stretched",
       {{2, 1}},
       [](const Inputs& x) {
         return tanh(broadcast_to(x[0], {2, 3}));
       }},
      {Op::broadcast,
       "both, and a size of 1 kept",
       {{1, 3, 1}},
       [](const Inputs& x) {
         return tanh(broadcast_to(x[0], {4, 1, 3, 2}));
       }},
      {Op::broadcast,
       "along a given axis",
       {{2}},
       [](const Inputs& x) {
         return tanh(broadcast(x[0], {2, 3}, {0}));
       }},
      {Op::broadcast,
       "a scalar",
       {{}},
       [](const Inputs& x) {
         return tanh(broadcast_to(x[0], {2, 2}));
       }},
      {Op::broadcast, "operands of three shapes", {{2, 3}, {3}, {2, 1}}, [](const Inputs& x) { return (x[0] + x[1]) * x[2]; }},
      {Op::reshape,
       "to other sizes",
       {{2, 6}},
       [](const Inputs& x) {
         return tanh(reshape(x[0], {3, -1}));
       }},
      {Op::reshape,
       "of a scalar",
       {{}},
       [](const Inputs& x) {
         return tanh(reshape(x[0], {1, 1}));
       }},
      {Op::transpose, "of two axes", {{2, 3}}, [](const Inputs& x) { return tanh(transpose(x[0])); }},
      {Op::transpose,
       "of three axes in a ring",
       {{2, 3, 4}},
       [](const Inputs& x) {
         return tanh(transpose(x[0], {2, 0, 1}));
       }},
      {Op::slice,
       "with steps",
       {{7, 5}},
       [](const Inputs& x) {
         return tanh(slice(x[0], {1, 0}, {6, 5}, {2, 3}));
       }},
      {Op::slice, "overlapping, added up", {{5}}, [](const Inputs& x) { return slice(x[0], {0}, {4}) * slice(x[0], {1}, {5}); }},
      {Op::slice, "of nothing", {{5}}, [](const Inputs& x) { return sum(slice(x[0], {2}, {2})) + sum(x[0] * x[0]); }},
      {Op::pad,
       "around and between, with a value",
       {{3, 2}, {}},
       [](const Inputs& x) {
         return tanh(pad(x[0], x[1], {1, 0}, {2, 1}, {1, 2}));
       }},
      {Op::pad, "of nothing", {{0}, {}}, [](const Inputs& x) { return tanh(pad(x[0], x[1], {1}, {2})); }},
      {Op::reverse, "of two axes of three", {{2, 3, 4}}, [](const Inputs& x) { return tanh(flip(x[0], {0, 2})) * x[0]; }},
      {Op::pad, "that takes away", {{5, 4}, {}}, [](const Inputs& x) { return tanh(pad(x[0], x[1], {-1, 2}, {1, -2}, {1, 0})); }},
      {Op::slice, "backwards", {{7, 5}}, [](const Inputs& x) { return tanh(slice(x[0], {5, -1}, {0, -6}, {-2, -1})); }},
      {Op::prod, "of all", {{2, 3}}, [](const Inputs& x) { return prod(x[0]); }},
      {Op::prod, "over the middle axis", {{2, 3, 2}}, [](const Inputs& x) { return tanh(prod(x[0], {1})); }},
      {Op::prod, "over no axis", {{3}}, [](const Inputs& x) { return tanh(prod(x[0], Axes{})); }},
      {Op::gather, "of rows, some twice and some outside", {{4, 3}}, [](const Inputs& x) { return tanh(gather(x[0], Constant(Tensor::of<int64_t>(std::vector<int64_t>{2, 0, 2, -3, 9, 3}, {2, 3})))); }},
      {Op::gather, "with a shared axis", {{2, 4, 3}}, [](const Inputs& x) { return tanh(gather(x[0], Constant(Tensor::of<int32_t>(std::vector<int32_t>{2, 0, 1, 1, 3, 3}, {2, 3})), 1)); }},
      {Op::scatter_add, "of rows, some outside", {{5, 2}}, [](const Inputs& x) { return tanh(scatter_add(Constant(Tensor::of<int64_t>(std::vector<int64_t>{2, 0, 2, -1, 7}, {5})), x[0], 4)); }},
      {Op::scatter_add, "with a shared axis", {{2, 3, 2}}, [](const Inputs& x) { return tanh(scatter_add(Constant(Tensor::of<uint8_t>(std::vector<uint8_t>{2, 0, 2, 1, 1, 3}, {2, 3})), x[0], 3, 1)); }},
      {Op::sum, "of all", {{2, 3}}, [](const Inputs& x) { return sum(x[0] * x[0]); }},
      {Op::sum, "over the middle axis", {{2, 3, 4}}, [](const Inputs& x) { return tanh(sum(x[0], {1})); }},
      {Op::sum,
       "over two axes, kept",
       {{2, 3, 4}},
       [](const Inputs& x) {
         return x[0] * sum(x[0], {0, -1}, true);
       }},
      {Op::sum, "over no axis", {{2, 3}}, [](const Inputs& x) { return tanh(sum(x[0], Axes{})); }},
      {Op::sum, "of nothing", {{0, 3}}, [](const Inputs& x) { return tanh(sum(x[0], {0})); }},
      {Op::max, "of all", {{2, 3}}, [](const Inputs& x) { return max(x[0] * x[0]); }},
      {Op::max, "over one axis", {{3, 4}}, [](const Inputs& x) { return tanh(max(x[0], {1})); }},
      {Op::max,
       "over two axes",
       {{3, 4, 2}},
       [](const Inputs& x) {
         return tanh(max(x[0], {0, 2}));
       }},
      {Op::max, "kept, and used again", {{3, 4}}, [](const Inputs& x) { return x[0] * max(x[0], {0}, true); }},
      {Op::max, "over no axis", {{3}}, [](const Inputs& x) { return tanh(max(x[0], Axes{})); }},
      {Op::min, "of all", {{2, 3}}, [](const Inputs& x) { return tanh(min(x[0])); }},
      {Op::min, "over one axis", {{3, 4}}, [](const Inputs& x) { return tanh(min(x[0], {0})); }},
      {Op::contract, "matrices", {{2, 3}, {3, 4}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "vectors", {{3}, {3}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "a vector and a matrix", {{3}, {3, 2}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "a matrix and a vector", {{2, 3}, {3}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "three axes and a matrix", {{2, 4, 3}, {3, 2}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "three axes and three", {{2, 4, 3}, {2, 3, 2}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "a vector and three axes", {{3}, {2, 3, 2}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "three axes and a vector", {{2, 4, 3}, {3}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "batches broadcast", {{2, 1, 4, 3}, {5, 3, 2}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "four axes and four", {{2, 2, 3, 2}, {2, 2, 2, 3}}, [](const Inputs& x) { return matmul(x[0], x[1]); }},
      {Op::contract, "by itself", {{3, 3}}, [](const Inputs& x) { return matmul(matmul(x[0], x[0]), x[0]); }},
      {Op::contract,
       "of the first axes",
       {{3, 2}, {3, 4}},
       [](const Inputs& x) {
         return contract(x[0], x[1], {{}, {}, {0}, {0}});
       }},
      {Op::contract, "outer", {{2}, {3}}, [](const Inputs& x) { return contract(x[0], x[1], {}); }},
      {Op::contract,
       "batch axes apart, two inner axes crossed",
       {{3, 2, 4, 5}, {2, 4, 6, 3}},
       [](const Inputs& x) {
         return contract(x[0], x[1], {{2}, {1}, {0, 1}, {3, 0}});
       }},
      {Op::contract,
       "two batch axes crossed, free axes between",
       {{2, 5, 3, 4}, {3, 6, 4, 2}},
       [](const Inputs& x) {
         return contract(x[0], x[1], {{0, 2}, {3, 0}, {3}, {2}});
       }},
      {Op::contract,
       "all inner, in another order",
       {{2, 3}, {3, 2}},
       [](const Inputs& x) {
         return contract(x[0], x[1], {{}, {}, {1, 0}, {0, 1}});
       }},
      {Op::contract, "nothing inner", {{2, 0}, {0, 3}}, [](const Inputs& x) { return matmul(x[0], x[1]) + 1; }},
      {Op::select, "of two branches", {{4}, {4}}, [](const Inputs& x) { return select(x[0] > x[1], x[0] * x[1], exp(x[1])); }},
      {Op::select, "of a scalar condition", {{}, {3}, {3}}, [](const Inputs& x) { return select(x[0] > 0, x[1] * x[2], x[1] + x[2] * x[2]); }},
      {Op::custom_call, "by a rule of its own", {{2, 3}, {2, 3}}, [](const Inputs& x) { return tanh(custom_call(product(), {x[0], x[1] * 2})) * x[0]; }},
      {Op::convert, "to its own type", {{3}}, [](const Inputs& x) { return tanh(convert(x[0], f64)); }},
  };
  return all;
}

}  // namespace sinter
