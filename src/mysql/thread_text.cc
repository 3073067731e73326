// The process list, read and said.
#include "mysql/thread_text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <utility>

#include "mysql/named_row.h"
#include "mysql/text.h"

namespace mha {
namespace {

constexpr std::size_t kStatementBytes = 200;

std::string cell(const SqlRow& row, std::size_t column) {
  return column < row.size() ? valid_utf8(row[column].value_or("")) : "";
}

}  // namespace

std::vector<ServerThread> threads_from_rows(const std::vector<SqlRow>& rows, std::uint64_t own_id) {
  std::vector<ServerThread> threads;
  for (const SqlRow& row : rows) {
    ServerThread thread;
    thread.id = number_in<std::uint64_t>(row[0]);
    if (thread.id == own_id) continue;
    thread.user = cell(row, 1);
    thread.host = cell(row, 2);
    thread.command = cell(row, 4);
    thread.seconds = number_in<std::int64_t>(row[5]);
    thread.state = cell(row, 6);
    thread.info = valid_utf8(row.size() > 7 ? row[7].value_or("") : "", kStatementBytes);
    threads.push_back(std::move(thread));
  }
  return threads;
}

std::string thread_name(const ServerThread& thread) {
  return fmt::format("thread {} ({}@{})", thread.id, one_line(thread.user), one_line(thread.host));
}

std::string activity(const ServerThread& thread) {
  if (thread.command == "Sleep") return fmt::format("idle for {} s", thread.seconds);
  const std::string& statement = thread.info.empty() ? thread.state : thread.info;
  return fmt::format("running for {} s: {}", thread.seconds, one_line(statement));
}

bool only_reads(std::string_view statement) {
  const auto skip = [&statement](std::size_t bytes) {
    statement.remove_prefix(std::min(bytes, statement.size()));
  };
  while (!statement.empty()) {
    if (statement.starts_with("/*") && !statement.starts_with("/*!")) {
      const std::size_t end = statement.find("*/");
      skip(end == std::string_view::npos ? statement.size() : end + 2);
    } else if (statement.front() == '(' || statement.front() <= ' ') {
      skip(1);
    } else {
      break;
    }
  }
  std::string word;
  for (const char c : statement) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0) break;
    word += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  static constexpr std::array<std::string_view, 10> kReaders{
      "SELECT", "WITH", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "USE", "KILL", "SET", "DO"};
  return std::find(kReaders.begin(), kReaders.end(), word) != kReaders.end();
}

bool is_running_statement(const ServerThread& thread) {
  static constexpr std::array<std::string_view, 3> kCommands{"Query", "Execute", "Prepare"};
  return std::find(kCommands.begin(), kCommands.end(), thread.command) != kCommands.end() &&
         !thread.info.empty();
}

}  // namespace mha
