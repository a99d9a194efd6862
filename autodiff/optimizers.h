// Optimisers: from a loss, or from gradients that are at hand, to the updates of parameters. An update is graph too: give the result to
// compile() beside the loss. The formulas are PyTorch's, whose state starts at zero: w is a parameter, g its gradient, t counts from 1.
//
// State (velocities, moments, the step count) is kept in Parameters named after the one they belong to, "w1.m", made here and updated by
// the same function, so that a checkpoint of all parameters of the updates holds it. Hence a graph holds one such optimiser a parameter.
//
// UserError: the parameters are none, no floats, of several graphs, or one is named twice; a rate is no scalar; a coefficient lies
// outside its range.
#pragma once
#include <optional>
#include <vector>

#include "graph/expr.h"

namespace sinter {

// Common to all options:
//   rate          the step size: a number, or a scalar expression, such as a schedule or a Variable fed at each call
//   clip_norm     where given, gradients are scaled together so that their global norm is at most this; see clip_by_global_norm
//   weight_decay  in sgd, momentum and adam, an L2 penalty: g + weight_decay * w takes the place of g, after clipping

// w - rate * g
struct SgdOptions {
  Operand rate = 1e-2;
  double weight_decay = 0;
  std::optional<double> clip_norm = {};
};

// v' = momentum * v + g;  w - rate * v'   (Polyak 1964; Sutskever, Martens, Dahl & Hinton 2013, with the rate outside v)
// with `nesterov`:        w - rate * (g + momentum * v')
struct MomentumOptions {
  Operand rate = 1e-2;
  double momentum = 0.9;
  bool nesterov = false;
  double weight_decay = 0;
  std::optional<double> clip_norm = {};
};

// Kingma & Ba 2015, algorithm 1:
// m' = beta1 * m + (1 - beta1) * g;  v' = beta2 * v + (1 - beta2) * g^2
// w - rate * (m' / (1 - beta1^t)) / (sqrt(v' / (1 - beta2^t)) + epsilon)
struct AdamOptions {
  Operand rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;
  std::optional<double> clip_norm = {};
};

// Loshchilov & Hutter 2019, algorithm 2: adam's step from w * (1 - rate * weight_decay), the gradient left as it is.
struct AdamWOptions {
  Operand rate = 1e-3;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 1e-2;
  std::optional<double> clip_norm = {};
};

// Of a loss: gradients(loss, parameters) and their updates.
Updates sgd(const Operand& loss, const std::vector<Parameter>& parameters, const SgdOptions& options = {});
Updates momentum(const Operand& loss, const std::vector<Parameter>& parameters, const MomentumOptions& options = {});
Updates adam(const Operand& loss, const std::vector<Parameter>& parameters, const AdamOptions& options = {});
Updates adamw(const Operand& loss, const std::vector<Parameter>& parameters, const AdamWOptions& options = {});

// Of gradients that are at hand, one a parameter and of its type.
Updates sgd(const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const SgdOptions& options = {}, Here = Here::current());
Updates momentum(const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const MomentumOptions& options = {},
                 Here = Here::current());
Updates adam(const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const AdamOptions& options = {}, Here = Here::current());
Updates adamw(const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const AdamWOptions& options = {}, Here = Here::current());

// Gradients times min(1, max_norm / (norm + 1e-6)), where norm is the root of the sum of all their squares (Pascanu, Mikolov & Bengio
// 2013, as PyTorch's clip_grad_norm_).
std::vector<Expr> clip_by_global_norm(const std::vector<Expr>& gradients, Operand max_norm);

}  // namespace sinter
