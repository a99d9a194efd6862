// What NumPy has of arrays and no operation is needed for.
#pragma once
#include "graph/arrays/cumulative.h"
#include "graph/arrays/einsum.h"
#include "graph/arrays/elements.h"
#include "graph/arrays/joining.h"
#include "graph/arrays/selecting.h"
