// A cursor over one line of the text form, and how names are spelled in it.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace sinter {

// [A-Za-z_][A-Za-z0-9_.]*: names that need no quotes.
bool is_identifier(std::string_view);
// Files that an origin names without quotes: no space, comma, quote or control character.
bool is_bare_file(std::string_view);
std::string in_quotes(std::string_view);  // "..." with \" \\ and \xNN

std::string printable(std::string);       // '?' for control characters: messages quote what they refuse

class Cursor {
 public:
  explicit Cursor(std::string_view line) : rest_(line) {}
  bool at_end();                                  // only spaces, or a comment, are left
  bool eat(char);                                 // skips spaces first
  void expect(char, std::string_view purpose);    // UserError where it is not next
  bool next_is(char);
  std::string_view word();                        // letters, digits, '_', '.', '+', '-'; empty where there is none
  std::string_view identifier();                  // letters, digits, '_', '.'; empty where there is none
  std::string quoted_text();                      // after next_is('"')
  std::string_view until(std::string_view stops);  // up to one of these characters, or the end; spaces around it are trimmed
  std::string_view comment() const { return rest_; }  // after at_end(): "" or from '#'
  std::string excerpt();                          // what comes next, for a message

 private:
  void skip_spaces();
  std::string_view rest_;
};

}  // namespace sinter
