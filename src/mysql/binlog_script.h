// Statements as mysqlbinlog prints them, taken apart and executed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/replication_session.h"

namespace mha {

// Takes a script apart as the client program would: at its delimiter, outside of quotes and
// comments, with lines of DELIMITER, and without comment lines between statements. A quote that a
// backslash precedes is part of its text, unless a statement of the script has set an sql_mode with
// NO_BACKSLASH_ESCAPES. Views of the script, which outlives it.
class BinlogScript {
 public:
  explicit BinlogScript(std::string_view script) : rest_(script) {}

  // Without its delimiter and the blanks around it, never empty; nullopt at the end.
  std::optional<std::string_view> next();

 private:
  void skip_between_statements();
  [[nodiscard]] std::size_t find_end() const;
  void note_sql_mode(std::string_view statement);

  std::string_view rest_;
  std::string_view delimiter_ = ";";
  bool backslash_escapes_ = true;
};

// As Replication::execute_binlog_script(): one round trip a statement; an error says which one it
// was, the first line of it, and that it and what follows is not done. Then what is open is rolled
// back. Afterwards the session's settings are as before, as far as mysqlbinlog sets any.
Status execute_binlog_script(const ReplicationSession& session, const std::string& script,
                             Deadline deadline);

}  // namespace mha
