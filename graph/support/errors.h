// What sinter throws. User input never reaches an assert and nothing calls abort.
#pragma once
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace sinter {

// Where a call stands in its file. std::source_location says that too, but not to clang 14, which is Debian 12's. It has no constructor that takes
// something: no list in braces may become one.
class Here {
 public:
  static constexpr Here current(const char* file = __builtin_FILE(), uint32_t line = __builtin_LINE(), const char* function = __builtin_FUNCTION()) noexcept {
    Here here;
    here.file_ = file;
    here.line_ = line;
    here.function_ = function;
    return here;
  }
  constexpr const char* file() const noexcept { return file_; }
  constexpr uint32_t line() const noexcept { return line_; }
  constexpr const char* function() const noexcept { return function_; }

 private:
  const char* file_ = "";
  uint32_t line_ = 0;
  const char* function_ = "";
};

// A line of the user's code (or of a parsed .graph file).
struct Location {
  std::string file;
  uint32_t line = 0;
  std::string composition;  // the function that the line calls, such as "softmax", where that is made of many: no part of what makes lines equal
  Location() = default;
  Location(std::string file_name, uint32_t line_number) : file(std::move(file_name)), line(line_number) {}
  Location(const Here& here) : file(here.file()), line(here.line()) {}
  bool known() const { return !file.empty(); }
  bool operator==(const Location& other) const { return file == other.file && line == other.line; }
};
std::string to_string(const Location&);  // "file:line", "" where unknown

class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One that names the caller's line, where that is known.
class LocatedError : public Error {
 public:
  explicit LocatedError(std::string_view message, Location where = {});
  const Location& where() const { return where_; }
  const std::string& message() const { return message_; }  // without the location

 private:
  std::string message_;
  Location where_;
};

// The caller did something that cannot be: what, where in the caller's code, and what would be right.
class UserError : public LocatedError {
 public:
  using LocatedError::LocatedError;
};

// The world outside failed: a file, memory, a driver.
class SystemError : public LocatedError {
 public:
  using LocatedError::LocatedError;
};

// What `f` returns; an error of its that names no line names the caller's: `where`, a Location, or a Here that is made one then alone.
template <class Where, class F>
decltype(auto) at_line(const Where& where, F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (const UserError& error) {
    if (error.where().known()) throw;
    throw UserError(error.message(), where);
  } catch (const SystemError& error) {
    if (error.where().known()) throw;
    throw SystemError(error.message(), where);
  }
}

// A bug of sinter's own: the condition that did not hold, and where.
class InternalError : public Error {
 public:
  explicit InternalError(std::string_view condition, Here here = Here::current());
  // The same, and the file that a report should bring with it.
  InternalError(const InternalError&, std::string_view file);
};

// Throws InternalError with `condition` where it does not hold.
inline void ensure(bool holds, std::string_view condition, Here here = Here::current()) {
  if (!holds) throw InternalError(condition, here);
}

}  // namespace sinter
