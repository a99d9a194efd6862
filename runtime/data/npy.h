// NumPy's .npy files. Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once
#include <string>

#include "graph/tensor.h"

namespace sinter {

// Reads versions 1.0, 2.0 and 3.0, either byte order, and C or Fortran order (the tensor is row-major in any case), of the types |b1, |u1,
// i4, i8, u4, u8, f2, f4 and f8; a bool is true where its byte is not 0. The file must hold exactly what its header says.
// SystemError where the file cannot be read, UserError, naming the file and what is wrong in it, where it is no such array.
Tensor read_npy(const std::string& path, Here = Here::current());

// Writes, or overwrites, as numpy.save does: version 1.0 (2.0 where the header needs it), C order, the machine's byte order.
// UserError for an undefined tensor, SystemError where the file cannot be written: what was at `path` is there still.
void write_npy(const std::string& path, const Tensor&, Here = Here::current());

}  // namespace sinter
