// What a server answers to SQL, as plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mha {

// What the server said, or (numbers 2000 to 2999, CR_... in errmsg.h) the client library.
struct MysqlError {
  unsigned number = 0;
  std::string text;  // one line, valid UTF-8
};

using SqlRow = std::vector<std::optional<std::string>>;  // nullopt: NULL

// The answer to one statement.
struct StatementResult {
  std::vector<std::string> columns;  // names, in the rows' order
  std::vector<SqlRow> rows;
  std::optional<MysqlError> error;  // the server refused it, and ran none of those after it
};

// The answers to a text of one or more statements, up to the first that was refused.
struct Answer {
  std::vector<StatementResult> results;
  std::optional<MysqlError> lost;  // the connection broke
};

}  // namespace mha
