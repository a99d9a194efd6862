#include "graph/text_lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "graph/support/errors.h"

namespace sinter {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_control(char c) { return (c >= 0 && c < ' ') || c == 0x7f; }
bool is_space(char c) { return c == ' ' || c == '\t'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

bool is_identifier(std::string_view s) {
  return !s.empty() && is_letter(s[0]) && std::all_of(s.begin(), s.end(), [](char c) { return is_letter(c) || is_digit(c) || c == '.'; });
}

bool is_bare_file(std::string_view s) {
  return !s.empty() &&
         std::none_of(s.begin(), s.end(), [](char c) { return is_space(c) || is_control(c) || c == ',' || c == '"' || c == '\\' || c == '#'; });
}

std::string in_quotes(std::string_view s) {
  std::string text = "\"";
  for (char c : s) {
    if (is_control(c)) text += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    else if (c == '"' || c == '\\') text += '\\', text += c;
    else text += c;
  }
  return text + '"';
}

std::string printable(std::string text) {
  std::replace_if(text.begin(), text.end(), is_control, '?');
  return text;
}

void Cursor::skip_spaces() {
  while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
}

bool Cursor::at_end() {
  skip_spaces();
  return rest_.empty() || rest_.front() == '#';
}

bool Cursor::next_is(char c) {
  skip_spaces();
  return !rest_.empty() && rest_.front() == c;
}

bool Cursor::eat(char c) {
  if (!next_is(c)) return false;
  rest_.remove_prefix(1);
  return true;
}

void Cursor::expect(char c, std::string_view purpose) {
  if (!eat(c)) throw UserError(fmt::format("expected '{}' {}, not {}", c, purpose, excerpt()));
}

std::string_view Cursor::word() {
  skip_spaces();
  size_t n = 0;
  while (n < rest_.size() && (is_letter(rest_[n]) || is_digit(rest_[n]) || rest_[n] == '.' || rest_[n] == '+' || rest_[n] == '-')) ++n;
  std::string_view taken = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return taken;
}

std::string_view Cursor::identifier() {
  skip_spaces();
  size_t n = 0;
  while (n < rest_.size() && (is_letter(rest_[n]) || is_digit(rest_[n]) || rest_[n] == '.')) ++n;
  std::string_view taken = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return taken;
}

std::string Cursor::quoted_text() {
  std::string text;
  size_t i = 1;
  for (; i < rest_.size() && rest_[i] != '"'; ++i) {
    if (rest_[i] != '\\') {
      text += rest_[i];
      continue;
    }
    char next = i + 1 < rest_.size() ? rest_[i + 1] : ' ';
    int high = i + 2 < rest_.size() ? hex_digit(rest_[i + 2]) : -1, low = i + 3 < rest_.size() ? hex_digit(rest_[i + 3]) : -1;
    if (next == '"' || next == '\\') text += next, ++i;
    else if (next == 'x' && high >= 0 && low >= 0) text += static_cast<char>(high * 16 + low), i += 3;
    else throw UserError("in quotes a backslash begins \\\", \\\\ or \\xNN");
  }
  if (i >= rest_.size()) throw UserError("a quote that opens here does not close on this line");
  rest_.remove_prefix(i + 1);
  return text;
}

std::string_view Cursor::until(std::string_view stops) {
  skip_spaces();
  size_t n = std::min(rest_.find_first_of(stops), rest_.size());
  std::string_view taken = rest_.substr(0, n);
  rest_.remove_prefix(n);
  while (!taken.empty() && is_space(taken.back())) taken.remove_suffix(1);
  return taken;
}

std::string Cursor::excerpt() {
  if (at_end()) return "the end of the line";
  std::string text;
  for (char c : rest_.substr(0, 24)) text += is_control(c) || c < 0 ? '?' : c;
  return fmt::format("'{}{}'", text, rest_.size() > 24 ? "..." : "");
}

}  // namespace sinter
