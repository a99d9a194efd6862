// Searches the neighbourhood of f32 coefficients for those whose worst error, with every rounding of the evaluation in it, is least: simulated
// annealing on samples, then all inputs again, of which the worst join the samples, and so on. A minimax fit (coefficients.py, the start) is
// best in exact arithmetic only; where rounding makes most of the error this finds better: exp 1.61 -> 1.48 ulp, erf 1.45 -> 1.21, and tanh's
// 1.64 -> 1.50. The evaluations below are those of graph/scalar_math/.
//
// g++ -std=c++20 -O3 -march=native -ffp-contract=off tune.cpp -o tune && ./tune exp|erf|tanh [seed]
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <vector>

namespace {

float power_of_two(float shifted, int places) { return std::bit_cast<float>(std::bit_cast<uint32_t>(shifted) << places); }

// c[from] x^(to - from - 1) + ... + c[to - 1]
template <size_t from, size_t to, class C>
float polynomial(const C& c, float x) {
  float p = c[from];
  for (size_t k = from + 1; k < to; ++k) p = std::fma(p, x, c[k]);
  return p;
}

struct Exp {
  std::array<float, 6> start{0x1.9bd2d0p-13f, 0x1.71cfe8p-10f, 0x1.112766p-7f, 0x1.5549c2p-5f, 0x1.555510p-3f, 0x1.00000cp-1f};
  std::array<int, 6> reach{3000, 600, 120, 40, 10, 3};  // by how many units in the last place a step may change each
  double low = -87.3, high = 88.7, dense = 88.7;        // inputs; samples lie in [low, high], half of them in [-dense, dense]
  static double exact(double x) { return std::exp(x); }
  static float value(const std::array<float, 6>& c, float x) {
    float shifted = std::fma(x, 0x1.715476p-1f, 0x1.8p23f + 127);
    float n = shifted - (0x1.8p23f + 127);
    float r = std::fma(n, -0x1.7f7d1cp-19f, std::fma(n, -0x1.62e4p0f, x));
    float scale = power_of_two(shifted, 23);
    return std::fma(std::fma(polynomial<0, 6>(c, r), r, 1.0f), r, 1.0f) * scale * scale;
  }
};

struct Erf {
  std::array<float, 13> start{-0x1.3d7122p-17f, 0x1.f5515ap-14f, -0x1.4f6cc6p-11f, 0x1.b87166p-10f, -0x1.6cfe48p-13f, -0x1.39ad7cp-6f, 0x1.a4f818p-4f,
                              0x1.45f302p-1f, 0x1.06eba8p-3f, -0x1.6b32eep-10f, 0x1.123cb6p-7f, -0x1.555754p-5f, 0x1.555496p-3f};
  std::array<int, 13> reach{20000, 10000, 3000, 500, 2000, 40, 8, 2, 1, 3000, 600, 60, 6};
  double low = 0, high = 4, dense = 0.8;
  static double exact(double x) { return std::erf(x); }
  static float value(const std::array<float, 13>& c, float t) {
    float slope = polynomial<0, 9>(c, t);
    float shifted = std::fma(std::fma(slope, t, t), -0x1.715476p0f, 0x1.8p23f + 127);
    float rest = std::fma(shifted - (0x1.8p23f + 127), 0x1.62e43p-1f, t);
    float r = std::fma(slope, t, rest), scale = power_of_two(shifted, 23);
    float tail = std::fma(polynomial<9, 13>(c, r), r, -0.5f);
    return std::fma(scale, rest + std::fma(slope, t, r * r * tail), 1 - scale);
  }
};

struct Tanh {
  std::array<float, 5> start{0x1.bcf2bap-17f, -0x1.a27fb4p-13f, 0x1.147310p-9f, -0x1.6c1032p-6f, 0x1.555550p-2f};
  std::array<int, 5> reach{200000, 30000, 3000, 150, 2};
  double low = 0, high = 10, dense = 1;
  static double exact(double x) { return std::tanh(x); }
  static float value(const std::array<float, 5>& k, float y) {
    float shifted = std::fma(y, static_cast<float>(0.5 / 0.85), 0x1.8p23f + 31);
    float m = shifted - (0x1.8p23f + 31), r = std::fma(m, -0x1.62e43p0f, y);
    float u = r * r, c = std::fma(polynomial<0, 5>(k, u), u, 1.0f);
    float base = 1 < m ? 1 : m, a = std::fma(power_of_two(shifted, 25), 4.0f, -0.5f);
    return base + std::fma(-base, c, r) / std::fma(a, c + r, c);
  }
};

double error_of(double got, double exact, double per_ulp) { return std::fabs(got - exact) * per_ulp; }

template <class Function>
struct Search {
  using Coefficients = decltype(Function::start);
  std::vector<float> x;
  std::vector<double> exact, per_ulp;

  void add(float at) {
    if (at == 0) return;
    double e = Function::exact(static_cast<double>(at));
    x.push_back(at), exact.push_back(e), per_ulp.push_back(std::ldexp(1.0, 23 - std::ilogb(e)));
  }
  // The worst error of the samples; as soon as it is past `limit`, what it is so far.
  double worst(const Coefficients& c, double limit) const {
    double all = 0;
    for (size_t start = 0; start < x.size() && all <= limit; start += 2048) {
      double here = 0;
      for (size_t i = start, end = std::min(x.size(), start + 2048); i < end; ++i) {
        double error = error_of(static_cast<double>(Function::value(c, x[i])), exact[i], per_ulp[i]);
        here = error > here ? error : here;
      }
      all = std::max(all, here);
    }
    return all;
  }
  // Of all inputs past 2^-8; those worse than `keep` join the samples.
  double worst_of_all(const Coefficients& c, double keep) {
    double worst = 0;
    size_t kept = 0;
    for (double limit : {Function{}.high, Function{}.low})
      for (uint32_t bits = std::bit_cast<uint32_t>(0x1p-8f); bits <= std::bit_cast<uint32_t>(static_cast<float>(std::fabs(limit))); ++bits) {
        float at = std::copysign(std::bit_cast<float>(bits), static_cast<float>(limit));
        double e = Function::exact(static_cast<double>(at));
        double error = error_of(static_cast<double>(Function::value(c, at)), e, std::ldexp(1.0, 23 - std::ilogb(e)));
        worst = std::max(worst, error);
        if (error > keep && kept++ < 400000) add(at);
      }
    return worst;
  }
};

template <class Function>
void tune(unsigned seed) {
  Function f;
  std::mt19937 random(seed);
  Search<Function> search;
  std::uniform_real_distribution<double> anywhere(f.low, f.high), dense(std::max(f.low, -f.dense), f.dense);
  for (int k = 0; k < 100000; ++k) search.add(static_cast<float>(anywhere(random))), search.add(static_cast<float>(dense(random)));
  auto best = f.start;
  double all = search.worst_of_all(best, 1e9);
  for (int round = 0; round < 6; ++round) {
    search.worst_of_all(best, all - 0.2);
    double least = search.worst(best, 1e9), now = least, temperature = 0.03;
    auto current = best;
    for (int step = 0; step < 10000; ++step, temperature *= 0.9994) {
      auto tried = current;
      for (auto changes = 1 + random() % 3; changes > 0; --changes) {
        size_t k = random() % tried.size();
        int by = static_cast<int>(random() % static_cast<unsigned>(2 * f.reach[k] + 1)) - f.reach[k];
        tried[k] = std::bit_cast<float>(std::bit_cast<uint32_t>(tried[k]) + static_cast<uint32_t>(by));
      }
      double error = search.worst(tried, now + 3 * temperature);
      if (error >= now && std::exp((now - error) / temperature) <= static_cast<double>(random() % 100000) / 1e5) continue;
      now = error, current = tried;
      if (now < least) least = now, best = current;
    }
    all = search.worst_of_all(best, 1e9);
    std::printf("round %d: %.4f ulp on %zu samples, %.4f on all:", round, least, search.x.size(), all);
    for (float c : best) std::printf(" %a", static_cast<double>(c));
    std::printf("\n");
    std::fflush(stdout);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const char* name = count > 1 ? arguments[1] : "";
  unsigned seed = count > 2 ? static_cast<unsigned>(std::atoi(arguments[2])) : 1;
  if (!std::strcmp(name, "exp")) tune<Exp>(seed);
  else if (!std::strcmp(name, "erf")) tune<Erf>(seed);
  else if (!std::strcmp(name, "tanh")) tune<Tanh>(seed);
  else return std::printf("usage: tune exp|erf|tanh [seed]\n"), 2;
}
