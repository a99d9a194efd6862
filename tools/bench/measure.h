// Seconds of calls, and the process's memory.
#pragma once
#include <functional>
#include <vector>

namespace bench {

double now();  // seconds, steady

double median(std::vector<double> of);  // of at least one

std::vector<int> processors();  // that this process may use; none where the system does not say
bool bind_to(int processor);    // the calling thread, and what it starts

struct Times {
  double median = 0, least = 0;  // seconds of a call
  size_t samples = 0;
};
// A sample is as many calls in a row as fill 50 microseconds; at least five, then until `seconds` are over.
Times times_of(const std::function<void()>& call, double seconds);

double resident_mb();         // now
void forget_peak();           // from here on
double peak_resident_mb();    // since then; a process's own

}  // namespace bench
