// Which privileges our account has, and lacks.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/replication_session.h"

namespace mha {

// Privileges in the lines of SHOW GRANTS: "SUPER", "READ_ONLY ADMIN", "ALL PRIVILEGES", and those
// on the server's own tables, "SELECT ON mysql.*". What is granted on another database, and a role
// that is only granted, is none.
std::set<std::string> held_privileges(const std::vector<std::string>& grants);

// Of the family's list (ReplicationStatements::privileges), those that are not there.
std::vector<std::string> missing_of(const std::vector<NeededPrivilege>& needed,
                                    const std::set<std::string>& privileges);

// As Replication::missing_privileges().
Result<std::vector<std::string>> find_missing_privileges(const ReplicationSession& session,
                                                         Deadline deadline);

}  // namespace mha
