#include "passes/dce.h"

#include <algorithm>

#include "passes/rewriter.h"

namespace sinter {

PassResult dce(const Program& program) {
  Rewriter rewriter(program);
  bool changed = std::count(rewriter.needed().begin(), rewriter.needed().end(), false) > 0;
  rewriter.each([](NodeId) { return NodeId(); });
  return std::move(rewriter).finish(changed);
}

}  // namespace sinter
