// A real mariadbd for tests: its own data directory, a free port on loopback, gone with the object.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "ports/mysql_server.h"

namespace mha {

// An empty folder under the temporary directory, removed with all it holds.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Runs a program to its end, output discarded; throws std::runtime_error where it fails.
void run_program(const std::vector<std::string>& argv);

// Starts a program, by its path, with nothing but /dev/null open; it ends with us, even where we
// crash.
pid_t spawn(const std::vector<std::string>& argv);

// A port of 127.0.0.1 that nobody listens at now.
std::uint16_t free_port();

// Writes the statements for a server's --init-file that make the accounts and the table below.
void write_init_sql(const std::string& file);

// "" where mariadbd, mariadb-install-db and openssl are there, else what is missing.
std::string missing_tools();

// A password with all that shells and SQL treat as special.
inline constexpr const char* kPassword = R"(p@ss w'o\rd$1"!)";

// User mha with kPassword at 127.0.0.1, without TLS.
MysqlTarget local_target(std::uint16_t port);

// Users `mha` (all privileges, kPassword) and `app` (rights on shop, no password); a table
// shop.orders with ids 1 and 2. Starting throws std::runtime_error with the server's log.
class MariadbServer {
 public:
  explicit MariadbServer(const std::vector<std::string>& options = {});
  ~MariadbServer();
  MariadbServer(const MariadbServer&) = delete;
  MariadbServer& operator=(const MariadbServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] MysqlTarget target() const { return local_target(port_); }

  void freeze() const;  // SIGSTOP: connections are accepted by the kernel, nothing answers
  void thaw() const;
  void crash();  // SIGKILL

 private:
  void start(const std::vector<std::string>& options);
  // False where the server has ended or the time is over.
  bool wait_until_ready() const;

  TemporaryFolder folder_;
  std::uint16_t port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace mha
