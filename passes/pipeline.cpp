#include "passes/pipeline.h"

#include "passes/cse.h"
#include "passes/dce.h"

namespace sinter {

std::span<const PipelineRow> pipeline() {
  static const PipelineRow rows[] = {
      {{"cse", cse}, "after the rewrites, which make equal what was not; its uses are the next round's single ones", 1},
      {{"dce", dce}, "last: what is planned is what is needed"},
  };
  return rows;
}

PassRun optimize(const Program& program, const PassOptions& options) { return run_passes(program, pipeline(), options); }

}  // namespace sinter
