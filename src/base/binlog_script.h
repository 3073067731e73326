// Statements as mysqlbinlog prints them, taken apart piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/row_statement.h"
#include "base/status.h"

namespace mha {

// Gives the next piece of a text; an empty one is its end.
using TextPieces = std::function<Result<std::string>()>;
// Of a text that is in memory already.
TextPieces whole_text(std::string text);

// Takes a script apart as the client program would: at its delimiter, outside of quotes and
// comments, with lines of DELIMITER, and without comment lines between statements. A quote that a
// backslash precedes is part of its text, unless a statement of the script has set an sql_mode with
// NO_BACKSLASH_ESCAPES. Holds one statement and one piece in memory, never the script; a large
// BINLOG statement is given in parts (base/row_statement.h).
class BinlogScript {
 public:
  explicit BinlogScript(TextPieces pieces) : pieces_(std::move(pieces)) {}

  // Without its delimiter and the blanks around it, never empty; nullopt at the end. Errors are
  // those of the pieces. The view is good until the next call.
  Result<std::optional<std::string_view>> next();

 private:
  enum class Inside { kNothing, kQuote, kComment, kLine };

  Status skip_between_statements();
  // Where the statement that begins at begin_ ends: before its delimiter, or with the script.
  Result<std::size_t> find_end();
  // The next part of the BINLOG statement that has begun; nullopt where there is none.
  Result<std::optional<std::string_view>> next_of_rows();
  Result<std::string_view> take_line();
  std::size_t step_over(std::size_t at);
  Status skip_line();
  // Has `size` bytes from `at` on in text_, as far as the script has them.
  Status need(std::size_t at, std::size_t size);
  [[nodiscard]] std::string_view rest() const { return std::string_view{text_}.substr(begin_); }
  void note_sql_mode(std::string_view statement);

  TextPieces pieces_;
  std::string text_;
  std::size_t begin_ = 0;  // what comes before it in text_ is done with
  bool ended_ = false;
  Inside inside_ = Inside::kNothing;
  char quote_ = '\0';
  bool in_rows_ = false;  // in a BINLOG statement
  RowStatement rows_;
  std::string part_;
  std::string delimiter_ = ";";
  bool backslash_escapes_ = true;
};

// What a statement of such a script is to a transaction.
enum class ScriptPart {
  kSetting,  // between transactions or in one: SET, use, a format description, mysqlbinlog's own
  kBegin,
  kInside,
  kEnd,    // commits (or rolls back, as the source did)
  kWhole,  // a transaction of its own: DDL
};

// Of the statements of one script, in order.
class ScriptTransactions {
 public:
  ScriptPart take(std::string_view statement);
  [[nodiscard]] bool open() const { return open_; }
  // Those that have ended.
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  bool open_ = false;
  std::uint64_t count_ = 0;
};

}  // namespace mha
