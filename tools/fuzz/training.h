// The parts of a random program that are compositions: layers, losses with their gradients, steps of optimisers.
#pragma once
#include "tools/fuzz/pool.h"

namespace sinter::fuzz {

Expr composition(Random&, Pool&, Values);

// Updates of parameters, by an optimiser or by hand; what belongs to them is added to the outputs. UserError where nothing fits.
Updates random_training(Random&, Pool&, const std::vector<Parameter>&, std::vector<Expr>& outputs, Values);

}  // namespace sinter::fuzz
