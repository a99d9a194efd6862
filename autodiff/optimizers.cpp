#include "autodiff/optimizers.h"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>

#include "autodiff/reverse.h"

namespace sinter {
namespace {

// One optimiser's call: its graph and name, and the lines that its nodes come from.
class Step {
 public:
  Step(const char* name, const Operand& caller, const std::vector<Parameter>& parameters)
      : name_(name), caller_(caller.where()), graph_(graph_of(parameters)), joined_(graph_), called_(caller, name) {
    std::set<NodeId> seen;
    for (const Parameter& p : parameters) {
      Operand(p, caller_).in(graph_);
      if (!is_float(p.dtype())) refuse(fmt::format("the parameter '{}' is {}, and only floats can be trained", p.name(), to_string(p.type())));
      if (!seen.insert(p.id()).second) refuse(fmt::format("the parameter '{}' is named twice", p.name()));
    }
  }

  [[noreturn]] void refuse(const std::string& why) const { throw UserError(fmt::format("{}: {}", name_, why), line_at(caller_)); }
  // A coefficient in [low, high).
  void check(const char* what, double value, double low, double high) const {
    if (!(value >= low && value < high)) refuse(fmt::format("{} must be at least {} and below {}, not {}", what, low, high, value));
  }

  // The rate as a scalar that multiplies values of `dtype` without changing their type.
  Expr rate(const Operand& operand, DType dtype) const {
    Expr r = operand.in(graph_);
    if (!r.is_template() && !r.shape().empty()) refuse(fmt::format("the rate is a number or a scalar expression, not {}", to_string(r.type())));
    return !r.is_template() && r.type().weak ? r : convert(r, dtype);
  }

  // The gradients, checked, clipped and with the penalty's added.
  std::vector<Expr> prepared(const std::vector<Parameter>& parameters, std::vector<Expr> gradients, double weight_decay,
                             const std::optional<double>& clip_norm) const {
    check("weight_decay", weight_decay, 0, HUGE_VAL);
    if (gradients.size() != parameters.size()) refuse(fmt::format("{} gradients were given for {} parameters", gradients.size(), parameters.size()));
    for (size_t i = 0; i < gradients.size(); ++i) {
      const Type &own = parameters[i].type(), &given = Operand(gradients[i], caller_).in(graph_).type();
      if (own == given) continue;
      refuse(fmt::format("the parameter '{}' is {}, but its gradient is {}", parameters[i].name(), to_string(own), to_string(given)));
    }
    if (clip_norm) {
      check("clip_norm", *clip_norm, 0, HUGE_VAL);
      gradients = clip_by_global_norm(gradients, Operand(*clip_norm, caller_));
    }
    for (size_t i = 0; i < gradients.size() && weight_decay != 0; ++i) gradients[i] = gradients[i] + parameters[i] * weight_decay;
    return gradients;
  }

  // A parameter's state, of its type and zero.
  Parameter state(const Parameter& of, const char* what) const { return state(of, what, zeros(of.storage()->value.sizes(), of.dtype())); }
  Parameter state(const Parameter& of, const char* what, Tensor initial) const {
    std::string name = of.name() + "." + what;
    if (NodeId other = graph_->named(name); other.valid())
      refuse(fmt::format("'{}' has an optimizer in this graph already, at {}, whose state is '{}'; use its updates again, or a GraphScope of its own", of.name(),
                         to_string(graph_->where(other)), name));
    return Parameter(name, std::move(initial), caller_);
  }

  std::vector<Expr> gradients_of(const Operand& loss, const std::vector<Parameter>& parameters) const {
    return gradients(loss, std::vector<Expr>(parameters.begin(), parameters.end()));
  }

 private:
  std::shared_ptr<Graph> graph_of(const std::vector<Parameter>& parameters) const {
    if (parameters.empty()) refuse("no parameter was given to train");
    return parameters.front().graph();
  }

  const char* name_;
  Here caller_;
  std::shared_ptr<Graph> graph_;
  GraphScope joined_;
  OriginScope called_;
};

Updates sgd_updates(const Step& step, const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const SgdOptions& options) {
  std::vector<Expr> g = step.prepared(parameters, gradients, options.weight_decay, options.clip_norm);
  Updates updates;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& w = parameters[i];
    updates.push_back({w, w - step.rate(options.rate, w.dtype()) * g[i]});
  }
  return updates;
}

Updates momentum_updates(const Step& step, const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients,
                         const MomentumOptions& options) {
  step.check("momentum", options.momentum, 0, 1);
  std::vector<Expr> g = step.prepared(parameters, gradients, options.weight_decay, options.clip_norm);
  Updates updates;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& w = parameters[i];
    Parameter velocity = step.state(w, "velocity");
    Expr v = velocity * options.momentum + g[i];
    Expr direction = options.nesterov ? g[i] + v * options.momentum : v;
    updates.push_back({w, w - step.rate(options.rate, w.dtype()) * direction});
    updates.push_back({velocity, v});
  }
  return updates;
}

struct AdamForm {
  double beta1, beta2, epsilon, decay;  // `decay` of the weights themselves
  const Operand& rate;
};

// 1 - beta^t without the cancellation that a float's beta^t near 1 would bring, as -expm1(t * log(beta)).
Expr correction(double beta, const Expr& t) { return -expm1(t * std::log(beta)); }

Updates adam_updates(const Step& step, const std::vector<Parameter>& parameters, const std::vector<Expr>& g, const AdamForm& form) {
  step.check("beta1", form.beta1, 0, 1);
  step.check("beta2", form.beta2, 0, 1);
  step.check("epsilon", form.epsilon, 0, HUGE_VAL);
  Parameter count = step.state(parameters.front(), "step", Tensor::scalar(int64_t{0}));
  Expr next = count + 1;
  // What one step shares is computed once for each type, as scalars, so that an element costs one root and one division: root, the
  // second correction's, goes to both sides of the fraction.
  struct Scalars {
    Expr scale, epsilon, kept;
  };
  std::map<DType, Scalars> shared;
  Updates updates;
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& w = parameters[i];
    auto [at, is_new] = shared.try_emplace(w.dtype());
    if (is_new) {
      Expr t = convert(next, w.dtype()), rate = step.rate(form.rate, w.dtype()), root = sqrt(correction(form.beta2, t));
      at->second = {rate * root / correction(form.beta1, t), root * form.epsilon, form.decay == 0 ? Expr() : 1 - rate * form.decay};
    }
    const Scalars& s = at->second;
    Parameter first = step.state(w, "m"), second = step.state(w, "v");
    Expr m = first * form.beta1 + g[i] * (1 - form.beta1);
    Expr v = second * form.beta2 + g[i] * g[i] * (1 - form.beta2);
    Expr kept = s.kept.defined() ? w * s.kept : Expr(w);
    updates.push_back({w, kept - s.scale * (m / (sqrt(v) + s.epsilon))});
    updates.push_back({first, m});
    updates.push_back({second, v});
  }
  updates.push_back({count, next});
  return updates;
}

Updates adam_updates(const Step& step, const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const AdamOptions& o) {
  return adam_updates(step, parameters, step.prepared(parameters, gradients, o.weight_decay, o.clip_norm), {o.beta1, o.beta2, o.epsilon, 0, o.rate});
}

Updates adamw_updates(const Step& step, const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const AdamWOptions& o) {
  step.check("weight_decay", o.weight_decay, 0, HUGE_VAL);
  return adam_updates(step, parameters, step.prepared(parameters, gradients, 0, o.clip_norm), {o.beta1, o.beta2, o.epsilon, o.weight_decay, o.rate});
}

}  // namespace

Updates sgd(const Operand& loss, const std::vector<Parameter>& parameters, const SgdOptions& options) {
  Step step("sgd", loss, parameters);
  return sgd_updates(step, parameters, step.gradients_of(loss, parameters), options);
}
Updates momentum(const Operand& loss, const std::vector<Parameter>& parameters, const MomentumOptions& options) {
  Step step("momentum", loss, parameters);
  return momentum_updates(step, parameters, step.gradients_of(loss, parameters), options);
}
Updates adam(const Operand& loss, const std::vector<Parameter>& parameters, const AdamOptions& options) {
  Step step("adam", loss, parameters);
  return adam_updates(step, parameters, step.gradients_of(loss, parameters), options);
}
Updates adamw(const Operand& loss, const std::vector<Parameter>& parameters, const AdamWOptions& options) {
  Step step("adamw", loss, parameters);
  return adamw_updates(step, parameters, step.gradients_of(loss, parameters), options);
}

Updates sgd(const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const SgdOptions& options, Here where) {
  return sgd_updates(Step("sgd", Operand(0, where), parameters), parameters, gradients, options);
}
Updates momentum(const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const MomentumOptions& options, Here where) {
  return momentum_updates(Step("momentum", Operand(0, where), parameters), parameters, gradients, options);
}
Updates adam(const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const AdamOptions& options, Here where) {
  return adam_updates(Step("adam", Operand(0, where), parameters), parameters, gradients, options);
}
Updates adamw(const std::vector<Parameter>& parameters, const std::vector<Expr>& gradients, const AdamWOptions& options, Here where) {
  return adamw_updates(Step("adamw", Operand(0, where), parameters), parameters, gradients, options);
}

std::vector<Expr> clip_by_global_norm(const std::vector<Expr>& gradients, Operand max_norm) {
  if (gradients.empty()) return {};
  OriginScope scope(max_norm, "clip_by_global_norm");
  Expr squares;
  for (const Expr& g : gradients) squares = squares.defined() ? squares + sum(g * g) : sum(g * g);
  Expr scale = minimum(1, max_norm / (sqrt(squares) + 1e-6));
  std::vector<Expr> clipped;
  for (const Expr& g : gradients) clipped.push_back(g * convert(scale, g.dtype()));
  return clipped;
}

}  // namespace sinter
