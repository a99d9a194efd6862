#include "tools/bench/neighbour.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "graph/support/errors.h"
#include "tools/bench/measure.h"

namespace bench {
namespace {

class Neighbour {
 public:
  explicit Neighbour(int processor) : process_(fork()) {
    if (process_ < 0) throw sinter::SystemError("no process for a neighbour");
    if (process_ > 0) return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!bind_to(processor)) _exit(1);
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

}  // namespace

Beside beside_a_neighbour(const std::function<void()>& call, unsigned threads, double seconds) {
  const std::vector<int> on = processors();
  if (on.empty()) throw sinter::SystemError("which processors may be used is not known");
  const double share = (threads - 0.5) / threads;
  std::vector<double> alone, beside, over;
  for (size_t i = 0; i < 4; ++i) {
    alone.push_back(times_of(call, seconds).median);
    Neighbour neighbour(on[i % on.size()]);
    beside.push_back(times_of(call, seconds).median);
    over.push_back(beside.back() / (alone.back() / share));
  }
  return {median(alone), median(beside), median(over)};
}

}  // namespace bench
