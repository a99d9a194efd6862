// The programs that the tests run on objects.
#pragma once
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "tests/runtime/temporary_folder.h"

namespace sinter::aot {

// What the command prints; the test fails where the command does.
inline std::string output_of(const TemporaryFolder& folder, const std::string& command) {
  int status = std::system((command + " > " + folder.file("out") + " 2> " + folder.file("err")).c_str());
  INFO(command << "\n" << bytes_of(folder.file("err")));
  REQUIRE(status == 0);
  return bytes_of(folder.file("out"));
}

}  // namespace sinter::aot
