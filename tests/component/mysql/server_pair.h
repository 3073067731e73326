// Two real servers for tests of replication, each ready to be the other's source or replica.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "mariadb_server.h"
#include "ports/replication.h"
#include "test_client.h"

namespace mha {

// What a MariadbServer needs to be one of several.
std::vector<std::string> replication_options(unsigned server_id);

// Ports of two MariaDB servers that the program starts once.
std::array<std::uint16_t, 2> plain_pair();

// Of servers that were made by somebody: those users and that table of MariadbServer, a server_id
// each, log_bin and log_replica_updates. Making one takes them back to the start: no source, an
// empty binary log, empty tables, a user `repl` on both.
class ServerPair {
 public:
  explicit ServerPair(const std::array<std::uint16_t, 2>& ports);
  ~ServerPair();
  ServerPair(const ServerPair&) = delete;
  ServerPair& operator=(const ServerPair&) = delete;

  [[nodiscard]] std::uint16_t port(std::size_t server) const { return ports_.at(server); }
  TestClient& admin(std::size_t server) { return *admins_.at(server); }

  // User `repl` with a password that has quotes and a backslash, without TLS.
  static NewSource account();

  // A row each, all with ids of their own.
  void write(std::size_t server, std::size_t rows);
  std::size_t rows(std::size_t server);
  // What mysqlbinlog prints for so many of these, without GTIDs.
  std::string script(std::size_t rows);
  // A client's LOCK TABLES holds up who writes there.
  void lock_table(std::size_t server);
  void unlock_table(std::size_t server);
  // As ReplicationWorld::create_event(): `nightly` or `old`, in a year.
  void create_event(std::size_t server, const std::string& name, EventStatus status);
  // The row that the next write() makes is there already, and only there.
  void make_next_row_a_duplicate(std::size_t server);

 private:
  void reset(std::size_t server);

  std::array<std::uint16_t, 2> ports_;
  std::array<std::unique_ptr<TestClient>, 2> admins_;
  std::array<std::unique_ptr<TestClient>, 2> lockers_;
  unsigned next_id_ = 1000;
};

}  // namespace mha
