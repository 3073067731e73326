// The conformance suite over real servers of each family and age, and over any that the environment
// names.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include "fetched_server.h"
#include "mysql_conformance.h"
#include "mysql_fixture.h"

namespace mha {
namespace {

// All worlds share a server; each finds it writable and without clients, and leaves it so.
class RealWorld : public MysqlWorld {
 public:
  explicit RealWorld(std::uint16_t port) : port_(port) {
    if (!admin_.connect(port_, "mha", kPassword)) throw std::runtime_error("no admin");
  }
  ~RealWorld() override {
    for (const auto& [id, client] : clients_) admin_.execute("KILL " + std::to_string(id));
    admin_.execute("SET GLOBAL read_only=0");
  }

  MysqlConnector& connector() override { return connector_; }
  Clock& clock() override { return clock_; }
  [[nodiscard]] MysqlTarget target() const override { return local_target(port_); }
  [[nodiscard]] MysqlTarget nowhere() const override {
    MysqlTarget target = local_target(port_);
    target.port = 1;
    return target;
  }

  std::uint64_t add_client() override {
    auto client = std::make_unique<TestClient>();
    if (!client->connect(port_)) throw std::runtime_error("no client");
    const std::uint64_t id = client->id();
    clients_[id] = std::move(client);
    return id;
  }
  void drop_client(std::uint64_t id) override { clients_.erase(id); }
  std::uint64_t add_blocker() override {
    const std::uint64_t id = add_client();
    clients_[id]->send("UPDATE shop.orders SET amount = amount + SLEEP(30)");
    const Deadline deadline = clock_.deadline_after(Milliseconds{10000});
    while (admin_.value("SELECT STATE FROM information_schema.PROCESSLIST WHERE ID=" +
                        std::to_string(id)) != "User sleep") {
      if (clock_.passed(deadline)) throw std::runtime_error("the blocker does not run");
    }
    return id;
  }
  void take_lock(std::uint64_t id, const std::string& lock_name) override {
    clients_[id]->execute("SELECT GET_LOCK('" + lock_name + "', 0)");
  }

 private:
  RealClock clock_;
  LibmysqlConnector connector_{clock_};
  std::uint16_t port_;
  TestClient admin_;
  std::map<std::uint64_t, std::unique_ptr<TestClient>> clients_;
};

// MHA_TEST_MYSQL_PORT names a server on 127.0.0.1 that somebody has started, of any version, with
// the users and the table that MariadbServer makes. Where the tools for our own are missing, the
// other tests of this program say so.
std::vector<MysqlConformance::ParamType> worlds() {
  std::vector<MysqlConformance::ParamType> worlds;
  if (missing_tools().empty()) {
    worlds.emplace_back("mariadb",
                        [] { return std::make_unique<RealWorld>(plain_server().port()); });
  }
  for (const std::string& name : kFetchedServers) {
    std::string word = name;
    std::ranges::replace_if(
        word, [](char c) { return c == '-' || c == '.'; }, '_');
    worlds.emplace_back(word, [name]() -> std::unique_ptr<MysqlWorld> {
      const char* ci = std::getenv("CI");
      const bool must = ci != nullptr && std::string{ci} == "true";
      if (!must && !can_fetch(name)) return nullptr;
      return std::make_unique<RealWorld>(fetched_server(name).port());
    });
  }
  if (const char* port = std::getenv("MHA_TEST_MYSQL_PORT"); port != nullptr) {
    worlds.emplace_back("external", [number = static_cast<std::uint16_t>(std::atoi(port))] {
      return std::make_unique<RealWorld>(number);
    });
  }
  return worlds;
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(MysqlConformance);
INSTANTIATE_TEST_SUITE_P(, MysqlConformance, testing::ValuesIn(worlds()), world_name);

}  // namespace
}  // namespace mha
