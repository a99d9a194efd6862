// The passes that a program goes through between the user's graph and the fusion plan, in order.
#pragma once
#include "passes/manager.h"

namespace sinter {

std::span<const PipelineRow> pipeline();

// All of the pipeline.
PassRun optimize(const Program&, const PassOptions& = {});

}  // namespace sinter
