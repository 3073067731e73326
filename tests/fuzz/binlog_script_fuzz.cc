// What mysqlbinlog prints, taken apart into statements; whatever the size of the pieces.
#include <algorithm>

#include "base/binlog_script.h"
#include "base/row_statement.h"
#include "fuzz/fuzz.h"

namespace mha::fuzz {
namespace {

std::vector<std::string> statements_of(std::string_view text, std::size_t piece) {
  BinlogScript script([text, piece]() mutable -> Result<std::string> {
    std::string next{text.substr(0, piece)};
    text.remove_prefix(next.size());
    return next;
  });
  std::vector<std::string> statements;
  ScriptTransactions transactions;
  for (;;) {
    const auto statement = script.next();
    must(statement.ok(), "errors are those of the pieces");
    if (!statement.value().has_value()) break;
    must(!statement.value()->empty(), "a statement is not empty");
    static_cast<void>(transactions.take(*statement.value()));
    statements.emplace_back(*statement.value());
  }
  must(transactions.count() <= statements.size(), "a transaction has a statement");
  return statements;
}

void cut_rows(std::string_view input) {
  RowStatement rows{256};
  while (!input.empty()) {
    const std::size_t end = std::min(input.find('\n'), input.size());
    static_cast<void>(rows.add_line(input.substr(0, end)));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  const auto rest = rows.finish();
  if (rest.has_value()) must(rest->starts_with("BINLOG '"), "what is left is a statement");
}

}  // namespace

void try_input(std::string_view input) {
  const std::vector<std::string> whole =
      statements_of(input, std::max<std::size_t>(input.size(), 1));
  must(statements_of(input, 7) == whole, "where a text is cut makes no difference");
  cut_rows(input);
}

}  // namespace mha::fuzz
