#include "tools/bench/neighbour.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <vector>

#include "graph/support/errors.h"
#include "tools/bench/measure.h"

namespace bench {
namespace {

std::vector<int> processors() {
  std::vector<int> found;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) throw sinter::SystemError("which processors may be used is not known");
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
    if (CPU_ISSET(cpu, &allowed)) found.push_back(cpu);
  return found;
}

class Neighbour {
 public:
  explicit Neighbour(int processor) : process_(fork()) {
    if (process_ < 0) throw sinter::SystemError("no process for a neighbour");
    if (process_ > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(processor, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) _exit(1);
    for (volatile bool spinning = true; spinning;) {}
    _exit(0);
  }
  ~Neighbour() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

 private:
  pid_t process_;
};

double median(std::array<double, 4> of) {
  std::sort(of.begin(), of.end());
  return (of[1] + of[2]) / 2;
}

}  // namespace

Beside beside_a_neighbour(const std::function<void()>& call, unsigned threads, double seconds) {
  const std::vector<int> on = processors();
  const double share = (threads - 0.5) / threads;
  std::array<double, 4> alone, beside, over;
  for (size_t i = 0; i < over.size(); ++i) {
    alone[i] = times_of(call, seconds).median;
    Neighbour neighbour(on[i % on.size()]);
    beside[i] = times_of(call, seconds).median;
    over[i] = beside[i] / (alone[i] / share);
  }
  return {median(alone), median(beside), median(over)};
}

}  // namespace bench
