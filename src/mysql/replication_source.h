// Following, leaving and forgetting a source.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/status.h"
#include "mysql/replication_session.h"
#include "ports/replication.h"

namespace mha {

// As Replication::stop_replica() and so on.
Status stop_replica(const ReplicationSession& session, Deadline deadline);
Status stop_receiver(const ReplicationSession& session, Deadline deadline);
// Waits until the receiver is connected, or says why it is not: then kRefused at once, though it
// goes on trying.
Status start_replica(const ReplicationSession& session, Deadline deadline);
Status forget_source(const ReplicationSession& session, Deadline deadline);
Status replicate_from(const ReplicationSession& session, const NewSource& source,
                      Deadline deadline);

// The statement that points a server to `source`; it holds the password. A literal with
// backslashes: the session's sql_mode is '' (Statements::session_settings).
Result<Secret> change_source_sql(const ReplicationStatements& statements, const NewSource& source);

// What a server said of a statement with a password, without what it quotes of it.
std::string without_quotes(const std::string& text);

}  // namespace mha
