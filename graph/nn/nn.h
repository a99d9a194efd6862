// All compositions.
#pragma once
#include "graph/nn/activations.h"
#include "graph/nn/classes.h"
#include "graph/nn/layers.h"
#include "graph/nn/losses.h"
#include "graph/nn/statistics.h"
