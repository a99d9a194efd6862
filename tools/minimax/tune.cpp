// Searches the neighbourhood of exp_wide's f32 coefficients (graph/scalar_math/exp.cpp) for those whose worst error, with every rounding of
// the evaluation in it, is least: simulated annealing on the inputs that were worst so far, then all inputs again, and so on. The minimax
// fit of coefficients.py, the start, is best only in exact arithmetic: 1.61 ulp; this finds 1.48.
//
// g++ -std=c++20 -O3 -march=native -ffp-contract=off tune.cpp -o tune && ./tune 1
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace {

using Coefficients = std::array<float, 6>;  // of r^7 to r^2
// By how many units in the last place a step may change each.
constexpr std::array<int, 6> reach{3000, 600, 120, 40, 10, 3};

float exp_of(const Coefficients& c, float x) {
  float shifted = std::fma(x, 0x1.715476p-1f, 0x1.8p23f + 127);
  float n = shifted - (0x1.8p23f + 127);
  float r = std::fma(n, -0x1.7f7d1cp-19f, std::fma(n, -0x1.62e4p0f, x));
  float p = c[0];
  for (size_t k = 1; k < c.size(); ++k) p = std::fma(p, r, c[k]);
  p = std::fma(std::fma(p, r, 1.0f), r, 1.0f);
  float scale = std::bit_cast<float>(std::bit_cast<uint32_t>(shifted) << 23);
  return p * scale * scale;
}

struct Samples {
  std::vector<float> x;
  std::vector<double> exact, per_ulp;
  void add(float at) {
    double e = std::exp(static_cast<double>(at));
    x.push_back(at), exact.push_back(e), per_ulp.push_back(std::ldexp(1.0, 23 - std::ilogb(e)));
  }
  // The worst error; as soon as it is past `limit`, what it is so far.
  double worst(const Coefficients& c, double limit) const {
    double all = 0;
    for (size_t start = 0; start < x.size() && all <= limit; start += 4096) {
      double here = 0;
      for (size_t i = start, end = std::min(x.size(), start + 4096); i < end; ++i) {
        double error = std::fabs(static_cast<double>(exp_of(c, x[i])) - exact[i]) * per_ulp[i];
        here = error > here ? error : here;
      }
      all = std::max(all, here);
    }
    return all;
  }
};

// Over all inputs with a normal result and a rest that matters; those worse than `keep` join the samples.
double worst_of_all(const Coefficients& c, double keep, Samples& samples) {
  double worst = 0;
  for (float limit : {88.7f, -87.3f})
    for (uint32_t bits = std::bit_cast<uint32_t>(0.125f); bits <= std::bit_cast<uint32_t>(std::fabs(limit)); ++bits) {
      float x = std::copysign(std::bit_cast<float>(bits), limit);
      double exact = std::exp(static_cast<double>(x));
      double error = std::fabs(static_cast<double>(exp_of(c, x)) - exact) * std::ldexp(1.0, 23 - std::ilogb(exact));
      worst = std::max(worst, error);
      if (error > keep) samples.add(x);
    }
  return worst;
}

}  // namespace

int main(int, char** arguments) {
  std::mt19937 random(static_cast<unsigned>(arguments[1] ? std::atoi(arguments[1]) : 1));
  Coefficients best{0x1.9bd2d0p-13f, 0x1.71cfe8p-10f, 0x1.112766p-7f, 0x1.5549c2p-5f, 0x1.555510p-3f, 0x1.00000cp-1f};
  Samples samples;
  std::uniform_real_distribution<float> anywhere(-87.3f, 88.7f);
  std::printf("at first %.4f ulp\n", worst_of_all(best, 1.3, samples));
  for (int k = 0; k < 300000; ++k) samples.add(anywhere(random));
  for (int round = 0; round < 6; ++round) {
    double least = samples.worst(best, 1e9), now = least, temperature = 0.03;
    Coefficients current = best;
    for (int step = 0; step < 12000; ++step, temperature *= 0.9995) {
      Coefficients tried = current;
      for (auto changes = 1 + random() % 3; changes > 0; --changes) {
        size_t k = random() % tried.size();
        int by = static_cast<int>(random() % static_cast<unsigned>(2 * reach[k] + 1)) - reach[k];
        tried[k] = std::bit_cast<float>(std::bit_cast<uint32_t>(tried[k]) + static_cast<uint32_t>(by));
      }
      double error = samples.worst(tried, now + 3 * temperature);
      if (error >= now && std::exp((now - error) / temperature) <= static_cast<double>(random() % 100000) / 1e5) continue;
      now = error, current = tried;
      if (now < least) least = now, best = current;
    }
    double all = worst_of_all(best, 1.35, samples);
    std::printf("round %d: %.4f ulp on %zu samples, %.4f on all:", round, least, samples.x.size(), all);
    for (float c : best) std::printf(" %a", static_cast<double>(c));
    std::printf("\n");
  }
}
