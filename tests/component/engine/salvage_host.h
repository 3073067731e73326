// Servers whose logs are salvaged, and the host that they were on.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "component/mysql/fetched_server.h"
#include "component/mysql/mariadb_server.h"
#include "component/mysql/test_client.h"
#include "component/needed_tools.h"
#include "component/real_clock.h"
#include "engine/saved_events.h"
#include "fakes/local_shell.h"
#include "mysql/libmysql_server.h"

namespace mha {

// Runs commands as the port says, without its deadline.
class HereRunner : public ScriptRunner {
 public:
  Result<int> run(const Secret& command, Deadline /*deadline*/) override {
    ++runs;
    const int status = std::system(std::string{command.reveal()}.c_str());
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  int runs = 0;
};

// A server of any kind by the name of tests/servers/fetch, or kInstalled's.
class SalvageServer {
 public:
  SalvageServer(const std::string& name, unsigned id, std::vector<std::string> options)
      : name_(name) {
    options.push_back("--server-id=" + std::to_string(id));
    if (name == "mariadb-10.11") {
      options.insert(options.end(), {"--log-bin=bin", "--log-slave-updates"});
      mariadb_ = std::make_unique<MariadbServer>(options);
    } else {
      fetched_ = std::make_unique<FetchedServer>(name, options);
    }
    if (!client.connect(port(), "mha", kPassword)) throw std::runtime_error("no client");
    execute("SET GLOBAL innodb_flush_log_at_trx_commit=0");
    execute("SET NAMES utf8mb4");
  }

  [[nodiscard]] std::uint16_t port() const {
    return mariadb_ != nullptr ? mariadb_->port() : fetched_->port();
  }
  void crash() {
    if (mariadb_ != nullptr) mariadb_->crash();
    if (fetched_ != nullptr) fetched_->crash();
  }
  [[nodiscard]] bool is_mariadb() const { return name_.starts_with("mariadb"); }
  [[nodiscard]] std::string data() { return client.value("SELECT @@datadir").value_or(""); }
  // Where mysqlbinlog of its kind lies; "": in PATH.
  [[nodiscard]] std::string bindir() const {
    if (mariadb_ != nullptr) return "";
    // 5.6 comes without one.
    return FetchedServer::folder(name_ == "mysql-5.6" ? "mysql-9.7" : name_) + "/bin";
  }
  std::string ask(const std::string& sql) {
    return client.value(sql).value_or("NULL or error " + std::to_string(client.error()));
  }
  void execute(const std::string& sql) {
    EXPECT_TRUE(client.execute(sql)) << client.error() << ": " << sql.substr(0, 200);
  }

  TestClient client;

 private:
  std::string name_;
  std::unique_ptr<MariadbServer> mariadb_;
  std::unique_ptr<FetchedServer> fetched_;
};

}  // namespace mha
