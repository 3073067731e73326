// SHOW GRANTS, which both families print alike. With a role active it prints the role's too.
#include "mysql/privileges.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

#include "mysql/text.h"

namespace mha {

std::set<std::string> held_privileges(const std::vector<std::string>& grants) {
  static constexpr std::string_view kBegin = "GRANT ";
  static constexpr std::string_view kGlobal = " ON *.* TO ";
  static constexpr std::string_view kOnMysql = " ON `mysql`.* TO ";
  std::set<std::string> privileges;
  for (const std::string& line : grants) {
    const bool on_mysql = line.find(kGlobal) == std::string::npos;
    const std::size_t end = line.find(on_mysql ? kOnMysql : kGlobal);
    if (!line.starts_with(kBegin) || end == std::string::npos) continue;
    std::string_view list = std::string_view{line}.substr(kBegin.size(), end - kBegin.size());
    // Such a grant has no parentheses, and so no comma inside of one.
    while (!list.empty()) {
      const std::string_view one = list.substr(0, list.find(','));
      list.remove_prefix(std::min(list.size(), one.size() + 1));
      std::string name = one_line(one);
      std::ranges::transform(name, name.begin(),
                             [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
      privileges.insert(on_mysql ? name + " ON mysql.*" : name);
    }
  }
  if (privileges.contains("ALL PRIVILEGES ON mysql.*")) privileges.insert("SELECT ON mysql.*");
  return privileges;
}

std::vector<std::string> missing_of(const std::vector<NeededPrivilege>& needed,
                                    const std::set<std::string>& privileges) {
  std::vector<std::string> missing;
  const auto has = [&](std::string_view name) { return privileges.contains(std::string{name}); };
  if (has("ALL PRIVILEGES") || has("ALL")) return missing;
  for (const NeededPrivilege& need : needed) {
    if (!has(need.name) && !has(need.or_else)) missing.emplace_back(need.name);
  }
  return missing;
}

Result<std::vector<std::string>> find_missing_privileges(const ReplicationSession& session,
                                                         Deadline deadline) {
  const Result<std::vector<SqlRow>> rows =
      session.connection.rows(std::string{sql::kGrants}, "asking for its own privileges", deadline);
  if (!rows.ok()) return rows.error();
  std::vector<std::string> grants;
  for (const SqlRow& row : rows.value()) grants.push_back(row.front().value_or(""));
  return missing_of(session.replication().privileges, held_privileges(grants));
}

}  // namespace mha
