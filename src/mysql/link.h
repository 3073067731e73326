// One handle of the client library, used by one thread and cut from another.
#pragma once

#include <mysql.h>

#include <mutex>
#include <optional>
#include <string>

#include "mysql/answer.h"
#include "mysql/client_library.h"
#include "ports/mysql_server.h"

namespace mha {

// All but cut() is for one thread at a time and may block for as long as the server likes.
class Link {
 public:
  Link();
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  // TCP, TLS and authentication; nullopt is success.
  std::optional<MysqlError> connect(const MysqlTarget& target, TlsUse tls,
                                    unsigned timeout_seconds);
  [[nodiscard]] bool encrypted();
  // The server's address, numeric; "" where there is no connection.
  [[nodiscard]] std::string peer();
  Answer execute(const std::string& sql);
  // Says goodbye to the server. connect() may be called again.
  void close();

  // From any thread: shuts the socket down, so that whatever blocks in the library fails at once.
  // False where there is no socket (yet), as while a name is looked up; one that is made later is
  // shut down as well.
  bool cut();

 private:
  void socket_made(int socket);
  void forget_socket();
  [[nodiscard]] std::optional<MysqlError> last_error();

  MYSQL* handle_ = nullptr;

  std::mutex mutex_;
  // A duplicate, ours alone: the library may close its own while cut() is on the way, and the
  // number might then be another's.
  int socket_ = -1;
  bool is_cut_ = false;
};

}  // namespace mha
