// The few calls that MariaDB's Connector/C and MySQL's libmysqlclient spell differently.
#pragma once

#include <mysql.h>

#include <functional>

#include "ports/mysql_server.h"

namespace mha {

enum class TlsUse { kAsTargetSays, kNone };

// Once a process, from any thread.
void ensure_client_library();

// Options that every connection has, TLS among them. Neither library then reads an option file,
// sends a local file or reconnects. `timeout_seconds` bounds each read and write until the
// connection is there, a second line behind Link::cut().
void set_options(MYSQL* handle, const MysqlTarget& target, TlsUse tls, unsigned timeout_seconds);

// Blocks. `socket_made` gets the socket as soon as the library has one, and again for each address
// it tries. False: see mysql_errno().
bool connect_blocking(MYSQL* handle, const MysqlTarget& target,
                      const std::function<void(int)>& socket_made);

// The socket of an open connection; -1 where none is known.
int socket_of(MYSQL* handle);

// At the end of a thread that used the library.
void leave_client_library();

}  // namespace mha
