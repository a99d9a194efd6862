// The IDX files of MNIST and its like. Format: the foot of http://yann.lecun.com/exdb/mnist/
#pragma once
#include <string>

#include "graph/tensor.h"

namespace sinter {

// Reads an IDX file, gzipped or not: two zero bytes, the type (0x08 u8, 0x0C i32, 0x0D f32, 0x0E f64), the number of dimensions, their
// sizes as big-endian 32-bit numbers, and the elements, big-endian and row-major. The file must hold exactly what its header says.
// SystemError where the file cannot be read, UserError, naming the file and what is wrong in it, where it is no such array or its gzip
// stream is damaged or ends early. Memory grows with the data that arrives, not with what the header claims.
Tensor read_idx(const std::string& path, Here = Here::current());

}  // namespace sinter
