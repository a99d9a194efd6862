// What a mistake looks like: what, both shapes, which operation, and the line that wrote it.
#include <cstdio>
#include <string>

#include <sinter/sinter.h>

using namespace sinter;

namespace {

template <class F>
bool says(F mistake, const std::string& expected) {
  try {
    mistake();
  } catch (const UserError& error) {
    std::printf("%s\n", error.what());
    return std::string(error.what()).find(expected) != std::string::npos;
  }
  return false;
}

}  // namespace

int main() {
  Variable x("x", f32, {"batch", 784}), A("A"), B("B");
  Parameter w("w", zeros({512, 10}));
  bool all = says([&] { matmul(x, w); }, "784");
  all &= says([&] { x + w; }, "04-errors.cpp");
  auto f = compile(A + B);  // not known to be wrong before the call
  all &= says([&] { f({{"A", ones({3})}, {"B", ones({4})}}); }, "04-errors.cpp");
  all &= says([&] { compile(x)({{"y", ones({3, 784})}}); }, "'y'");
  return all ? 0 : 1;
}
