// A small reader of mysqlbinlog's output.
#include "base/binlog_script.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace mha {
namespace {

// More than the longest thing that is told from its beginning: "DELIMITER ", "/*M!", a delimiter.
constexpr std::size_t kAhead = 64;
// What is done with is dropped when it has become this much.
constexpr std::size_t kDropped = std::size_t{1} << 18U;
// How mysqlbinlog begins a statement of row events, or of a format description.
constexpr std::string_view kRows = "BINLOG '\n";
// MODE_NO_BACKSLASH_ESCAPES of both families.
constexpr std::uint64_t kNoBackslashEscapes = std::uint64_t{1} << 20U;

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool same_letter(char one, char other) {
  return std::tolower(static_cast<unsigned char>(one)) ==
         std::tolower(static_cast<unsigned char>(other));
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), text.begin(), same_letter);
}

// The word, and then something that does not go on with it.
bool begins_with_word(std::string_view text, std::string_view word) {
  return begins_with(text, word) &&
         (text.size() == word.size() ||
          (std::isalnum(static_cast<unsigned char>(text[word.size()])) == 0 &&
           text[word.size()] != '_'));
}

// Whether a comment to the end of the line begins here.
bool begins_line_comment(std::string_view text) {
  return text.starts_with('#') ||
         (text.starts_with("--") && (text.size() == 2 || is_blank(text[2])));
}

// "/*!\C utf8mb4 */" is for the client program: it takes it as "\C utf8mb4", the server as nothing.
bool is_for_the_client(std::string_view statement) { return statement.starts_with("/*!\\C "); }

// "/*!50003 SET ...": what is in it is executed. Of "BEGIN /* added */" the comment is left.
std::string_view inside_version_comment(std::string_view statement) {
  if (!statement.starts_with("/*!") && !statement.starts_with("/*M!")) return statement;
  statement.remove_prefix(statement.find('!') + 1);
  while (!statement.empty() && std::isdigit(static_cast<unsigned char>(statement.front())) != 0) {
    statement.remove_prefix(1);
  }
  return trimmed(statement);
}

// What mysqlbinlog sets for the session; a few statements of users begin with SET as well.
bool is_setting(std::string_view text) {
  for (const std::string_view own : {"SET PASSWORD", "SET DEFAULT ROLE", "SET STATEMENT"}) {
    if (begins_with(text, own)) return false;
  }
  return begins_with_word(text, "SET") || begins_with_word(text, "USE");
}

}  // namespace

TextPieces whole_text(std::string text) {
  return [text = std::move(text)]() mutable -> Result<std::string> {
    return std::exchange(text, std::string{});
  };
}

Result<std::optional<std::string_view>> BinlogScript::next() {
  while (true) {
    if (in_rows_) {
      const Result<std::optional<std::string_view>> part = next_of_rows();
      if (!part.ok() || part.value().has_value()) return part;
      continue;
    }
    if (const Status skipped = skip_between_statements(); !skipped.ok()) return skipped.error();
    if (rest().empty()) return std::optional<std::string_view>{};
    if (rest().starts_with(kRows)) {
      in_rows_ = true;
      begin_ += kRows.size();
      continue;
    }
    const Result<std::size_t> end = find_end();
    if (!end.ok()) return end.error();
    const std::string_view statement =
        trimmed(std::string_view{text_}.substr(begin_, end.value() - begin_));
    begin_ = std::min(text_.size(), end.value() + delimiter_.size());
    if (statement.empty() || is_for_the_client(statement)) continue;
    note_sql_mode(statement);
    return std::optional{statement};
  }
}

// Line by line: base64, then the quote and the delimiter.
Result<std::optional<std::string_view>> BinlogScript::next_of_rows() {
  while (true) {
    const Result<std::string_view> line = take_line();
    if (!line.ok()) return line.error();
    const bool ends = line.value().starts_with('\'') || (line.value().empty() && rest().empty());
    std::optional<std::string> part = ends ? rows_.finish() : rows_.add_line(line.value());
    in_rows_ = !ends;
    if (!ends && !part.has_value()) continue;
    if (!part.has_value()) return std::optional<std::string_view>{};
    part_ = *std::move(part);
    return std::optional<std::string_view>{part_};
  }
}

// Without its newline; good until the next call. Empty at the end.
Result<std::string_view> BinlogScript::take_line() {
  constexpr std::size_t kLine = 128;
  if (begin_ > kDropped) {
    text_.erase(0, begin_);
    begin_ = 0;
  }
  if (const Status there = need(begin_, kLine); !there.ok()) return there.error();
  // mysqlbinlog's have 76 characters: what is longer is none of its, and cut.
  const std::string_view ahead = std::string_view{text_}.substr(begin_, kLine);
  const std::string_view line = ahead.substr(0, ahead.find('\n'));
  begin_ += line.size() + (line.size() < ahead.size() ? 1 : 0);
  return line;
}

Status BinlogScript::need(std::size_t at, std::size_t size) {
  while (!ended_ && text_.size() < at + size) {
    Result<std::string> piece = pieces_();
    if (!piece.ok()) return piece.error();
    ended_ = piece.value().empty();
    text_ += piece.value();
  }
  return {};
}

Status BinlogScript::skip_between_statements() {
  static constexpr std::string_view kDelimiter = "DELIMITER";
  if (begin_ > kDropped) {
    text_.erase(0, begin_);
    begin_ = 0;
  }
  while (true) {
    if (const Status there = need(begin_, kAhead); !there.ok()) return there;
    if (rest().empty()) return {};
    if (is_blank(rest().front())) {
      ++begin_;
    } else if (begins_line_comment(rest())) {
      if (const Status skipped = skip_line(); !skipped.ok()) return skipped;
    } else if (begins_with(rest(), kDelimiter) && rest().size() > kDelimiter.size() &&
               is_blank(rest()[kDelimiter.size()]) && rest()[kDelimiter.size()] != '\n') {
      const std::string_view ahead = rest().substr(0, kAhead);
      const std::string_view wanted =
          trimmed(ahead.substr(0, ahead.find('\n')).substr(kDelimiter.size()));
      if (!wanted.empty()) delimiter_ = wanted.substr(0, kAhead / 2);
      if (const Status skipped = skip_line(); !skipped.ok()) return skipped;
    } else {
      return {};
    }
  }
}

// A line may be longer than all that is to be held.
Status BinlogScript::skip_line() {
  while (true) {
    const std::size_t end = text_.find('\n', begin_);
    if (end != std::string::npos) {
      begin_ = end;
      return {};
    }
    text_.clear();
    begin_ = 0;
    if (const Status there = need(0, 1); !there.ok()) return there;
    if (text_.empty()) return {};
  }
}

Result<std::size_t> BinlogScript::find_end() {
  std::size_t at = begin_;
  inside_ = Inside::kNothing;
  while (true) {
    if (const Status there = need(at, kAhead); !there.ok()) return there.error();
    if (at >= text_.size()) return text_.size();
    if (inside_ == Inside::kNothing && std::string_view{text_}.substr(at).starts_with(delimiter_)) {
      return at;
    }
    at = step_over(at);
  }
}

// Where to look next; as far as it is in text_.
std::size_t BinlogScript::step_over(std::size_t at) {
  const std::string_view here = std::string_view{text_}.substr(at);
  const char c = here.front();
  switch (inside_) {
    case Inside::kQuote: {
      const bool escapes = backslash_escapes_ && quote_ != '`';
      const std::size_t special = here.find_first_of(std::string{quote_, escapes ? '\\' : quote_});
      if (special == std::string_view::npos) return text_.size();
      if (here[special] != quote_) return at + special + 2;
      inside_ = Inside::kNothing;
      return at + special + 1;
    }
    case Inside::kComment: {
      const std::size_t end = here.find("*/");
      // Its second half may be in the next piece.
      if (end == std::string_view::npos) return ended_ ? text_.size() : text_.size() - 1;
      inside_ = Inside::kNothing;
      return at + end + 2;
    }
    case Inside::kLine:
      inside_ = c == '\n' ? Inside::kNothing : inside_;
      return at + 1;
    case Inside::kNothing:
      break;
  }
  if (c == '\'' || c == '"' || c == '`') {
    inside_ = Inside::kQuote;
    quote_ = c;
    return at + 1;
  }
  if (here.starts_with("/*!") || here.starts_with("/*M!")) {
    return at + 3;  // what is in it is executed, and has quotes of its own
  }
  if (here.starts_with("/*")) {
    inside_ = Inside::kComment;
    return at + 2;
  }
  if (begins_line_comment(here)) inside_ = Inside::kLine;
  return at + 1;
}

void BinlogScript::note_sql_mode(std::string_view statement) {
  static constexpr std::string_view kSet = "SET @@session.sql_mode=";
  if (!statement.starts_with(kSet)) return;
  std::uint64_t mode = 0;
  const std::string_view number = statement.substr(kSet.size());
  std::from_chars(number.data(), number.data() + number.size(), mode);
  backslash_escapes_ = (mode & kNoBackslashEscapes) == 0;
}

ScriptPart ScriptTransactions::take(std::string_view statement) {
  const std::string_view text = inside_version_comment(statement);
  if (is_setting(text)) return ScriptPart::kSetting;
  const bool begins = begins_with_word(text, "BEGIN") || begins_with(text, "START TRANSACTION") ||
                      begins_with(text, "XA START");
  if (begins) {
    open_ = true;
    return ScriptPart::kBegin;
  }
  const bool ends = begins_with_word(text, "COMMIT") ||
                    (begins_with_word(text, "ROLLBACK") && !begins_with(text, "ROLLBACK TO"));
  if (open_) {
    if (!ends && !begins_with(text, "XA PREPARE") && !begins_with(text, "XA COMMIT") &&
        !begins_with(text, "XA ROLLBACK")) {
      return ScriptPart::kInside;
    }
    open_ = false;
    ++count_;
    return ScriptPart::kEnd;
  }
  // A format description, and what mysqlbinlog puts around the events.
  if (ends || begins_with_word(text, "BINLOG")) return ScriptPart::kSetting;
  ++count_;
  return ScriptPart::kWhole;
}

}  // namespace mha
