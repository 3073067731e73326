// The port replication on a session of the client library.
#pragma once

#include <cstddef>
#include <memory>

#include "mysql/connection.h"
#include "ports/clock.h"
#include "ports/mysql_server.h"
#include "ports/replication.h"

namespace mha {

// All of these outlive the result. `max_allowed_packet` is the session's, in bytes.
std::unique_ptr<Replication> make_replication(Connection& connection,
                                              const ServerIdentity& identity, const Clock& clock,
                                              std::size_t max_allowed_packet);

}  // namespace mha
