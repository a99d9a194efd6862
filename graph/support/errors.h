// What sinter throws. User input never reaches an assert and nothing calls abort.
#pragma once
#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sinter {

using Here = std::source_location;

// A line of the user's code (or of a parsed .graph file).
struct Location {
  std::string file;
  uint32_t line = 0;
  std::string composition;  // the function that the line calls, such as "softmax", where that is made of many: no part of what makes lines equal
  Location() = default;
  Location(std::string file_name, uint32_t line_number) : file(std::move(file_name)), line(line_number) {}
  Location(const std::source_location& where) : file(where.file_name()), line(where.line()) {}
  bool known() const { return !file.empty(); }
  bool operator==(const Location& other) const { return file == other.file && line == other.line; }
};
std::string to_string(const Location&);  // "file:line", "" where unknown

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The caller did something that cannot be: what, where in the caller's code, and what would be right.
class UserError : public Error {
 public:
  explicit UserError(std::string_view message, Location where = {});
  const Location& where() const { return where_; }
  const std::string& message() const { return message_; }  // without the location

 private:
  std::string message_;
  Location where_;
};

// What `f` returns; a UserError of its that names no line names the caller's.
template <class F>
decltype(auto) at_line(const Location& where, F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (const UserError& error) {
    if (error.where().known()) throw;
    throw UserError(error.message(), where);
  }
}

// The world outside failed: a file, memory, a driver.
class SystemError : public Error {
 public:
  using Error::Error;
};

// A bug of sinter's own: the condition that did not hold, and where.
class InternalError : public Error {
 public:
  explicit InternalError(std::string_view condition, std::source_location where = std::source_location::current());
  // The same, and the file that a report should bring with it.
  InternalError(const InternalError&, std::string_view file);
};

// Throws InternalError with `condition` where it does not hold.
inline void ensure(bool holds, std::string_view condition, std::source_location where = std::source_location::current()) {
  if (!holds) throw InternalError(condition, where);
}

}  // namespace sinter
