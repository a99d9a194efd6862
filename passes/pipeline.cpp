#include "passes/pipeline.h"

#include "passes/cse.h"
#include "passes/dce.h"
#include "passes/fold.h"
#include "passes/legalize.h"
#include "passes/simplify.h"

namespace sinter {

std::span<const PipelineRow> pipeline() {
  static const PipelineRow rows[] = {
      {{"simplify", simplify}, "first: what gradients and kept axes leave behind goes before anything looks at it", 1},
      {{"fold", fold}, "after simplify, which has made constants of equal elements scalars, and need not compute what is dropped", 1},
      {{"cse", cse}, "after both, which make nodes equal; it lets simplify see equal operands in the next round", 1},
      {{"legalize", legalize}, "after the rewrites, which see more in the plain forms; its own nodes need no rewriting"},
      {{"dce", dce}, "last: what is planned is what is needed"},
  };
  return rows;
}

PassRun optimize(const Program& program, const PassOptions& options) { return run_passes(program, pipeline(), options); }

}  // namespace sinter
