// A small reader of mysqlbinlog's output.
#include "mysql/binlog_script.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>

#include "mysql/errors.h"
#include "mysql/named_row.h"
#include "mysql/text.h"

namespace mha {
namespace {

constexpr std::size_t kShownBytes = 120;
// MODE_NO_BACKSLASH_ESCAPES of both families.
constexpr std::uint64_t kNoBackslashEscapes = std::uint64_t{1} << 20U;

bool is_blank(char c) { return static_cast<unsigned char>(c) <= ' '; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view first_line(std::string_view text) { return text.substr(0, text.find('\n')); }

bool begins_with_word(std::string_view text, std::string_view word) {
  return text.size() > word.size() && equal_ignoring_case(text.substr(0, word.size()), word) &&
         is_blank(text[word.size()]);
}

// Whether a comment to the end of the line begins here.
bool begins_line_comment(std::string_view text) {
  return text.starts_with('#') ||
         (text.starts_with("--") && (text.size() == 2 || is_blank(text[2])));
}

// "/*!\C utf8mb4 */" is for the client program: it takes it as "\C utf8mb4", the server as nothing.
bool is_for_the_client(std::string_view statement) { return statement.starts_with("/*!\\C "); }

// For a message: no base64.
std::string shown(std::string_view statement) {
  return valid_utf8(one_line(first_line(statement)), kShownBytes);
}

}  // namespace

std::optional<std::string_view> BinlogScript::next() {
  while (true) {
    skip_between_statements();
    if (rest_.empty()) return std::nullopt;
    const std::size_t end = find_end();
    const std::string_view statement = trimmed(rest_.substr(0, end));
    rest_.remove_prefix(std::min(rest_.size(), end + delimiter_.size()));
    if (statement.empty() || is_for_the_client(statement)) continue;
    note_sql_mode(statement);
    return statement;
  }
}

void BinlogScript::skip_between_statements() {
  while (!rest_.empty()) {
    const std::string_view line = first_line(rest_);
    if (is_blank(rest_.front())) {
      rest_.remove_prefix(1);
    } else if (begins_line_comment(rest_)) {
      rest_.remove_prefix(line.size());
    } else if (begins_with_word(line, "DELIMITER")) {
      const std::string_view wanted = trimmed(line.substr(std::string_view{"DELIMITER"}.size()));
      if (!wanted.empty()) delimiter_ = wanted;
      rest_.remove_prefix(line.size());
    } else {
      return;
    }
  }
}

// Where the statement that begins here ends: before its delimiter, or with the script.
std::size_t BinlogScript::find_end() const {
  std::size_t at = 0;
  while (at < rest_.size()) {
    const std::string_view here = rest_.substr(at);
    const char c = here.front();
    if (here.starts_with(delimiter_)) return at;
    if (c == '\'' || c == '"' || c == '`') {
      const bool escapes = backslash_escapes_ && c != '`';
      for (++at; at < rest_.size() && rest_[at] != c; ++at) {
        if (escapes && rest_[at] == '\\') ++at;
      }
      ++at;
    } else if (here.starts_with("/*!") || here.starts_with("/*M!")) {
      at += 3;  // what is in it is executed, and has quotes of its own
    } else if (here.starts_with("/*")) {
      const std::size_t end = here.find("*/", 2);
      at = end == std::string_view::npos ? rest_.size() : at + end + 2;
    } else if (begins_line_comment(here)) {
      at += first_line(here).size();
    } else {
      ++at;
    }
  }
  return rest_.size();
}

void BinlogScript::note_sql_mode(std::string_view statement) {
  static constexpr std::string_view kSet = "SET @@session.sql_mode=";
  if (!statement.starts_with(kSet)) return;
  const auto mode = number_in<std::uint64_t>(statement.substr(kSet.size()));
  backslash_escapes_ = (mode & kNoBackslashEscapes) == 0;
}

namespace {

// The statements one by one, up to the first that fails.
Status execute_all(const ReplicationSession& session, const std::string& script,
                   Deadline deadline) {
  // The server counts some bytes of its own.
  constexpr std::size_t kHeader = 64;
  BinlogScript statements{script};
  for (std::size_t number = 1; const auto statement = statements.next(); ++number) {
    const std::string doing =
        fmt::format("executing statement {} of a binary log ({})", number, shown(*statement));
    if (statement->size() + kHeader > session.max_allowed_packet) {
      return session.refused(
          doing,
          fmt::format("it has {} bytes, and the server takes {}; it and what follows is not done: "
                      "set a larger max_allowed_packet (SET GLOBAL max_allowed_packet={}), and go "
                      "on from here",
                      statement->size(), session.max_allowed_packet,
                      // A multiple of 1024, as the server wants it.
                      (statement->size() / 1024 + 2) * 1024));
    }
    Result<std::vector<StatementResult>> results =
        session.connection.run(std::string{*statement}, doing, deadline);
    if (!results.ok()) return results.error();
    const std::optional<MysqlError>& error = results.value().back().error;
    // What is in a comment for another version is nothing here.
    if (!error.has_value() || error->number == kEmptyQuery) continue;
    Error refusal = session.connection.refusal(*error, doing);
    refusal.message += "; it and what follows is not done";
    return refusal;
  }
  return {};
}

}  // namespace

Status execute_binlog_script(const ReplicationSession& session, const std::string& script,
                             Deadline deadline) {
  const Status done = execute_all(session, script, deadline);
  const bool lost = !done.ok() && (done.error().code == Code::kTimeout ||
                                   done.error().code == Code::kUnreachable);
  if (lost) return done;
  const Result<std::vector<StatementResult>> left = session.ask(
      {session.replication().leave_binlog_script, session.statements().session_settings},
      "leaving the statements of a binary log", deadline);
  return done.ok() ? left.status() : done;
}

}  // namespace mha
