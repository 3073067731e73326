// Executing what mysqlbinlog prints.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/replication_session.h"
#include "ports/replication.h"

namespace mha {

// As Replication::execute_binlog_script(): one round trip a statement; an error says which one it
// was, the first line of it, and that it and what follows is not done. Then what is open is rolled
// back. Afterwards the session's settings are as before, as far as mysqlbinlog sets any.
Result<std::uint64_t> execute_binlog_script(const ReplicationSession& session,
                                            const BinlogReplay& replay, Deadline deadline);

// Whether a statement is nothing but a comment for a MySQL newer than `version` (50624): a
// mysqlbinlog of a newer server prints some. They are not sent: 5.6 takes even an empty statement
// for one behind the transaction's end (error 1837).
bool is_for_newer_mysql(std::string_view statement, unsigned version);

}  // namespace mha
