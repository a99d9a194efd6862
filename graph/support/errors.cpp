#include "graph/support/errors.h"

#include <fmt/format.h>

namespace sinter {

std::string to_string(const Location& where) { return where.known() ? fmt::format("{}:{}", where.file, where.line) : std::string(); }

LocatedError::LocatedError(std::string_view message, Location where)
    : Error(where.known() ? fmt::format("{}: {}", to_string(where), message) : std::string(message)), message_(message), where_(std::move(where)) {}

InternalError::InternalError(std::string_view condition, Here here)
    : Error(fmt::format("internal error at {}:{} ({}): {}; please report it", here.file(), here.line(), here.function(), condition)) {}

InternalError::InternalError(const InternalError& error, std::string_view file) : Error(fmt::format("{}, with {}", error.what(), file)) {}

}  // namespace sinter
