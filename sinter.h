// sinter: declare a graph of tensor operations, differentiate it, compile it to a native function, run it. Includes all that users write.
#pragma once
#include "autodiff/optimizers.h"
#include "autodiff/reverse.h"
#include "codegen/compile.h"
#include "graph/arrays/arrays.h"
#include "graph/expr.h"
#include "graph/nn/nn.h"
#include "graph/tensor.h"
#include "graph/text.h"
#include "runtime/data/batches.h"
#include "runtime/data/idx.h"
#include "runtime/data/npy.h"
#include "runtime/function.h"
