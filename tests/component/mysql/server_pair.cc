// The pair, by statements that one family or the other understands.
#include "server_pair.h"

#include <fmt/core.h>

#include <stdexcept>

namespace mha {
namespace {

// The first of them that the server takes.
void execute_any(TestClient& client, const std::vector<std::string>& statements) {
  for (const std::string& statement : statements) {
    if (client.execute(statement)) return;
  }
  throw std::runtime_error(
      fmt::format("the server refuses: {} (error {})", statements.front(), client.error()));
}

constexpr const char* kReplicationPassword = R"(r'e\p"l)";

}  // namespace

std::vector<std::string> replication_options(unsigned server_id) {
  return {fmt::format("--server-id={}", server_id), "--log-bin=binlog", "--log-slave-updates",
          "--relay-log=relay",
          // RESET MASTER waits for the log to be flushed, which 0 and 2 do once a second.
          "--innodb-flush-log-at-trx-commit=1"};
}

std::array<std::uint16_t, 2> plain_pair() {
  static const MariadbServer first{replication_options(1)};
  static const MariadbServer second{replication_options(2)};
  return {first.port(), second.port()};
}

ServerPair::ServerPair(const std::array<std::uint16_t, 2>& ports) : ports_(ports) {
  for (std::size_t server = 0; server < 2; ++server) {
    for (std::unique_ptr<TestClient>* client : {&admins_[server], &lockers_[server]}) {
      *client = std::make_unique<TestClient>();
      if (!(*client)->connect(ports_[server], "mha", kPassword)) {
        throw std::runtime_error(fmt::format("no server at port {}", ports_[server]));
      }
    }
  }
  // Both stop before either forgets what the other might still send.
  for (const auto& client : admins_) execute_any(*client, {"STOP SLAVE", "STOP REPLICA"});
  for (std::size_t server = 0; server < 2; ++server) reset(server);
}

ServerPair::~ServerPair() {
  for (const auto& client : lockers_) client->execute("UNLOCK TABLES");
}

void ServerPair::reset(std::size_t server) {
  TestClient& client = admin(server);
  execute_any(client, {"RESET SLAVE ALL", "RESET REPLICA ALL"});
  execute_any(client, {"SET GLOBAL super_read_only=0", "SET GLOBAL read_only=0"});
  execute_any(client, {"SET GLOBAL event_scheduler=0"});
  execute_any(client, {"SET sql_log_bin=0"});
  client.execute("DROP USER repl@'%'");
  execute_any(client, {"CREATE USER repl@'%' IDENTIFIED BY 'r\\'e\\\\p\"l'"});
  execute_any(client, {"GRANT REPLICATION SLAVE ON *.* TO repl@'%'"});
  execute_any(client, {"TRUNCATE shop.orders"});
  for (const char* name : {"nightly", "old"}) {
    execute_any(client, {fmt::format("DROP EVENT IF EXISTS shop.{}", name)});
  }
  execute_any(client, {"SET sql_log_bin=1"});
  execute_any(client, {"RESET MASTER", "RESET BINARY LOGS AND GTIDS"});
  client.execute("SET GLOBAL gtid_slave_pos=''");  // MariaDB's alone
}

NewSource ServerPair::account() {
  NewSource account;
  account.user = "repl";
  account.password = Secret{kReplicationPassword};
  account.security.get_public_key = true;  // MySQL without TLS asks for it
  return account;
}

void ServerPair::write(std::size_t server, std::size_t rows) {
  for (; rows > 0; --rows) {
    execute_any(admin(server), {fmt::format("INSERT INTO shop.orders VALUES ({}, 1)", next_id_++)});
  }
}

std::string ServerPair::script(std::size_t rows) {
  std::string script =
      "/*!50530 SET @@SESSION.PSEUDO_SLAVE_MODE=1*/;\nDELIMITER /*!*/;\nROLLBACK/*!*/;\n"
      "SET @@session.sql_mode=0/*!*/;\n/*!\\C latin1 *//*!*/;\n"
      "SET @@session.character_set_client=8,@@session.collation_connection=8/*!*/;\n";
  for (; rows > 0; --rows) {
    script += fmt::format(
        "# at 4\nSET TIMESTAMP=1/*!*/;\nBEGIN\n/*!*/;\n"
        "INSERT INTO shop.orders VALUES ({}, 1)\n/*!*/;\nCOMMIT/*!*/;\n",
        next_id_++);
  }
  return script + "DELIMITER ;\n# End of log file\n/*!99999 SET NONSENSE */;\n";
}

std::size_t ServerPair::rows(std::size_t server) {
  return std::stoul(
      admin(server).value("SELECT COUNT(*) FROM shop.orders WHERE id >= 1000").value_or("0"));
}

void ServerPair::lock_table(std::size_t server) {
  execute_any(*lockers_.at(server), {"LOCK TABLES shop.orders READ"});
}

void ServerPair::unlock_table(std::size_t server) {
  execute_any(*lockers_.at(server), {"UNLOCK TABLES"});
}

void ServerPair::create_event(std::size_t server, const std::string& name, EventStatus status) {
  TestClient& client = admin(server);
  execute_any(client, {"SET NAMES latin1"});
  execute_any(client, {fmt::format(
                          "CREATE DEFINER=app@`10.%` EVENT shop.{} ON SCHEDULE EVERY 1 YEAR STARTS "
                          "NOW() + INTERVAL 1 YEAR {} DO DELETE FROM shop.orders",
                          name, status == EventStatus::kEnabled ? "ENABLE" : "DISABLE")});
  execute_any(client, {"SET NAMES utf8mb4"});
}

void ServerPair::make_next_row_a_duplicate(std::size_t server) {
  TestClient& client = admin(server);
  execute_any(client, {"SET sql_log_bin=0"});
  execute_any(client, {fmt::format("INSERT INTO shop.orders VALUES ({}, 2)", next_id_)});
  execute_any(client, {"SET sql_log_bin=1"});
}

}  // namespace mha
