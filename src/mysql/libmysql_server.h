// The port mysql_server on the MySQL client library.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "ports/clock.h"
#include "ports/mysql_server.h"

namespace mha {

// Works with MySQL 5.6 to 9.x and MariaDB 10 to 12 through either client library; connection.h says
// how deadlines are kept. A session names itself program_name=mha-helper, and sets its own
// wait_timeout to eight hours, so that it is still there when it is needed. A name is looked up
// until a server was reached by it: a later session goes to the same address, also where the name
// servers have died or say something else meanwhile. (Not with MysqlTlsMode::kVerifyIdentity: there
// the client library must have the name.)
class LibmysqlConnector : public MysqlConnector {
 public:
  // `clock` outlives the connector and its sessions.
  explicit LibmysqlConnector(const Clock& clock) : clock_(clock) {}

  // As the port says, and kConfig for a host that is no name or address.
  Result<std::unique_ptr<MysqlServer>> connect(const MysqlTarget& target,
                                               Deadline deadline) override;

 private:
  [[nodiscard]] std::string known_address(const MysqlTarget& target);
  void remember(const MysqlTarget& target, const std::string& address);

  const Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, std::string> addresses_;  // by name
};

}  // namespace mha
