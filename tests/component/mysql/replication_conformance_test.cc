// The replication suite over a pair of real MariaDB servers, and over any pair that the environment
// names.
#include "replication_conformance.h"

#include <cstdlib>
#include <sstream>

#include "mysql_fixture.h"
#include "server_pair.h"

namespace mha {
namespace {

class RealPair : public ReplicationWorld {
 public:
  RealPair(const std::array<std::uint16_t, 2>& ports, GtidUse gtid_use)
      : pair_(ports), gtid_use_(gtid_use) {}

  MysqlConnector& connector() override { return connector_; }
  Clock& clock() override { return clock_; }
  [[nodiscard]] MysqlTarget target(std::size_t server) const override {
    return local_target(pair_.port(server));
  }
  [[nodiscard]] NewSource account() const override { return ServerPair::account(); }
  [[nodiscard]] GtidUse gtid_use() const override { return gtid_use_; }

  void write(std::size_t server, std::size_t transactions) override {
    pair_.write(server, transactions);
  }
  std::size_t written(std::size_t server) override { return pair_.rows(server); }
  std::string script(std::size_t transactions) override { return pair_.script(transactions); }
  void hold_applier(std::size_t server) override { pair_.lock_table(server); }
  void release_applier(std::size_t server) override { pair_.unlock_table(server); }
  int break_applier(std::size_t server, std::size_t source) override {
    pair_.make_next_row_a_duplicate(server);
    pair_.write(source, 1);
    return 1062;
  }
  void create_event(std::size_t server, const std::string& name, EventStatus status) override {
    pair_.create_event(server, name, status);
  }

 private:
  RealClock clock_;
  LibmysqlConnector connector_{clock_};
  ServerPair pair_;
  GtidUse gtid_use_;
};

using Worlds = std::vector<ReplicationConformance::ParamType>;

void add(Worlds& worlds, const std::string& name,
         const std::function<std::array<std::uint16_t, 2>()>& ports) {
  worlds.emplace_back(name + "_gtid",
                      [ports] { return std::make_unique<RealPair>(ports(), GtidUse::kAuto); });
  worlds.emplace_back(name + "_position",
                      [ports] { return std::make_unique<RealPair>(ports(), GtidUse::kNone); });
}

// MHA_TEST_MYSQL_PAIR, "3306,3307", names two servers on 127.0.0.1 that somebody has started, of
// any version, as ServerPair wants them, with GTIDs on.
Worlds worlds() {
  Worlds worlds;
  if (missing_tools().empty()) add(worlds, "mariadb", plain_pair);
  if (const char* ports = std::getenv("MHA_TEST_MYSQL_PAIR"); ports != nullptr) {
    std::array<std::uint16_t, 2> pair{};
    char comma = ',';
    std::istringstream{ports} >> pair[0] >> comma >> pair[1];
    add(worlds, "external", [pair] { return pair; });
  }
  return worlds;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ReplicationConformance);
INSTANTIATE_TEST_SUITE_P(, ReplicationConformance, testing::ValuesIn(worlds()),
                         replication_world_name);

}  // namespace
}  // namespace mha
