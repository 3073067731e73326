// A real server of another family or age than Debian 12's, from tests/servers/fetch, for tests.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "mariadb_server.h"

namespace mha {

// All that tests/servers/fetch can get.
inline const std::vector<std::string> kFetchedServers{"mysql-9.7", "mysql-5.6", "mariadb-11.8"};

// Whether the server can be had here: fetched before, or now (up to minutes, by the network). It
// says why not on standard error.
bool can_fetch(const std::string& name);

// With the accounts and the table of MariadbServer, on a free port of 127.0.0.1; gone with the
// object. MySQL has GTIDs on; all write a binary log. Starting throws std::runtime_error with the
// server's log.
class FetchedServer {
 public:
  explicit FetchedServer(const std::string& name, const std::vector<std::string>& options = {});
  ~FetchedServer();
  FetchedServer(const FetchedServer&) = delete;
  FetchedServer& operator=(const FetchedServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  void crash() { kill_it(); }  // SIGKILL
  // Where tests/servers/fetch has put the server of this name: bin/ and so on.
  static std::string folder(const std::string& name);

 private:
  void start(const std::string& name, const std::vector<std::string>& options);
  bool wait_until_ready() const;
  void kill_it();

  TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

// One of each name for all tests of the program; each leaves it writable and without clients.
FetchedServer& fetched_server(const std::string& name);

}  // namespace mha
