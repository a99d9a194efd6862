#include "tools/bench/workloads.h"

#include <memory>

namespace bench {

using namespace sinter;

float filled(uint32_t seed, int64_t i, double scale) {
  uint32_t h = static_cast<uint32_t>(i) + seed * 0x9E3779B9u;
  h ^= h >> 16, h *= 0x7feb352du;
  h ^= h >> 15, h *= 0x846ca68bu;
  h ^= h >> 16;
  return static_cast<float>(((h >> 8) * 0x1p-23 - 1) * scale);
}

Tensor fill(uint32_t seed, std::vector<int64_t> sizes, double scale) {
  Tensor t = Tensor::uninitialized(f32, std::move(sizes));
  float* p = t.data<float>().data();
  for (int64_t i = 0; i < t.size(); ++i) p[i] = filled(seed, i, scale);
  return t;
}

Expr chain(const Expr& x, const Expr& y, const Expr& z) { return tanh(x * y + z) * sigmoid(x) - 0.5 * z * z + exp(-y * y); }

namespace {

Tensor shifted(Tensor t, float by) {
  for (float& v : t.data<float>()) v += by;
  return t;
}

using Expressions = std::map<std::string, Expr>;

NamedTensors inputs_of(const Named& data) {
  NamedTensors inputs;
  for (const auto& [name, tensor] : data) inputs.emplace(name, tensor);
  return inputs;
}

std::vector<Expr> variables_of(const Named& data) {
  std::vector<Expr> variables;
  for (const auto& [name, tensor] : data) variables.push_back(Variable(name, tensor.dtype(), Shape(tensor.sizes().begin(), tensor.sizes().end())));
  return variables;
}

using Forward = Expr (*)(Expressions& p, const std::vector<Expr>& x);

Job bound(const Function& f, const Named& data, std::vector<std::string> names) {
  auto call = std::make_shared<BoundFunction>(f.bind(inputs_of(data)));
  return {[call] { (*call)(); }, [call, names] {
            Named results;
            for (size_t i = 0; i < names.size(); ++i) results.emplace_back(names[i], call->outputs()[i]);
            return results;
          }};
}

Job inference(const Workload& w, unsigned threads, Forward forward) {
  Expressions p;
  for (const auto& [name, tensor] : w.parameters) p[name] = Constant(tensor);
  return bound(compile(forward(p, variables_of(w.data)), {}, {.threads = threads}), w.data, {"y"});
}

// Forward and gradient only, of the parameters and of x0 where it is asked for.
Job gradient(const Workload& w, unsigned threads, Forward forward, std::vector<std::string> of) {
  std::vector<Expr> x = variables_of(w.data), wanted;
  Expressions p;
  Named data = w.data;
  for (const auto& [name, tensor] : w.parameters) {
    p[name] = Variable(name, tensor.dtype(), Shape(tensor.sizes().begin(), tensor.sizes().end()));
    data.emplace_back(name, tensor);
  }
  Expr loss = forward(p, x);
  std::vector<std::string> names = {"loss"};
  for (const std::string& name : of) wanted.push_back(name == "x0" ? x[0] : p.at(name)), names.push_back("d" + name);
  std::vector<Expr> outputs = {loss};
  for (Expr& g : gradients(loss, wanted)) outputs.push_back(g);
  return bound(compile(outputs, {}, {.threads = threads}), data, names);
}

using Optimizer = Updates (*)(const Expr& loss, const std::vector<Parameter>&);

Job training(const Workload& w, unsigned threads, Forward forward, Optimizer optimizer) {
  struct State {
    std::vector<Parameter> parameters;
    Named start;
    std::unique_ptr<BoundFunction> call;
    std::vector<double> losses;
    Named changes;
  };
  auto state = std::make_shared<State>();
  Expressions p;
  for (const auto& [name, tensor] : w.parameters) {
    state->parameters.emplace_back(name, tensor);
    p[name] = state->parameters.back();
  }
  state->start = w.parameters;
  Expr loss = forward(p, variables_of(w.data));
  state->call = std::make_unique<BoundFunction>(compile(loss, optimizer(loss, state->parameters), {.threads = threads}).bind(inputs_of(w.data)));
  auto step = [state] {
    (*state->call)();
    if (state->losses.size() < 5) state->losses.push_back(state->call->outputs()[0].item());
  };
  auto results = [state, step] {
    while (state->losses.size() < 5) step();
    Named named = {{"loss1", Tensor::scalar(state->losses[0])}, {"loss5", Tensor::scalar(state->losses[4])}};
    for (size_t i = 0; i < state->parameters.size(); ++i) {
      Tensor change = state->parameters[i].read();
      auto before = state->start[i].second.data<float>();
      auto after = change.data<float>();
      for (size_t k = 0; k < after.size(); ++k) after[k] -= before[k];
      named.emplace_back(state->start[i].first, change);
    }
    return named;
  };
  return {step, results};
}

Expr mlp3(Expressions& p, const std::vector<Expr>& x) {
  Expr h = relu(matmul(x[0], p["w1"]) + p["b1"]);
  return matmul(relu(matmul(h, p["w2"]) + p["b2"]), p["w3"]) + p["b3"];
}
Expr chain_of_three(Expressions&, const std::vector<Expr>& x) { return chain(x[0], x[1], x[2]); }
Expr layer_norm_softmax(Expressions& p, const std::vector<Expr>& x) {
  Expr y = softmax(layer_norm(x[0], p["w"], p["b"]), -1);
  return sum(y * y);
}
Expr practice(Expressions& p, const std::vector<Expr>& x) { return mse(matmul(relu(matmul(x[0], p["w1"])), p["w2"]), x[1]); }
Expr mlp_gelu(Expressions& p, const std::vector<Expr>& x) { return mse(matmul(gelu(matmul(x[0], p["w1"]) + p["b1"]), p["w2"]) + p["b2"], x[1]); }

// One row a workload: its data, and what is done with them.
struct Row {
  std::string name;
  Named (*parameters)();
  Named (*data)();
  Job (*make)(const Workload&, unsigned threads);
};

template <int n>
Row gemm() {
  return {"gemm" + std::to_string(n), [] { return Named(); }, [] { return Named{{"x0", fill(1, {n, n})}, {"x1", fill(2, {n, n})}}; },
          [](const Workload& w, unsigned threads) { return inference(w, threads, [](Expressions&, const std::vector<Expr>& x) { return matmul(x[0], x[1]); }); }};
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"tiny_ab1", [] { return Named(); }, [] { return Named{{"x0", fill(1, {10})}, {"x1", fill(2, {10})}}; },
       [](const Workload& w, unsigned threads) { return inference(w, threads, [](Expressions&, const std::vector<Expr>& x) { return x[1] * x[0] + 1; }); }},
      {"mlp_b1",
       [] {
         return Named{{"w1", fill(1, {32, 64}, .2)}, {"b1", fill(5, {64})}, {"w2", fill(2, {64, 64}, .2)}, {"b2", fill(6, {64})}, {"w3", fill(3, {64, 8}, .2)}, {"b3", fill(7, {8})}};
       },
       [] { return Named{{"x0", fill(4, {1, 32})}}; }, [](const Workload& w, unsigned threads) { return inference(w, threads, mlp3); }},
      {"chain16m", [] { return Named(); },
       [] { return Named{{"x0", fill(1, {1 << 24}, 3)}, {"x1", fill(2, {1 << 24}, 3)}, {"x2", fill(3, {1 << 24}, 3)}}; },
       [](const Workload& w, unsigned threads) { return inference(w, threads, chain_of_three); }},
      {"lnsm_fb", [] { return Named{{"w", shifted(fill(2, {1024}, .5), 1)}, {"b", fill(3, {1024})}}; }, [] { return Named{{"x0", fill(1, {4096, 1024}, 2)}}; },
       [](const Workload& w, unsigned threads) { return gradient(w, threads, layer_norm_softmax, {"x0", "w", "b"}); }},
      gemm<256>(), gemm<512>(), gemm<1024>(), gemm<2048>(),
      {"practice", [] { return Named{{"w1", fill(1, {784, 512}, .06)}, {"w2", fill(2, {512, 10}, .06)}}; },
       [] { return Named{{"x0", fill(3, {128, 784})}, {"x1", fill(4, {128, 10})}}; },
       [](const Workload& w, unsigned threads) {
         return training(w, threads, practice, [](const Expr& loss, const std::vector<Parameter>& p) { return sgd(loss, p, {.rate = 1e-2}); });
       }},
      {"mlp_adam", [] { return Named{{"w1", fill(1, {1024, 4096}, .05)}, {"b1", zeros({4096})}, {"w2", fill(2, {4096, 1024}, .03)}, {"b2", zeros({1024})}}; },
       [] { return Named{{"x0", fill(3, {256, 1024})}, {"x1", fill(4, {256, 1024})}}; },
       [](const Workload& w, unsigned threads) {
         return training(w, threads, mlp_gelu, [](const Expr& loss, const std::vector<Parameter>& p) { return adam(loss, p, {.rate = 1e-3}); });
       }},
  };
  return all;
}

const Row& row(const std::string& name) {
  for (const Row& r : rows())
    if (r.name == name) return r;
  throw UserError("there is no workload '" + name + "'");
}

}  // namespace

std::vector<std::string> workload_names() {
  std::vector<std::string> names;
  for (const Row& r : rows()) names.push_back(r.name);
  return names;
}

Workload load(const std::string& name) { return {name, row(name).parameters(), row(name).data()}; }
Job make(const Workload& w, unsigned threads) { return row(w.name).make(w, threads); }

}  // namespace bench
