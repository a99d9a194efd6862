// What a neighbour costs: a process that spins on one of the processors that the calls use.
#pragma once
#include <functional>

namespace bench {

struct Beside {
  double alone = 0, beside = 0;  // seconds of a call, medians
  double over_share = 0;         // beside, over what is left of alone's processors if one is halved would give; the median of pairs taken in turn
};
// In four pairs of `seconds` each, the neighbour on one processor after another. Needs at least as many processors as threads.
Beside beside_a_neighbour(const std::function<void()>& call, unsigned threads, double seconds);

}  // namespace bench
